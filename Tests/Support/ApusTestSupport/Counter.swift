import Synchronization

/// A number that several threads count up.
package final class Counter: Sendable {
    private let count: Atomic<Int> = Atomic(0)

    /// Creates a counter at 0.
    package init() {}

    /// Adds 1.
    package func add() {
        count.add(1, ordering: .relaxed)
    }

    /// The number so far.
    package var value: Int { count.load(ordering: .relaxed) }
}
