import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusPluginHost

/// What a job does about its sinks' output before any of its threads starts.
struct OutputRecovery {
    let plan: PhysicalPlan
    let environment: JobEnvironment
    let settings: CheckpointSettings
    let restore: RestorePlan
    /// Makes the deliveries of all sinks, and delivers what the checkpoint has undelivered.
    ///
    /// - Returns: The deliveries by the sinks' ids.
    /// - Throws: ``JobFailure`` when output cannot be delivered; it stays in the checkpoint.
    func run() throws(JobFailure) -> [String: any OutputDelivery] {
        var deliveries: [String: any OutputDelivery] = [:]
        for node in plan.nodes {
            guard case .sink(let sink) = node.role else { continue }
            do {
                guard let delivery = try makeDelivery(sink, node) else {
                    try checkNothingIsLeft(node.id)
                    continue
                }
                deliveries[node.id] = delivery
                if case .stdout = sink.kind { noteRepetition(node.id) }
                try recover(delivery, node.id)
            } catch {
                throw JobFailure(.environment, node: node.id, error.description)
            }
        }
        return deliveries
    }

    private var notify: @Sendable (String) -> Void { environment.notify }

    private func makeDelivery(
        _ sink: SinkDescription,
        _ node: PlanNode
    ) throws(EndpointError) -> (any OutputDelivery)? {
        guard case .plugin(let component) = sink.kind else {
            return try environment.endpoints.makeDelivery(sink)
        }
        guard sink.delivery == .exactlyOnce else { return nil }
        let implementation = environment.implementation(of: node.id)
        do throws(PluginError) {
            let instance = try SinkInstance(
                plugin: implementation.plugin,
                component: implementation.component,
                arguments: environment.arguments(
                    component,
                    node,
                    0,
                    plan,
                    recordsPerBatch: JobAssembly.recordsPerBatch
                )
            )
            return PluginDelivery(
                node: node.id,
                instance: instance,
                deadLetters: environment.deadLetters,
                disk: settings.disk,
                clock: environment.clock
            )
        } catch {
            throw EndpointError(error.description)
        }
    }

    /// A sink that delivers at once cannot take over what one with epochs has left.
    private func checkNothingIsLeft(_ id: String) throws(EndpointError) {
        guard let manifest = restore.manifest else { return }
        let left = manifest.sinks.contains { $0.id == id && !$0.undelivered.isEmpty }
        guard left else { return }
        throw EndpointError(
            "checkpoint \(manifest.number) has output of the sink that was not delivered, and now "
                + "the sink delivers at once; start the job with `delivery: exactly-once` as "
                + "before, or give that output up: --drop-state \(id)"
        )
    }

    /// What was printed cannot be asked for.
    private func noteRepetition(_ id: String) {
        guard settings.isRestoredOld, let manifest = restore.manifest else { return }
        notify(
            "sink '\(id)': what was printed after checkpoint \(manifest.number) is printed again"
        )
    }

    /// Moves away what was delivered after the checkpoint, if the user has said so; refuses it
    /// otherwise: it would be there twice, or readers would see it vanish.
    private func rewind(
        _ delivery: any OutputDelivery,
        _ id: String,
        to position: [UInt8],
        _ waiting: [SealedOutput],
        _ number: UInt64
    ) throws(EndpointError) {
        if settings.rewindsOutput {
            let done = try delivery.rewind(
                to: position,
                undelivered: waiting,
                checkpoint: number
            )
            if let done { notify("sink '\(id)': gone back to checkpoint \(number): \(done)") }
            return
        }
        guard settings.isRestoredOld,
            let surplus = try delivery.surplus(behind: position, undelivered: waiting)
        else { return }
        throw EndpointError(
            "checkpoint \(number) is not the newest one, and output was delivered after it, which "
                + "the job would produce again: \(surplus). Readers may have seen it; to move it "
                + "away and go on from checkpoint \(number), start the job with --rewind-output"
        )
    }

    /// A target that a new job would begin anew is not to be emptied by one that goes on: the sink
    /// had another id or another delivery before, or was given up.
    private func checkNothingIsDropped(
        _ delivery: any OutputDelivery,
        _ number: UInt64
    ) throws(EndpointError) {
        guard !settings.rewindsOutput,
            let found = try delivery.surplus(behind: delivery.position, undelivered: [])
        else { return }
        throw EndpointError(
            "checkpoint \(number) knows of no output of this sink, and there is some, which the "
                + "job would drop: \(found). If the sink had another id or `delivery` before, give "
                + "it that back; to keep what is there and go on behind it, set `append: true` in "
                + "its config; to move it away, start the job with --rewind-output"
        )
    }

    private func recover(
        _ delivery: any OutputDelivery,
        _ id: String
    ) throws(EndpointError) {
        guard let manifest = restore.manifest else {
            return try delivery.begin(at: settings.folder.nextNumber)
        }
        let states = manifest.sinks.filter { $0.id == id }
        guard let first = states.first(where: { !$0.position.isEmpty }) else {
            guard states.allSatisfy(\.undelivered.isEmpty) else {
                throw EndpointError(
                    "checkpoint \(manifest.number) has output of the sink that was not delivered, "
                        + "and not what has been; restore an earlier checkpoint"
                )
            }
            try rewind(delivery, id, to: delivery.position, [], manifest.number)
            return try checkNothingIsDropped(delivery, manifest.number)
        }
        let waiting = states.flatMap { outputs($0, manifest) }
            .sorted { ($0.epoch, $0.subtask) < ($1.epoch, $1.subtask) }
        try rewind(delivery, id, to: first.position, waiting, manifest.number)
        try delivery.restore(first.position, undelivered: waiting)
        for output in waiting { try delivery.deliver(output) }
    }

    private func outputs(_ state: SinkState, _ manifest: Manifest) -> [SealedOutput] {
        state.undelivered.compactMap { log in
            guard let file = manifest.files.first(where: { $0.contentName == log.contentName })
            else { return nil }  // Impossible: the folder has checked the manifest.
            return SealedOutput(
                sink: state.id,
                subtask: state.subtask,
                epoch: log.epoch,
                logPath: settings.folder.path(of: file),
                byteCount: file.byteCount
            )
        }
    }
}
