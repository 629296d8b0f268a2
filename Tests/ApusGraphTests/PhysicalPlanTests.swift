import Testing

@testable import ApusGraph

/// The plan follows the rules that its builder documents, and refuses what breaks them.
@Suite("PhysicalPlan")
struct PhysicalPlanTests {
    typealias Sample = GraphSample

    static func plan(
        _ sources: [SourceDescription],
        _ operators: [OperatorDescription],
        _ sinks: [SinkDescription] = [],
        parallelism: Int = 4,
        signatures: [String: OperatorSignature] = [:]
    ) throws(PlanErrors) -> PhysicalPlan {
        var known = Dictionary(
            uniqueKeysWithValues: operators.map {
                ($0.id, $0.key == nil ? Sample.plain : Sample.keyed)
            }
        )
        known.merge(signatures) { $1 }
        let job = JobDescription(name: "job", sources: sources, operators: operators, sinks: sinks)
        return try PhysicalPlan.make(for: job, parallelism: parallelism, signatures: known)
    }

    static func errors(_ make: () throws(PlanErrors) -> PhysicalPlan) -> [String] {
        do throws(PlanErrors) {
            _ = try make()
            return []
        } catch {
            return error.description.split(separator: "\n").map(String.init)
        }
    }

    @Test("operators without key run in the chain of what they read")
    func operatorsWithoutKeyRunInTheChain() throws {
        let plan = try Self.plan(
            [Sample.generator("s", .impulse)],
            [Sample.node("b", ["a"]), Sample.node("a", ["s"])],
            [Sample.sink("d", ["b"], .discard)]
        )
        #expect(plan.nodes.map(\.id) == ["s", "a", "b", "d"])
        #expect(plan.nodes.map(\.subtaskCount) == [4, 4, 4, 4])
        #expect(plan.nodes.map(\.chainHead) == [0, 0, 0, 0])
        #expect(plan.edges.allSatisfy { $0.exchange == .forward })
    }

    @Test("a keyed operator starts a chain and is fed by hash")
    func aKeyedOperatorStartsAChain() throws {
        let plan = try Self.plan(
            [Sample.file("s")],
            [Sample.node("a", ["s"]), Sample.node("k", ["a"], key: Sample.tail)],
            [Sample.sink("o", ["k"]), Sample.sink("l", ["k.late"], .discard)]
        )
        #expect(plan.nodes.map(\.subtaskCount) == [1, 1, 4, 1, 4])
        #expect(plan.nodes.map(\.chainHead) == [0, 0, 2, 3, 2])
        #expect(plan.edges.map(\.exchange) == [.forward, .hash(Sample.tail), .gather, .forward])
        #expect(plan.edges.map(\.fromPort) == [0, 0, 0, 1])
        #expect(plan.nodes[0].pushedDownKey == nil)
    }

    @Test("a node fed by two chains starts its own")
    func aNodeFedByTwoChainsStartsItsOwn() throws {
        let plan = try Self.plan(
            [Sample.file("s"), Sample.generator("g", .impulse)],
            [Sample.node("j", ["s", "g"])],
            [Sample.sink("o", ["s", "j"])]
        )
        #expect(plan.nodes.map(\.subtaskCount) == [1, 4, 4, 1])
        #expect(plan.nodes.map(\.chainHead) == [0, 1, 2, 3])
        #expect(plan.edges.map(\.exchange) == [.forward, .forward, .forward, .gather])
        #expect(plan.edges.map(\.toInput) == [0, 1, 0, 1])
    }

    @Test("a diamond inside one chain stays in the chain")
    func aDiamondInsideOneChainStaysInTheChain() throws {
        let plan = try Self.plan(
            [Sample.file("s")],
            [Sample.node("a", ["s"]), Sample.node("b", ["s"]), Sample.node("j", ["a", "b"])]
        )
        #expect(plan.nodes.map(\.chainHead) == [0, 0, 0, 0])
    }

    @Test("a source takes out the key that all its readers want")
    func aSourceTakesOutTheKeyThatAllItsReadersWant() throws {
        let plan = try Self.plan(
            [Sample.file("s", csvLines: true)],
            [
                Sample.node("a", ["s"], key: Sample.tail),
                Sample.node("b", ["s"], key: Sample.tail),
            ]
        )
        #expect(plan.nodes[0].pushedDownKey == Sample.tail)
        #expect(plan.edges.map(\.exchange) == [.hash(.recordKey), .hash(.recordKey)])
    }

    @Test("a source whose readers differ takes out no key")
    func aSourceWhoseReadersDifferTakesOutNoKey() throws {
        for other in [KeySelector.field(path: ["id"]), nil] {
            let plan = try Self.plan(
                [Sample.file("s")],
                [Sample.node("a", ["s"], key: Sample.tail), Sample.node("b", ["s"], key: other)]
            )
            #expect(plan.nodes[0].pushedDownKey == nil)
            #expect(plan.edges[0].exchange == .hash(Sample.tail))
        }
    }

    @Test("a generator's own keys can be used")
    func aGeneratorsOwnKeysCanBeUsed() throws {
        let plan = try Self.plan(
            [Sample.generator("g", .keyed(keyCount: 10, valueByteCount: 8))],
            [Sample.node("a", ["g"], key: .recordKey)]
        )
        #expect(plan.edges.map(\.exchange) == [.hash(.recordKey)])
    }

    @Test("refuses all that does not fit the plugins, in the order of the file")
    func refusesAllThatDoesNotFitThePlugins() {
        let errors = Self.errors { () throws(PlanErrors) in
            try Self.plan(
                [Sample.file("s")],
                [
                    Sample.node("a", ["s", "s", "s"], line: 5),
                    Sample.node("b", ["s"], line: 6),
                    Sample.node("c", ["a"], key: Sample.tail, line: 7),
                    Sample.node("d", ["s"], key: .recordKey, line: 8),
                    Sample.node("e", ["d.lat"], line: 9),
                    Sample.node("f", ["s"], line: 10),
                    Sample.node("g", ["f"], line: 11),
                ],
                signatures: [
                    "b": Sample.keyed, "c": Sample.plain,
                    "f": OperatorSignature(outputs: [], isKeyed: false),
                ]
            )
        }
        #expect(
            errors == [
                "job.yaml:5:14: spec.operators[a].inputs: 3 inputs; "
                    + "expected at most 2, as many as the operator has",
                "job.yaml:6:7: spec.operators[b]: no key for an operator that keeps state per key; "
                    + "expected 'key:'; name the field that is the key, for example 'key: id'",
                "job.yaml:7:7: spec.operators[c].key: key 'tail' for an operator that keeps no "
                    + "state per key; remove 'key:'",
                "job.yaml:8:7: spec.operators[d].key: '@key', but the records of the source 's' "
                    + "carry no key; expected the name of a field",
                "job.yaml:9:14: spec.operators[e].input: the operator 'd' has no output 'lat'; "
                    + "expected one of main, late; did you mean 'late'?",
                "job.yaml:11:14: spec.operators[g].input: the operator 'f' has no output; "
                    + "expected an operator that emits something",
            ]
        )
    }

    @Test("refuses a time to live for a state that the plugin does not have")
    func refusesATimeToLiveForAStateThatThePluginDoesNotHave() {
        func node(_ id: String, state: String, line: Int) -> OperatorDescription {
            var node = Sample.node(id, ["s"], key: Sample.tail, line: line)
            node.expiries = [
                ExpiryDescription(
                    stateName: state,
                    ttlMicroseconds: 1_000_000,
                    location: SourceLocation(line: line, column: 9)
                )
            ]
            return node
        }
        var kept = Sample.keyed
        kept.states = ["ticket", "reminders"]
        let errors = Self.errors { () throws(PlanErrors) in
            try Self.plan(
                [Sample.file("s")],
                [
                    node("a", state: "tikcet", line: 5), node("b", state: "x", line: 6),
                    node("c", state: "ticket", line: 7),
                ],
                signatures: ["a": kept, "c": kept]
            )
        }
        #expect(
            errors == [
                "job.yaml:5:9: spec.operators[a].state: the operator has no state 'tikcet'; "
                    + "expected one of ticket, reminders; did you mean 'ticket'?",
                "job.yaml:6:9: spec.operators[b].state: the operator has no state 'x'; "
                    + "expected no 'state:', as the operator declares none",
            ]
        )
    }

    @Test("every sink of a plan says what it promises")
    func everySinkOfAPlanSaysWhatItPromises() throws {
        var sink = Sample.sink("o", ["s"], .file(path: "o", appends: false))
        sink.delivery = .atLeastOnce
        let job = JobDescription(
            name: "job",
            durability: Durability(checkpoint: CheckpointDescription(directory: "cp")),
            sources: [Sample.file("s")],
            sinks: [
                sink, Sample.sink("p", ["s"], .file(path: "p/", appends: false)),
                Sample.sink("q", ["s"]),
            ]
        )
        let plan = try PhysicalPlan.make(for: job, parallelism: 1, signatures: [:])
        let deliveries = plan.nodes.compactMap { node -> DeliveryGuarantee? in
            if case .sink(let sink) = node.role { sink.delivery } else { nil }
        }
        #expect(deliveries == [.atLeastOnce, .exactlyOnce, .exactlyOnce])
        #expect(plan.durability == job.durability)
    }

    @Test("refuses a key that is hidden in raw lines")
    func refusesAKeyThatIsHiddenInRawLines() {
        let errors = Self.errors { () throws(PlanErrors) in
            try Self.plan(
                [Sample.file("s", csvLines: true)],
                [Sample.node("a", ["s"], key: Sample.tail), Sample.node("b", ["s"])]
            )
        }
        #expect(
            errors == [
                "job.yaml:2:7: spec.operators[a].key: 'tail' cannot be found in the raw lines of "
                    + "the source 's'; expected the same key in everything that reads 's'; "
                    + "or set 'emit: json' in its config"
            ]
        )
    }

    @Test("refuses a parallelism out of range", arguments: [Int.min, -1, 0, 1_025])
    func refusesAParallelismOutOfRange(parallelism: Int) {
        let errors = Self.errors { () throws(PlanErrors) in
            try Self.plan([Sample.file("s")], [], parallelism: parallelism)
        }
        #expect(
            errors == [
                "job.yaml: spec.parallelism: parallelism \(parallelism); "
                    + "expected 1 to 1024, the max-parallelism of the job"
            ]
        )
    }

    @Test("refuses an operator whose plugin was not scanned, and an invalid graph")
    func refusesWhatIsUnknown() {
        let job = JobDescription(
            name: "job",
            sources: [Sample.file("s")],
            operators: [Sample.node("a", ["s"]), Sample.node("b", ["a.x"])]
        )
        let errors = Self.errors { () throws(PlanErrors) in
            try PhysicalPlan.make(for: job, parallelism: 1, signatures: ["b": Sample.plain])
        }
        #expect(errors.count == 1)
        let empty = JobDescription(name: "job", sources: [])
        #expect(
            !Self.errors { () throws(PlanErrors) in
                try PhysicalPlan.make(for: empty, parallelism: 1, signatures: [:])
            }
            .isEmpty
        )
    }
}
