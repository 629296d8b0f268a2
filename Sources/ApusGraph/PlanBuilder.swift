extension PhysicalPlan {
    /// Plans the execution of a job.
    ///
    /// - File and standard input have one subtask, a generator has `parallelism`, and so has the
    ///   source of a plugin, unless it says less.
    /// - A keyed operator has `parallelism` subtasks and is fed by hash; any other operator has as
    ///   many as the widest node it reads and is fed forward.
    /// - Broadcast inputs feed all subtasks of their reader, and do not change how many it has.
    /// - A file or standard output has one subtask and gathers; `discard` is fed forward, and so is
    ///   the sink of a plugin that takes records at once.  One that commits has one subtask.
    /// - Every sink says what it promises, by itself or because the job does.
    /// - When every reader of a source wants the same field as key, the source takes it out while
    ///   parsing, and the readers use the key that the record then carries.
    ///
    /// - Parameters:
    ///   - job: The job; it is validated first.
    ///   - parallelism: 1 to the job's `maxParallelism`; overrides what the job says.
    ///   - signatures: What the plugins say of their operators, by operator id.
    ///   - sinks: What the plugins say of their sinks, by sink id.
    /// - Returns: A plan in which every index is in range.
    /// - Throws: ``PlanErrors`` with everything that is wrong, not just the first.
    package static func make(
        for job: JobDescription,
        parallelism: Int,
        signatures: [String: OperatorSignature],
        sinks: [String: SinkSignature] = [:]
    ) throws(PlanErrors) -> PhysicalPlan {
        let invalid = job.validate().errors
        guard invalid.isEmpty else { throw PlanErrors(fileName: job.fileName, problems: invalid) }
        var builder = PlanBuilder(
            job: job,
            parallelism: parallelism,
            signatures: signatures,
            sinkSignatures: sinks
        )
        return try builder.build()
    }
}

/// Makes one plan, node by node from the sources to the sinks.
struct PlanBuilder {
    let job: JobDescription
    let parallelism: Int
    let signatures: [String: OperatorSignature]
    let sinkSignatures: [String: SinkSignature]
    let graph: JobGraph

    var nodes: [PlanNode] = []
    var edges: [PlanEdge] = []
    var indexByID: [String: Int] = [:]
    var problems: [JobProblem] = []

    init(
        job: JobDescription,
        parallelism: Int,
        signatures: [String: OperatorSignature],
        sinkSignatures: [String: SinkSignature]
    ) {
        self.job = job
        self.parallelism = parallelism
        self.signatures = signatures
        self.sinkSignatures = sinkSignatures
        graph = JobGraph(job)
    }

    mutating func build() throws(PlanErrors) -> PhysicalPlan {
        checkParallelism()
        let sourceCount = job.sources.count
        let operatorCount = job.operators.count
        for position in graph.topologicalOrder() {
            let node = graph.nodes[position]
            indexByID[node.id] = nodes.count
            if position < sourceCount {
                add(job.sources[position])
            } else if position < sourceCount + operatorCount {
                add(job.operators[position - sourceCount], as: node)
            } else {
                add(job.sinks[position - sourceCount - operatorCount], as: node)
            }
        }
        pushDownKeys()
        checkHiddenFields()
        guard problems.isEmpty else {
            let sorted = problems.sorted { ($0.location ?? .start) < ($1.location ?? .start) }
            throw PlanErrors(fileName: job.fileName, problems: sorted)
        }
        return PhysicalPlan(
            jobName: job.name,
            parallelism: parallelism,
            maxParallelism: job.maxParallelism,
            bufferTimeoutMicroseconds: job.bufferTimeoutMicroseconds,
            errors: job.errors,
            durability: job.durability,
            secrets: job.secrets,
            nodes: nodes,
            edges: edges
        )
    }

    private mutating func checkParallelism() {
        guard !(1...max(1, job.maxParallelism)).contains(parallelism) else { return }
        problems.append(
            JobProblem(
                at: nil,
                path: "spec.parallelism",
                found: "parallelism \(parallelism)",
                expected: "1 to \(job.maxParallelism), the max-parallelism of the job"
            )
        )
    }

    // MARK: - Nodes

    private mutating func add(_ source: SourceDescription) {
        let subtaskCount =
            switch source.kind {
            case .file, .stdin: 1
            case .generator: max(1, parallelism)
            case .plugin: max(1, min(source.parallelism ?? parallelism, parallelism))
            }
        append(.source(source), subtaskCount: subtaskCount, exchanges: [], inputs: [])
    }

    private mutating func add(_ description: OperatorDescription, as node: JobGraph.Node) {
        let all = resolveInputs(of: node)
        let inputs = Array(all.prefix(node.mainInputCount))
        let broadcasts = Array(all.dropFirst(node.mainInputCount))
        guard let signature = signatures[description.id] else {
            problems.append(
                JobProblem(
                    at: description.location,
                    path: node.path,
                    found: "nothing is known about the operator in plugin '\(description.plugin)'",
                    expected: "a plugin that was scanned"
                )
            )
            let unknown = OperatorSignature(outputs: [], isKeyed: false)
            append(.operator(description, unknown), subtaskCount: 1, exchanges: [], inputs: [])
            return
        }
        check(description, against: signature, as: node)
        let role = PlanNode.Role.operator(description, signature)
        if let key = description.key {
            checkKey(key, inputs: inputs, of: node)
            let exchanges =
                inputs.map { _ in Exchange.hash(key) } + broadcasts.map { _ in .broadcast }
            append(role, subtaskCount: max(1, parallelism), exchanges: exchanges, inputs: all)
        } else {
            let exchanges =
                inputs.map { _ in Exchange.forward } + broadcasts.map { _ in .broadcast }
            append(role, subtaskCount: widest(inputs), exchanges: exchanges, inputs: all)
        }
    }

    private mutating func add(_ description: SinkDescription, as node: JobGraph.Node) {
        let inputs = resolveInputs(of: node)
        var sink = description
        sink.delivery = delivery(of: description, node)
        switch sink.kind {
        case .plugin where !sink.isSingle && sink.delivery == .atLeastOnce, .discard:
            let exchanges = inputs.map { _ in Exchange.forward }
            append(
                .sink(sink),
                subtaskCount: widest(inputs),
                exchanges: exchanges,
                inputs: inputs
            )
        case .file, .stdout, .plugin:
            let exchanges = inputs.map { input in
                nodes[input.node].subtaskCount == 1 ? Exchange.forward : .gather
            }
            append(.sink(sink), subtaskCount: 1, exchanges: exchanges, inputs: inputs)
        }
    }

    /// Adds a node and its edges.
    ///
    /// It joins the chain of its inputs if they are all fed forward by
    /// one and the same chain; a task can be called from only one other.
    private mutating func append(
        _ role: PlanNode.Role,
        subtaskCount: Int,
        exchanges: [Exchange],
        inputs: [Input]
    ) {
        let index = nodes.count
        let heads = Set(inputs.map { nodes[$0.node].chainHead })
        let isChained = exchanges.allSatisfy { $0 == .forward } && heads.count == 1
        nodes.append(
            PlanNode(
                index: index,
                role: role,
                subtaskCount: subtaskCount,
                chainHead: isChained ? heads.first ?? index : index,
                pushedDownKey: nil
            )
        )
        for (position, (input, exchange)) in zip(inputs, exchanges).enumerated() {
            edges.append(
                PlanEdge(
                    fromNode: input.node,
                    fromPort: input.port,
                    toNode: index,
                    toInput: position,
                    exchange: exchange
                )
            )
        }
    }

    private func widest(_ inputs: [Input]) -> Int {
        inputs.map { nodes[$0.node].subtaskCount }.max() ?? 1
    }

    /// One output of a node that is already in the plan.
    struct Input {
        let node: Int
        let port: Int
    }
}

extension SourceLocation {
    /// Before everything in a file.
    fileprivate static let start = SourceLocation(line: 0, column: 0)
}
