import ApusRuntime

/// How a job goes on in the same process with another run.
struct JobRelaunch: Sendable {
    /// How the run before it ends.
    enum Ending: Sendable {
        /// At once; what was under way is lost, and processed again from the checkpoint.
        case abort
        /// As on Ctrl-C: what is under way is delivered, and a last checkpoint is taken.
        case stop
    }

    /// How the run before it ends.
    var ending = Ending.abort
    /// The checkpoint to go on from; nil for the newest one, or the beginning without one.
    ///
    /// One that is not the newest is gone back to only when nothing was delivered since.
    var checkpoint: UInt64?
    /// Other versions, by the ids of operators; the rest stays.
    var implementations: [String: JobEnvironment.Implementation] = [:]
    /// Another plan with everything that belongs to it; nil for the one that was.
    ///
    /// ``implementations`` counts on top of it.
    var loaded: JobPreparation.Loaded?
}

/// Why a job did not go on with another run.
struct JobRelaunchError: Error, CustomStringConvertible {
    /// Whether the job runs on as it was; otherwise it has ended.
    let goesOn: Bool
    /// What was expected, what was found.
    let description: String
}
