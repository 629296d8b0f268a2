import ApusCheckpoint
import ApusCore
import ApusIO
import ApusSwap
import ArgumentParser
import Glibc

/// `apus run --restart`: a process that runs the job as its child, and starts it again after an
/// unclean end.
///
/// It loads no plugin and keeps nothing open, so nothing that ends the child ends it.
struct RestartParent {
    let world: World
    /// The job's checkpoint folder.
    let folder: String
    /// How many times in a row it starts the job without a complete checkpoint in between.
    let limit: Int

    private static let firstPauseMilliseconds = 250
    private static let pauseMillisecondsMax = 30_000
    private static let pollMilliseconds = 20

    /// What a shell shows for an end by a signal.
    private static let signalStatus: Int32 = 128

    /// What was seen of a child.
    private struct Ending {
        var end: ProcessResult.End
        /// Whether it was asked to end.
        var wasAsked: Bool
    }

    /// Runs the job until it ends as it should, or has been started too often.
    ///
    /// - Returns: The child's status.
    /// - Throws: ``ProcessError`` when no child can be started.
    func run() throws -> ExitCode {
        var newest = newestCheckpoint()
        var hasCompleted = false
        var restarts = 0
        var pause = Self.firstPauseMilliseconds
        while true {
            let ending = try runChild(goesOn: hasCompleted)
            let status = Self.status(of: ending.end)
            guard !ending.wasAsked, isUnclean(ending.end) else { return status }
            let now = newestCheckpoint()
            if now != newest {
                (newest, hasCompleted) = (now, true)
                (restarts, pause) = (0, Self.firstPauseMilliseconds)
            }
            let what = Self.text(of: ending.end)
            guard restarts < limit else {
                Console.error(
                    "the job has ended \(what), and was started again \(limit) times without a "
                        + "complete checkpoint in between; it is not started again"
                )
                return status
            }
            restarts += 1
            Console.note(
                "note: the job has ended \(what); it is started again (\(restarts) of \(limit))"
            )
            guard waitUnlessAsked(milliseconds: pause) else { return status }
            pause = min(pause * 2, Self.pauseMillisecondsMax)
        }
    }

    // MARK: - The child

    private func runChild(goesOn: Bool) throws -> Ending {
        // Behind `run`, because behind a lone `--` options are none.
        var arguments = Array(CommandLine.arguments.dropFirst())
        let at = (arguments.firstIndex(of: "run") ?? -1) + 1
        var added = ["--restarted-by", "\(getpid())"]
        if goesOn { added.append("--goes-on") }
        arguments.insert(contentsOf: added, at: at)
        let child = try world.processes.startSelf(arguments: arguments)
        var wasAsked = false
        while true {
            if let end = child.end(waiting: false) { return Ending(end: end, wasAsked: wasAsked) }
            if let request = LinuxSignals.next(waitingMilliseconds: Self.pollMilliseconds) {
                wasAsked = true
                child.ask(toEnd: request)
            }
        }
    }

    /// Waits; false when a person or a service manager wants the end.
    private func waitUnlessAsked(milliseconds: Int) -> Bool {
        LinuxSignals.next(waitingMilliseconds: milliseconds) == nil
    }

    /// Whether the job should have ended otherwise.
    private func isUnclean(_ end: ProcessResult.End) -> Bool {
        switch end {
        case .signalled, .timedOut: return true
        case .exited(ExitStatus.plugin.rawValue): return true
        case .exited(ExitStatus.failed.rawValue):
            // The version on probation has failed the job: the next start takes it back.
            let disk = world.disk
            // The next start says what is wrong with the journal.
            let history = try? SwapJournal.read(inFolder: folder, disk: disk)  // As said above.
            return history?.open != nil
        case .exited: return false
        }
    }

    private static func status(of end: ProcessResult.End) -> ExitCode {
        switch end {
        case .exited(let status): ExitCode(status)
        case .signalled(let signal): ExitCode(signalStatus + signal)
        case .timedOut: ExitStatus.failed
        }
    }

    private static func text(of end: ProcessResult.End) -> String {
        switch end {
        case .exited(let status): "with status \(status)"
        case .signalled(let signal): "by signal \(signal) (\(SignalName.of(signal)))"
        case .timedOut: "because its time was up"
        }
    }

    /// The newest checkpoint that is complete; nil when there is none, or it cannot be told.
    private func newestCheckpoint() -> UInt64? {
        let disk = world.disk
        // It is not there before the first start, and damage is the child's to tell.
        let found = try? CheckpointFolder.openForReading(folder, disk: disk)  // As said above.
        return (try? found?.latest(verifyingFiles: false))?.number  // As said above.
    }
}
