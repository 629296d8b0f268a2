/// What `apus bench recovery` measured; encodes as the JSON that it prints.
package struct RecoveryBenchmarkResult: Encodable, Sendable {
    /// A process that went on from the checkpoint: milliseconds since it was started.
    package struct Run: Encodable, Equatable, Sendable {
        /// Until its own code began to run.
        package let main: Double
        /// Until the checkpoint was verified and its state opened.
        package let opened: Double
        /// Until the job's threads ran.
        package let running: Double
        /// Until the sink had the first record.
        package let firstRecord: Double
        /// The most memory that it has held.
        package let peakResidentBytes: Int

        private enum CodingKeys: String, CodingKey {
            case main = "main_milliseconds"
            case opened = "opened_milliseconds"
            case running = "running_milliseconds"
            case firstRecord = "first_record_milliseconds"
            case peakResidentBytes = "peak_rss_bytes"
        }

        /// Relates what the process tells to the time at which it was started.
        ///
        /// - Parameters:
        ///   - resumed: What it told.
        ///   - startedAt: When it was started, in monotonic nanoseconds.
        package init(_ resumed: RecoveryBenchmark.Resumed, startedAt: Int64) {
            func milliseconds(_ time: Int64) -> Double { Double(time - startedAt) / 1e6 }
            main = milliseconds(resumed.mainAt)
            opened = milliseconds(resumed.openedAt)
            running = milliseconds(resumed.runningAt)
            firstRecord = milliseconds(resumed.firstRecordAt)
            peakResidentBytes = resumed.memory.peakResidentBytes
        }
    }

    /// Some runs under the same conditions.
    package struct Runs: Encodable, Equatable, Sendable {
        /// Until the sink had the first record, in milliseconds: the median run.
        package let firstRecordMedian: Double
        /// The slowest run.
        package let firstRecordMax: Double
        /// The runs in order.
        package let runs: [Run]

        private enum CodingKeys: String, CodingKey {
            case runs
            case firstRecordMedian = "first_record_milliseconds_median"
            case firstRecordMax = "first_record_milliseconds_max"
        }

        /// Sums runs up.
        package init(_ runs: [Run]) {
            self.runs = runs
            firstRecordMedian = runs.map(\.firstRecord).median
            firstRecordMax = runs.map(\.firstRecord).max() ?? 0
        }
    }

    /// The benchmark's name.
    package let benchmark = "recovery"
    /// Distinct keys.
    package let keys: Int
    /// The size of a value.
    package let valueBytes: Int
    /// Task threads.
    package let parallelism: Int
    /// How the checkpoint was made.
    package let prepared: RecoveryBenchmark.Prepared
    /// With the checkpoint's files in the page cache, as far as they fit.
    package let warm: Runs
    /// With an empty page cache; nil when that was not asked for.
    package let cold: Runs?

    private enum CodingKeys: String, CodingKey {
        case benchmark, keys, parallelism, prepared, warm, cold
        case valueBytes = "value_bytes"
    }

    /// Creates a result.
    package init(
        keys: Int,
        valueBytes: Int,
        parallelism: Int,
        prepared: RecoveryBenchmark.Prepared,
        warm: Runs,
        cold: Runs?
    ) {
        self.keys = keys
        self.valueBytes = valueBytes
        self.parallelism = parallelism
        self.prepared = prepared
        self.warm = warm
        self.cold = cold
    }
}
