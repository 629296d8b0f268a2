import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusPluginHost
import ApusState

/// How the parts of a job go on from a checkpoint.
extension JobAssembly {
    /// Where a subtask's state goes that outgrows memory.
    func tier(_ node: PlanNode, _ subtask: Int) -> StateTier? {
        guard let state = environment.checkpoints?.state,
            let number = restore.operatorNumbers[node.id]
        else { return nil }
        return StateTier(
            database: state.database,
            writer: state.writer,
            budget: state.budget,
            operatorNumber: number,
            groups: groups.groups(ofSubtask: subtask, parallelism: node.subtaskCount),
            isRestored: restore.hasState(node.id),
            restored: subtask == 0 ? restore.totals(node.id) : StateTotals(),
            spillDirectory: state.spillDirectory
        )
    }

    /// What each broadcast state of an operator held; nil for an operator that begins without.
    func broadcasts(_ node: PlanNode) throws(JobFailure) -> [[BroadcastEntry]]? {
        try ownFile(node, .broadcast, "broadcast state", BroadcastFile.decode)
    }

    /// What a subtask gets of each operator state; nil for an operator that begins without.
    func operatorState(
        _ node: PlanNode,
        _ subtask: Int,
        _ declared: [OperatorStateDescription]
    ) throws(JobFailure) -> [OperatorStateItems]? {
        let old = try ownFile(node, .operatorState, "operator state") { bytes in
            let subtasks = OperatorStateFile.decode(bytes)
            let isWhole = subtasks?.allSatisfy { $0.count == declared.count } ?? false
            return isWhole ? subtasks : nil
        }
        guard let old else { return nil }
        return declared.enumerated().map { index, state in
            state.redistribution.items(
                of: old.map { $0[index] },
                forSubtask: subtask,
                of: node.subtaskCount
            )
        }
    }

    /// Takes what a subtask gets of a private snapshot out of its operator state, to be loaded.
    func takeSnapshot(
        _ arguments: inout InstanceArguments,
        _ node: PlanNode,
        _ description: ComponentDescription
    ) {
        guard description.snapshotVersion != nil, let items = arguments.operatorState?.last,
            let reference = restore.manifest?.operators.first(where: { $0.id == node.id })?
                .operatorState,
            let list = reference.lists.last, list.name == PrivateSnapshot.stateName
        else { return }
        arguments.operatorState?[description.operatorStates.count - 1] = []
        guard !items.isEmpty else { return }
        arguments.snapshot = PrivateSnapshot.Saved(
            bytes: items.flatMap { $0 },
            version: list.schemaVersion
        )
    }

    /// What an operator's file holds; nil when the checkpoint has none.
    private func ownFile<Content>(
        _ node: PlanNode,
        _ role: FileRole,
        _ what: String,
        _ decode: ([UInt8]) -> Content?
    ) throws(JobFailure) -> Content? {
        guard let checkpoints = environment.checkpoints,
            let file = restore.ownFile(node.id, role)
        else { return nil }
        let path = checkpoints.folder.path(of: file)
        do {
            let bytes = try checkpoints.disk.readAll(path, maximumByteCount: file.byteCount)
            if let content = decode(bytes) { return content }
        } catch {
            throw JobFailure(.environment, node: node.id, error.description)
        }
        throw JobFailure(
            .environment,
            node: node.id,
            "\(path): its \(what) is damaged, or a newer Apus wrote it; go on from an earlier "
                + "checkpoint (--from N)"
        )
    }

    /// Takes a source to where it was; one that cannot go back is refused.
    func resume(
        _ source: any RecordSource,
        _ node: PlanNode,
        _ subtask: Int
    ) throws(JobFailure) -> SourceSnapshot? {
        guard environment.checkpoints != nil else { return nil }
        if let source = source as? PluginSource { return source.restored }
        let position: [UInt8]?
        do { position = try source.position } catch {
            throw JobFailure(.environment, node: node.id, error.description)
        }
        guard position != nil else {
            throw JobFailure(
                .environment,
                node: node.id,
                "the source cannot be read a second time, and a job with checkpoints has to; "
                    + "read from a file, or take `checkpoint:` out of the job"
            )
        }
        guard let state = restore.source(node.id, subtask: subtask) else { return nil }
        do {
            try source.seek(to: state.position)
        } catch {
            throw JobFailure(.environment, node: node.id, error.description)
        }
        return SourceSnapshot(
            position: state.position,
            newestTime: state.newestMicroseconds ?? .min,
            watermark: state.watermarkMicroseconds ?? .min,
            hasEnded: false
        )
    }

    /// Records that a barrier had overtaken, each for the subtask that is now responsible for it.
    func replays(
        _ node: PlanNode,
        _ subtask: Int
    ) throws(JobFailure) -> [InFlightLog.Replay] {
        guard let checkpoints = environment.checkpoints, let manifest = restore.manifest else {
            return []
        }
        let isDealtOut = plan.edges.contains { edge in
            guard edge.toNode == node.index, case .hash = edge.exchange else { return false }
            return true
        }
        var replays: [InFlightLog.Replay] = []
        for log in restore.inFlight(node.id) {
            let target = log.subtask < node.subtaskCount ? log.subtask : 0
            guard isDealtOut || target == subtask else { continue }
            guard let file = manifest.files.first(where: { $0.contentName == log.contentName })
            else { continue }  // Impossible: the folder has checked the manifest.
            do {
                let found = try InFlightLog.read(
                    checkpoints.folder.path(of: file),
                    disk: checkpoints.disk
                ) { hash in
                    !isDealtOut
                        || groups.subtask(
                            ofGroup: groups.group(ofHash: hash),
                            parallelism: node.subtaskCount
                        ) == subtask
                }
                replays += found
            } catch {
                throw JobFailure(.environment, node: node.id, error.description)
            }
        }
        return replays
    }
}
