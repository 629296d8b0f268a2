/// What `apus bench checkpoint` measured; encodes as the JSON that it prints.
package struct CheckpointBenchmarkResult: Encodable, Sendable {
    /// The benchmark's name.
    package let benchmark = "checkpoint"
    /// Distinct keys.
    package let keys: Int
    /// The size of a value.
    package let valueBytes: Int
    /// The size of all values and keys.
    package let stateBytes: Int
    /// Records per second.
    package let rate: Int
    /// How long was measured.
    package let seconds: Double
    /// From the start of one checkpoint to the start of the next, in milliseconds.
    package let intervalMilliseconds: Double
    /// Task threads.
    package let parallelism: Int
    /// Without checkpoints.
    package let control: CheckpointBenchmark.Side
    /// With checkpoints.
    package let withCheckpoints: CheckpointBenchmark.Side
    /// Latencies with checkpoints per those without.
    package let ratios: LatencyFigures.Ratios
    /// The size of keys and values that change between two checkpoints, as expected of keys that
    /// are drawn uniformly and of as many records as came between two checkpoints on average.
    package let changedBytesPerCheckpoint: Int

    private enum CodingKeys: String, CodingKey {
        case benchmark, keys, rate, seconds, parallelism, control
        case valueBytes = "value_bytes"
        case stateBytes = "state_bytes"
        case intervalMilliseconds = "interval_milliseconds"
        case withCheckpoints = "with_checkpoints"
        case ratios = "ratio"
        case changedBytesPerCheckpoint = "changed_bytes_per_checkpoint"
    }

    /// Compares two runs.
    package init(
        _ options: CheckpointBenchmark.Options,
        parallelism: Int,
        intervalMicroseconds: Int64,
        control: CheckpointBenchmark.Side,
        withCheckpoints: CheckpointBenchmark.Side
    ) {
        keys = options.keyCount
        valueBytes = options.valueByteCount
        stateBytes = options.keyCount * (options.valueByteCount + Self.keyByteCount)
        rate = options.recordsPerSecond
        seconds = options.seconds
        intervalMilliseconds = Double(intervalMicroseconds) / 1e3
        self.parallelism = parallelism
        self.control = control
        self.withCheckpoints = withCheckpoints
        ratios = withCheckpoints.latencies.ratios(to: control.latencies)
        let completed = max(1, withCheckpoints.checkpoints.completed)
        let records = Double(options.recordsPerSecond) * options.seconds / Double(completed)
        changedBytesPerCheckpoint = Int(
            Self.distinctKeyCount(of: records, keyCount: options.keyCount)
                * Double(options.valueByteCount + Self.keyByteCount)
        )
    }

    private static let keyByteCount = 8

    /// How many different keys so many records are expected to have: N (1 - (1 - 1/N)^n).
    static func distinctKeyCount(of records: Double, keyCount: Int) -> Double {
        // By squaring, because there is no `pow` without Foundation.
        var power = 1.0
        var base = 1 - 1 / Double(keyCount)
        var left = Int(records)
        while left > 0 {
            if left & 1 == 1 { power *= base }
            base *= base
            left >>= 1
        }
        return Double(keyCount) * (1 - power)
    }
}
