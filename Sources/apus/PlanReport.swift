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
        /// `exactly-once` or `at-least-once`; for sinks only.
        var delivery: String?
        /// For operators that are C functions only.
        var function: Function?
    }

    /// A C function.
    struct Function: Encodable {
        var library: String
        var symbol: String
        var signature: String
        var arguments: [String]
        /// Where the result goes; none for a filter.
        var result: String?
        /// `map` or `filter`.
        var use: String
        var threadSafe: Bool
        var pure: Bool
        /// How it is called, and what trial calls returned.
        var details: [String]
    }

    /// What survives a failure, and where state lives.
    struct Durability: Encodable {
        /// When and where checkpoints are taken.
        struct Checkpoint: Encodable {
            var directory: String
            var intervalMicroseconds: Int64
            var minPauseMicroseconds: Int64
            var timeoutMicroseconds: Int64
            /// How many failed attempts in a row are borne; none for any number.
            var tolerableFailureCount: Int?
            /// None for barriers that never overtake records.
            var alignmentTimeoutMicroseconds: Int64?
            var retainedCount: Int
            /// None for no limit.
            var ioLimitBytesPerSecond: Int?
        }

        /// None for a job without checkpoints.
        var checkpoint: Checkpoint?
        /// `rocksdb` or `memory`.
        var stateBackend: String
        /// None for where checkpoints are, and for `memory`.
        var stateDirectory: String?
        /// As in a job file: `256MiB` or `50%`.
        var memoryBudget: String
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
    var durability: Durability
    var nodes: [Node]
    var edges: [Edge]

    init(_ plan: PhysicalPlan) {
        job = plan.jobName
        parallelism = plan.parallelism
        maxParallelism = plan.maxParallelism
        durability = Durability(plan.durability)
        nodes = plan.nodes.map { node in
            var delivery: String?
            var function: Function?
            let role: String
            switch node.role {
            case .source: role = "source"
            case .operator(let description, let signature):
                role = "operator"
                function = description.function.map { Function($0, signature.details) }
            case .sink(let sink):
                role = "sink"
                delivery = plan.durability.delivery(of: sink).rawValue
            }
            return Node(
                id: node.id,
                role: role,
                subtasks: node.subtaskCount,
                chain: plan.nodes[node.chainHead].id,
                outputs: node.outputs,
                delivery: delivery,
                function: function
            )
        }
        edges = plan.edges.map { edge in
            let from = plan.nodes[edge.fromNode]
            var key: String?
            let exchange: String
            switch edge.exchange {
            case .forward: exchange = "forward"
            case .gather: exchange = "gather"
            case .broadcast: exchange = "broadcast"
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

extension PlanReport.Function {
    init(_ function: FunctionDescription, _ details: [String]) {
        library = function.library
        symbol = function.symbol
        signature = function.signature.text
        arguments = function.arguments.map(\.text)
        switch function.use {
        case .map(let place):
            use = FunctionDescription.UseName.map.rawValue
            result = place.text
        case .filter: use = FunctionDescription.UseName.filter.rawValue
        }
        threadSafe = function.isThreadSafe
        pure = function.isPure
        self.details = details
    }
}

extension PlanReport.Durability {
    init(_ durability: ApusGraph.Durability) {
        checkpoint = durability.checkpoint.map { rule in
            Checkpoint(
                directory: rule.directory,
                intervalMicroseconds: rule.intervalMicroseconds,
                minPauseMicroseconds: rule.minPauseMicroseconds,
                timeoutMicroseconds: rule.timeoutMicroseconds,
                tolerableFailureCount: rule.tolerableFailureCount,
                alignmentTimeoutMicroseconds: rule.alignmentTimeoutMicroseconds,
                retainedCount: rule.retainedCount,
                ioLimitBytesPerSecond: rule.ioLimitBytesPerSecond
            )
        }
        switch durability.storage {
        case .memory: stateBackend = "memory"
        case .rocksdb(let directory):
            stateBackend = "rocksdb"
            stateDirectory = directory
        }
        memoryBudget = (durability.memoryBudget ?? .standard).text
    }
}
