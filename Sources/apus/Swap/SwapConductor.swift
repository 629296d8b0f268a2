import ApusCheckpoint
import ApusControl
import ApusCore
import ApusPluginHost
import ApusRuntime
import ApusSwap
import Synchronization

/// Carries swaps out in a running job: one at a time, on a thread of its own.
///
/// Any thread may ask; see docs/swap.md for the phases.
final class SwapConductor: Sendable {
    /// The swap in hand, or the last one.
    struct Current: Sendable {
        var status: SwapStatus
        var order: SwapOrder
        /// What a person wishes for it.
        var wish: Wish?
        /// What went wrong with the job while the new versions were on probation.
        var failure: String?
        /// The versions to go back to, by operator.
        var old: [String: JobEnvironment.Implementation] = [:]
        /// How the job returns to the graph that it had, from a checkpoint and for a reason; nil
        /// when only versions of operators are on probation.
        var returnToGraph: (@Sendable (UInt64, String, SwapEntry.Cause) -> JobRelaunch)?
    }

    /// What a person wishes for a swap on probation.
    enum Wish: Sendable {
        case commit
        case rollBack
    }

    let job: String
    let session: JobSession
    let admission: PluginAdmission
    let world: World
    let current: Mutex<Current?> = Mutex(nil)

    init(job: String, session: JobSession, admission: PluginAdmission, world: World) {
        self.job = job
        self.session = session
        self.admission = admission
        self.world = world
    }

    // MARK: - What others ask

    /// How the swap in hand stands, or the last one.
    func status() -> SwapStatus {
        var status =
            current.withLock { $0?.status }
            ?? SwapStatus(job: job, phase: .none, operators: [], resident: [])
        let run = session.run
        for index in status.operators.indices {
            let versions = run.subtaskVersions(of: status.operators[index].operator)
            status.operators[index].subtasks = versions.map {
                SwapStatus.Subtask(
                    subtask: $0.subtask,
                    inForce: $0.isNewest,
                    originKeys: $0.originKeyCount
                )
            }
            status.operators[index].quarantined = versions.reduce(0) { $0 + $1.quarantinedCount }
        }
        status.resident = admission.world.loader.plugins.map { plugin in
            SwapStatus.Resident(
                plugin: plugin.description.id,
                version: plugin.description.version,
                sha256: plugin.contentHash,
                users: plugin.users.map(\.owner)
            )
        }
        return status
    }

    /// Plans a swap; nothing is touched.
    func plan(_ order: SwapOrder) throws(ControlError) -> [SwapPlan] {
        var plans: [SwapPlan] = []
        for change in order.changes { plans.append(try plan(change, order)) }
        return plans
    }

    /// Begins a swap.
    ///
    /// Returns when it is noted and a thread carries it out; see ``status()`` for the rest.
    func begin(_ order: SwapOrder) throws(ControlError) {
        let plans = try plan(order)
        if let refused = plans.first(where: \.isRefused) {
            throw ControlError(.refused, "job '\(job)': nothing was touched\n\(refused.text)")
        }
        try checkRungs(plans, order)
        try checkShadow(plans, order)
        let intent = try note(plans, order)
        let status = SwapStatus(
            job: job,
            phase: .preparing,
            swap: intent?.swap,
            operators: plans.map {
                SwapStatus.Operator(
                    operator: $0.operator,
                    from: $0.from,
                    to: $0.to,
                    subtasks: [],
                    quarantined: 0
                )
            },
            resident: []
        )
        current.withLock { $0 = Current(status: status, order: order) }
        _ = world.threads.start(name: "apus-swap", role: .background) { [self] in
            carryOut(plans, order, intent)
        }
    }

    /// Ends the shadow or the probation of the swap in hand.
    func decide(_ wish: Wish) throws(ControlError) {
        let phase = current.withLock { current -> SwapStatus.Phase in
            let phase = current?.status.phase ?? .none
            if phase == .probation || phase == .shadowing { current?.wish = wish }
            return phase
        }
        guard phase == .probation || phase == .shadowing else {
            throw ControlError(
                .refused,
                "job '\(job)': nothing is on probation (\(phase.rawValue))"
                    + (phase == .committed
                        ? "; what is committed has no way back of its own: swap or upgrade to the "
                            + "file before" : "")
                    + "; see `apus swap history`"
            )
        }
    }

    /// How the job goes on whose run has ended by itself: when it has failed while a guarded swap
    /// is open, from the checkpoint of the cut and with the old versions.
    func relaunch(after run: JobRun) -> JobRelaunch? {
        guard let failure = run.failure, run.isHoldingDelivery else { return nil }
        let found = current.withLock { current -> Current? in
            guard let phase = current?.status.phase, !phase.isOver,
                current?.order.guardMicroseconds != nil
            else { return nil }
            if current?.failure == nil { current?.failure = failure.description }
            return current
        }
        guard let found, let checkpoint = run.chooseReturn() else { return nil }
        Console.note(
            "note: a swap is taken back, from checkpoint \(checkpoint): \(failure.description)"
        )
        if let returnToGraph = found.returnToGraph {
            return returnToGraph(checkpoint, failure.description, .breach)
        }
        return JobRelaunch(ending: .abort, checkpoint: checkpoint, implementations: found.old)
    }

    // MARK: - Before it begins

    private func plan(
        _ change: SwapOrder.Change,
        _ order: SwapOrder
    ) throws(ControlError) -> SwapPlan {
        let run = session.run
        guard let running = run.implementation(of: change.operator),
            let shape = run.shape(of: change.operator)
        else {
            throw ControlError(
                .refused,
                "job '\(job)' has no operator '\(change.operator)' with a plugin"
            )
        }
        let from = running.version
        if let expected = change.expected, !from.sha256.hasPrefix(expected) {
            throw ControlError(
                .refused,
                "operator '\(change.operator)': expected that a file \(expected)... runs, and "
                    + "\(from.text) does; see `apus swap history`"
            )
        }
        do {
            let report = try admission.describe(change.file)
            Failpoint.hit(.s3)
            let found = try report.component(
                change.component ?? from.component,
                .operator,
                file: change.file
            )
            try checkShadow(
                order,
                makesCalls: shape.isAsynchronous || found.asynchronous ?? false
            )
            var plan = SwapPlan(
                operator: change.operator,
                from: from,
                to: PluginVersion(
                    sha256: report.contentHash,
                    file: change.file,
                    plugin: report.id,
                    version: report.version,
                    component: found.id
                ),
                change: ComponentChange(from: shape, to: ComponentShape(found)),
                facts: facts(order),
                calls: SwapPlan.Calls(
                    before: shape.isAsynchronous,
                    after: found.asynchronous ?? false
                )
            )
            if let reason = try journalRefuses(plan) {
                plan.refusals.append(reason)
                plan.isRefused = true
            }
            return plan
        } catch {
            throw ControlError(.refused, "operator '\(change.operator)': \(error)")
        }
    }

    /// Why a version is not to be tried, going by what has been; nil when it may.
    private func journalRefuses(_ plan: SwapPlan) throws -> String? {
        if plan.from.isSame(as: plan.to) { return "\(plan.to.text) is in force already" }
        guard session.folderPath != nil,
            let found = try session.journal().history.quarantine(of: plan.to.sha256)
        else { return nil }
        return "\(plan.to.text) was taken back by swap \(found.swap): \(found.reason); build one "
            + "that is mended, or allow this one again: apus swap release FOLDER "
            + "\(plan.to.sha256.prefix(12))"
    }

    private func facts(_ order: SwapOrder) -> SwapPlan.Facts {
        SwapPlan.Facts(
            // A cut at batch boundaries holds nothing back.
            isGuarded: order.guardMicroseconds != nil && order.cut != "boundary",
            hasCheckpoints: session.run.takesCheckpoints,
            isExactlyOnce: session.run.takesCheckpoints,
            operatorCount: order.changes.count
        )
    }

    private func checkRungs(_ plans: [SwapPlan], _ order: SwapOrder) throws(ControlError) {
        guard let least = order.leastRung.flatMap(SwapPlan.Rung.init) else { return }
        for plan in plans where plan.rung.isWorse(than: least) {
            throw ControlError(
                .refused,
                "operator '\(plan.operator)': the way back would be '\(plan.rung.rawValue)', and "
                    + "--min-rung asks for '\(least.rawValue)' or better: \(plan.rungReason)"
            )
        }
    }

    /// Refuses a second swap or upgrade; the journal does so as well, where there is one.
    func checkIdle() throws(ControlError) {
        let isBusy = current.withLock { $0.map { !$0.status.phase.isOver } ?? false }
        guard isBusy else { return }
        throw ControlError(
            .refused,
            "job '\(job)': a swap is under way; see `apus swap status`, and end it with "
                + "`apus swap commit` or `apus swap rollback`"
        )
    }

    /// Copies the files and notes the intent; the journal refuses a second one.
    private func note(_ plans: [SwapPlan], _ order: SwapOrder) throws(ControlError) -> SwapIntent? {
        try checkIdle()
        guard let folder = session.folderPath else { return nil }
        let store = SwapStore(inFolder: folder, disk: world.disk)
        do {
            for plan in plans {
                let running = session.run.implementation(of: plan.operator)
                try store.put(
                    running?.plugin.imagePath ?? plan.from.file,
                    expecting: plan.from.sha256
                )
                try store.put(plan.to.file, expecting: plan.to.sha256)
            }
            Failpoint.hit(.s1)
            var intent = SwapIntent(
                .swap,
                operators: plans.map {
                    SwapIntent.Operator(
                        id: $0.operator,
                        from: $0.from,
                        to: $0.to,
                        isCodeOnly: $0.change.isCodeOnly
                    )
                },
                cut: isAtBarrier(plans, order) ? .barrier : .boundary
            )
            intent.guard = order.guardOfIntent
            return try session.journal().begin(
                intent,
                atMicroseconds: world.clock.wallMicroseconds()
            )
        } catch {
            throw ControlError(.refused, "job '\(job)': \(error)")
        }
    }

    /// Whether the cut is a checkpoint barrier: for guarded swaps, several operators, and state
    /// that is not filed under keys.
    func isAtBarrier(_ plans: [SwapPlan], _ order: SwapOrder) -> Bool {
        if let cut = order.cut { return cut == "barrier" }
        return plans.contains { $0.cut == .barrier }
    }
}
