import ApusMemory
import ApusRuntime
import Synchronization

/// What becomes of a relaunch: told by the session's thread, waited for by the one who asked.
final class RelaunchOutcome: Sendable {
    private let result: Mutex<Result<JobRun, JobRelaunchError>?> = Mutex(nil)
    private let bell = Doorbell()

    private static let second: Int64 = 1_000_000_000

    /// Tells it; once.
    func set(_ value: Result<JobRun, JobRelaunchError>) {
        result.withLock { $0 = value }
        bell.ring()
    }

    /// Waits for it; one thread.
    func wait() -> Result<JobRun, JobRelaunchError> {
        while true {
            if let value = result.withLock({ $0 }) { return value }
            bell.sleep(nanoseconds: Self.second) { result.withLock { $0 != nil } }
        }
    }
}
