import Synchronization

/// A number that several threads count up.
final class Tally: Sendable {
    private let cell: Atomic<Int> = Atomic(0)

    var value: Int { cell.load(ordering: .relaxed) }

    /// Adds, and tells the sum.
    @discardableResult
    func add(_ count: Int) -> Int { cell.add(count, ordering: .relaxed).newValue }
}
