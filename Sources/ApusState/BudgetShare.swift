/// What state that cannot leave memory uses of a ``MemoryBudget``, reported in steps so that small
/// changes cost nothing.
///
/// One thread.  Given back when it goes.
struct BudgetShare: ~Copyable {
    /// A change is reported when it has so many bytes: the budget may be wrong by less than that.
    static let stepByteCount = 4096

    private let budget: MemoryBudget?
    private var reportedByteCount = 0

    /// Creates a share of nothing; nil is for state that counts in no budget.
    init(of budget: MemoryBudget?) {
        self.budget = budget
    }

    deinit {
        budget?.addResident(-reportedByteCount)
    }

    /// Tells how much is used now.
    mutating func report(_ byteCount: Int) {
        let change = byteCount - reportedByteCount
        guard abs(change) >= Self.stepByteCount, let budget else { return }
        budget.addResident(change)
        reportedByteCount = byteCount
    }
}
