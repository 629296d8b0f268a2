import Testing

@testable import ApusGraph

/// Every graph that a plan could not be made of is refused; the texts are tested with the reader.
@Suite("GraphValidation")
struct GraphValidationTests {
    static func errors(_ job: JobDescription) -> [String] {
        job.validate().errors.map { $0.text(fileName: "job.yaml") }
    }

    @Test("accepts a graph in any order of its operators")
    func acceptsAGraphInAnyOrder() {
        let job = JobDescription(
            name: "job",
            sources: [GraphSample.file("a")],
            operators: [GraphSample.node("c", ["b"]), GraphSample.node("b", ["a"])],
            sinks: [GraphSample.sink("d", ["c.late", "b"])]
        )
        #expect(job.validate() == GraphValidation())
    }

    @Test("names the nodes of a cycle in the direction of the records")
    func namesTheNodesOfACycle() {
        let job = JobDescription(
            name: "job",
            sources: [GraphSample.file("s")],
            operators: [
                GraphSample.node("x", ["s", "c"], line: 5),
                GraphSample.node("a", ["x"], line: 6),
                GraphSample.node("b", ["a"], line: 7),
                GraphSample.node("c", ["b"], line: 8),
            ]
        )
        #expect(
            Self.errors(job) == [
                "job.yaml:5:7: spec.operators[x]: cycle x -> a -> b -> c -> x; "
                    + "expected a graph without cycles; remove one of these inputs"
            ]
        )
    }

    @Test("a chain of a thousand nodes does not exhaust the stack")
    func aChainOfAThousandNodesDoesNotExhaustTheStack() throws {
        let operators = (1..<1_000).reversed()
            .map { GraphSample.node("n\($0)", ["n\($0 - 1)"]) }
        let job = JobDescription(
            name: "job",
            sources: [GraphSample.file("n0")],
            operators: operators
        )
        let signatures = Dictionary(
            uniqueKeysWithValues: operators.map { ($0.id, GraphSample.plain) }
        )
        let plan = try PhysicalPlan.make(for: job, parallelism: 2, signatures: signatures)
        #expect(plan.nodes.map(\.id) == (0..<1_000).map { "n\($0)" })
        #expect(plan.chains.count == 1)
    }

    @Test("a job needs a source, and a node that reads needs an input")
    func aJobNeedsASource() {
        let job = JobDescription(name: "job", sources: [], operators: [GraphSample.node("a", [])])
        #expect(
            Self.errors(job) == [
                "job.yaml: spec.sources: no sources; expected at least one",
                "job.yaml:2:7: spec.operators[a].input: no input; "
                    + "expected the id of a source or of an operator",
            ]
        )
    }

    @Test("state ages in event time when one of the sources that reach it has event times")
    func stateAgesInEventTimeWhenASourceHasEventTimes() {
        func job(_ source: SourceDescription) -> JobDescription {
            var node = GraphSample.node("b", ["a", "t"])
            node.expiries = [
                ExpiryDescription(
                    stateName: "x",
                    ttlMicroseconds: 1_000_000,
                    time: .event,
                    location: GraphSample.at(4)
                )
            ]
            return JobDescription(
                name: "job",
                sources: [GraphSample.file("s"), source],
                operators: [GraphSample.node("a", ["s"]), node],
                sinks: [GraphSample.sink("d", ["b"])]
            )
        }
        var timed = GraphSample.file("t")
        timed.watermark = WatermarkDescription(timestamp: .field(path: ["at"], unit: .seconds))
        #expect(job(timed).validate().errors.isEmpty)
        #expect(job(GraphSample.generator("t", .impulse)).validate().errors.isEmpty)
        #expect(
            Self.errors(job(GraphSample.file("t"))) == [
                "job.yaml: spec.operators[b].state.x.time: 'event', but no source that 'b' reads "
                    + "has event times, so nothing would ever expire; expected 'processing', or "
                    + "a 'watermark:' at the source"
            ]
        )
    }

    @Test("settings that contradict each other are refused without a file too")
    func settingsThatContradictEachOtherAreRefused() {
        func paths(_ durability: Durability) -> [String] {
            let job = JobDescription(
                name: "job",
                durability: durability,
                sources: [GraphSample.file("s")],
                sinks: [GraphSample.sink("d", ["s"], .file(path: "x/", appends: false))]
            )
            return job.validate().errors.map(\.path)
        }
        let folder = "spec.sinks[d].config.path"
        let checkpoint = CheckpointDescription(directory: "a/b")
        #expect(paths(Durability(checkpoint: checkpoint)).isEmpty)
        #expect(paths(Durability()) == [folder])
        #expect(
            paths(Durability(checkpoint: checkpoint, storage: .memory)) == ["spec.state.backend"]
        )
        #expect(
            paths(Durability(checkpoint: checkpoint, storage: .rocksdb(directory: "a/b/c")))
                == ["spec.state.dir"]
        )
        #expect(
            paths(Durability(storage: .rocksdb(directory: nil), delivery: .exactlyOnce))
                == ["spec.state.backend", "spec.delivery"]
        )
        #expect(
            paths(Durability(storage: .rocksdb(directory: "db"))) == ["spec.state.backend", folder]
        )
    }

    @Test("a budget is part of what there is, and never too small")
    func aBudgetIsPartOfWhatThereIs() {
        #expect(BudgetDescription.percent(50).byteCount(ofLimit: 1 << 30) / (1 << 20) == 511)
        #expect(BudgetDescription.percent(90).byteCount(ofLimit: Int.max) > 0)
        #expect(BudgetDescription.percent(1).byteCount(ofLimit: 1 << 30) == 32 << 20)
        #expect(BudgetDescription.bytes(64 << 20).byteCount(ofLimit: 1) == 64 << 20)
        #expect(BudgetDescription.bytes(1).byteCount(ofLimit: 1 << 30) == 32 << 20)
        #expect(BudgetDescription.standard == .percent(50))
    }

    @Test("names of jobs and nodes", arguments: [("a", true), ("0-a", true), ("", false)])
    func namesOfJobsAndNodes(name: String, isValid: Bool) {
        #expect(JobDescription.isValidName(name) == isValid)
        #expect(!JobDescription.isValidName("-" + name))
        #expect(!JobDescription.isValidName(name + "."))
        #expect(!JobDescription.isValidName(name + "A"))
        #expect(!JobDescription.isValidName(name + "\u{E9}"))
        #expect(!JobDescription.isValidName(name + String(repeating: "a", count: 64)))
    }
}
