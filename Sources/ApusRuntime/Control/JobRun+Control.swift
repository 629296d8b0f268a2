import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
package import ApusPluginHost
package import ApusState

// What a control socket asks of a job.  Any thread.
extension JobRun {
    /// Asks for a checkpoint of what is from now on.
    ///
    /// - Returns: The wish, to be waited for; nil for a job that takes no checkpoints.
    package func wishForCheckpoint() -> CheckpointWish? {
        guard let checkpointing else { return nil }
        let wish = CheckpointWish()
        checkpointing.post(wish)
        return wish
    }

    /// Why the job has failed; nil when it has not, or not yet.
    package var failure: JobFailure? { control.failure }

    /// The number of the checkpoint that it has gone on from; nil when it began anew.
    package var restoredNumber: UInt64? { environment.checkpoints?.restored?.number }

    /// What an operator's component declares; nil when the job has no operator of that id.
    package func component(of id: String) -> ComponentDescription? {
        environment.implementations[id]?.description
    }

    // MARK: - State

    /// Asks how much state there is.
    package func measureState() -> StateMeasurement {
        let bell = Doorbell()
        let parts = plan.nodes.compactMap { node -> (String, [String], [StateRequest])? in
            let inboxes = stateInboxes[node.index]
            guard let component = component(of: node.id),
                !component.states.isEmpty || !component.timers.isEmpty, !inboxes.isEmpty
            else { return nil }
            let requests = inboxes.map { inbox in
                let request = StateRequest(.measure, bell: bell)
                inbox.post(request)
                return request
            }
            return (node.id, component.states.map(\.slot.name), requests)
        }
        ringAll()
        return StateMeasurement(parts, bell: bell)
    }

    /// Asks an operator to remove keys, or a state of them, that were not written since.
    ///
    /// - Parameters:
    ///   - id: The operator.
    ///   - keys: The keys, and the second of each one's last write, as ``CoarseTime`` counts.
    ///   - slot: The state that alone goes; nil for everything, timers included.
    /// - Returns: The change, to be waited for; nil when the job has no operator of that id.
    package func removeState(
        of id: String,
        _ keys: [(key: [UInt8], written: UInt32)],
        slot: Int?
    ) -> StateChange? {
        change(of: id, keys, key: \.key) { part in
            .remove(keys: part.map(\.key), written: part.map(\.written), slot: slot)
        }
    }

    /// Asks an operator to put back what keys had, where they have nothing now.
    ///
    /// - Parameters:
    ///   - id: The operator.
    ///   - images: What they had.
    /// - Returns: The change, to be waited for; nil when the job has no operator of that id.
    package func restoreState(of id: String, _ images: [KeyImage]) -> StateChange? {
        change(of: id, images, key: \.key) { .restore($0) }
    }

    /// Gives each subtask its part of some items.
    private func change<Item>(
        of id: String,
        _ items: [Item],
        key: (Item) -> [UInt8],
        _ work: ([Item]) -> StateRequest.Work
    ) -> StateChange? {
        guard let node = plan.nodes.first(where: { $0.id == id }) else { return nil }
        let inboxes = stateInboxes[node.index]
        guard !inboxes.isEmpty else { return nil }
        let groups = KeyGroups(count: plan.maxParallelism)
        var parts: [[Item]] = Array(repeating: [], count: inboxes.count)
        for item in items {
            let hash = KeyHash.of(key(item))
            let group = groups.group(ofHash: hash)
            parts[groups.subtask(ofGroup: group, parallelism: inboxes.count)].append(item)
        }
        let bell = Doorbell()
        var requests: [StateRequest] = []
        for (inbox, part) in zip(inboxes, parts) where !part.isEmpty {
            let request = StateRequest(work(part), bell: bell)
            requests.append(request)
            inbox.post(request)
        }
        ringAll()
        return StateChange(requests, bell: bell)
    }

    private func ringAll() {
        for thread in taskThreads { thread.bell.ring() }
    }
}
