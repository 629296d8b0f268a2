import Synchronization

/// The memory that the states of a worker share, in bytes.
///
/// Each state reports what it uses between callbacks; whoever finds the sum too high makes room in
/// its own rows.  Any thread.
package final class MemoryBudget: Sendable {
    /// What rows, broadcast and operator state, and entries on their way into the database may use
    /// together.
    package let byteCount: Int
    /// The part of a budget that rows keep when state that cannot leave memory uses up the rest;
    /// the budget is exceeded then.
    private static let leastRowShare = 16
    /// The part of a budget that rows get when some states spill; the rest is for the index of what
    /// was spilled.
    ///
    /// A key that the index has no room for costs several times what one costs that has to be read
    /// from the log.
    private static let spillingRowShare = 2
    /// The part that entries on their way into the database get.
    private static let inFlightShare = 8

    private let used: Atomic<Int> = Atomic(0)
    private let peak: Atomic<Int> = Atomic(0)
    private let spillIndex: Atomic<Int> = Atomic(0)
    private let inFlight: Atomic<Int> = Atomic(0)
    private let resident: Atomic<Int> = Atomic(0)
    // Relaxed, as all here: a state that sees it late takes too much for a moment.
    private let hasSpill: Atomic<Bool> = Atomic(false)

    /// Creates a budget of which nothing is used.
    package init(byteCount: Int) {
        precondition(byteCount > 0, "a budget has at least one byte")
        self.byteCount = byteCount
    }

    /// What is used now.
    package var usedByteCount: Int { used.load(ordering: .relaxed) }

    /// What rows, and what cannot leave memory, may use.
    ///
    /// Memory for rows does not shrink, so the others must have their parts from the start.
    var rowByteCountMax: Int {
        let part = byteCount - spillIndexPart - byteCount / Self.inFlightShare
        let least = resident.load(ordering: .relaxed) + byteCount / Self.leastRowShare
        return max(part, least)
    }

    /// What rows, and what cannot leave memory, use now; memory that rows leave behind for others
    /// included.
    var rowByteCount: Int {
        usedByteCount - spillIndex.load(ordering: .relaxed) - inFlight.load(ordering: .relaxed)
    }

    private var spillIndexPart: Int {
        hasSpill.load(ordering: .relaxed) ? byteCount - byteCount / Self.spillingRowShare : 0
    }

    /// Whether the index of spilled rows uses more than its part.
    var isSpillIndexTooLarge: Bool {
        let rest = byteCount - rowByteCountMax - byteCount / Self.inFlightShare
        let part = max(min(spillIndexPart, rest), byteCount / Self.leastRowShare)
        return spillIndex.load(ordering: .relaxed) > part
    }

    /// Whether entries on their way into the database use more than their part.
    var isInFlightTooLarge: Bool {
        inFlight.load(ordering: .relaxed) > byteCount / Self.inFlightShare
    }

    /// Reports a change of what is on its way into the database.
    func addInFlight(_ change: Int) {
        inFlight.add(change, ordering: .relaxed)
        add(change)
    }

    /// Notes that a state spills rows.
    func reserveForSpill() { hasSpill.store(true, ordering: .relaxed) }

    /// Reports a change of one state's index of spilled rows.
    func addSpillIndex(_ change: Int) {
        spillIndex.add(change, ordering: .relaxed)
        add(change)
    }

    /// Reports a change of state that cannot leave memory.
    func addResident(_ change: Int) {
        resident.add(change, ordering: .relaxed)
        add(change)
    }

    /// The most that was ever used.
    package var peakByteCount: Int { peak.load(ordering: .relaxed) }

    /// Reports a change of one user's part.
    package func add(_ change: Int) {
        let now = used.add(change, ordering: .relaxed).newValue
        var seen = peak.load(ordering: .relaxed)
        while now > seen {
            let (exchanged, original) = peak.weakCompareExchange(
                expected: seen,
                desired: now,
                ordering: .relaxed
            )
            if exchanged { return }
            seen = original
        }
    }
}
