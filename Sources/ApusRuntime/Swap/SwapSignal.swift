import ApusMemory
import Synchronization

/// What the subtasks of a swap share: whether they may switch, and who waits for them.
final class SwapSignal: Sendable {
    /// Rung when a subtask has come further.
    let bell = Doorbell()
    private let isGiven: Atomic<Bool> = Atomic(false)

    /// Whether subtasks may switch.
    var isSet: Bool { isGiven.load(ordering: .acquiring) }

    /// Lets subtasks switch.
    func set() { isGiven.store(true, ordering: .releasing) }
}
