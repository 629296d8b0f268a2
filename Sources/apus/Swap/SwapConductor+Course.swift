import ApusCheckpoint
import ApusCore
import ApusIO
import ApusPluginHost
import ApusRuntime
import ApusSwap
import Synchronization

// The course of a swap, on its thread.
extension SwapConductor {
    /// How long the way back may take, in nanoseconds.
    private static let backNanoseconds: Int64 = 10_000_000_000

    func carryOut(_ plans: [SwapPlan], _ order: SwapOrder, _ intent: SwapIntent?) {
        if let reason = shadow(plans, order) { return abandon(intent, reason) }
        let run = session.run
        let old = Dictionary(
            uniqueKeysWithValues: plans.compactMap { plan in
                run.implementation(of: plan.operator).map { (plan.operator, $0) }
            }
        )
        var replacements: [OperatorReplacement] = []
        func giveUp(_ reason: String) {
            abandon(intent, reason)
            for replacement in replacements { replacement.implementation.release() }
        }
        let swap: OperatorSwap
        do {
            for plan in plans { replacements.append(try replacement(plan)) }
            try tryMigrations(replacements, order)
            swap = try run.prepareSwap(
                replacements,
                isAtBarrier: isAtBarrier(plans, order),
                policy: order.policy
            )
            Failpoint.hit(.s7)
        } catch {
            return giveUp("\(error)")
        }
        current.withLock { $0?.old = old }
        // Without this a crash at the first record would be nobody's fault.
        guard note(.cutting(swap: intent?.swap ?? 0), intent) else {
            swap.discard()
            return giveUp("the journal refuses the cut")
        }
        tell { $0.phase = .cutting }
        let holds = order.guardMicroseconds != nil && swap.isAtBarrier
        switch swap.carryOut(within: order.deadlineMicroseconds * 1000, holdsOutput: holds) {
        case .abandoned(let reason):
            giveUp(reason)
        case .broken(let reason):
            guard holds else {
                return fail("a swap of \(names(plans)) broke off: \(reason)")
            }
            let failure = current.withLock { $0?.failure } ?? run.failure?.description
            rollBack(swap, old, intent, failure ?? reason, failure == nil ? .other : .breach)
        case .inForce(let figures):
            Failpoint.hit(.s10)
            session.keep(
                Dictionary(
                    uniqueKeysWithValues: swap.replacements.map { ($0.id, $0.implementation) }
                )
            )
            _ = note(.cut(swap: intent?.swap ?? 0, checkpoint: figures.barrier), intent)
            tell { status in
                status.checkpoint = figures.barrier
                status.figures = SwapStatus.Figures(
                    inForceMicroseconds: figures.inForceNanoseconds / 1000,
                    longestSwitchMicroseconds: figures.longestSwitchNanoseconds / 1000,
                    watermarksMicroseconds: figures.watermarkMicroseconds.map {
                        [$0.lowerBound, $0.upperBound]
                    }
                )
            }
            Failpoint.hit(.s11)
            guard order.guardMicroseconds != nil else { return commit(swap, intent) }
            watch(trial(swap, old, intent), order)
        }
    }

    private func trial(
        _ swap: OperatorSwap,
        _ old: [String: JobEnvironment.Implementation],
        _ intent: SwapIntent?
    ) -> Trial {
        Trial(
            run: session.run,
            observe: { swap.probation },
            commit: { reason in self.commit(swap, intent, reason) },
            rollBack: { reason, cause in self.rollBack(swap, old, intent, reason, cause) }
        )
    }

    /// How long the keys for a trial are waited for, in nanoseconds.
    private static let sampleNanoseconds: Int64 = 1_000_000_000

    /// Tries migrations on live values; nothing has been touched yet.
    private func tryMigrations(
        _ replacements: [OperatorReplacement],
        _ order: SwapOrder
    ) throws {
        for replacement in replacements {
            let images = session.run.sampleState(
                of: replacement.id,
                within: Self.sampleNanoseconds
            )
            guard let found = SwapTrial(replacement).run(images) else { continue }
            // What becomes of a value that is refused, the user has said.
            if found.isFailure, order.policy != .rollBack { continue }
            throw RollbackError("operator '\(replacement.id)': \(found.text)")
        }
    }

    private func names(_ plans: [SwapPlan]) -> String {
        plans.map(\.operator).joined(separator: ", ")
    }

    private func replacement(_ plan: SwapPlan) throws -> OperatorReplacement {
        let plugin = try admission.load(plan.to.file)
        guard plugin.contentHash == plan.to.sha256 else {
            throw PluginError(
                .notLoadable,
                plan.to.file,
                "has changed since it was planned: expected SHA-256 \(plan.to.sha256), found "
                    + "\(plugin.contentHash); plan the swap anew"
            )
        }
        let index = try plugin.componentIndex(plan.to.component)
        return OperatorReplacement(
            id: plan.operator,
            implementation: try JobEnvironment.Implementation(
                plugin: plugin,
                component: index,
                user: plan.operator
            ),
            change: plan.change
        )
    }

    // MARK: - The end

    private func commit(_ swap: OperatorSwap, _ intent: SwapIntent?, _ reason: String? = nil) {
        // What is not noted is taken back at the next start: its output must not be seen.
        guard note(.committed(swap: intent?.swap ?? 0, reason: reason), intent) else {
            return fail("the commit of the swap cannot be noted in the journal")
        }
        swap.commit()
        let old = current.withLock { $0?.old ?? [:] }
        for implementation in old.values { implementation.release() }
        Failpoint.hit(.s13)
        session.run.releaseDelivery()
        tell { status in
            status.phase = .committed
            status.guard = nil
            status.reason = reason
        }
        noteSweep(swap, intent)
    }

    /// Waits until no row of the old version is left, and notes that.
    private func noteSweep(_ swap: OperatorSwap, _ intent: SwapIntent?) {
        guard !swap.replacements.allSatisfy(\.change.keepsRows) else { return }
        let run = session.run
        while swap.isMigrating {
            // Another run takes the rows over where this one has left them.
            guard session.run === run, !run.isEnding else { return }
            LinuxThreads.sleep(milliseconds: Self.pollMilliseconds)
        }
        run.letDeadRowsGo()
        _ = note(.swept(swap: intent?.swap ?? 0), intent)
    }

    func abandon(_ intent: SwapIntent?, _ reason: String) {
        _ = note(.abandoned(swap: intent?.swap ?? 0, reason: reason), intent)
        tell { status in
            status.phase = .abandoned
            status.reason = reason
        }
    }

    private func rollBack(
        _ swap: OperatorSwap,
        _ old: [String: JobEnvironment.Implementation],
        _ intent: SwapIntent?,
        _ reason: String,
        _ cause: SwapEntry.Cause
    ) {
        tell { status in
            status.phase = .rollingBack
            status.reason = reason
            status.guard = nil
        }
        let begin = world.clock.monotonicNanoseconds()
        var checkpoint: UInt64?
        let rung: SwapPlan.Rung
        let taken = goBack(swap)
        if let taken {
            rung = taken
            session.keep(old)
        } else {
            do {
                checkpoint = try rewind(swap, old)
                rung = .rewind
            } catch {
                return fail("\(reason); and the job cannot go back: \(error)")
            }
        }
        let took = (world.clock.monotonicNanoseconds() - begin) / 1000
        let isNoted = note(
            .rolledBack(
                swap: intent?.swap ?? 0,
                reason: reason,
                checkpoint: checkpoint,
                cause: cause
            ),
            intent
        )
        Failpoint.hit(.b6)
        // What is not noted is taken back once more at the next start, from the same checkpoint.
        if taken != nil, isNoted { session.run.releaseDelivery() }
        for replacement in swap.replacements { replacement.implementation.release() }
        tell { status in
            status.phase = .rolledBack
            status.figures =
                status.figures
                ?? SwapStatus.Figures(
                    inForceMicroseconds: 0,
                    longestSwitchMicroseconds: 0
                )
            status.figures?.rollbackMicroseconds = took
            status.figures?.rung = rung.rawValue
        }
    }

    /// Takes a way back that needs no checkpoint, if there is one that is exact or the only one.
    private func goBack(_ swap: OperatorSwap) -> SwapPlan.Rung? {
        guard !session.run.hasFailed else { return nil }
        if !swap.wasCalled,
            case .inForce = swap.goBack(within: Self.backNanoseconds, isForced: false)
        {
            Failpoint.hit(.b3)
            return .flip
        }
        guard !canRewind(swap), swap.replacements.allSatisfy(\.change.goesBack),
            case .inForce = swap.goBack(within: Self.backNanoseconds, isForced: true)
        else { return nil }
        Failpoint.hit(.b3)
        return .downgrade
    }

    private func canRewind(_ swap: OperatorSwap) -> Bool {
        swap.isAtBarrier && session.run.isHoldingDelivery
    }

    private func rewind(
        _ swap: OperatorSwap,
        _ old: [String: JobEnvironment.Implementation]
    ) throws -> UInt64 {
        let run = session.run
        if run.hasFailed { return try awaitRelaunch() }
        guard canRewind(swap) else {
            throw RollbackError(
                "its output since the cut was delivered already, and the new version does not "
                    + "bring its state back (migration_flags)"
            )
        }
        guard let checkpoint = run.chooseReturn() else {
            throw RollbackError("there is no checkpoint to go back to")
        }
        do throws(JobRelaunchError) {
            try session.relaunch(JobRelaunch(checkpoint: checkpoint, implementations: old))
        } catch {
            // It may have failed at the same moment, and goes back for that reason.
            guard run.hasFailed, !session.hasEnded else { throw error }
            return try awaitRelaunch()
        }
        Failpoint.hit(.b5)
        return checkpoint
    }

    /// Waits until a job that has failed runs again; see ``relaunch(after:)``.
    func awaitRelaunch() throws -> UInt64 {
        while session.run.hasFailed {
            guard !session.hasEnded else {
                throw RollbackError(session.failure?.description ?? "the job has ended")
            }
            LinuxThreads.sleep(milliseconds: Self.pollMilliseconds)
        }
        Failpoint.hit(.b5)
        return session.run.origin ?? 0
    }

    /// The job ends: neither version can go on.
    func fail(_ reason: String) {
        tell { status in
            status.phase = .abandoned
            status.reason = reason
        }
        session.run.fail(JobFailure(.environment, node: "swap", reason))
    }

    // MARK: - Telling

    func tell(_ change: (inout SwapStatus) -> Void) {
        let line = current.withLock { current -> String? in
            guard var copy = current else { return nil }
            let phase = copy.status.phase
            change(&copy.status)
            current = copy
            return copy.status.phase == phase ? nil : copy.status.headline
        }
        // The job's own log has each step, whoever has asked for it.
        if let line { Console.note("note: \(line)") }
    }

    /// Notes a decision; false when the journal refuses it.
    ///
    /// A job without one notes nothing.
    func note(_ event: SwapEntry.Event, _ intent: SwapIntent?) -> Bool {
        guard intent != nil else { return true }
        do throws(SwapJournalError) {
            try session.journal().add(event, atMicroseconds: world.clock.wallMicroseconds())
        } catch {
            Console.note("warning: \(error.description)")
            return false
        }
        return true
    }
}

/// Why a job cannot go back to its old versions.
struct RollbackError: Error, CustomStringConvertible {
    /// Why.
    let description: String

    init(_ description: String) { self.description = description }
}
