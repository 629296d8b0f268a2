import ApusGraph

/// A physical plan as `apus job validate --json` and `apus job explain --json` print it.
struct PlanReport: Encodable {
    /// A source, operator or sink.
    struct Node: Encodable {
        var id: String
        var role: String
        var subtasks: Int
        /// The id of the node that starts the chain this one belongs to.
        var chain: String
        var outputs: [String]
    }

    /// A connection.
    struct Edge: Encodable {
        var from: String
        var output: String
        var to: String
        /// `forward`, `hash` or `gather`.
        var exchange: String
        /// The field that the key is taken from, or `@key`; for `hash` only.
        var key: String?
    }

    var job: String
    var parallelism: Int
    var maxParallelism: Int
    var nodes: [Node]
    var edges: [Edge]

    init(_ plan: PhysicalPlan) {
        job = plan.jobName
        parallelism = plan.parallelism
        maxParallelism = plan.maxParallelism
        nodes = plan.nodes.map { node in
            let role =
                switch node.role {
                case .source: "source"
                case .operator: "operator"
                case .sink: "sink"
                }
            return Node(
                id: node.id,
                role: role,
                subtasks: node.subtaskCount,
                chain: plan.nodes[node.chainHead].id,
                outputs: node.outputs
            )
        }
        edges = plan.edges.map { edge in
            let from = plan.nodes[edge.fromNode]
            var key: String?
            let exchange: String
            switch edge.exchange {
            case .forward: exchange = "forward"
            case .gather: exchange = "gather"
            case .hash(let selector):
                exchange = "hash"
                key = from.pushedDownKey?.text ?? selector.text
            }
            return Edge(
                from: from.id,
                output: from.outputs[edge.fromPort],
                to: plan.nodes[edge.toNode].id,
                exchange: exchange,
                key: key
            )
        }
    }
}
