/// Whether state can age in event time: whether there is any.
extension JobDescription {
    /// An error for each state that ages by a watermark that never comes.
    func checkEventTimes(_ graph: JobGraph) -> [JobProblem] {
        guard operators.contains(where: { $0.expiries.contains { $0.time == .event } }) else {
            return []
        }
        let fed = graph.nodes(readingFrom: sources.map(\.id))
        let timed = graph.nodes(readingFrom: sources.filter(\.hasEventTimes).map(\.id))
        return operators.flatMap { node -> [JobProblem] in
            guard fed.contains(node.id), !timed.contains(node.id) else { return [] }
            let expiries = node.expiries.filter { $0.time == .event }
            return expiries.map { expiry in
                JobProblem(
                    at: nil,
                    path: "spec.operators[\(node.id)].state.\(expiry.stateName).time",
                    found: "'event', but no source that '\(node.id)' reads has event times, "
                        + "so nothing would ever expire",
                    expected: "'processing', or a 'watermark:' at the source"
                )
            }
        }
    }
}

extension SourceDescription {
    /// Whether its records have event times.
    fileprivate var hasEventTimes: Bool {
        if case .generator = kind { true } else { watermark != nil }
    }
}

extension JobGraph {
    /// The ids of all nodes that records of these sources can reach, the sources included.
    fileprivate func nodes(readingFrom sources: [String]) -> Set<String> {
        var readers: [String: [String]] = [:]
        for node in nodes {
            for input in node.inputs { readers[input.node, default: []].append(node.id) }
        }
        var found = Set(sources)
        var waiting = sources
        while let next = waiting.popLast() {
            for reader in readers[next] ?? [] where found.insert(reader).inserted {
                waiting.append(reader)
            }
        }
        return found
    }
}
