import ApusCore
import ApusFunctions
import ApusGraph
import ApusMemory
import ApusPluginHost
import ApusState

/// Builds the threads, stages and channels of a physical plan.
///
/// Nodes are built from the sinks back to the sources, so that what a port writes to is there
/// when the port is made.  Subtask i of every node lives on thread i.
struct JobAssembly {
    static let recordsPerBatch = 1024
    private static let arenaCapacity = 64 << 10
    private static let messagesInFlight = 8
    /// How far the subtasks of a source may be apart in event time.
    private static let driftMaxMicroseconds: Int64 = 20_000

    let plan: PhysicalPlan
    let environment: JobEnvironment
    let restore: RestorePlan
    let groups: KeyGroups
    private let control: RunControl

    /// The task threads, ready to run.
    private(set) var threads: [TaskThread]
    /// The counters of each node's subtasks.
    private(set) var counters: [[StageCounters]]
    /// The operators' stages, for what they tell at the end.
    private(set) var operators: [OperatorStage] = []

    private var stages: [[Stage]]
    private var gates: [[[InputGate.Entry]]]
    /// The number of the first channel of each edge at its reading stage, by edge and subtask.
    private var nextChannel: [[Int]]
    private var ports: [[[OutputPort]]]

    /// Builds everything.
    ///
    /// - Parameters:
    ///   - plan: The job.
    ///   - environment: What it runs with.
    ///   - control: What it is told by.
    ///   - restore: What it goes on from.
    ///   - makeCheckpoints: Makes what a thread needs for checkpoints; nil for none.
    /// - Throws: ``JobFailure`` when a source, sink or operator cannot be made.
    init(
        plan: PhysicalPlan,
        environment: JobEnvironment,
        control: RunControl,
        restore: RestorePlan,
        makeCheckpoints: () -> ThreadCheckpoints?
    ) throws(JobFailure) {
        self.plan = plan
        self.environment = environment
        self.control = control
        self.restore = restore
        groups = KeyGroups(count: plan.maxParallelism)
        threads = (0..<plan.parallelism).map {
            TaskThread(
                index: $0,
                control: control,
                clock: environment.clock,
                bufferTimeoutMicroseconds: plan.bufferTimeoutMicroseconds,
                checkpoints: makeCheckpoints()
            )
        }
        counters = Array(repeating: [], count: plan.nodes.count)
        stages = Array(repeating: [], count: plan.nodes.count)
        gates = plan.nodes.map { Array(repeating: [], count: $0.subtaskCount) }
        nextChannel = plan.nodes.map { Array(repeating: 0, count: $0.subtaskCount) }
        ports = plan.nodes.map { node in
            (0..<node.subtaskCount).map { _ in node.outputs.map { _ in OutputPort() } }
        }
        let sources = try makeSources()
        for node in plan.nodes.reversed() { try build(node) }
        for node in plan.nodes { connect(node) }
        for node in plan.nodes { addGates(node) }
        for node in plan.nodes { try addSourceHeads(node, sources[node.index]) }
    }

    // MARK: - Nodes

    private mutating func build(_ node: PlanNode) throws(JobFailure) {
        for subtask in 0..<node.subtaskCount {
            switch node.role {
            case .source:
                counters[node.index].append(StageCounters())
            case .operator(let description, _) where description.function != nil:
                let stage = makeFunction(node, subtask)
                try add(stage, node)
                threads[subtask].add(stage)
            case .operator(let description, _):
                let stage = try makeOperator(description, node, subtask)
                operators.append(stage)
                try add(stage, node)
                threads[subtask].add(stage)
            case .sink(let description):
                let stage = SinkStage(
                    place(node, subtask),
                    sink: try makeSink(description, node, subtask),
                    deadLetters: environment.deadLetters,
                    notify: environment.notify
                )
                try add(stage, node)
                threads[subtask].add(stage)
            }
        }
    }

    private mutating func add(_ stage: Stage, _ node: PlanNode) throws(JobFailure) {
        stage.replays = try replays(node, stage.subtask)
        stages[node.index].append(stage)
        counters[node.index].append(stage.counters)
    }

    private func makeFunction(_ node: PlanNode, _ subtask: Int) -> FunctionStage {
        guard let function = environment.functions[node.id] else {
            preconditionFailure("the caller binds a function for every such operator of the plan")
        }
        return FunctionStage(
            place(node, subtask),
            evaluator: FunctionEvaluator(
                function,
                owner: "operator \(node.id), subtask \(subtask)",
                recordsPerBatch: Self.recordsPerBatch
            ),
            port: ports[node.index][subtask][0],
            deadLetters: environment.deadLetters,
            patience: patience()
        )
    }

    private func makeOperator(
        _ description: OperatorDescription,
        _ node: PlanNode,
        _ subtask: Int
    ) throws(JobFailure) -> OperatorStage {
        guard let implementation = environment.implementations[description.id] else {
            preconditionFailure("the caller loads a plugin for every operator of the plan")
        }
        var arguments = InstanceArguments(
            job: plan.jobName,
            operatorID: description.id,
            configuration: description.configuration.json(),
            subtask: subtask,
            parallelism: node.subtaskCount,
            groups: groups,
            recordsPerBatch: Self.recordsPerBatch
        )
        arguments.secrets = environment.secrets
        arguments.tier = tier(node, subtask)
        arguments.broadcasts = try broadcasts(node)
        arguments.operatorState = try operatorState(
            node,
            subtask,
            implementation.description.operatorStates
        )
        takeSnapshot(&arguments, node, implementation.description)
        for expiry in description.expiries {
            arguments.expiries[expiry.stateName] = SlotExpiry(
                ttlMicroseconds: expiry.ttlMicroseconds,
                isRefreshedByReads: expiry.refresh == .readAndWrite,
                domain: expiry.time == .event ? .event : .processing
            )
        }
        if let async = description.async { arguments.async = AsyncSettings(async) }
        let instance: OperatorInstance
        do {
            instance = try OperatorInstance(
                plugin: implementation.plugin,
                component: implementation.component,
                arguments: arguments
            )
        } catch {
            throw JobFailure(.plugin, node: node.id, error.description)
        }
        try addOrigins(to: instance, arguments, node, subtask, implementation)
        let stage = OperatorStage(
            place(node, subtask),
            instance: instance,
            arguments: arguments,
            mainInputCount: description.inputs.count,
            ports: ports[node.index][subtask],
            deadLetters: environment.deadLetters,
            patience: patience(),
            clock: environment.clock,
            thread: threads[subtask]
        )
        stage.isOnProbation = environment.checkpoints?.isOnProbation ?? false
        return stage
    }

    /// What takes the rejected records of a subtask.
    private func rejects(_ node: PlanNode, _ subtask: Int) -> RejectHandler {
        RejectHandler(
            deadLetters: environment.deadLetters,
            counters: counters[node.index][subtask],
            patience: patience()
        )
    }

    private func patience() -> Patience {
        Patience(
            control: control,
            waits: environment.checkpoints != nil,
            notify: environment.notify
        )
    }

    private func place(_ node: PlanNode, _ subtask: Int) -> Stage.Place {
        Stage.Place(
            node: node.id,
            nodeIndex: node.index,
            subtask: subtask,
            channelCount: channelCount(node, subtask),
            control: control,
            checkpoints: threads[subtask].checkpoints,
            watermark: restore.watermark(
                node.id,
                subtask: subtask,
                subtaskCount: node.subtaskCount
            )
        )
    }

    /// How many channels feed a subtask: one from its neighbour on each forward edge, one from
    /// each writing subtask on the others.
    private func channelCount(_ node: PlanNode, _ subtask: Int) -> Int {
        var count = 0
        for edge in plan.edges where edge.toNode == node.index {
            let writers = plan.nodes[edge.fromNode].subtaskCount
            if case .forward = edge.exchange {
                count += subtask < writers ? 1 : 0
            } else {
                count += writers
            }
        }
        return max(count, 1)
    }

    // MARK: - Edges

    private mutating func connect(_ node: PlanNode) {
        for edge in plan.edges where edge.fromNode == node.index {
            for subtask in 0..<node.subtaskCount {
                let port = ports[node.index][subtask][edge.fromPort]
                if case .forward = edge.exchange {
                    guard subtask < stages[edge.toNode].count else { continue }
                    port.add(
                        ForwardOutput(
                            to: stages[edge.toNode][subtask],
                            input: edge.toInput,
                            channel: takeChannelNumber(edge.toNode, subtask)
                        )
                    )
                } else if case .broadcast = edge.exchange {
                    // An edge to each reader, as if each were the only one.
                    for target in stages[edge.toNode].indices {
                        port.add(makeExchange(edge, node, subtask, to: target..<target + 1))
                    }
                } else {
                    let targets = stages[edge.toNode].indices
                    port.add(makeExchange(edge, node, subtask, to: targets))
                }
            }
        }
    }

    private mutating func takeChannelNumber(_ node: Int, _ subtask: Int) -> Int {
        nextChannel[node][subtask] += 1
        return nextChannel[node][subtask] - 1
    }

    private mutating func makeExchange(
        _ edge: PlanEdge,
        _ node: PlanNode,
        _ subtask: Int,
        to targets: Range<Int>
    ) -> ExchangeOutput {
        let reader = plan.nodes[edge.toNode]
        var channels: [Channel] = []
        for target in targets {
            let channel = Channel(
                messageCapacity: Self.messagesInFlight,
                recordCapacity: Self.recordsPerBatch,
                arenaCapacity: Self.arenaCapacity,
                readerBell: threads[target].bell,
                writerBell: threads[subtask].bell
            )
            channels.append(channel)
            let number = takeChannelNumber(edge.toNode, target)
            if case .broadcast = edge.exchange {
                stages[edge.toNode][target].alignment?.noteBroadcast(channel: number)
            }
            gates[edge.toNode][target].append(
                InputGate.Entry(channel: channel, input: edge.toInput, number: number)
            )
        }
        return ExchangeOutput(
            channels: channels,
            groups: groups,
            keying: keying(edge.exchange, from: node),
            acceptsNullKey: acceptsNullKey(reader),
            reader: reader.id,
            writerIndex: node.index,
            rejects: rejects(node, subtask),
            thread: threads[subtask]
        )
    }

    private func keying(_ exchange: Exchange, from writer: PlanNode) -> ExchangeOutput.Keying {
        switch exchange {
        case .forward, .gather, .broadcast: .none
        case .hash(.recordKey): .recordKey(field: writer.pushedDownKey?.text)
        case .hash(.field(let path)):
            .extracted(
                environment.endpoints.makeKeyExtractor(path),
                field: path.joined(separator: ".")
            )
        }
    }

    private func acceptsNullKey(_ node: PlanNode) -> Bool {
        guard case .operator(_, let signature) = node.role else { return true }
        return signature.acceptsMissingKey || !signature.isKeyed
    }

    private func addGates(_ node: PlanNode) {
        for subtask in 0..<node.subtaskCount where !gates[node.index][subtask].isEmpty {
            threads[subtask].add(
                InputGate(stage: stages[node.index][subtask], entries: gates[node.index][subtask])
            )
        }
    }

    // MARK: - Sources

    /// The sources of each node's subtasks; empty for nodes that are none.
    private func makeSources() throws(JobFailure) -> [[any RecordSource]] {
        var sources: [[any RecordSource]] = []
        for node in plan.nodes {
            guard case .source(let description) = node.role else {
                sources.append([])
                continue
            }
            sources.append(try makeSources(description, node))
        }
        return sources
    }

    private func addSourceHeads(
        _ node: PlanNode,
        _ sources: [any RecordSource]
    ) throws(JobFailure) {
        guard case .source(let description) = node.role else { return }
        let policy = timePolicy(description, node.subtaskCount)
        for (subtask, source) in sources.enumerated() {
            let restored = try resume(source, node, subtask)
            if let source = source as? PluginSource { source.ring(threads[subtask].bell) }
            threads[subtask].add(
                SourceHead(
                    SourceHead.Place(
                        node: node.id,
                        nodeIndex: node.index,
                        subtask: subtask,
                        control: control,
                        checkpoints: threads[subtask].checkpoints,
                        restored: restored
                    ),
                    source: source,
                    port: ports[node.index][subtask][0],
                    time: policy,
                    stamper: stamper(description),
                    recordsPerBatch: Self.recordsPerBatch,
                    rejects: rejects(node, subtask),
                    counters: counters[node.index][subtask],
                    clock: environment.clock,
                    notify: environment.notify
                )
            )
        }
    }

    /// What takes times out of records that nobody has parsed.
    private func stamper(_ source: SourceDescription) -> (any TimeStamper)? {
        guard source.isUnparsed, let watermark = source.watermark else { return nil }
        return environment.endpoints.makeTimeStamper(watermark.timestamp)
    }

    private func timePolicy(
        _ source: SourceDescription,
        _ subtaskCount: Int
    ) -> SourceHead.TimePolicy? {
        // A plugin may have nothing for one subtask and much for another one.
        let isAligned = if case .plugin = source.kind { false } else { subtaskCount > 1 }
        let alignment =
            isAligned
            ? SourceAlignment(subtaskCount: subtaskCount, driftMax: Self.driftMaxMicroseconds) : nil
        if let watermark = source.watermark {
            return SourceHead.TimePolicy(
                outOfOrder: watermark.outOfOrderMicroseconds,
                idleAfter: watermark.idleAfterMicroseconds,
                alignment: alignment
            )
        }
        // A generator that gives times gives them in order.
        if case .generator = source.kind {
            return SourceHead.TimePolicy(outOfOrder: 0, idleAfter: nil, alignment: alignment)
        }
        return nil
    }
}
