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

    /// Where it has come to.
    enum Step: Sendable {
        /// The checkpoint to go on from is known, and the newest one that there is; the next run
        /// does not work yet.
        case opened(checkpoint: UInt64?, newest: UInt64?)
        /// It is not possible, for a reason, and the job is about to go on as it was.
        case goesOnAsBefore(String)
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
    /// Whether the job goes on as it was when it cannot go on with ``loaded``.
    var mayGoOnAsBefore = true
    /// Nodes whose part of the checkpoint is given up.
    var droppedState: [String] = []
    /// Sinks that there are no longer: what the checkpoint has for them is given up when the run
    /// before has delivered everything.
    var endedSinks: [String] = []
    /// Whether what the next run emits is held back, and its operators are watched.
    var isOnProbation = false
    /// Notes a step where it outlives the process; an error ends the step.
    var note: (@Sendable (Step) throws -> Void)?
}

/// Why a job did not go on with another run.
struct JobRelaunchError: Error, CustomStringConvertible {
    /// Whether the job runs on as it was; otherwise it has ended.
    let goesOn: Bool
    /// What was expected, what was found.
    let description: String
}
