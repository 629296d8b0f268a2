package import ApusCheckpoint
import ApusGraph
import ApusMemory
import ApusPluginHost
package import ApusState
package import ApusSwap

// Other versions of operators.  One thread of the control plane at a time.
extension JobRun {
    /// The version of an operator that runs, as far as another one may take over from it.
    ///
    /// - Returns: Nil when the job has no operator of that id, or it is a C function.
    package func shape(of id: String) -> ComponentShape? {
        versions.current(id)?.implementation.map { ComponentShape($0.description) }
    }

    /// The plugin of an operator; nil when the job has no operator of that id.
    package func implementation(of id: String) -> JobEnvironment.Implementation? {
        versions.current(id)?.implementation
    }

    /// Makes instances of other versions, beside those that run.
    ///
    /// Nothing changes for the job: instances are created on this thread, and wait.
    ///
    /// - Parameters:
    ///   - replacements: At least one, each of another operator.
    ///   - isAtBarrier: Whether all operators switch at one checkpoint barrier.
    ///   - policy: What becomes of keys whose state cannot be migrated.
    /// - Returns: The swap, to be carried out.
    /// - Throws: ``JobFailure`` when an instance cannot be made, or the swap cannot be done so.
    package func prepareSwap(
        _ replacements: [OperatorReplacement],
        isAtBarrier: Bool,
        policy: BadValuePolicy
    ) throws(JobFailure) -> OperatorSwap {
        guard !isAtBarrier || checkpointing != nil else {
            throw JobFailure(
                .environment,
                node: replacements.map(\.id).joined(separator: ", "),
                "the swap has to be cut at a checkpoint barrier, and the job takes no checkpoints; "
                    + "give it a `checkpoint:` in its job file"
            )
        }
        let go = SwapSignal()
        var parts: [OperatorSwap.Part] = []
        do {
            for replacement in replacements {
                parts.append(try prepare(replacement, isAtBarrier: isAtBarrier, policy, go))
            }
        } catch {
            for part in parts { versions.goBack(part.replacement.id, to: part.before) }
            throw error
        }
        return OperatorSwap(parts, isAtBarrier: isAtBarrier, policy: policy, go: go, run: self)
    }

    private func prepare(
        _ replacement: OperatorReplacement,
        isAtBarrier: Bool,
        _ policy: BadValuePolicy,
        _ go: SwapSignal
    ) throws(JobFailure) -> OperatorSwap.Part {
        guard let node = plan.nodes.first(where: { $0.id == replacement.id }),
            case .operator(let description, _) = node.role,
            let running = versions.current(replacement.id)
        else {
            throw JobFailure(
                .environment,
                node: replacement.id,
                "the job has no operator of that id with a plugin"
            )
        }
        let keepsRows = replacement.change.keepsRows
        try checkRowsLeft(replacement, node, running)
        guard
            let version = versions.add(
                description,
                replacement.implementation,
                keepsRows: keepsRows
            )
        else {
            throw JobFailure(
                .environment,
                node: replacement.id,
                "the job has had 65,535 sets of rows in its life, and no number is left"
            )
        }
        let stages = operators.stages.filter { $0.nodeIndex == node.index }
            .sorted { $0.subtask < $1.subtask }
        var swaps: [SubtaskSwap] = []
        do throws(PluginError) {
            for stage in stages {
                let step = try replacement.change.step(
                    by: replacement.implementation,
                    owner: "operator \(node.id), subtask \(stage.subtask)",
                    isBack: false
                )
                let instance = try OperatorInstance(
                    plugin: replacement.implementation.plugin,
                    component: replacement.implementation.component,
                    arguments: arguments(of: stage, version, replacement.change)
                )
                swaps.append(
                    SubtaskSwap(
                        .forward(instance, step, keepsRows: keepsRows),
                        sequence: version.sequence,
                        cut: isAtBarrier ? .barrier : .boundary,
                        policy: policy,
                        go: go
                    )
                )
            }
        } catch {
            versions.goBack(node.id, to: running.sequence)
            throw JobFailure(.plugin, node: node.id, error.description)
        }
        if !keepsRows { reserveMemory(for: swaps, node) }
        return OperatorSwap.Part(
            replacement: replacement,
            version: version,
            desks: stages.map(\.swaps),
            swaps: swaps,
            before: running.sequence
        )
    }

    /// Refuses a version that cannot read what older ones than the running one have left: a start
    /// from a checkpoint has the new version alone to bring such rows forward.
    private func checkRowsLeft(
        _ replacement: OperatorReplacement,
        _ node: PlanNode,
        _ running: OperatorVersion
    ) throws(JobFailure) {
        let stages = operators.stages.filter { $0.nodeIndex == node.index }
        guard stages.contains(where: { $0.swaps.originCount > 0 }) else { return }
        let new = ComponentShape(replacement.implementation.description)
        for older in versions.templates(node.id) where older.number != running.template.number {
            let change = ComponentChange(from: ComponentShape(older, portsAs: new), to: new)
            let rows = change.parts.filter { $0.kind == .state || $0.kind == .timer }
            guard let obstacle = rows.first(where: { $0.verdict == .incompatible }) else {
                continue
            }
            throw JobFailure(
                .environment,
                node: node.id,
                "the job or its newest checkpoint still has rows of an older version "
                    + "(\(older.plugin?.contentHash.prefix(12) ?? "?")), which this one cannot "
                    + "read: \(obstacle.kind.rawValue) '\(obstacle.name)' "
                    + "\(obstacle.reason ?? "?"); or try again when `apus swap status` has no "
                    + "keys of older versions left, and a checkpoint is complete"
            )
        }
    }

    private func arguments(
        of stage: OperatorStage,
        _ version: OperatorVersion,
        _ change: ComponentChange
    ) -> InstanceArguments {
        var arguments = stage.arguments
        arguments.broadcasts = nil
        arguments.operatorState = nil
        arguments.snapshot = nil
        // The instance changes with a swap alone, and there is one at a time.
        arguments.inherited = InheritedState(
            keyed: change.keepsRows ? stage.instance.state : nil,
            broadcasts: change.keepsBroadcasts ? stage.instance.broadcasts : nil
        )
        arguments.tier?.operatorNumber = version.template.number
        arguments.tier?.isRestored = false
        arguments.tier?.restored = StateTotals()
        return arguments
    }

    /// Takes some keys of each subtask of an operator apart.
    ///
    /// - Parameters:
    ///   - id: The operator.
    ///   - nanoseconds: How long to wait for it; subtasks that do not answer in time give nothing.
    /// - Returns: What keys have that are in memory.
    package func sampleState(of id: String, within nanoseconds: Int64) -> [KeyImage] {
        guard let node = plan.nodes.first(where: { $0.id == id }) else { return [] }
        let bell = Doorbell()
        let requests = stateInboxes[node.index].map { inbox in
            let request = StateRequest(
                .images(rowCountMax: SwapTrial.keysPerSubtask),
                bell: bell
            )
            inbox.post(request)
            return request
        }
        wakeThreads()
        bell.sleep(nanoseconds: nanoseconds) { requests.allSatisfy { $0.answer != nil } }
        return requests.flatMap { request -> [KeyImage] in
            if case .images(let images) = request.answer { images } else { [] }
        }
    }

    // MARK: - Status

    /// What a subtask tells about the version in force.
    package struct SubtaskVersion: Sendable {
        /// The subtask.
        package let subtask: Int
        /// Whether the newest version is in force.
        package let isNewest: Bool
        /// Keys that are left in rows of older versions.
        package let originKeyCount: Int
        /// Keys whose state could not be migrated.
        package let quarantinedCount: Int
    }

    /// How far an operator's subtasks are; empty for an operator without a plugin.
    package func subtaskVersions(of id: String) -> [SubtaskVersion] {
        guard let newest = versions.current(id) else { return [] }
        return operators.stages.filter { $0.node == id }.sorted { $0.subtask < $1.subtask }
            .map { stage in
                SubtaskVersion(
                    subtask: stage.subtask,
                    isNewest: stage.swaps.version == newest.sequence,
                    originKeyCount: stage.swaps.originKeyCount,
                    quarantinedCount: stage.swaps.quarantinedCount
                )
            }
    }

    /// The number of subtasks of its keyed operators.
    package var parallelism: Int { plan.parallelism }

    /// The most that it may have.
    package var maxParallelism: Int { plan.maxParallelism }

    /// Whether it takes checkpoints.
    package var takesCheckpoints: Bool { checkpointing != nil }

    /// The checkpoint that it goes on from; nil when it began anew.
    package var origin: UInt64? { environment.checkpoints?.restored?.number }

    /// Whether it has failed, or is broken off.
    package var hasFailed: Bool { control.current == .abort }

    /// Whether its last checkpoint is being taken, or it has ended.
    package var isEnding: Bool { control.lastBarrier != 0 || control.isFinishing || hasEnded }

    /// Lets memory of versions go whose rows were all moved; takes a second for gigabytes.
    package func letDeadRowsGo() {
        for stage in operators.stages { stage.swaps.letDeadGo() }
    }

    /// Holds back the output of all checkpoints after this one.
    package func holdDelivery(beyond checkpoint: UInt64) { control.limitDelivery(to: checkpoint) }

    /// Whether output is held back.
    package var isHoldingDelivery: Bool { control.deliveryLimit != .max }

    /// Whether a checkpoint is complete.
    package func isComplete(_ checkpoint: UInt64) -> Bool {
        checkpoints().contains { $0.number == checkpoint && $0.outcome == .complete }
    }

    /// Chooses the checkpoint to go back to, and has nothing delivered behind it.
    ///
    /// - Returns: The newest one that is complete and behind which nothing was delivered; nil when
    ///   there is none.
    package func chooseReturn() -> UInt64? {
        var limit = control.deliveryLimit
        while let newest = newestComplete(upTo: limit) {
            control.limitDelivery(to: newest)
            // One that was completed meanwhile has been delivered.
            if newestComplete(upTo: limit) == newest { return newest }
            limit = control.deliveryLimit == newest ? limit : control.deliveryLimit
        }
        return nil
    }

    private func newestComplete(upTo limit: UInt64) -> UInt64? {
        let own = checkpoints().filter { $0.outcome == .complete && $0.number <= limit }
            .map(\.number).max()
        return own ?? environment.checkpoints?.restored?.number
    }

    /// Ends the job as failed.
    package func fail(_ failure: JobFailure) {
        control.fail(failure)
        for thread in taskThreads { thread.requestStop() }
        checkpointing?.wake()
    }

    /// Delivers what was held back, with the next checkpoint.
    package func releaseDelivery() {
        control.limitDelivery(to: .max)
        checkpointing?.deliverSoon()
    }

    /// Keeps a checkpoint from being removed.
    ///
    /// - Throws: ``CheckpointError`` when there is none of that number.
    package func lease(_ checkpoint: UInt64) throws(CheckpointError) -> CheckpointLease? {
        try environment.checkpoints?.folder.lease(checkpoint)
    }

    func wakeThreads() {
        for thread in taskThreads { thread.bell.ring() }
    }
}
