import Foundation
import Testing

/// The samples, run as a user runs them, write what programs that share no code with us compute.
@Suite("Integration: samples")
struct SampleTests {
    private static let data = "samples/flights/data/flights-2013-01.csv.gz"

    /// What the oracle of the flights sample computes: both outputs, sorted.
    private static let flights = Result {
        let workspace = try Workspace()
        let run = try workspace.tool([
            "python3", Program.file("samples/flights/oracle.py"), Program.file(data),
            "results.jsonl", "unidentified.csv",
        ])
        try #require(run.end == .exited(0), "\(run)")
        return [
            workspace.lines("results.jsonl").sorted(), workspace.lines("unidentified.csv").sorted(),
        ]
    }

    /// Two seeds for ever, and one that nobody has tried; it is part of the test's printed name.
    static let seeds: [UInt64] = [1, 20_13, .random(in: 1_000...999_999_999)]

    @Test("flights: every line is the oracle's", arguments: [1, 2, 4])
    func flights(parallelism: Int) throws {
        let expected = try Self.flights.get()
        let workspace = try Workspace()
        let run = try workspace.apus(
            "run",
            Program.file("samples/flights/job.yaml"),
            "--parallelism",
            "\(parallelism)",
            "--json",
            environment: [
                "FLIGHTS": Program.file(Self.data), "OUT": "results.jsonl",
                "UNIDENTIFIED": "unidentified.csv",
            ]
        )
        run.expect(status: 0)
        expectSame(workspace.lines("results.jsonl").sorted(), expected[0])
        expectSame(workspace.lines("unidentified.csv").sorted(), expected[1])
        let summary = try run.summary()
        #expect(summary.sourceRecords == 27_004)
        #expect(summary.deadLetters == 0)
        #expect(try summary.node("results").recordsOut == expected[0].count)
        #expect(try summary.node("unidentified").recordsOut == 155)
    }

    @Test("tickets: every action is the oracle's, every malformed line set aside", arguments: seeds)
    func tickets(seed: UInt64) throws {
        print("integration: tickets with seed \(seed)")
        let workspace = try Workspace()
        let made = try workspace.apus("gen", "tickets", "--seed", "\(seed)", "--tickets", "2000")
        made.expect(status: 0, says: "2000 tickets", "malformed")
        let malformed = try #require(made.errors.firstMatch(of: /, (\d+) of them malformed/))
        let malformedCount = try #require(Int(malformed.1))
        #expect(malformedCount > 0)
        let expected = workspace.lines("expected.jsonl").sorted()
        #expect(expected.count > 1_000)
        for parallelism in [1, 2, 4] {
            let run = try workspace.apus(
                "run",
                Program.file("samples/tickets/job.yaml"),
                "-p",
                "\(parallelism)",
                "--json",
                "--set",
                "spec.errors.dead-letter-file=rejected-\(parallelism).jsonl",
                environment: ["TICKETS": "events.jsonl", "OUT": "actions.jsonl"]
            )
            run.expect(status: 0)
            expectSame(workspace.lines("actions.jsonl").sorted(), expected)
            #expect(workspace.lines("rejected-\(parallelism).jsonl").count == malformedCount)
            #expect(try run.summary().deadLetters == malformedCount)
        }
    }

    /// Expects two lists of lines to be equal, and otherwise says where they part.
    private func expectSame(
        _ found: [String],
        _ expected: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard found != expected else { return }
        let index = zip(found, expected).enumerated().first { $0.1.0 != $0.1.1 }?.offset
        let at = index ?? min(found.count, expected.count)
        let lines = [found, expected].map { $0.indices.contains(at) ? $0[at] : "the end" }
        Issue.record(
            """
            \(found.count) lines, expected \(expected.count); sorted line \(at) is \(lines[0]), \
            expected \(lines[1])
            """,
            sourceLocation: sourceLocation
        )
    }
}
