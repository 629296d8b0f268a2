/// What a benchmark of the plugin ABI measured; encodes as the JSON of `apus bench abi --json`.
package struct ABIBenchmarkResult: Encodable, Sendable {
    /// A figure over several runs.
    package struct Figure: Encodable, Sendable {
        /// The median run.
        package let median: Double
        /// The lowest.
        package let min: Double
        /// The highest.
        package let max: Double

        init(_ measured: [Double]) {
            median = measured.median
            min = measured.min() ?? 0
            max = measured.max() ?? 0
        }
    }

    /// The benchmark's name.
    package let benchmark = "abi"
    /// Runs of each figure; their kinds take turns within a run.
    package let runs: Int
    /// Records of a batch.
    package let batchRecords: Int
    /// Batches of a run.
    package let batches: Int
    /// Nanoseconds per record of a plugin that hands every record on.
    package let passthrough: Figure
    /// The same loop, compiled into the host.
    package let passthroughBare: Figure
    /// Nanoseconds per record of a plugin that hands on every second one.
    package let filter: Figure
    /// The same loop, compiled into the host.
    package let filterBare: Figure
    /// Nanoseconds of a call that does nothing: guard and bookkeeping.
    package let call: Figure
    /// Calls completed a second, each 1 ms after it was begun.
    package let completions: Figure
    /// How many calls could be under way.
    package let capacity: Int

    /// What the plugin costs more than the loop, per record.
    package var passthroughCost: Double { passthrough.median - passthroughBare.median }

    private enum CodingKeys: String, CodingKey {
        case benchmark, runs, batches, capacity
        case batchRecords = "batch_records"
        case passthrough = "passthrough_nanoseconds_per_record"
        case passthroughBare = "passthrough_bare_nanoseconds_per_record"
        case filter = "filter_nanoseconds_per_record"
        case filterBare = "filter_bare_nanoseconds_per_record"
        case call = "call_nanoseconds"
        case completions = "async_completions_per_second"
    }
}
