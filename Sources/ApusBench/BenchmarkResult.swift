/// What a benchmark measured; encodes as the JSON that `apus bench --json` prints.
package struct BenchmarkResult: Encodable, Sendable {
    /// One window.
    package struct Window: Encodable, Sendable {
        /// Records that the plugin took, per second.
        package let recordsPerSecond: Double
        /// Processor time of all task threads per million records, in seconds.
        package let cpuSecondsPerMillionRecords: Double

        private enum CodingKeys: String, CodingKey {
            case recordsPerSecond = "records_per_second"
            case cpuSecondsPerMillionRecords = "cpu_seconds_per_million_records"
        }
    }

    /// The benchmark's name.
    package let benchmark: String
    /// Where the state is.
    package let state: String
    /// Distinct keys.
    package let keys: Int
    /// Task threads.
    package let parallelism: Int
    /// The length of a window in seconds.
    package let windowSeconds: Double
    /// Records per second: the median window.
    package let recordsPerSecond: Double
    /// The slowest window.
    package let recordsPerSecondMin: Double
    /// The fastest window.
    package let recordsPerSecondMax: Double
    /// Processor time per million records: the median window, in seconds.
    package let cpuSecondsPerMillionRecords: Double
    /// The most memory that the process has ever held, warm-up and earlier benchmarks included.
    package let peakResidentBytes: Int
    /// Timers fired in the whole run.
    package let timersFired: Int
    /// The plugin's own counters in the whole run.
    package let pluginCounters: [String: UInt64]
    /// The windows in order.
    package let windows: [Window]

    private enum CodingKeys: String, CodingKey {
        case benchmark, state, keys, parallelism, windows
        case windowSeconds = "window_seconds"
        case recordsPerSecond = "records_per_second"
        case recordsPerSecondMin = "records_per_second_min"
        case recordsPerSecondMax = "records_per_second_max"
        case cpuSecondsPerMillionRecords = "cpu_seconds_per_million_records"
        case peakResidentBytes = "peak_rss_bytes"
        case timersFired = "timers_fired"
        case pluginCounters = "plugin_counters"
    }

    init(
        benchmark: Benchmark,
        options: BenchmarkOptions,
        windows: [Window],
        timersFired: Int,
        pluginCounters: [String: UInt64],
        peakResidentByteCount: Int
    ) {
        self.benchmark = benchmark.rawValue
        state = "memory"
        keys = options.keyCount
        parallelism = options.parallelism
        windowSeconds = options.windowSeconds
        let rates = windows.map(\.recordsPerSecond)
        recordsPerSecond = Self.median(rates)
        recordsPerSecondMin = rates.min() ?? 0
        recordsPerSecondMax = rates.max() ?? 0
        cpuSecondsPerMillionRecords = Self.median(windows.map(\.cpuSecondsPerMillionRecords))
        peakResidentBytes = peakResidentByteCount
        self.timersFired = timersFired
        self.pluginCounters = pluginCounters
        self.windows = windows
    }

    private static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
