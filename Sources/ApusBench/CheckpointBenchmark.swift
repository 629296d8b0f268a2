import ApusRuntime

/// Measures how long records take to come out while checkpoints are taken, or none.
///
/// First every key gets a value; then records are due at a fixed rate, whether the job keeps up or
/// not (see ``OpenLoop``), and latency is what passes from then until the sink has the record.
package struct CheckpointBenchmark {
    /// What it is run with.
    package struct Options: Sendable {
        /// Distinct keys.
        package var keyCount: Int
        /// The size of a value.
        package var valueByteCount: Int
        /// Records per second.
        package var recordsPerSecond: Int
        /// How long is measured.
        package var seconds: Double

        /// Creates options.
        package init(
            keyCount: Int,
            valueByteCount: Int,
            recordsPerSecond: Int,
            seconds: Double
        ) {
            self.keyCount = keyCount
            self.valueByteCount = valueByteCount
            self.recordsPerSecond = recordsPerSecond
            self.seconds = seconds
        }
    }

    /// The component of the benchmark plugin.
    package static let component = "store"

    /// How many checkpoints of all keys there must be before measuring begins.
    private static let settledCheckpointCount = 2
    /// How long to wait for records that are late when the schedule has ended, in nanoseconds.
    private static let patience: Int64 = 30_000_000_000

    private let options: Options
    private let setup: BenchmarkSetup

    /// Creates a run.
    package init(_ options: Options, setup: BenchmarkSetup) {
        self.options = options
        self.setup = setup
    }

    /// Runs a job and measures it.
    ///
    /// - Parameters:
    ///   - takesCheckpoints: Whether the setup's job takes any while it is measured.
    ///   - progress: Told what happens, in words.
    /// - Returns: What was measured.
    /// - Throws: ``BenchmarkFailure`` when the job fails or has lost state.
    package func measure(
        takesCheckpoints: Bool,
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Side {
        let warmUpSeconds = min(2, options.seconds / 4)
        let schedule = OpenLoop(
            recordsPerSecond: options.recordsPerSecond,
            recordCount: Int(Double(options.recordsPerSecond) * (warmUpSeconds + options.seconds))
        )
        let sweep = Sweep(recordCount: options.keyCount)
        let gaps = ReadGaps(subtaskCount: setup.taskThreadCount)
        let results = StampResults()
        let run = try setup.start(
            Self.endpoints(
                sweep,
                schedule,
                results,
                keyCount: options.keyCount,
                valueByteCount: options.valueByteCount,
                setup: setup,
                gaps: gaps
            )
        )
        var watch = BenchmarkWatch(run, setup.clock, progress: progress)
        try watch.waitForSweep(
            sweep,
            subtaskCount: setup.taskThreadCount,
            checkpointCount: takesCheckpoints ? Self.settledCheckpointCount : 0
        )
        let start = watch.now + 10_000_000
        let measureFrom = start + Int64(warmUpSeconds * 1e9)
        results.measure(from: measureFrom)
        schedule.begin(at: start)
        try watch.wait(until: measureFrom)
        gaps.begin()
        let firstAttempt = watch.newestAttempt
        watch.status = { "\(results.scheduledCount) of \(schedule.recordCount) records" }
        try watch.wait(until: start + schedule.duration)
        let attempts = watch.attempts(after: firstAttempt)
        try watch.wait(until: watch.now + Self.patience) {
            results.scheduledCount == schedule.recordCount
        }
        let measured = (
            gap: gaps.longestNanoseconds, late: watch.now - start - schedule.duration,
            missing: schedule.recordCount - results.scheduledCount
        )
        watch.lookAtMemory()
        let storage = setup.state.map { StateFigures($0) }
        run.abort()
        _ = try run.finish()
        guard results.strangerCount == 0 else {
            throw BenchmarkFailure(
                "\(results.strangerCount) records found no state although every key had some"
            )
        }
        return Side(
            latencies: LatencyFigures(results.latencies),
            longestGapMicroseconds: Double(measured.gap) / 1e3,
            lateMilliseconds: Double(max(0, measured.late)) / 1e6,
            missingRecords: measured.missing,
            checkpoints: CheckpointFigures(attempts),
            memory: watch.memory,
            storage: storage
        )
    }

    /// Endpoints of a job that stores a value for each key and then what is due.
    static func endpoints(
        _ sweep: Sweep,
        _ schedule: OpenLoop,
        _ results: StampResults,
        keyCount: Int,
        valueByteCount: Int,
        setup: BenchmarkSetup,
        gaps: ReadGaps
    ) -> BenchmarkEndpoints {
        let clock = setup.clock
        return BenchmarkEndpoints(
            source: { subtask, subtaskCount in
                let scheduled = ScheduledSource(
                    schedule,
                    keyCount: keyCount,
                    valueByteCount: valueByteCount,
                    subtask: subtask,
                    subtaskCount: subtaskCount,
                    clock: clock
                )
                let source = SweepSource(
                    sweep,
                    keyCount: keyCount,
                    value: .stamped(byteCount: valueByteCount),
                    subtask: subtask,
                    subtaskCount: subtaskCount,
                    rest: scheduled
                )
                return gaps.measure(source, subtask: subtask, clock)
            },
            sink: { StampSink(results, clock: clock) }
        )
    }

    /// One of the two runs: encodes as a part of what `apus bench --json` prints.
    package struct Side: Encodable, Sendable {
        /// From when a record is due until the sink has it.
        package let latencies: LatencyFigures
        /// The longest time between two reads of the source on a task thread, in microseconds.
        package let longestGapMicroseconds: Double
        /// How long after the last record was due it came out, in milliseconds.
        package let lateMilliseconds: Double
        /// Records that never came out, and whose latency is in no figure; not 0 when the job
        /// cannot keep up with the rate.
        package let missingRecords: Int
        /// The checkpoints that ended while records were due.
        package let checkpoints: CheckpointFigures
        /// The process's memory, the run before included.
        package let memory: MemoryFigures
        /// What the state occupies at the end.
        package let storage: StateFigures?

        private enum CodingKeys: String, CodingKey {
            case latencies = "latency"
            case checkpoints, memory, storage
            case longestGapMicroseconds = "longest_gap_microseconds"
            case lateMilliseconds = "late_milliseconds"
            case missingRecords = "missing_records"
        }
    }
}
