import ApusIO
import ApusRuntime

/// Runs a benchmark of throughput and measures it in windows.
///
/// First comes a warm-up.  Where state is kept per key the source makes every key once, so that all
/// rows are there and the tables have grown; with checkpoints some must have been completed since.
/// Then records are counted at the plugin, and processor time by the task threads' own clocks, over
/// windows of equal length; the median window is the figure to quote.
package struct BenchmarkRun {
    /// How many checkpoints of all keys there must be before measuring begins.
    private static let settledCheckpointCount = 2
    private static let seed: UInt64 = 1

    private let benchmark: Benchmark
    private let options: BenchmarkOptions
    private let setup: BenchmarkSetup

    /// Creates a run.
    package init(_ benchmark: Benchmark, options: BenchmarkOptions, setup: BenchmarkSetup) {
        self.benchmark = benchmark
        self.options = options
        self.setup = setup
    }

    /// Runs and measures.
    ///
    /// - Parameter progress: Told what happens, in words.
    /// - Returns: The windows and their medians.
    /// - Throws: ``BenchmarkFailure`` when the plugin or the job fails.
    package func measure(
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> BenchmarkResult {
        let sweep = Sweep(recordCount: benchmark == .keyedCount ? options.keyCount : 0)
        let gaps = ReadGaps(subtaskCount: setup.taskThreadCount)
        let run = try setup.start(endpoints(sweep, gaps))
        var watch = BenchmarkWatch(run, setup.clock, progress: progress)
        progress("warming up")
        try watch.waitForSweep(
            sweep,
            subtaskCount: setup.taskThreadCount,
            checkpointCount: Self.settledCheckpointCount
        )
        try watch.wait(until: watch.now + 1_000_000_000)
        gaps.begin()
        let firstAttempt = watch.newestAttempt
        let startCPU = ProcessFigures.cpuSeconds()
        let startCount = run.recordsIn(BenchmarkJob.measuredNode)
        var windows: [BenchmarkResult.Window] = []
        for number in 1...options.windowCount {
            let window = try measureWindow(&watch)
            windows.append(window)
            progress(
                "window \(number) of \(options.windowCount): "
                    + "\(Int(window.recordsPerSecond)) records/s"
            )
        }
        let millions = Double(run.recordsIn(BenchmarkJob.measuredNode) - startCount) / 1e6
        let cpuSeconds = ProcessFigures.cpuSeconds() - startCPU
        watch.lookAtMemory()
        let surroundings = BenchmarkResult.Surroundings(
            processCPUSecondsPerMillionRecords: millions > 0 ? cpuSeconds / millions : 0,
            longestGapNanoseconds: gaps.longestNanoseconds,
            memory: watch.memory,
            checkpoints: setup.checkpoints.map { _ in
                CheckpointFigures(watch.attempts(after: firstAttempt))
            },
            storage: setup.state.map { StateFigures($0) }
        )
        let node = run.progress().nodes.first { $0.id == BenchmarkJob.measuredNode }
        run.abort()
        let summary = try run.finish()
        return BenchmarkResult(
            benchmark: benchmark,
            options: options,
            parallelism: setup.taskThreadCount,
            windows: windows,
            timersFired: node?.timersFired ?? 0,
            pluginCounters: Dictionary(
                summary.pluginCounters.map { ($0.name, $0.value) },
                uniquingKeysWith: { $0 &+ $1 }
            ),
            surroundings: surroundings
        )
    }

    private func endpoints(_ sweep: Sweep, _ gaps: ReadGaps) -> BenchmarkEndpoints {
        let options = options
        let clock = setup.clock
        let hasTime = benchmark == .timers
        return BenchmarkEndpoints(source: { subtask, subtaskCount in
            let generator = GeneratorSource(
                kind: .keyed(keyCount: options.keyCount, valueByteCount: 8),
                seed: Self.seed,
                subtask: subtask,
                subtaskCount: subtaskCount,
                time: hasTime ? .perRecord(startMicroseconds: 0, stepMicroseconds: 1) : .none,
                clock: clock
            )
            let source = SweepSource(
                sweep,
                keyCount: options.keyCount,
                value: .stamped(byteCount: 8),
                subtask: subtask,
                subtaskCount: subtaskCount,
                rest: generator
            )
            return gaps.measure(source, subtask: subtask, clock)
        })
    }

    private func measureWindow(
        _ watch: inout BenchmarkWatch
    ) throws(BenchmarkFailure) -> BenchmarkResult.Window {
        let run = watch.run
        let startAt = watch.now
        let startCount = run.recordsIn(BenchmarkJob.measuredNode)
        let startCPU = run.cpuNanoseconds()
        try watch.wait(until: startAt + Int64(options.windowSeconds * 1e9))
        let cpu = run.cpuNanoseconds() - startCPU
        let records = run.recordsIn(BenchmarkJob.measuredNode) - startCount
        let elapsed = watch.now - startAt
        return BenchmarkResult.Window(
            recordsPerSecond: Double(records) * 1e9 / Double(elapsed),
            cpuSecondsPerMillionRecords: records == 0
                ? 0 : Double(cpu) / 1e9 / (Double(records) / 1e6)
        )
    }
}
