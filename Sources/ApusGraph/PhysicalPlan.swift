/// How a job is executed: how many subtasks each node has, which of them call each other directly,
/// and how records travel between the others.
package struct PhysicalPlan: Sendable, Hashable {
    /// The name of the job.
    package let jobName: String

    /// How many subtasks a parallel node has.
    package let parallelism: Int

    /// The number of key groups.
    package let maxParallelism: Int

    /// How long a record may wait for its batch to fill, in microseconds.
    package let bufferTimeoutMicroseconds: Int64

    /// What happens to records that an operator rejects.
    package let errors: ErrorHandling

    /// Where the state lives, and what of it and of the output survives a failure.
    package let durability: Durability

    /// What plugins may ask for and nobody is shown.
    package let secrets: [SecretDescription]

    /// The nodes, each after the nodes it reads: sources, then operators, then sinks.
    package let nodes: [PlanNode]

    /// Who reads whom, ordered by reader and by the reader's input.
    package let edges: [PlanEdge]

    /// The nodes that start a chain, each with the nodes of its chain, itself first.
    package var chains: [[PlanNode]] {
        nodes.filter(\.isChainHead)
            .map { head in nodes.filter { $0.chainHead == head.index } }
    }
}

/// A node of a plan: a source, an operator or a sink with its number of subtasks.
package struct PlanNode: Sendable, Hashable {
    /// What a node is, with its description.
    package enum Role: Sendable, Hashable {
        /// Brings records in.
        case source(SourceDescription)
        /// Turns records into others.
        case `operator`(OperatorDescription, OperatorSignature)
        /// Takes records out.
        case sink(SinkDescription)
    }

    /// The position in ``PhysicalPlan/nodes``.
    package let index: Int

    /// What the node is.
    package let role: Role

    /// How many subtasks the node has; at least 1.
    package let subtaskCount: Int

    /// The index of the node that starts the chain; the node itself if it starts one.
    ///
    /// All nodes of a chain have equally many subtasks, and subtask i of each runs inside the task
    /// of subtask i of the head.
    package let chainHead: Int

    /// The field that a source takes out as the record's key while it parses.
    package let pushedDownKey: KeySelector?

    /// The id of the node.
    package var id: String {
        switch role {
        case .source(let source): source.id
        case .operator(let description, _): description.id
        case .sink(let sink): sink.id
        }
    }

    /// Whether the node is the first of its chain.
    package var isChainHead: Bool { chainHead == index }

    /// The names of the outputs, the main one first; a source's only output is `main`.
    package var outputs: [String] {
        switch role {
        case .source: ["main"]
        case .operator(_, let signature): signature.outputs
        case .sink: []
        }
    }
}

/// One input of one node of a plan.
package struct PlanEdge: Sendable, Hashable {
    /// The index of the node that emits.
    package let fromNode: Int

    /// The output of that node; 0 is the main one.
    package let fromPort: Int

    /// The index of the node that reads.
    package let toNode: Int

    /// The input of that node; broadcast inputs are numbered behind the others.
    package let toInput: Int

    /// How a record finds its subtask.
    package let exchange: Exchange
}

/// How records get from the subtasks of one node to those of the next.
package enum Exchange: Sendable, Hashable {
    /// Subtask i feeds subtask i.
    case forward
    /// The key decides; the selector says where the key is.
    case hash(KeySelector)
    /// All subtasks feed the only one.
    case gather
    /// All subtasks feed all.
    case broadcast
}
