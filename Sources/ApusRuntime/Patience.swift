import ApusCore
import ApusMemory

/// Calls an endpoint again and again until it can do what it is asked.
///
/// A full disk holds a job up so, and loses nothing.  Only endpoints that can be called again say
/// that an error is retryable; and only a job with checkpoints waits, because who runs one without
/// is told at once.  One thread.
final class Patience {
    /// How long to wait before it is tried again, in nanoseconds.
    private static let pauseNanoseconds: Int64 = 50_000_000

    private let control: RunControl
    private let waits: Bool
    private let notify: @Sendable (String) -> Void
    /// Nobody rings it: it is for sleeping.
    private let bell = Doorbell()

    /// Creates the patience of a node's subtask; `waits` is whether the job has checkpoints.
    init(control: RunControl, waits: Bool, notify: @escaping @Sendable (String) -> Void) {
        self.control = control
        self.waits = waits
        self.notify = notify
    }

    /// Calls until it succeeds, or the job is aborted: then it returns without success.
    ///
    /// Says once that it waits, and for what, and once that it goes on.
    ///
    /// - Parameters:
    ///   - what: Who waits, for people: `sink 'out'`.
    ///   - call: What is to be done; it may be done again and again.
    /// - Throws: An error that no waiting can mend.
    func persist(
        _ what: @autoclosure () -> String,
        _ call: () throws(EndpointError) -> Void
    ) throws(EndpointError) {
        var hasFailed = false
        while true {
            do {
                try call()
                if hasFailed { notify("\(what()) goes on") }
                return
            } catch {
                guard error.isRetryable, waits else { throw error }
                if control.current == .abort { return }
                if !hasFailed { notify("\(what()) waits and tries again: \(error.description)") }
                hasFailed = true
                bell.sleep(nanoseconds: Self.pauseNanoseconds) { control.current == .abort }
            }
        }
    }
}
