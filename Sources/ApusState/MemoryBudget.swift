import Synchronization

/// The memory that the states of a worker share, in bytes.
///
/// Each state reports what it uses between callbacks; whoever finds the sum too high makes room in
/// its own rows.  Any thread.
package final class MemoryBudget: Sendable {
    /// What rows, and entries on their way into the database, may use together.
    package let byteCount: Int
    private let used: Atomic<Int> = Atomic(0)
    private let peak: Atomic<Int> = Atomic(0)

    /// Creates a budget of which nothing is used.
    package init(byteCount: Int) {
        precondition(byteCount > 0, "a budget has at least one byte")
        self.byteCount = byteCount
    }

    /// What is used now.
    package var usedByteCount: Int { used.load(ordering: .relaxed) }

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
