/// What a benchmark of C functions measured; encodes as the JSON of `apus bench functions --json`.
package struct FunctionsBenchmarkResult: Encodable, Sendable {
    /// One way of calling.
    package struct Figure: Encodable, Sendable {
        /// The way: `direct`, `loop`, `libffi`, `batch`, or `none` for a job without function.
        package let way: String
        /// How often it was measured.
        package let runs: Int
        /// Nanoseconds per record: the median run.
        package let nanoseconds: Double
        /// The fastest run.
        package let nanosecondsMin: Double
        /// The slowest run.
        package let nanosecondsMax: Double

        private enum CodingKeys: String, CodingKey {
            case way, runs
            case nanoseconds = "nanoseconds_per_record"
            case nanosecondsMin = "nanoseconds_per_record_min"
            case nanosecondsMax = "nanoseconds_per_record_max"
        }

        init(_ way: String, _ measured: [Double]) {
            self.way = way
            runs = measured.count
            nanoseconds = measured.median
            nanosecondsMin = measured.min() ?? 0
            nanosecondsMax = measured.max() ?? 0
        }
    }

    /// The benchmark's name.
    package let benchmark = "functions"
    /// Calls of one run of the calls alone.
    package let calls: Int
    /// Records of one run of a job.
    package let records: Int
    /// The calls alone, arguments ready in memory.
    package let bare: [Figure]
    /// Jobs on one thread, with JSON read and written.
    package let job: [Figure]
}
