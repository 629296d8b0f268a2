import Foundation
import Testing

/// Benchmarks of throughput run and print what is documented.
///
/// Nothing here depends on how fast they are.
@Suite("Integration: benchmarks")
struct BenchTests {
    /// What `apus bench --json` prints for one benchmark.
    private struct Result: Decodable {
        struct Window: Decodable {
            let recordsPerSecond: Double
            let cpuSecondsPerMillionRecords: Double
        }

        struct Memory: Decodable {
            let peakRssBytes: Int
            let peakAnonymousRssBytes: Int
            let anonymousRssBytes: Int
            let fileRssBytes: Int
        }

        struct Checkpoints: Decodable {
            let completed: Int
            let failed: Int
            let failures: [String]
        }

        struct Storage: Decodable {
            let budgetBytes: Int
            let peakUsedBytes: Int
            let fileBytes: Int
            let backgroundErrors: Int
        }

        let benchmark: String
        let state: String
        let keys: Int
        let parallelism: Int
        let windowSeconds: Double
        let recordsPerSecond: Double
        let recordsPerSecondMin: Double
        let recordsPerSecondMax: Double
        let cpuSecondsPerMillionRecords: Double
        let processCpuSecondsPerMillionRecords: Double
        let longestGapMicroseconds: Double
        let memory: Memory
        let checkpoints: Checkpoints?
        let storage: Storage?
        let timersFired: Int
        let pluginCounters: [String: UInt64]
        let windows: [Window]

        /// Expects numbers that make sense together.
        func expectSound() {
            let rates = windows.map(\.recordsPerSecond).sorted()
            #expect(rates.count == 3)
            // On a busy machine a window of 50 ms may pass without a record, but not all of them.
            #expect(rates.allSatisfy { $0 >= 0 && $0.isFinite })
            #expect(recordsPerSecondMax > 0)
            #expect(windows.allSatisfy { $0.cpuSecondsPerMillionRecords >= 0 })
            #expect(windows.contains { $0.cpuSecondsPerMillionRecords > 0 })
            #expect(recordsPerSecond == rates[1])
            #expect(recordsPerSecondMin == rates[0])
            #expect(recordsPerSecondMax == rates[2])
            #expect(cpuSecondsPerMillionRecords >= 0)
            #expect(processCpuSecondsPerMillionRecords >= 0)
            #expect(longestGapMicroseconds > 0)
            #expect(memory.peakRssBytes > 1 << 20)
            #expect(memory.peakAnonymousRssBytes >= memory.anonymousRssBytes)
            #expect(memory.anonymousRssBytes > 0)
            #expect(memory.fileRssBytes > 0)
        }
    }

    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private let decoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    private static let quick = ["--keys", "1000", "--seconds", "0.05", "--windows", "3"]

    /// What is printed for state in memory alone.
    private static let fields: Set<String> = [
        "benchmark", "state", "keys", "parallelism", "window_seconds",
        "records_per_second", "records_per_second_min", "records_per_second_max",
        "cpu_seconds_per_million_records", "process_cpu_seconds_per_million_records",
        "longest_gap_microseconds", "memory", "timers_fired", "plugin_counters", "windows",
    ]

    @Test("keyed-count as JSON, and nothing else on standard output")
    func keyedCount() throws {
        let run = try workspace.start(["bench", "keyed-count", "--json"] + Self.quick).finish()
        run.expect(status: 0)
        #expect(Set(try run.jsonObject().keys) == Self.fields)
        let result = try decoder.decode(Result.self, from: Data(run.output.utf8))
        result.expectSound()
        #expect(result.benchmark == "keyed-count")
        #expect(result.state == "memory")
        #expect(result.keys == 1_000)
        #expect(result.parallelism >= 1)
        #expect(result.windowSeconds == 0.05)
    }

    @Test("keyed-count in two tiers, with checkpoints, in a folder that stays")
    func inTwoTiers() throws {
        let run = try workspace.start([
            "bench", "keyed-count", "--json", "--state", "rocksdb", "--keys", "20000",
            "--seconds", "0.3", "--windows", "3", "--checkpoint-interval", "100ms",
            "--memory-budget", "32MiB", "-p", "2", "--dir", workspace.path("bench"),
        ]).finish(atMost: 60)
        run.expect(status: 0)
        #expect(
            Set(try run.jsonObject().keys) == Self.fields.union(["checkpoints", "storage"])
        )
        let result = try decoder.decode(Result.self, from: Data(run.output.utf8))
        result.expectSound()
        #expect(result.state == "rocksdb")
        let checkpoints = try #require(result.checkpoints)
        #expect(checkpoints.failed == 0, "\(checkpoints.failures)")
        let storage = try #require(result.storage)
        #expect(storage.budgetBytes > 0 && storage.budgetBytes < 32 << 20)
        #expect(storage.fileBytes > 0)
        #expect(storage.peakUsedBytes > 0)
        #expect(storage.backgroundErrors == 0)
        #expect(workspace.has("bench/bench-keyed-count"))
    }

    @Test("all benchmarks, on one thread and on two", arguments: ["1", "2"])
    func all(parallelism: String) throws {
        let arguments = ["bench", "all", "--json", "-p", parallelism]
        let run = try workspace.start(arguments + Self.quick).finish(atMost: 60)
        run.expect(status: 0)
        let results = try decoder.decode([Result].self, from: Data(run.output.utf8))
        #expect(results.count >= 3)
        for result in results {
            result.expectSound()
            #expect("\(result.parallelism)" == parallelism)
        }
    }

    @Test("as text: a line per benchmark")
    func text() throws {
        let run = try workspace.start(["bench", "keyed-count"] + Self.quick).finish()
        run.expect(status: 0)
        #expect(run.output.lineList.count == 1)
        #expect(run.output.contains(/^keyed-count: .* records\/s \(.* 3 windows of 0\.05 s\)/))
    }
}
