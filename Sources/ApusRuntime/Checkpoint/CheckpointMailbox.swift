import ApusMemory
import Synchronization

/// What task threads and the control plane tell the checkpoint thread.
final class CheckpointMailbox: Sendable {
    /// A letter.
    enum Letter: Sendable {
        case report(SubtaskReport)
        case declined(UInt64, String)
        case threadEnded
        case stopRequested
        case wish(CheckpointWish)
        /// What was held back may be delivered.
        case deliveryAllowed
    }

    private let letters: Mutex<[Letter]> = Mutex([])
    private let bell = Doorbell()

    /// Leaves a letter; any thread.
    func post(_ letter: Letter) {
        letters.withLock { $0.append(letter) }
        bell.ring()
    }

    /// Wakes the checkpoint thread; any thread.
    func wake() { bell.ring() }

    /// Takes all letters, in order; the checkpoint thread.
    func take() -> [Letter] {
        letters.withLock { letters in
            defer { letters = [] }
            return letters
        }
    }

    /// Sleeps until somebody wakes the checkpoint thread, at most so long.
    func sleep(nanoseconds: Int64, unless hasWork: () -> Bool) {
        bell.sleep(nanoseconds: nanoseconds) {
            hasWork() || letters.withLock { !$0.isEmpty }
        }
    }
}
