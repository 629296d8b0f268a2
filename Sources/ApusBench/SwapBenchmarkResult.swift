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

    /// The slowest records of windows of time, with swaps and at the same times without.
    package struct Windows: Encodable, Equatable, Sendable {
        /// With a swap: the slowest record of each window.
        package let swapped: Times
        /// Without.
        package let control: Times
        /// How much longer the slowest record of the median window took, in milliseconds.
        package let addedMedianMilliseconds: Double

        private enum CodingKeys: String, CodingKey {
            case swapped, control
            case addedMedianMilliseconds = "added_median_milliseconds"
        }

        init?(
            _ windows: [(from: Int64, to: Int64)],
            _ side: SwapBenchmark.Side,
            _ other: SwapBenchmark.Side
        ) {
            func slowest(_ found: SwapBenchmark.Side) -> [Int64] {
                windows.map { window in
                    found.timeline.maximum(
                        from: window.from - side.beginNanoseconds,
                        to: window.to - side.beginNanoseconds
                    )
                }
            }
            guard let swapped = Times(slowest(side)), let control = Times(slowest(other)) else {
                return nil
            }
            self.swapped = swapped
            self.control = control
            addedMedianMilliseconds = (swapped.p50 - control.p50) / 1000
        }
    }

    /// "code", "plugin" or "schema".
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
    /// Latencies while rows were moved; nil when none were.
    package let moving: LatencyFigures?
    /// Percentiles of these per those of the whole run without swaps.
    package let movingRatios: LatencyFigures.Ratios?
    /// The slowest record while instances were made.
    package let prepareWindows: Windows?
    /// The slowest record in the 50 ms behind a cut.
    package let cutWindows: Windows?
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
        case moving
        case movingRatios = "moving_ratios"
        case prepareWindows = "prepare_windows"
        case cutWindows = "cut_windows"
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
        change = options.change.rawValue
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
        let isMoving = options.changesSchema
        moving = isMoving ? swapped.markedLatencies : nil
        movingRatios = isMoving ? swapped.markedLatencies.ratios(to: control.latencies) : nil
        prepareWindows = swapped.swaps.flatMap { Windows($0.prepareWindows, swapped, control) }
        cutWindows = swapped.swaps.flatMap { Windows($0.cutWindows, swapped, control) }
        behindRecords = [control.behindRecords, swapped.behindRecords]
    }
}
