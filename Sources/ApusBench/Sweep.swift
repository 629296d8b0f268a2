import Synchronization

/// How far the subtasks of a source have come with making every key once.
final class Sweep: Sendable {
    /// How many records it has.
    let recordCount: Int
    private let endedCount: Atomic<Int> = Atomic(0)

    init(recordCount: Int) {
        self.recordCount = recordCount
    }

    /// Notes that a subtask has made all of its records.
    func noteEnd() { endedCount.add(1, ordering: .releasing) }

    /// Whether so many subtasks have made all of their records.
    func isEnded(subtaskCount: Int) -> Bool {
        endedCount.load(ordering: .acquiring) >= subtaskCount
    }
}
