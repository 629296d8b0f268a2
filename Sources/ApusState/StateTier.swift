package import ApusStore

/// What a keyed state needs to outgrow memory and to be checkpointed.
package struct StateTier: Sendable {
    /// Where rows are that memory does not hold.
    package var database: StateDatabase
    /// Takes entries into the database.
    package var writer: StateWriter
    /// What rows may use, together with the other states of the worker.
    package var budget: MemoryBudget
    /// The operator in stored keys.
    package var operatorNumber: UInt16
    /// The key groups of the subtask.
    package var groups: Range<Int>
    /// Whether the database may hold rows of this operator from before.
    package var isRestored: Bool
    /// What the operator held when it was restored; of one subtask only, 0 for the others.
    package var restored: StateTotals

    /// Where rows may be spilled that memory has no room for; nil when they may not.
    package var spillDirectory: String?

    /// Creates a description of the durable tier.
    package init(
        database: StateDatabase,
        writer: StateWriter,
        budget: MemoryBudget,
        operatorNumber: UInt16,
        groups: Range<Int>,
        isRestored: Bool,
        restored: StateTotals,
        spillDirectory: String? = nil
    ) {
        self.database = database
        self.writer = writer
        self.budget = budget
        self.operatorNumber = operatorNumber
        self.groups = groups
        self.isRestored = isRestored
        self.restored = restored
        self.spillDirectory = spillDirectory
    }
}

/// How much an operator holds, in memory or not: counted as it changes, never scanned for.
package struct StateTotals: Equatable, Sendable {
    /// Keys that hold state or timers.
    package var keyCount = 0
    /// Armed timers in event time.
    package var eventTimerCount = 0
    /// Armed timers in processing time.
    package var processingTimerCount = 0

    /// Creates totals of nothing.
    package init() {}

    /// Adds another part of the same operator.
    package static func += (left: inout StateTotals, right: StateTotals) {
        left.keyCount += right.keyCount
        left.eventTimerCount += right.eventTimerCount
        left.processingTimerCount += right.processingTimerCount
    }
}
