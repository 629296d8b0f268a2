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
