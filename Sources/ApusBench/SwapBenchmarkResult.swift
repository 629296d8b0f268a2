/// What `apus bench swap --json` prints.
package struct SwapBenchmarkResult: Encodable, Sendable {
    /// Times of swaps, in microseconds.
    package struct Times: Encodable, Equatable, Sendable {
        /// How many.
        package let count: Int
        /// Half of them took no longer.
        package let p50: Double
        /// 99 of a hundred took no longer.
        package let p99: Double
        /// The longest.
        package let maximum: Double

        private enum CodingKeys: String, CodingKey {
            case count
            case p50 = "p50_microseconds"
            case p99 = "p99_microseconds"
            case maximum = "max_microseconds"
        }

        /// Sorts them out; nil for none.
        init?(_ nanoseconds: [Int64]) {
            guard !nanoseconds.isEmpty else { return nil }
            let sorted = nanoseconds.sorted().map { Double($0) / 1000 }
            count = sorted.count
            p50 = sorted[sorted.count / 2]
            p99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
            maximum = sorted[sorted.count - 1]
        }
    }

    /// "code" or "schema".
    package let change: String
    /// Distinct keys.
    package let keys: Int
    /// Task threads.
    package let parallelism: Int
    /// The part of the most records per second that were due.
    package let load: Double
    /// The most records per second.
    package let saturation: Double
    /// Records per second that were due.
    package let rate: Int
    /// Where random times began.
    package let seed: UInt64
    /// Latencies without swaps.
    package let control: LatencyFigures
    /// Latencies with swaps.
    package let swapped: LatencyFigures
    /// The slowest record with swaps took so much longer than without, in milliseconds.
    package let addedMaximumMilliseconds: Double
    /// Percentiles with swaps per those without.
    package let ratios: LatencyFigures.Ratios
    /// From the order until a version was in force.
    package let inForce: Times?
    /// What a task thread spent on the switch.
    package let switching: Times?
    /// Making instances.
    package let prepare: Times?
    /// Moving all rows.
    package let sweep: Times?
    /// How much resident memory grew per swap, in bytes.
    package let grownBytesPerSwap: Int
    /// Seconds that each run was measured.
    package let seconds: [Double]
    /// Records that had not come out at the end: without and with swaps.
    package let behindRecords: [Int]

    private enum CodingKeys: String, CodingKey {
        case change, keys, parallelism, load, rate, seed, control, swapped, ratios, prepare
        case sweep, seconds
        case saturation = "saturation_records_per_second"
        case addedMaximumMilliseconds = "added_max_milliseconds"
        case inForce = "in_force"
        case switching = "switch"
        case grownBytesPerSwap = "grown_bytes_per_swap"
        case behindRecords = "behind_records"
    }

    /// Compares two runs.
    package init(
        _ options: SwapBenchmark.Options,
        parallelism: Int,
        saturation: Double,
        rate: Int,
        control: SwapBenchmark.Side,
        swapped: SwapBenchmark.Side
    ) {
        change = options.changesSchema ? "schema" : "code"
        keys = options.keyCount
        self.parallelism = parallelism
        load = options.load
        self.saturation = saturation
        self.rate = rate
        seed = options.seed
        self.control = control.latencies
        self.swapped = swapped.latencies
        addedMaximumMilliseconds = swapped.latencies.maximum - control.latencies.maximum
        ratios = swapped.latencies.ratios(to: control.latencies)
        let swaps = swapped.swaps
        inForce = Times(swaps?.inForceNanoseconds ?? [])
        switching = Times(swaps?.switchNanoseconds ?? [])
        prepare = Times(swaps?.prepareNanoseconds ?? [])
        sweep = Times(swaps?.sweepNanoseconds ?? [])
        let count = max(1, swaps?.inForceNanoseconds.count ?? 1)
        grownBytesPerSwap = (swapped.grownBytes - control.grownBytes) / count
        seconds = [control.seconds, swapped.seconds]
        behindRecords = [control.behindRecords, swapped.behindRecords]
    }
}
