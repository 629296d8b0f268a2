/// Writes a plan for people to read, as `apus job explain` shows it.
package struct PlanText {
    private let plan: PhysicalPlan
    private let chains: [[PlanNode]]

    /// The number of the chain, from 1, by the index of its head.
    private let chainNumbers: [Int: Int]

    /// The plan as text.
    ///
    /// One block per chain, its nodes from top to bottom, and under each node where its outputs
    /// go. `-->` is a direct call, `==hash @key==>` and `==gather==>` go through rings.
    ///
    /// - Parameter plan: The plan.
    /// - Returns: Lines of ASCII for ASCII names, each ended by a line break.
    package static func render(_ plan: PhysicalPlan) -> String {
        PlanText(plan).text()
    }

    private init(_ plan: PhysicalPlan) {
        self.plan = plan
        chains = plan.chains
        chainNumbers = Dictionary(
            uniqueKeysWithValues: chains.enumerated().map { ($1[0].index, $0 + 1) }
        )
    }

    private func text() -> String {
        var lines = header()
        for chain in chains {
            lines.append("")
            let subtasks = Self.count(chain[0].subtaskCount, "subtask")
            lines.append("chain \(chainNumber(of: chain[0])): \(subtasks)")
            for node in chain { lines += block(for: node) }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func header() -> [String] {
        let timeout = DurationText.format(microseconds: plan.bufferTimeoutMicroseconds)
        let rejected =
            switch plan.errors.policy {
            case .fail: "a rejected record fails the job"
            case .deadLetter: "rejected records go to \(plan.errors.deadLetterFile)"
            }
        return [
            "job \(plan.jobName)",
            "  parallelism \(plan.parallelism), \(Self.count(plan.maxParallelism, "key group")), "
                + "buffer timeout \(timeout)",
            "  \(rejected)",
        ] + plan.durability.summary.map { "  \($0)" } + plan.secrets.map { "  \($0.summary)" }
    }

    private func block(for node: PlanNode) -> [String] {
        let outgoing = plan.edges.filter { $0.fromNode == node.index }
        let margin = outgoing.isEmpty ? "   " : "|  "
        var lines = ["  \(node.id) (\(node.role.word))"]
        lines += details(of: node).map { "  \(margin) \($0)" }
        let ports = node.outputs
        let width = Set(outgoing.map(\.fromPort)).map { ports[$0].count }.max() ?? 0
        for edge in outgoing {
            let name = ports[edge.fromPort]
            let padding = String(repeating: " ", count: width - name.count)
            lines.append("  +-- \(name)\(padding) \(arrow(edge)) \(target(edge))")
        }
        return lines
    }

    private func arrow(_ edge: PlanEdge) -> String {
        switch edge.exchange {
        case .forward: "-->"
        case .hash(let selector): "==hash \(selector.text)==>"
        case .gather: "==gather==>"
        case .broadcast: "==broadcast==>"
        }
    }

    private func target(_ edge: PlanEdge) -> String {
        let reader = plan.nodes[edge.toNode]
        let mainInputCount = plan.edges.count {
            $0.toNode == edge.toNode && $0.exchange != .broadcast
        }
        let input =
            if edge.exchange == .broadcast {
                " broadcast input \(edge.toInput - mainInputCount)"
            } else {
                mainInputCount > 1 ? " input \(edge.toInput)" : ""
            }
        let isSameChain = plan.nodes[edge.fromNode].chainHead == reader.chainHead
        return "\(reader.id)\(input)"
            + (isSameChain ? "" : ", chain \(chainNumber(of: reader))")
    }

    private func chainNumber(of node: PlanNode) -> Int {
        guard let number = chainNumbers[node.chainHead] else {
            preconditionFailure("a chain without a head")
        }
        return number
    }

    private func details(of node: PlanNode) -> [String] {
        switch node.role {
        case .source(let source):
            var lines = [source.kind.summary]
            if let watermark = source.watermark { lines.append(watermark.summary) }
            if let key = node.pushedDownKey {
                lines.append("takes the key \(key.text) out of each record while parsing")
            }
            return lines
        case .operator(let description, let signature):
            let component = description.component.map { ", component \($0)" } ?? ""
            var lines = ["plugin \(description.plugin)\(component)"]
            if let function = description.function { lines = function.summary + signature.details }
            if let key = description.key {
                let missing = signature.acceptsMissingKey ? ", records without it too" : ""
                lines.append("keyed by \(key.text)\(missing)")
            }
            if signature.isAsynchronous {
                lines.append((description.async ?? AsyncDescription()).summary)
            }
            return lines + description.expiries.map(\.summary)
        case .sink(let sink):
            let codec = sink.codec.map { ["encoded by \($0.summary)"] } ?? []
            return [sink.kind.summary] + codec + deliverySummary(sink)
        }
    }

    /// What a sink promises, when the job says anything about such things.
    private func deliverySummary(_ sink: SinkDescription) -> [String] {
        guard plan.durability != Durability(), let delivery = sink.delivery else { return [] }
        return sink.kind == .discard ? [] : ["delivered \(delivery.rawValue)"]
    }

    static func count(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }
}

extension PlanNode.Role {
    /// The kind of node in one word.
    var word: String {
        switch self {
        case .source: "source"
        case .operator: "operator"
        case .sink: "sink"
        }
    }
}
