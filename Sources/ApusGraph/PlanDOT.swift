/// Writes a plan in the language of Graphviz.
package enum PlanDOT {
    /// The plan as a directed graph.
    ///
    /// It has one cluster per chain, solid arrows for direct calls, bold
    /// ones for what goes through rings.
    ///
    /// - Parameter plan: The plan.
    /// - Returns: Input for `dot`, ended by a line break.
    package static func render(_ plan: PhysicalPlan) -> String {
        var lines = [
            "digraph \(quoted(plan.jobName)) {",
            "  rankdir=LR;",
            "  node [shape=box, style=rounded, fontname=\"sans-serif\"];",
            "  edge [fontname=\"sans-serif\"];",
        ]
        for (number, chain) in plan.chains.enumerated() {
            let subtaskCount = chain[0].subtaskCount
            lines.append("  subgraph cluster_\(number + 1) {")
            lines.append("    label=\"chain \(number + 1) x \(subtaskCount)\";")
            for node in chain {
                // The `\n` is Graphviz's, so it is added after the quoting.
                let label = "\(escaped(node.id))\\n\(node.role.word)"
                lines.append("    n\(node.index) [label=\"\(label)\"];")
            }
            lines.append("  }")
        }
        for edge in plan.edges {
            let label = quoted(edgeLabel(edge, in: plan))
            let style = edge.exchange == .forward ? "solid" : "bold"
            lines.append(
                "  n\(edge.fromNode) -> n\(edge.toNode) [label=\(label), style=\(style)];"
            )
        }
        lines.append("}")
        return lines.map { $0 + "\n" }.joined()
    }

    /// The side output, if it is one, and the way of the records, if it is not a direct call.
    private static func edgeLabel(_ edge: PlanEdge, in plan: PhysicalPlan) -> String {
        var parts: [String] = []
        if edge.fromPort > 0 { parts.append(plan.nodes[edge.fromNode].outputs[edge.fromPort]) }
        switch edge.exchange {
        case .forward: break
        case .hash(let selector): parts.append("hash \(selector.text)")
        case .gather: parts.append("gather")
        case .broadcast: parts.append("broadcast")
        }
        return parts.joined(separator: ": ")
    }

    private static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
