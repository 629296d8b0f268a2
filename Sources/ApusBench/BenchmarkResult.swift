/// What a benchmark of throughput measured; encodes as the JSON that `apus bench --json` prints.
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

    /// What else there was.
    struct Surroundings: Sendable {
        var processCPUSecondsPerMillionRecords: Double
        var longestGapNanoseconds: Int64
        var memory: MemoryFigures
        var checkpoints: CheckpointFigures?
        var storage: StateFigures?
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
    /// The same for all threads of the process, over all windows: state writer, compactions and
    /// checkpoints included.
    package let processCPUSecondsPerMillionRecords: Double
    /// The longest time between two reads of the source on a task thread, in microseconds.
    package let longestGapMicroseconds: Double
    /// The process's memory, warm-up and earlier benchmarks included.
    package let memory: MemoryFigures
    /// The checkpoints that ended in the windows; nil for state in memory alone.
    package let checkpoints: CheckpointFigures?
    /// What the state occupies at the end; nil for state in memory alone.
    package let storage: StateFigures?
    /// Timers fired in the whole run.
    package let timersFired: Int
    /// The plugin's own counters in the whole run.
    package let pluginCounters: [String: UInt64]
    /// The windows in order.
    package let windows: [Window]

    private enum CodingKeys: String, CodingKey {
        case benchmark, state, keys, parallelism, memory, checkpoints, storage, windows
        case windowSeconds = "window_seconds"
        case recordsPerSecond = "records_per_second"
        case recordsPerSecondMin = "records_per_second_min"
        case recordsPerSecondMax = "records_per_second_max"
        case cpuSecondsPerMillionRecords = "cpu_seconds_per_million_records"
        case processCPUSecondsPerMillionRecords = "process_cpu_seconds_per_million_records"
        case longestGapMicroseconds = "longest_gap_microseconds"
        case timersFired = "timers_fired"
        case pluginCounters = "plugin_counters"
    }

    init(
        benchmark: Benchmark,
        options: BenchmarkOptions,
        parallelism: Int,
        windows: [Window],
        timersFired: Int,
        pluginCounters: [String: UInt64],
        surroundings: Surroundings
    ) {
        self.benchmark = benchmark.rawValue
        state = surroundings.storage == nil ? "memory" : "rocksdb"
        keys = options.keyCount
        self.parallelism = parallelism
        windowSeconds = options.windowSeconds
        let rates = windows.map(\.recordsPerSecond)
        recordsPerSecond = rates.median
        recordsPerSecondMin = rates.min() ?? 0
        recordsPerSecondMax = rates.max() ?? 0
        cpuSecondsPerMillionRecords = windows.map(\.cpuSecondsPerMillionRecords).median
        processCPUSecondsPerMillionRecords = surroundings.processCPUSecondsPerMillionRecords
        longestGapMicroseconds = Double(surroundings.longestGapNanoseconds) / 1e3
        memory = surroundings.memory
        checkpoints = surroundings.checkpoints
        storage = surroundings.storage
        self.timersFired = timersFired
        self.pluginCounters = pluginCounters
        self.windows = windows
    }
}
