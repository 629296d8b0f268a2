import ApusCheckpoint
import ApusControl
import ApusIO
import ApusPluginHost
import ApusRuntime
import Glibc

/// What a running job can be asked for over its control socket.
///
/// To add a method: a row in ``all``, its section in docs/formats/control.md, a test.
struct JobMethods: Sendable {
    /// The job's name.
    let job: String
    /// The job; its run may be another one at each request.
    let session: JobSession
    /// Which plugins may come in, and how.
    let admission: PluginAdmission
    /// Carries swaps out.
    let conductor: SwapConductor

    /// The table of methods.
    var all: [ControlMethod] {
        [
            ControlMethod("job.status") { _ in status() },
            ControlMethod("job.stop", run: stop),
            ControlMethod("job.relaunch", run: relaunch),
            ControlMethod("checkpoint.create", run: createCheckpoint),
            ControlMethod("state.sizes", run: sizes),
            ControlMethod("state.purge", run: purge),
            ControlMethod("state.undo", run: undo),
        ] + pluginMethods + swapMethods + graphMethods
    }

    /// Between two words of progress.
    static let second: Int64 = 1_000_000_000
    /// How long the end of the job may go unnoticed, in milliseconds.
    private static let stopPollMilliseconds = 20

    /// A checkpoint that is complete, and kept until the connection ends.
    struct CheckpointCreated: Codable {
        var job: String
        var checkpoint: UInt64
    }

    /// A job that has ended because it was asked to.
    struct JobStopped: Codable {
        var job: String
        /// The checkpoint to go on from; nil for a job that takes none.
        var checkpoint: UInt64?
    }

    private func status() -> JobStatus {
        JobStatus(session.run, job: job, version: HostTable.version, process: getpid())
    }

    private func createCheckpoint(
        _ call: ControlCall
    ) throws(ControlError) -> any Encodable {
        let run = session.run
        guard let wish = run.wishForCheckpoint() else {
            throw ControlError(
                .refused,
                "job '\(job)' takes no checkpoints; give it a `checkpoint:` in its job file"
            )
        }
        while true {
            switch wish.wait(nanoseconds: Self.second) {
            case .granted(let lease):
                call.keepUntilTheEnd(lease)
                return CheckpointCreated(job: job, checkpoint: lease.number)
            case .refused(let reason):
                throw ControlError(run.hasEnded ? .ended : .failed, "job '\(job)': \(reason)")
            case nil:
                call.tell(ControlProgress("job '\(job)': the checkpoint is being taken"))
                guard !call.isOver else { throw Self.nobodyWaits }
            }
        }
    }

    private func stop(_ call: ControlCall) throws(ControlError) -> any Encodable {
        session.stop()
        var waited = 0
        while !session.hasEnded {
            LinuxThreads.sleep(milliseconds: Self.stopPollMilliseconds)
            waited += Self.stopPollMilliseconds
            guard waited % 1000 == 0 else { continue }
            call.tell(ControlProgress("job '\(job)': what is under way is delivered"))
            // It stops all the same.
            guard !call.isOver else { throw Self.nobodyWaits }
        }
        if let failure = session.failure {
            throw ControlError(.failed, "job '\(job)' failed while it ended: \(failure)")
        }
        return JobStopped(job: job, checkpoint: session.run.progress().checkpoints?.lastComplete)
    }

    /// Which checkpoint to go on from.
    struct Relaunch: Codable {
        /// Its number; nil for the newest one.
        var checkpoint: UInt64?
    }

    /// A job that has gone on from a checkpoint.
    struct Relaunched: Codable {
        var job: String
        /// The checkpoint that it went on from; nil for the beginning.
        var checkpoint: UInt64?
        /// How many runs there have been in this process.
        var runs: Int
    }

    private func relaunch(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let asked = try call.parameters(Relaunch.self)
        do throws(JobRelaunchError) {
            let run = try session.relaunch(JobRelaunch(checkpoint: asked.checkpoint))
            return Relaunched(job: job, checkpoint: run.restoredNumber, runs: session.launchCount)
        } catch {
            throw ControlError(error.goesOn ? .refused : .failed, "job '\(job)': \(error)")
        }
    }

    /// Nobody reads it.
    static let nobodyWaits = ControlError(.ended, "nobody waits for the answer")
}
