package import ApusCheckpoint
import ApusMemory
import Synchronization

/// A checkpoint that somebody has asked for: one whose barrier is sent after the wish.
///
/// Made by ``JobRun/wishForCheckpoint()``, fulfilled by the checkpoint thread, waited for by
/// one thread.
package final class CheckpointWish: Sendable {
    /// What became of it.
    package enum Outcome: Sendable {
        /// The checkpoint is complete, and stays as long as the lease.
        case granted(CheckpointLease)
        /// There is none, for this reason.
        case refused(String)
    }

    private let outcome: Mutex<Outcome?> = Mutex(nil)
    private let bell = Doorbell()

    init() {}

    /// Tells what became of it; the first word counts.
    func fulfil(_ result: Outcome) {
        outcome.withLock { $0 = $0 ?? result }
        bell.ring()
    }

    /// Waits for what becomes of it, at most so long.
    ///
    /// - Parameter nanoseconds: How long.
    /// - Returns: What became of it; nil when that is not known yet.
    package func wait(nanoseconds: Int64) -> Outcome? {
        bell.sleep(nanoseconds: nanoseconds) { outcome.withLock { $0 != nil } }
        return outcome.withLock { $0 }
    }
}
