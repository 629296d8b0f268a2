import Synchronization

/// How far the entries of one state have got on their way into the database.
///
/// Flushes are numbered from 1 by the state that makes them; the ``StateWriter`` completes them in
/// their order.
package final class FlushProgress: Sendable {
    private let completedCell: Atomic<Int> = Atomic(0)

    /// Creates the progress of a state that has not flushed anything.
    package init() {}

    /// The last flush whose entries are in the database.
    ///
    /// Any thread.
    package var completed: Int { completedCell.load(ordering: .acquiring) }

    /// Notes that a flush and all before it are in.
    ///
    /// The writer only.
    package func complete(_ flush: Int) {
        completedCell.store(flush, ordering: .releasing)
    }
}
