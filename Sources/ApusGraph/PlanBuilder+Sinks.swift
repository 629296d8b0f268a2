/// What sinks promise, as far as their plugins can keep it.
extension PlanBuilder {
    /// What a sink promises: what it says itself, else what the job says, where a plugin can.
    mutating func delivery(
        of sink: SinkDescription,
        _ node: JobGraph.Node
    ) -> DeliveryGuarantee {
        guard case .plugin(let component) = sink.kind else {
            return job.durability.delivery(of: sink)
        }
        guard let signature = sinkSignatures[sink.id] else {
            problems.append(
                JobProblem(
                    at: sink.location,
                    path: node.path,
                    found: "nothing is known about the sink in plugin '\(component.plugin)'",
                    expected: "a plugin that was scanned"
                )
            )
            return .atLeastOnce
        }
        let wanted = sink.delivery ?? job.durability.delivery
        let found = wanted ?? job.durability.jobDelivery
        switch found {
        case .exactlyOnce where !signature.canCommit:
            // What nobody asked for is not missed.
            guard wanted != nil else { return .atLeastOnce }
            add(
                sink,
                node,
                found: "'exactly-once' for a sink whose plugin has no commit",
                expected: "'at-least-once'"
            )
        case .atLeastOnce where !signature.canFlush:
            add(
                sink,
                node,
                found: "'at-least-once' for a sink whose plugin has commit alone",
                expected: job.durability.checkpoint == nil
                    ? "'checkpoint:' in 'spec:', with which it delivers" : "'exactly-once'"
            )
        case .exactlyOnce, .atLeastOnce:
            break
        }
        return found
    }

    private mutating func add(
        _ sink: SinkDescription,
        _ node: JobGraph.Node,
        found: String,
        expected: String
    ) {
        problems.append(
            JobProblem(
                at: sink.location,
                path: sink.delivery == nil ? node.path : "\(node.path).delivery",
                found: found,
                expected: expected
            )
        )
    }
}
