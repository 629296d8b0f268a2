import Testing

@testable import ApusJobFile

/// What is wrong with ids and inputs.
@Suite("Job file: mistakes in the graph")
struct GraphErrorTests {
    @Test("are reported with place, expectation and remedy", arguments: cases)
    func areReportedWithPlaceExpectationAndRemedy(mistake: Mistake) {
        let result = JobFileSample.read(
            replacing: mistake.old,
            with: mistake.new,
            environment: ["SECRET": "hunter2"]
        )
        #expect(result.errorLines.joined(separator: "\n") == mistake.text)
    }

    /// Each changes one place of the sample.
    static let cases = [
        Mistake(
            "no id",
            "- id: departures\n      plugin",
            "- plugin",
            """
            job.yaml:10:7: spec.sources[0]: no 'id'; expected an id that never changes: 1 to\
             63 characters a-z, 0-9 and '-', not starting with '-'
            """
        ),
        Mistake(
            "an id used twice",
            "id: unidentified",
            "id: aircraft",
            """
            job.yaml:31:7: spec.sinks[aircraft]: the id 'aircraft' is already taken, by \
            spec.operators[aircraft] in line 23; expected an id that no other source, \
            operator or sink has
            """
        ),
        Mistake(
            "a mapping for a list",
            "sources:\n    - id: departures\n      plugin",
            "sources:\n      id: departures\n      plugin",
            """
            job.yaml:10:7: spec.sources: a mapping; expected a list, each element after '- '
            """
        ),
        Mistake(
            "no input",
            "      input: departures\n",
            "",
            """
            job.yaml:23:7: spec.operators[aircraft].input: no input; expected the id of a \
            source or of an operator
            """
        ),
        Mistake(
            "an unknown input",
            "input: departures",
            "input: departurs",
            """
            job.yaml:26:14: spec.operators[aircraft].input: unknown node 'departurs'; \
            expected one of departures, aircraft; did you mean 'departures'?
            """
        ),
        Mistake(
            "an input of the wrong type",
            "input: departures",
            "input: [departures]",
            """
            job.yaml:26:14: spec.operators[aircraft].input: a list; expected 'node' or \
            'node.port'
            """
        ),
        Mistake(
            "input and inputs",
            "input: departures",
            "input: departures\n      inputs: [departures]",
            """
            job.yaml:27:15: spec.operators[aircraft].inputs: both 'input' and 'inputs'; \
            expected one of the two
            """
        ),
        Mistake(
            "an input that is a sink",
            "input: departures",
            "input: results",
            """
            job.yaml:26:14: spec.operators[aircraft].input: 'results' is a sink, which has \
            no output; expected the id of a source or of an operator
            """
        ),
        Mistake(
            "a side output of a source",
            "input: departures",
            "input: departures.late",
            """
            job.yaml:26:14: spec.operators[aircraft].input: the source 'departures' has no \
            output 'late'; expected 'departures', its only output
            """
        ),
        Mistake(
            "a cycle of one",
            "input: departures",
            "input: aircraft",
            """
            job.yaml:23:7: spec.operators[aircraft]: cycle aircraft -> aircraft; expected a \
            graph without cycles; remove one of these inputs
            """
        ),
        Mistake(
            "parallelism above max-parallelism",
            "max-parallelism: 1024",
            "max-parallelism: 1",
            """
            job.yaml:5:16: spec.parallelism: parallelism 2 is more than max-parallelism 1; \
            expected 1 to 1
            """
        ),
        Mistake(
            "an operator without id that others read",
            "- id: aircraft\n      plugin",
            "- plugin",
            """
            job.yaml:23:7: spec.operators[0]: no 'id'; expected an id that never changes: 1 \
            to 63 characters a-z, 0-9 and '-', not starting with '-'
            """
        ),
    ]
}
