import ApusControl
import ApusCore
import ApusGraph
import ApusRuntime
import ApusSwap
import ArgumentParser
import Synchronization

// Another graph for the whole job; see docs/decisions/2026-11-28-graph-upgrade.md.
extension SwapConductor {
    /// What an upgrade is about.
    private struct Upgrade: Sendable {
        let order: SwapOrder
        let intent: SwapIntent
        /// What runs before.
        let old: JobPreparation.Loaded
        /// What is to run.
        let new: JobPreparation.Loaded
        let droppedState: [String]
        let endedSinks: [String]
        /// What is to be noted when the job stays so.
        let events: [SwapEntry.Event]
    }

    /// Begins an upgrade.
    ///
    /// Returns when it is noted and a thread carries it out; see ``status()`` for the rest.
    func begin(_ order: UpgradeOrder) throws(ControlError) {
        try checkIdle()
        let planned = try plan(order)
        guard !planned.plan.isRefused, let source = planned.source else {
            throw ControlError(
                .refused,
                "job '\(job)': nothing was changed\n\(planned.plan.text)"
            )
        }
        let new = try load(source, planned)
        let upgrade: Upgrade
        do {
            upgrade = Upgrade(
                order: order.trial,
                intent: try note(order, source),
                old: session.loaded,
                new: new,
                droppedState: order.droppedState,
                endedSinks: planned.plan.nodes.filter { $0.kind == .sink && $0.fate == .removed }
                    .map(\.id),
                events: planned.events
            )
        } catch {
            new.release()
            throw ControlError(.refused, "job '\(job)': \(error)")
        }
        var status = SwapStatus(
            job: job,
            phase: .preparing,
            swap: upgrade.intent.swap,
            operators: [],
            resident: []
        )
        status.kind = .upgrade
        status.jobFile = upgrade.intent.jobFile
        current.withLock {
            $0 = Current(status: status, order: upgrade.order)
            $0?.returnToGraph = { [self] checkpoint, reason, cause in
                back(upgrade, to: checkpoint, reason, cause)
            }
        }
        _ = world.threads.start(name: "apus-upgrade", role: .background) { [self] in
            carryOut(upgrade)
        }
    }

    /// Loads the plugins of the new graph beside those of the old one.
    private func load(
        _ source: JobSource,
        _ planned: PlannedUpgrade
    ) throws(ControlError) -> JobPreparation.Loaded {
        var loaded: JobPreparation.Loaded?
        let messages = Console.gathering {
            do {
                loaded = try source.preparation.load(
                    source,
                    admission,
                    choices: planned.choices,
                    parallelism: session.run.parallelism
                )
            } catch {
                // A status to end with has been explained already.
                if !(error is ExitCode) { Console.note("\(error)") }
            }
        }
        if let loaded { return loaded }
        throw ControlError(.refused, "job '\(job)': \(messages.joined(separator: "\n"))")
    }

    /// Copies both files and notes the intent; the journal refuses a second one.
    private func note(_ order: UpgradeOrder, _ source: JobSource) throws -> SwapIntent {
        let old = session.loaded.source
        guard let folder = session.folderPath else {
            throw UpgradeError("the job takes no checkpoints")
        }
        let journal = try session.journal()
        let store = SwapStore(.jobFiles, inFolder: folder, disk: world.disk)
        try store.put(old.bytes, sha256: old.sha256)
        try store.put(source.bytes, sha256: source.sha256)
        var intent = SwapIntent(.upgrade, cut: .barrier)
        intent.jobFile = SwapIntent.JobFileChange(from: old.file, to: source.file)
        intent.guard = order.trial.guardOfIntent
        return try journal.begin(intent, atMicroseconds: world.clock.wallMicroseconds())
    }

    // MARK: - Its course

    private func carryOut(_ upgrade: Upgrade) {
        tell { $0.phase = .cutting }
        let begin = world.clock.monotonicNanoseconds()
        let run: JobRun
        do throws(JobRelaunchError) {
            run = try session.relaunch(forward(upgrade))
        } catch {
            upgrade.new.release()
            return end(upgrade, error)
        }
        let took = (world.clock.monotonicNanoseconds() - begin) / 1000
        tell { status in
            status.checkpoint = run.origin
            status.figures = SwapStatus.Figures(
                inForceMicroseconds: took,
                longestSwitchMicroseconds: took
            )
        }
        Failpoint.hit(.s11)
        guard upgrade.order.guardMicroseconds != nil else { return commit(upgrade) }
        let trial = Trial(
            run: run,
            isCutComplete: true,
            observe: { run.probation },
            commit: { reason in self.commit(upgrade, reason) },
            rollBack: { reason, cause in self.rollBack(upgrade, run, reason, cause) }
        )
        watch(trial, upgrade.order)
    }

    /// How the job goes on with the new graph.
    private func forward(_ upgrade: Upgrade) -> JobRelaunch {
        var relaunch = JobRelaunch(ending: .stop, loaded: upgrade.new)
        relaunch.droppedState = upgrade.droppedState
        relaunch.endedSinks = upgrade.endedSinks
        relaunch.isOnProbation = upgrade.order.guardMicroseconds != nil
        let number = upgrade.intent.swap
        relaunch.note = { [self] step in
            let journal = try session.journal()
            let now = world.clock.wallMicroseconds()
            switch step {
            case .opened(let checkpoint, _):
                // Checkpoints are the new graph's from here on.
                try journal.add(.cut(swap: number, checkpoint: checkpoint), atMicroseconds: now)
                Failpoint.hit(.s10)
            case .goesOnAsBefore(let reason):
                guard let open = journal.history.open, open.intent.swap == number else { return }
                let event: SwapEntry.Event =
                    open.cut == nil
                    ? .abandoned(swap: number, reason: reason)
                    : .rolledBack(
                        swap: number,
                        reason: reason,
                        checkpoint: open.checkpoint,
                        cause: .other,
                        last: open.checkpoint
                    )
                try journal.add(event, atMicroseconds: now)
            }
        }
        return relaunch
    }

    /// The new graph did not come to run.
    private func end(_ upgrade: Upgrade, _ error: JobRelaunchError) {
        // Before the run ended, nothing has noted it yet.
        let open = try? session.journal().history.open  // Then the next start ends it.
        if open?.intent.swap == upgrade.intent.swap, error.goesOn {
            return abandon(upgrade.intent, error.description)
        }
        tell { status in
            status.phase = error.goesOn ? .rolledBack : .abandoned
            status.reason = error.description + (error.goesOn ? "; the job goes on as it was" : "")
        }
    }

    private func commit(_ upgrade: Upgrade, _ reason: String? = nil) {
        // What is not noted is taken back at the next start: its output must not be seen.
        let event = SwapEntry.Event.committed(swap: upgrade.intent.swap, reason: reason)
        guard note(event, upgrade.intent) else {
            return fail("the commit of the upgrade cannot be noted in the journal")
        }
        for event in upgrade.events { _ = note(event, upgrade.intent) }
        session.run.endProbation()
        upgrade.old.release()
        Failpoint.hit(.s13)
        tell { status in
            status.phase = .committed
            status.guard = nil
            status.reason = reason
        }
    }

    // MARK: - The way back

    /// How the job goes on with the old graph.
    private func back(
        _ upgrade: Upgrade,
        to checkpoint: UInt64,
        _ reason: String,
        _ cause: SwapEntry.Cause
    ) -> JobRelaunch {
        var relaunch = JobRelaunch(ending: .abort, checkpoint: checkpoint, loaded: upgrade.old)
        relaunch.mayGoOnAsBefore = false
        relaunch.note = { [self] step in
            guard case .opened(let checkpoint, let newest) = step else { return }
            // Before the old graph runs: its checkpoints are not to be taken for the new one's.
            try session.journal().add(
                .rolledBack(
                    swap: upgrade.intent.swap,
                    reason: reason,
                    checkpoint: checkpoint,
                    cause: cause,
                    last: newest
                ),
                atMicroseconds: world.clock.wallMicroseconds()
            )
            Failpoint.hit(.b6)
        }
        return relaunch
    }

    private func rollBack(
        _ upgrade: Upgrade,
        _ run: JobRun,
        _ reason: String,
        _ cause: SwapEntry.Cause
    ) {
        tell { status in
            status.phase = .rollingBack
            status.reason = reason
            status.guard = nil
        }
        let begin = world.clock.monotonicNanoseconds()
        do {
            try goBack(upgrade, run, reason, cause)
        } catch {
            return fail("\(reason); and the job cannot go back: \(error)")
        }
        let took = (world.clock.monotonicNanoseconds() - begin) / 1000
        upgrade.new.release()
        tell { status in
            status.phase = .rolledBack
            status.figures?.rollbackMicroseconds = took
            status.figures?.rung = SwapPlan.Rung.rewind.rawValue
        }
    }

    private func goBack(
        _ upgrade: Upgrade,
        _ run: JobRun,
        _ reason: String,
        _ cause: SwapEntry.Cause
    ) throws {
        // It has failed, and goes back for that reason; see `relaunch(after:)`.
        if run.hasFailed {
            _ = try awaitRelaunch()
            return
        }
        guard let checkpoint = run.chooseReturn() else {
            throw RollbackError("there is no checkpoint to go back to")
        }
        do throws(JobRelaunchError) {
            try session.relaunch(back(upgrade, to: checkpoint, reason, cause))
        } catch {
            guard run.hasFailed, !session.hasEnded else { throw error }
            _ = try awaitRelaunch()
        }
        Failpoint.hit(.b5)
    }
}
