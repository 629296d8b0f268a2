import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusRuntime
import ApusSwap
import Synchronization

/// A job in this process, from its start to its end: one run, or several that follow each other.
///
/// A run ends and the next one begins from a checkpoint when a job goes back to an older version,
/// gets another number of subtasks, or another job file.  Who asks the job something takes
/// ``run`` anew each time.  Methods are for any thread unless they say otherwise.
final class JobSession: Sendable {
    /// Says how a job goes on whose run has ended by itself; nil when it does not.
    typealias EndHandler = @Sendable (JobRun) -> JobRelaunch?

    private struct Launch {
        var run: JobRun
        var durable: DurableJob
        var loaded: JobPreparation.Loaded
    }

    private enum Phase {
        case running
        /// A run ends and another one begins; the session's thread is at it.
        case relaunching
        case ended
    }

    private struct State {
        var launch: Launch
        var phase = Phase.running
        var launchCount = 1
        var wantsStop = false
        var wantsAbort = false
        /// Of the run that was there last, if it was waited for.
        var summary: JobRun.Summary?
        /// Why the last relaunch came to nothing.
        var failure: JobFailure?
        var endHandler: EndHandler?
        /// Has ended or is at its end, and was not joined.
        var thread: (any RunningThread)?
        var isOpen = true
        var journal: SwapJournal?
    }

    let launcher: JobLauncher
    private let state: Mutex<State>

    /// Takes over a job that was started.
    ///
    /// - Parameters:
    ///   - launcher: Starts its next runs.
    ///   - run: Its first run.
    ///   - durable: What that has open; closed by the session.
    ///   - loaded: What it was made of.
    ///   - journal: Its swap journal, if it has one already.
    init(
        _ launcher: JobLauncher,
        run: JobRun,
        durable: DurableJob,
        loaded: JobPreparation.Loaded,
        journal: SwapJournal?
    ) {
        self.launcher = launcher
        var first = State(launch: Launch(run: run, durable: durable, loaded: loaded))
        first.journal = journal
        state = Mutex(first)
    }

    // MARK: - Questions

    /// The run that there is now; the last one when the job has ended.
    var run: JobRun { state.withLock { $0.launch.run } }

    /// What the run that there is now is made of.
    var loaded: JobPreparation.Loaded { state.withLock { $0.launch.loaded } }

    /// How many runs there have been.
    var launchCount: Int { state.withLock { $0.launchCount } }

    /// The job's checkpoint folder; nil for a job without.
    var folderPath: String? { state.withLock { $0.launch.durable.folderPath } }

    /// Whether the job has ended, and no other run follows.
    var hasEnded: Bool {
        state.withLock { state in
            switch state.phase {
            case .ended: return true
            case .relaunching: return false
            case .running:
                guard state.launch.run.hasEnded else { return false }
                if let handler = state.endHandler, !state.wantsStop, !state.wantsAbort,
                    // A plugin may have left no memory for one: then the job ends as it is.
                    startIfPossible(&state, { self.askHandler(handler) })
                {
                    state.phase = .relaunching
                    return false
                }
                state.phase = .ended
                return true
            }
        }
    }

    /// Why the job has failed; nil when it has not, or not yet.
    var failure: JobFailure? { state.withLock { $0.failure ?? $0.launch.run.failure } }

    /// The job's swap journal, which is made when it is needed first.
    ///
    /// - Throws: ``SwapJournalError`` when the disk refuses, or the job has no checkpoint folder.
    func journal() throws(SwapJournalError) -> SwapJournal {
        try state.withLock { state throws(SwapJournalError) in
            if let journal = state.journal { return journal }
            guard let folder = state.launch.durable.folderPath else {
                throw SwapJournalError(
                    .disk,
                    "the job takes no checkpoints, so it has no place for a journal; give it a "
                        + "`checkpoint:` in its job file"
                )
            }
            let journal = try SwapJournal(inFolder: folder, disk: launcher.world.disk) {
                Console.note("warning: \($0)")
            }
            state.journal = journal
            return journal
        }
    }

    // MARK: - The end

    /// Asks the job to stop; what is under way is delivered.
    func stop() {
        let run = state.withLock { state in
            state.wantsStop = true
            return state.launch.run
        }
        run.stop()
    }

    /// Asks the job to end where it is.
    func abort() {
        let run = state.withLock { state in
            state.wantsAbort = true
            return state.launch.run
        }
        run.abort()
    }

    /// Has somebody asked when a run has ended by itself, failed or not, and nobody wished it to.
    ///
    /// Called on the session's own thread, at most once for each run.
    func onEnd(_ handler: EndHandler?) { state.withLock { $0.endHandler = handler } }

    /// Waits for the end of the last run; when ``hasEnded``, and once.
    func wait() -> JobRun.Summary {
        let (run, earlier, failure, thread) = state.withLock { state in
            defer { state.thread = nil }
            return (state.launch.run, state.summary, state.failure, state.thread)
        }
        thread?.join()
        let summary = earlier ?? run.wait()
        return failure.map(summary.failing) ?? summary
    }

    /// Closes what the job has open; nothing when that was done before.
    func close() {
        let durable = state.withLock { state in
            defer { state.isOpen = false }
            return state.isOpen ? state.launch.durable : nil
        }
        durable?.close()
    }

    // MARK: - The next run

    /// Notes that other versions were put into the run itself: the next run has them, too.
    ///
    /// - Parameter implementations: By the ids of operators.
    func keep(_ implementations: [String: JobEnvironment.Implementation]) {
        state.withLock { $0.launch.loaded.implementations.merge(implementations) { $1 } }
    }

    /// Ends the run and begins another one from a checkpoint; waits until it runs.
    ///
    /// Not for threads of the job: they have to end meanwhile.  The control socket and the progress
    /// display go on with the new run.
    ///
    /// - Parameter wish: How the job goes on.
    /// - Returns: The new run.
    /// - Throws: ``JobRelaunchError``; it tells whether the job runs on.
    @discardableResult
    func relaunch(_ wish: JobRelaunch) throws(JobRelaunchError) -> JobRun {
        let outcome = RelaunchOutcome()
        try state.withLock { state throws(JobRelaunchError) in
            try checkMayRelaunch(state)
            state.phase = .relaunching
            startThread(&state) { outcome.set(self.perform(wish)) }
        }
        return try outcome.wait().get()
    }

    private func checkMayRelaunch(_ state: borrowing State) throws(JobRelaunchError) {
        guard state.launch.durable.settings != nil else {
            throw JobRelaunchError(
                goesOn: true,
                description: "the job takes no checkpoints to go on from; give it a `checkpoint:` "
                    + "in its job file"
            )
        }
        switch state.phase {
        case .running: break
        case .relaunching:
            throw JobRelaunchError(
                goesOn: true,
                description: "the job goes on from a checkpoint at this moment; try again"
            )
        case .ended: throw JobRelaunchError(goesOn: false, description: "the job has ended")
        }
        guard !state.wantsStop, !state.wantsAbort else {
            throw JobRelaunchError(goesOn: false, description: "the job is about to end")
        }
    }

    private func startThread(_ state: inout State, _ body: @escaping @Sendable () -> Void) {
        // The one before has nothing left to do.
        state.thread?.join()
        state.thread = launcher.world.threads.start(name: "apus-session", body)
    }

    /// The same; false when the system has none to give.
    private func startIfPossible(
        _ state: inout State,
        _ body: @escaping @Sendable () -> Void
    ) -> Bool {
        state.thread?.join()
        state.thread = launcher.world.threads.startIfPossible(name: "apus-session", body)
        return state.thread != nil
    }

    private func askHandler(_ handler: EndHandler) {
        guard let wish = handler(run) else {
            state.withLock { $0.phase = .ended }
            return
        }
        if case .failure(let error) = perform(wish) {
            Console.note("warning: the job does not go on: \(error)")
        }
    }

    /// Does it; on the session's thread.
    private func perform(_ wish: JobRelaunch) -> Result<JobRun, JobRelaunchError> {
        let old = state.withLock { $0.launch }
        switch wish.ending {
        case .abort: old.run.abort()
        case .stop: old.run.stop()
        }
        let summary = old.run.wait()
        if case .failed(let failure) = summary.end, wish.ending == .stop {
            return end(summary, failure, "it failed while it was stopped: \(failure)")
        }
        if state.withLock({ $0.wantsAbort }) { return end(summary, nil, "the job was to end") }
        old.durable.close()
        state.withLock { $0.isOpen = false }
        let isDelivered = summary.progress.checkpoints?.undeliveredCount == 0
        var loaded = wish.loaded ?? old.loaded
        loaded.implementations.merge(wish.implementations) { $1 }
        do {
            let opened = try launcher.open(
                loaded.plan,
                start: wish.checkpoint.map(StartPoint.number) ?? .latestOrNew,
                droppedState: wish.droppedState + (isDelivered ? wish.endedSinks : []),
                swapped: state.withLock { Set($0.journal?.history.lines.keys.map { $0 } ?? []) },
                isOnProbation: wish.isOnProbation
            )
            Failpoint.hit(.b4)
            do {
                try wish.note?(
                    .opened(
                        checkpoint: opened.durable.restored?.number,
                        newest: try opened.durable.newestCheckpoint()
                    )
                )
                let run = try launcher.start(opened, loaded)
                publish(Launch(run: run, durable: opened.durable, loaded: loaded))
                return .success(run)
            } catch {
                opened.durable.close()
                throw error
            }
        } catch {
            let reason = (error as? JobFailure)?.description ?? "\(error)"
            if wish.loaded != nil, wish.mayGoOnAsBefore, goOnAsBefore(old.loaded, wish, reason) {
                return .failure(JobRelaunchError(goesOn: true, description: reason))
            }
            let failure = error as? JobFailure
            return end(
                summary,
                failure ?? JobFailure(.environment, node: loaded.plan.jobName, reason),
                reason
            )
        }
    }

    /// Goes on with what the job was made of before, when something else is not possible.
    ///
    /// - Returns: Whether it goes on.
    private func goOnAsBefore(
        _ loaded: JobPreparation.Loaded,
        _ wish: JobRelaunch,
        _ reason: String
    ) -> Bool {
        do {
            let opened = try launcher.open(
                loaded.plan,
                start: .latestOrNew,
                swapped: state.withLock { Set($0.journal?.history.lines.keys.map { $0 } ?? []) }
            )
            do {
                try wish.note?(.goesOnAsBefore(reason))
                let run = try launcher.start(opened, loaded)
                publish(Launch(run: run, durable: opened.durable, loaded: loaded))
                return true
            } catch {
                opened.durable.close()
                throw error
            }
        } catch {
            Console.note("warning: the job cannot go on as it was either: \(error)")
            return false
        }
    }

    /// The job has ended instead of going on.
    private func end(
        _ summary: JobRun.Summary,
        _ failure: JobFailure?,
        _ reason: String
    ) -> Result<JobRun, JobRelaunchError> {
        state.withLock { state in
            state.summary = summary
            state.failure = failure
            state.phase = .ended
        }
        return .failure(JobRelaunchError(goesOn: false, description: reason))
    }

    /// Shows the new run to everybody, and hands on what was asked for meanwhile.
    private func publish(_ launch: Launch) {
        let (wantsStop, wantsAbort) = state.withLock { state in
            state.launch = launch
            state.isOpen = true
            state.launchCount += 1
            state.phase = .running
            return (state.wantsStop, state.wantsAbort)
        }
        // What is asked for from here on goes to the new run anyway.
        if wantsAbort {
            launch.run.abort()
        } else if wantsStop {
            launch.run.stop()
        }
    }
}
