/// Keys that a source can, or must, take out of its records itself.
extension PlanBuilder {
    /// Lets each source whose readers all want the same field take that field out itself.
    mutating func pushDownKeys() {
        for (index, node) in nodes.enumerated() {
            guard case .source(let source) = node.role else { continue }
            if case .generator = source.kind { continue }  // It parses nothing.
            if source.isUnparsed { continue }
            let exchanges = Set(edges.filter { $0.fromNode == index }.map(\.exchange))
            guard exchanges.count == 1, case .hash(let selector)? = exchanges.first else {
                continue
            }
            guard case .field = selector else { continue }
            nodes[index] = PlanNode(
                index: index,
                role: node.role,
                subtaskCount: node.subtaskCount,
                chainHead: node.chainHead,
                pushedDownKey: selector
            )
            edges = edges.map { edge in
                guard edge.fromNode == index else { return edge }
                return PlanEdge(
                    fromNode: index,
                    fromPort: edge.fromPort,
                    toNode: edge.toNode,
                    toInput: edge.toInput,
                    exchange: .hash(.recordKey)
                )
            }
        }
    }

    /// Refuses a key that nobody can find: a field of a CSV row that left its header behind.
    mutating func checkHiddenFields() {
        for edge in edges {
            guard case .hash(let selector) = edge.exchange, case .field = selector else { continue }
            guard case .source(let source) = nodes[edge.fromNode].role else { continue }
            guard source.kind.hidesFields else { continue }
            guard case .operator(let reader, _) = nodes[edge.toNode].role else { continue }
            problems.append(
                JobProblem(
                    at: reader.location,
                    path: "spec.operators[\(reader.id)].key",
                    found: "'\(selector.text)' cannot be found in the raw lines of the source "
                        + "'\(source.id)'",
                    expected: "the same key in everything that reads '\(source.id)'",
                    remedy: "or set 'emit: json' in its config"
                )
            )
        }
    }
}

extension SourceKind {
    /// Whether only the source itself can find a named field in its records.
    fileprivate var hidesFields: Bool {
        switch self {
        case .file(let file): file.format.hidesFields
        case .stdin(let format): format.hidesFields
        case .generator, .plugin: false
        }
    }
}
