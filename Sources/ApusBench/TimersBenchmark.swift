import ApusMemory
import ApusRuntime

/// Arms many timers, stops with a checkpoint, and has another process fire them all.
///
/// Each timer has a number, and a bit for each number tells whether it has fired: none may be lost,
/// none may fire twice, and on a subtask they must fire in the order of their times.
package struct TimersBenchmark {
    /// What the process that arms the timers tells.
    package struct Armed: Codable, Equatable, Sendable {
        /// How long it took to arm them, in seconds.
        package let armSeconds: Double
        /// How long the stop took, last checkpoint included, in seconds.
        package let stopSeconds: Double
        /// The size of the last checkpoint's files.
        package let checkpointBytes: Int
        /// Checkpoints that were complete.
        package let completedCheckpoints: Int
        /// Checkpoints that were given up.
        package let failedCheckpoints: Int
        /// Its memory.
        package let memory: MemoryFigures

        private enum CodingKeys: String, CodingKey {
            case memory
            case armSeconds = "arm_seconds"
            case stopSeconds = "stop_seconds"
            case checkpointBytes = "checkpoint_bytes"
            case completedCheckpoints = "completed_checkpoints"
            case failedCheckpoints = "failed_checkpoints"
        }
    }

    /// What the process that fires the timers tells.
    package struct Fired: Codable, Equatable, Sendable {
        /// How long it took until the restored job ran, in seconds.
        package let restoreSeconds: Double
        /// How long it took from then until all had fired, in seconds.
        package let fireSeconds: Double
        /// How long the end took, last checkpoint included, in seconds.
        package let endSeconds: Double
        /// How many times a timer fired.
        package let fired: Int
        /// Timers that never fired.
        package let lost: Int
        /// How many times one fired that had fired before.
        package let doubled: Int
        /// How many times something fired that was never armed.
        package let strangers: Int
        /// How many times one fired behind a later one, on the same subtask.
        package let disordered: Int
        /// Timers that are still armed at the end, as the job counts them.
        package let leftArmed: Int
        /// Checkpoints that were complete.
        package let completedCheckpoints: Int
        /// Checkpoints that were given up.
        package let failedCheckpoints: Int
        /// Its memory.
        package let memory: MemoryFigures
        /// What the state occupies at the end.
        package let storage: StateFigures?

        /// Whether every timer has fired exactly once and in its turn.
        package var isExact: Bool {
            lost == 0 && doubled == 0 && strangers == 0 && disordered == 0 && leftArmed == 0
        }

        private enum CodingKeys: String, CodingKey {
            case fired, lost, doubled, strangers, disordered, memory, storage
            case restoreSeconds = "restore_seconds"
            case fireSeconds = "fire_seconds"
            case endSeconds = "end_seconds"
            case leftArmed = "left_armed"
            case completedCheckpoints = "completed_checkpoints"
            case failedCheckpoints = "failed_checkpoints"
        }
    }

    /// The component of the benchmark plugin.
    package static let component = "arm"

    /// The event time of all records: 2026-01-01T00:00:00Z.
    private static let recordTime: Int64 = 1_767_225_600_000_000
    /// From the records to the first timer, and from there to the last one, in microseconds.
    private static let hour: Int64 = 3_600_000_000

    private let armedCount: Int
    private let keyCount: Int
    private let setup: BenchmarkSetup

    /// Creates a run.
    ///
    /// - Parameters:
    ///   - armedCount: How many timers there are.
    ///   - keyCount: How many keys they are dealt out to.
    ///   - setup: With checkpoints.
    package init(armedCount: Int, keyCount: Int, setup: BenchmarkSetup) {
        self.armedCount = armedCount
        self.keyCount = keyCount
        self.setup = setup
    }

    /// Arms the timers, and stops with a checkpoint.
    ///
    /// - Parameter progress: Told what happens, in words.
    /// - Returns: What was measured.
    /// - Throws: ``BenchmarkFailure`` when the job fails, takes no checkpoint, or has not armed
    /// all.
    package func arm(progress: @escaping (String) -> Void) throws(BenchmarkFailure) -> Armed {
        let sweep = Sweep(recordCount: armedCount)
        let start = setup.now
        let run = try self.start(sweep, .nothingYet, TimerResults(armedCount: armedCount))
        var watch = BenchmarkWatch(run, setup.clock, progress: progress)
        try watch.waitForSweep(
            sweep,
            subtaskCount: setup.taskThreadCount,
            checkpointCount: 0
        )
        let armedAt = watch.now
        progress("all armed; stopping with a checkpoint")
        run.stop()
        watch.status = { "waiting for the checkpoint" }
        try watch.wait { run.hasEnded }
        watch.lookAtMemory()
        let summary = try run.finish()
        let endedAt = watch.now
        guard let last = run.checkpoints().last, last.outcome == .complete else {
            throw BenchmarkFailure("the job stopped without a complete checkpoint")
        }
        let armed = summary.armedTimers.reduce(0) { $0 + $1.count }
        guard armed == armedCount else {
            throw BenchmarkFailure("armed \(armedCount) timers, and \(armed) are armed")
        }
        let totals = summary.progress.checkpoints
        return Armed(
            armSeconds: Double(armedAt - start) / 1e9,
            stopSeconds: Double(endedAt - armedAt) / 1e9,
            checkpointBytes: last.totalByteCount,
            completedCheckpoints: totals?.completeCount ?? 0,
            failedCheckpoints: totals?.abandonedCount ?? 0,
            memory: watch.memory
        )
    }

    /// Goes on from the checkpoint and lets event time go to its end, so that all timers fire.
    ///
    /// - Parameters:
    ///   - startedAt: When restoring began, in monotonic nanoseconds.
    ///   - progress: Told what happens, in words.
    /// - Returns: What was measured.
    /// - Throws: ``BenchmarkFailure`` when the job fails.
    package func fire(
        startedAt: Int64,
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Fired {
        let results = TimerResults(armedCount: armedCount)
        let run = try start(Sweep(recordCount: armedCount), .ended, results)
        var watch = BenchmarkWatch(run, setup.clock, progress: progress)
        let runningAt = watch.now
        let armedCount = armedCount
        let firedCount = {
            run.progress().nodes.first { $0.id == BenchmarkJob.measuredNode }?.timersFired ?? 0
        }
        watch.status = { "\(firedCount()) of \(armedCount) timers have fired" }
        try watch.wait { firedCount() >= armedCount || run.hasEnded }
        let firedAt = watch.now
        watch.status = { "waiting for the end" }
        try watch.wait { run.hasEnded }
        watch.lookAtMemory()
        let summary = try run.finish()
        let endedAt = watch.now
        let tally = results.tally
        let totals = summary.progress.checkpoints
        return Fired(
            restoreSeconds: Double(runningAt - startedAt) / 1e9,
            fireSeconds: Double(firedAt - runningAt) / 1e9,
            endSeconds: Double(endedAt - firedAt) / 1e9,
            fired: tally.firedCount,
            lost: tally.lostCount,
            doubled: tally.doubledCount,
            strangers: tally.strangerCount,
            disordered: tally.disorderCount,
            leftArmed: summary.armedTimers.reduce(0) { $0 + $1.count },
            completedCheckpoints: totals?.completeCount ?? 0,
            failedCheckpoints: totals?.abandonedCount ?? 0,
            memory: watch.memory,
            storage: setup.state.map { StateFigures($0) }
        )
    }

    private func start(
        _ sweep: Sweep,
        _ rest: SourceProgress,
        _ results: TimerResults
    ) throws(BenchmarkFailure) -> JobRun {
        let keyCount = keyCount
        return try setup.start(
            BenchmarkEndpoints(
                source: { subtask, subtaskCount in
                    SweepSource(
                        sweep,
                        keyCount: keyCount,
                        value: .timer(first: Self.recordTime + Self.hour, spread: Self.hour),
                        time: Self.recordTime,
                        subtask: subtask,
                        subtaskCount: subtaskCount,
                        rest: SilentSource(rest)
                    )
                },
                sink: { TimerSink(results) }
            )
        )
    }
}
