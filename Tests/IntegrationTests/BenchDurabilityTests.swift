import Foundation
import Testing

/// Benchmarks of checkpoints, recovery and timers run, find what they stored, and print what is
/// documented.
///
/// Nothing here depends on how fast they are.
@Suite("Integration: benchmarks of durability")
struct BenchDurabilityTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// Runs a benchmark with temporary files of its own and expects that none is left.
    private func json(_ arguments: String...) throws -> [String: Any] {
        try FileManager.default.createDirectory(
            atPath: workspace.path("tmp"),
            withIntermediateDirectories: true
        )
        let run = try workspace.start(
            ["bench"] + arguments + ["--json"],
            environment: ["TMPDIR": workspace.path("tmp")]
        )
        .finish(atMost: 120)
        run.expect(status: 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: workspace.path("tmp"))
        #expect(!left.contains { $0.hasPrefix("apus-bench") }, "\(left)")
        return try run.jsonObject()
    }

    private func part(_ name: String, of object: [String: Any]) throws -> [String: Any] {
        try #require(object[name] as? [String: Any], "no object '\(name)' in \(object)")
    }

    private func number(_ name: String, of object: [String: Any]) throws -> Double {
        try #require(object[name] as? Double, "no number '\(name)' in \(object)")
    }

    @Test("checkpoint: every record comes out, and its latency counts from when it was due")
    func checkpoint() throws {
        let result = try json(
            "checkpoint",
            "--state-size",
            "1MiB",
            "--rate",
            "2000",
            "--seconds",
            "1",
            "--interval",
            "100ms",
            "-p",
            "2"
        )
        #expect(
            Set(result.keys) == [
                "benchmark", "keys", "value_bytes", "state_bytes", "rate", "seconds",
                "interval_milliseconds", "parallelism", "control", "with_checkpoints", "ratio",
                "changed_bytes_per_checkpoint",
            ]
        )
        #expect(try number("keys", of: result) == 1_016)
        #expect(try number("interval_milliseconds", of: result) == 100)
        for name in ["control", "with_checkpoints"] {
            let side = try part(name, of: result)
            #expect(try number("missing_records", of: side) == 0)
            let latency = try part("latency", of: side)
            // A quarter of the time before is not measured.
            #expect(try number("count", of: latency) == 2_000)
            let quantiles = try ["p50", "p99", "p99_9", "max"]
                .map { try number("\($0)_milliseconds", of: latency) }
            #expect(quantiles == quantiles.sorted())
            #expect(quantiles[0] > 0)
            #expect(try number("longest_gap_microseconds", of: side) > 0)
        }
        let control = try part("checkpoints", of: try part("control", of: result))
        #expect(try number("completed", of: control) == 0)
        let checkpoints = try part("checkpoints", of: try part("with_checkpoints", of: result))
        #expect(try number("failed", of: checkpoints) == 0)
        #expect(try number("changed_bytes_per_checkpoint", of: result) > 0)
        #expect(Set(try part("ratio", of: result).keys) == ["p50", "p99", "p99_9", "max"])
    }

    @Test("recovery: fresh processes find the state, and their times follow each other")
    func recovery() throws {
        let result = try json(
            "recovery",
            "--state-size",
            "1MiB",
            "--value-size",
            "100B",
            "--runs",
            "2",
            "-p",
            "2"
        )
        #expect(
            Set(result.keys) == [
                "benchmark", "keys", "value_bytes", "parallelism", "prepared", "warm",
            ]
        )
        #expect(try number("value_bytes", of: result) == 100)
        let prepared = try part("prepared", of: result)
        #expect(try number("checkpoint_bytes", of: prepared) > Double(1 << 20))
        let warm = try part("warm", of: result)
        let runs = try #require(warm["runs"] as? [[String: Any]])
        #expect(runs.count == 2)
        var firstRecords: [Double] = []
        for run in runs {
            let times = try ["main", "opened", "running", "first_record"]
                .map { try number("\($0)_milliseconds", of: run) }
            // The first record may come before the call returns that starts the threads.
            #expect(times[0] > 0 && times[0] < times[1] && times[1] < times[2])
            #expect(times[3] > times[1])
            #expect(try number("peak_rss_bytes", of: run) > Double(1 << 20))
            firstRecords.append(times[3])
        }
        #expect(
            try number("first_record_milliseconds_max", of: warm) == firstRecords.max()
        )
    }

    @Test("timers: each fires once, in another process", arguments: ["2000", "300"])
    func timers(keys: String) throws {
        let result = try json("timers", "--armed", "2000", "--keys", keys, "-p", "2")
        #expect(
            Set(result.keys) == ["benchmark", "armed", "keys", "parallelism", "arming", "firing"]
        )
        let firing = try part("firing", of: result)
        #expect(try number("fired", of: firing) == 2_000)
        for name in ["lost", "doubled", "strangers", "disordered", "left_armed"] {
            #expect(try number(name, of: firing) == 0, "\(name)")
        }
        #expect(try number("checkpoint_bytes", of: try part("arming", of: result)) > 0)
    }

    @Test("timers that do not fit into memory")
    func timersBeyondMemory() throws {
        let result = try json(
            "timers",
            "--armed",
            "300000",
            "--memory-budget",
            "32MiB",
            "-p",
            "1",
            "--checkpoint-interval",
            "200ms"
        )
        #expect(try number("memory_budget_bytes", of: result) == Double(32 << 20))
        let firing = try part("firing", of: result)
        #expect(try number("fired", of: firing) == 300_000)
        #expect(try number("lost", of: firing) == 0)
    }

    @Test("results as text")
    func text() throws {
        let run = try workspace.start([
            "bench", "timers", "--armed", "100", "-p", "1", "--dir", workspace.path("bench"),
        ]).finish(atMost: 60)
        run.expect(status: 0)
        #expect(run.output.hasPrefix("timers: 100 armed on 100 keys, 100 fired: 0 lost, 0 doubled"))
        #expect(workspace.has("bench/bench-timers"))
    }

    @Test(
        "what makes no sense is refused",
        arguments: [
            ("nothing", "unknown benchmark 'nothing'; expected one of keyed-count,"),
            ("keyed-count --armed 5", "--armed has no meaning for 'keyed-count'; it takes"),
            ("timers --armed 5 --windows 3", "--windows has no meaning for 'timers' with --armed"),
            ("checkpoint --keys 5", "--keys has no meaning for 'checkpoint'"),
            ("keyed-count --interval 1s", "--checkpoint-interval goes with --state rocksdb"),
            ("keyed-count --state redis", "--state redis: expected memory or rocksdb"),
            ("checkpoint --state-size 5", "expected a whole number with a unit, such as 256MiB"),
            ("checkpoint --state-size 5B", "--state-size 5B: expected 1KiB to"),
            ("checkpoint --value-size 4B", "--value-size 4B: expected 8B to 256KiB"),
            ("checkpoint --rate 0", "--rate 0: expected 1 to 10000000"),
            ("checkpoint --seconds 0", "--seconds 0.0: expected 0.05 to 86400"),
            ("checkpoint --interval 1ms", "--checkpoint-interval 1ms: expected 100ms to 1d"),
            ("checkpoint --interval 1", "expected a whole number with a unit, such as 500ms"),
            ("recovery --memory-budget 1MiB", "--memory-budget 1MiB: expected 32MiB to"),
            ("recovery --runs 0", "--runs 0: expected 1 to 1000"),
            ("timers --armed 0", "--armed 0: expected 1 to"),
            ("timers --armed 10 --keys 20", "--keys 20: expected at most as many as timers, 10"),
        ]
    )
    func refusals(arguments: String, message: String) throws {
        let words = arguments.split(separator: " ").map(String.init)
        let run = try workspace.start(["bench"] + words).finish()
        run.expect(status: 64, says: message, "--help")
        #expect(run.output.isEmpty)
    }

    @Test("a folder that cannot be made is named")
    func folder() throws {
        try workspace.write("file", "")
        let run = try workspace.apus("bench", "timers", "--armed", "5", "--dir", "file")
        run.expect(status: 2, says: "--dir: cannot create folder file")
    }
}
