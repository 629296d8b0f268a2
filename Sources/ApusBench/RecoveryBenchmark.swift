import ApusRuntime

/// Measures how long a fresh process takes from its start to the first record that it has processed
/// with state from a checkpoint.
///
/// One process prepares the checkpoint; each of some others goes on from it.  What they tell each
/// other are the parts here.
package struct RecoveryBenchmark {
    /// What the process that prepares the checkpoint tells.
    package struct Prepared: Codable, Equatable, Sendable {
        /// The checkpoint's number.
        package let checkpoint: UInt64
        /// The size of its files.
        package let checkpointBytes: Int
        /// How long it took to give every key a value, in seconds.
        package let fillSeconds: Double
        /// How long the last checkpoint took, in seconds.
        package let checkpointSeconds: Double

        private enum CodingKeys: String, CodingKey {
            case checkpoint
            case checkpointBytes = "checkpoint_bytes"
            case fillSeconds = "fill_seconds"
            case checkpointSeconds = "checkpoint_seconds"
        }
    }

    /// What a process that goes on tells: times in monotonic nanoseconds, which all processes of a
    /// machine share.
    package struct Resumed: Codable, Equatable, Sendable {
        /// When its own code began to run.
        package var mainAt: Int64 = 0
        /// When the checkpoint was verified and its state opened.
        package var openedAt: Int64 = 0
        /// When the job's threads ran.
        package var runningAt: Int64 = 0
        /// When the sink had the first record.
        package var firstRecordAt: Int64 = 0
        /// Its memory.
        package var memory = MemoryFigures()

        /// Creates what a process tells that has done nothing yet.
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case memory
            case mainAt = "main_at"
            case openedAt = "opened_at"
            case runningAt = "running_at"
            case firstRecordAt = "first_record_at"
        }
    }

    /// The component of the benchmark plugin.
    package static let component = CheckpointBenchmark.component

    /// Records that a process which goes on processes; each must find state.
    private static let recordCount = 1_000
    private static let recordsPerSecond = 10_000

    private let keyCount: Int
    private let valueByteCount: Int
    private let setup: BenchmarkSetup

    /// Creates a run.
    ///
    /// - Parameters:
    ///   - keyCount: Distinct keys.
    ///   - valueByteCount: The size of a value.
    ///   - setup: With checkpoints.
    package init(keyCount: Int, valueByteCount: Int, setup: BenchmarkSetup) {
        self.keyCount = keyCount
        self.valueByteCount = valueByteCount
        self.setup = setup
    }

    /// Gives every key a value, and stops with a checkpoint.
    ///
    /// - Parameter progress: Told what happens, in words.
    /// - Returns: The checkpoint.
    /// - Throws: ``BenchmarkFailure`` when the job fails or takes no checkpoint.
    package func prepare(
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Prepared {
        let sweep = Sweep(recordCount: keyCount)
        let start = setup.now
        let run = try self.start(sweep, idle, StampResults())
        var watch = BenchmarkWatch(run, setup.clock, progress: progress)
        try watch.waitForSweep(
            sweep,
            subtaskCount: setup.taskThreadCount,
            checkpointCount: 0
        )
        let filledAt = watch.now
        progress("taking the checkpoint")
        run.stop()
        _ = try run.finish()
        let endedAt = setup.now
        guard let last = run.checkpoints().last, last.outcome == .complete else {
            throw BenchmarkFailure("the job stopped without a complete checkpoint")
        }
        return Prepared(
            checkpoint: last.number,
            checkpointBytes: last.totalByteCount,
            fillSeconds: Double(filledAt - start) / 1e9,
            checkpointSeconds: Double(endedAt - filledAt) / 1e9
        )
    }

    /// Goes on from a checkpoint, until some records are processed.
    ///
    /// - Parameter resumed: What the process knows so far.
    /// - Returns: The same with the rest.
    /// - Throws: ``BenchmarkFailure`` when the job fails, or a record finds no state.
    package func resume(_ resumed: Resumed) throws(BenchmarkFailure) -> Resumed {
        var resumed = resumed
        let results = StampResults()
        let schedule = OpenLoop(
            recordsPerSecond: Self.recordsPerSecond,
            recordCount: Self.recordCount
        )
        // The first record is due before the source can be asked.
        schedule.begin(at: setup.now)
        let run = try start(Sweep(recordCount: keyCount), schedule, results)
        resumed.runningAt = setup.now
        var watch = BenchmarkWatch(run, setup.clock) { _ in }
        try watch.wait { results.scheduledCount == Self.recordCount }
        watch.lookAtMemory()
        resumed.firstRecordAt = results.firstAt ?? 0
        resumed.memory = watch.memory
        run.abort()
        _ = try run.finish()
        guard results.strangerCount == 0 else {
            throw BenchmarkFailure(
                "\(results.strangerCount) of \(Self.recordCount) records found no state in the "
                    + "checkpoint although every key had some"
            )
        }
        return resumed
    }

    private var idle: OpenLoop { OpenLoop(recordsPerSecond: 1, recordCount: 0) }

    private func start(
        _ sweep: Sweep,
        _ schedule: OpenLoop,
        _ results: StampResults
    ) throws(BenchmarkFailure) -> JobRun {
        try setup.start(
            CheckpointBenchmark.endpoints(
                sweep,
                schedule,
                results,
                keyCount: keyCount,
                valueByteCount: valueByteCount,
                setup: setup,
                gaps: ReadGaps(subtaskCount: setup.taskThreadCount)
            )
        )
    }
}
