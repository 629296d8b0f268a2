import ApusControl
import ApusRuntime

/// The job as a swap sees it: what runs now, and how to go back.
struct JobLink: Sendable {
    /// What runs now.
    let current: @Sendable () -> JobRun
    /// Goes back to a checkpoint with these versions of operators; returns when the job runs again.
    let rewind: @Sendable (UInt64, [String: JobEnvironment.Implementation]) throws -> Void

    var run: JobRun { current() }
}
