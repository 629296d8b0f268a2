import Foundation
import Testing

/// Benchmarks run and print what is documented.
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

        let benchmark: String
        let state: String
        let keys: Int
        let parallelism: Int
        let windowSeconds: Double
        let recordsPerSecond: Double
        let recordsPerSecondMin: Double
        let recordsPerSecondMax: Double
        let cpuSecondsPerMillionRecords: Double
        let peakRssBytes: Int
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
            #expect(peakRssBytes > 1 << 20)
            #expect(windowSeconds == 0.05)
            #expect(state == "memory")
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

    @Test("keyed-count as JSON, and nothing else on standard output")
    func keyedCount() throws {
        let run = try workspace.start(["bench", "keyed-count", "--json"] + Self.quick).finish()
        run.expect(status: 0)
        #expect(
            Set(try run.jsonObject().keys) == [
                "benchmark", "state", "keys", "parallelism", "window_seconds",
                "records_per_second", "records_per_second_min", "records_per_second_max",
                "cpu_seconds_per_million_records", "peak_rss_bytes", "timers_fired",
                "plugin_counters", "windows",
            ]
        )
        let result = try decoder.decode(Result.self, from: Data(run.output.utf8))
        result.expectSound()
        #expect(result.benchmark == "keyed-count")
        #expect(result.keys == 1_000)
        #expect(result.parallelism >= 1)
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
