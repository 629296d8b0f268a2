/// What the ends of a job cost; encodes as the JSON that `apus bench --json` prints.
package struct EndpointsBenchmarkResult: Encodable, Sendable {
    /// The figures of one pairing.
    package struct Row: Encodable, Sendable {
        /// Which ends are plugins, in words.
        package let pairing: String
        /// Records per second: the median round.
        package let recordsPerSecond: Double
        /// The slowest round.
        package let recordsPerSecondMin: Double
        /// The fastest round.
        package let recordsPerSecondMax: Double
        /// Processor time of all task threads per million records: the median round, in seconds.
        package let cpuSecondsPerMillionRecords: Double
        /// The first figure, as a part of that of the built-in ends.
        package let ofBuiltIn: Double

        private enum CodingKeys: String, CodingKey {
            case pairing
            case recordsPerSecond = "records_per_second"
            case recordsPerSecondMin = "records_per_second_min"
            case recordsPerSecondMax = "records_per_second_max"
            case cpuSecondsPerMillionRecords = "cpu_seconds_per_million_records"
            case ofBuiltIn = "of_built_in"
        }
    }

    /// Task threads.
    package let parallelism: Int
    /// The pairings.
    package let rows: [Row]

    init(
        parallelism: Int,
        windows: [EndpointsBenchmark.Pairing: [BenchmarkResult.Window]]
    ) {
        self.parallelism = parallelism
        func median(_ values: [Double]) -> Double {
            values.isEmpty ? 0 : values.sorted()[values.count / 2]
        }
        let builtIn = median(windows[.builtIn, default: []].map(\.recordsPerSecond))
        rows = EndpointsBenchmark.Pairing.allCases.map { pairing in
            let rounds = windows[pairing, default: []]
            let rates = rounds.map(\.recordsPerSecond)
            return Row(
                pairing: pairing.rawValue,
                recordsPerSecond: median(rates),
                recordsPerSecondMin: rates.min() ?? 0,
                recordsPerSecondMax: rates.max() ?? 0,
                cpuSecondsPerMillionRecords: median(rounds.map(\.cpuSecondsPerMillionRecords)),
                ofBuiltIn: builtIn > 0 ? median(rates) / builtIn : 0
            )
        }
    }
}
