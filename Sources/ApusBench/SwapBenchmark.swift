import ApusCore
import ApusIO
import ApusPluginHost
import ApusRuntime
import ApusSwap

/// Measures what swaps do to the records of a job under load: how soon a version is in force, and
/// how much longer the slowest record takes than in a run of the same length without swaps.
///
/// Records are due at a fixed part of what the job can do at most, whether it keeps up or not (see
/// ``OpenLoop``).  Swaps come at random times.
package struct SwapBenchmark {
    /// What it is run with.
    package struct Options: Sendable {
        /// Distinct keys.
        package var keyCount: Int
        /// The size of a value, at least 8.
        package var valueByteCount = 16
        /// The part of the most records per second that are due.
        package var load: Double
        /// How many swaps.
        package var swapCount: Int
        /// How long from one to the next on average, in seconds; more while rows are moved.
        package var pauseSeconds: Double
        /// What each swap changes.
        package var change: Change
        /// Where random times begin.
        package var seed: UInt64 = 1

        /// Creates options.
        package init(
            keyCount: Int,
            load: Double,
            swapCount: Int,
            pauseSeconds: Double,
            change: Change
        ) {
            self.keyCount = keyCount
            self.load = load
            self.swapCount = swapCount
            self.pauseSeconds = pauseSeconds
            self.change = change
        }

        /// Whether each swap changes the schema of the state.
        var changesSchema: Bool { change == .schema }
    }

    /// What a swap changes.
    package enum Change: String, Sendable {
        /// Another instance of the same plugin takes over.
        case code
        /// An instance of another file, which is copied, checked, loaded and later unloaded.
        case plugin
        /// Another schema of the state, and back.
        case schema
    }

    /// How long behind a cut records count as its, in nanoseconds.
    private static let cutWindow: Int64 = 50_000_000

    /// The component of the benchmark plugin that runs, and the one that takes over.
    package static let component = "store"
    private static let nextComponent = "store-2"

    /// How long the most records per second are measured, in nanoseconds.
    private static let saturationNanoseconds: Int64 = 2_000_000_000
    /// More than any job can do.
    private static let floodRecordsPerSecond = 50_000_000
    private static let patience: Int64 = 30_000_000_000
    static let deadline: Int64 = 10_000_000_000
    /// The longest that rows are moved after a swap, in nanoseconds.
    private static let sweepPatience: Int64 = 600_000_000_000

    let options: Options
    let setup: BenchmarkSetup
    let files: PluginCopies?

    /// Creates a run.
    ///
    /// - Parameters:
    ///   - options: What is done.
    ///   - setup: The job.
    ///   - files: Where other plugin files come from, for ``Change/plugin``.
    package init(_ options: Options, setup: BenchmarkSetup, files: PluginCopies? = nil) {
        self.options = options
        self.setup = setup
        self.files = files
    }

    // MARK: - Parts

    /// Measures how many records per second the job can do at most.
    ///
    /// - Throws: ``BenchmarkFailure`` when the job fails.
    /// - Returns: Records per second.
    package func measureSaturation(
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Double {
        let job = try begin(recordsPerSecond: Self.floodRecordsPerSecond, seconds: 600, progress)
        var watch = job.watch
        job.schedule.begin(at: watch.now)
        try watch.wait(until: watch.now + Self.saturationNanoseconds / 2)
        let start = (at: watch.now, count: job.results.scheduledCount)
        try watch.wait(until: start.at + Self.saturationNanoseconds)
        let records = job.results.scheduledCount - start.count
        let rate = Double(records) * 1e9 / Double(watch.now - start.at)
        job.run.abort()
        _ = try job.run.finish()
        return rate
    }

    /// Measures a run with swaps, or one of the given length without.
    ///
    /// - Parameters:
    ///   - recordsPerSecond: How many records are due.
    ///   - seconds: The length of a run without swaps; nil for one with.
    ///   - progress: Told what happens, in words.
    /// - Throws: ``BenchmarkFailure`` when the job fails, or a swap does.
    /// - Returns: What was measured.
    package func measure(
        recordsPerSecond: Int,
        seconds: Double?,
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Side {
        let job = try begin(recordsPerSecond: recordsPerSecond, seconds: 3600, progress)
        var watch = job.watch
        let start = watch.now + 10_000_000
        let from = start + 1_000_000_000
        job.results.measure(from: from)
        job.schedule.begin(at: start)
        try watch.wait(until: from)
        let residentBefore = ProcessFigures.byteCount("VmRSS")
        var swaps = SwapFigures()
        if let seconds {
            try watch.wait(until: from + Int64(seconds * 1e9))
        } else {
            swaps = try swapAgain(&watch, job.results)
            // What the last one does to records comes after it.
            try watch.wait(until: watch.now + Int64(options.pauseSeconds * 1e9))
        }
        let elapsed = Double(watch.now - from) / 1e9
        let behind = expected(job.schedule, start, watch.now) - job.results.scheduledCount
        let resident = ProcessFigures.byteCount("VmRSS")
        job.run.abort()
        _ = try job.run.finish()
        guard job.results.strangerCount == 0 else {
            throw BenchmarkFailure(
                "\(job.results.strangerCount) records found no state although every key had some"
            )
        }
        return Side(
            seconds: elapsed,
            latencies: LatencyFigures(job.results.latencies),
            markedLatencies: LatencyFigures(job.results.markedLatencies),
            timeline: job.results.timeline,
            beginNanoseconds: from,
            behindRecords: max(0, behind),
            grownBytes: resident - residentBefore,
            swaps: seconds == nil ? swaps : nil
        )
    }

    /// How many records have been due.
    private func expected(_ schedule: OpenLoop, _ start: Int64, _ now: Int64) -> Int {
        Int(Double(now - start) / 1e9 * Double(schedule.recordsPerSecond))
    }

    // MARK: - The job

    struct Job {
        let run: JobRun
        let schedule: OpenLoop
        let results: StampResults
        let watch: BenchmarkWatch
    }

    /// Starts a job and gives every key a value.
    func begin(
        recordsPerSecond: Int,
        seconds: Double,
        _ progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Job {
        let schedule = OpenLoop(
            recordsPerSecond: recordsPerSecond,
            recordCount: Int(Double(recordsPerSecond) * seconds)
        )
        let sweep = Sweep(recordCount: options.keyCount)
        let results = StampResults()
        let run = try setup.start(
            CheckpointBenchmark.endpoints(
                sweep,
                schedule,
                results,
                keyCount: options.keyCount,
                valueByteCount: options.valueByteCount,
                setup: setup,
                gaps: ReadGaps(subtaskCount: setup.taskThreadCount)
            )
        )
        var watch = BenchmarkWatch(run, setup.clock, progress: progress)
        try watch.waitForSweep(sweep, subtaskCount: setup.taskThreadCount, checkpointCount: 0)
        return Job(run: run, schedule: schedule, results: results, watch: watch)
    }

    // MARK: - Swaps

    private func swapAgain(
        _ watch: inout BenchmarkWatch,
        _ results: StampResults
    ) throws(BenchmarkFailure) -> SwapFigures {
        var random = SplitMix64(seed: options.seed)
        var figures = SwapFigures()
        var last: OperatorSwap?
        for number in 1...options.swapCount {
            let share = Double(random.next() >> 11) / Double(1 << 53)
            try files?.write(number)
            try watch.wait(until: watch.now + Int64(2e9 * options.pauseSeconds * share))
            let outcome: OperatorSwap.Outcome
            let begin = watch.now
            let order: Int64
            // Forth and, with another schema, back: what was migrated is migrated back.
            if options.changesSchema, let swap = last {
                order = begin
                results.mark(true)
                outcome = swap.goBack(within: Self.deadline, isForced: true)
                last = nil
            } else {
                let swap = try prepare(watch.run, number)
                order = watch.now
                figures.prepareNanoseconds.append(order - begin)
                figures.prepareWindows.append((begin, order))
                results.mark(options.changesSchema)
                outcome = swap.carryOut(within: Self.deadline)
                if options.changesSchema { last = swap } else { swap.commit() }
            }
            figures.cutWindows.append((order, order + Self.cutWindow))
            guard case .inForce(let found) = outcome else {
                throw BenchmarkFailure("swap \(number): \(outcome)")
            }
            figures.inForceNanoseconds.append(found.inForceNanoseconds)
            figures.switchNanoseconds.append(found.longestSwitchNanoseconds)
            try files?.unload(before: number)
            guard options.changesSchema else { continue }
            try awaitSweep(&watch, &figures)
            results.mark(false)
        }
        return figures
    }

    private func awaitSweep(
        _ watch: inout BenchmarkWatch,
        _ figures: inout SwapFigures
    ) throws(BenchmarkFailure) {
        let run = watch.run
        let begin = watch.now
        // The subtasks have said how many keys there are only after the switch.
        try watch.wait(until: begin + 5_000_000)
        func left() -> Int {
            run.subtaskVersions(of: BenchmarkJob.measuredNode).reduce(0) { $0 + $1.originKeyCount }
        }
        watch.status = { "\(left()) keys left to move" }
        defer { watch.status = nil }
        guard try watch.wait(until: begin + Self.sweepPatience, { left() == 0 }) else {
            throw BenchmarkFailure("\(left()) keys were not moved in ten minutes")
        }
        figures.sweepNanoseconds.append(watch.now - begin)
        run.letDeadRowsGo()
    }

    func prepare(
        _ run: JobRun,
        _ number: Int
    ) throws(BenchmarkFailure) -> OperatorSwap {
        do {
            let node = BenchmarkJob.measuredNode
            guard let running = run.shape(of: node) else {
                throw BenchmarkFailure("the job has no operator '\(node)'")
            }
            let name = options.changesSchema ? Self.nextComponent : Self.component
            let plugin = try files?.load(number) ?? setup.plugin
            let next = JobEnvironment.Implementation(
                plugin: plugin,
                component: try plugin.componentIndex(name)
            )
            let change = ComponentChange(from: running, to: ComponentShape(next.description))
            return try run.prepareSwap(
                [OperatorReplacement(id: node, implementation: next, change: change)],
                isAtBarrier: false,
                policy: .rollBack
            )
        } catch let failure as BenchmarkFailure {
            throw failure
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    // MARK: - Results

    /// What swaps took; times in nanoseconds.
    package struct SwapFigures: Sendable {
        /// To make the new instances, beside those that run.
        package var prepareNanoseconds: [Int64] = []
        /// From the order until the version was in force everywhere.
        package var inForceNanoseconds: [Int64] = []
        /// The longest that a task thread spent on the switch.
        package var switchNanoseconds: [Int64] = []
        /// Until every row was moved.
        package var sweepNanoseconds: [Int64] = []
        /// From when to when instances were made, in monotonic nanoseconds.
        var prepareWindows: [(from: Int64, to: Int64)] = []
        /// From when to when records may have felt a cut.
        var cutWindows: [(from: Int64, to: Int64)] = []
    }

    /// One of the two runs.
    package struct Side: Sendable {
        /// How long it was measured.
        package let seconds: Double
        /// From when a record is due until the sink has it.
        package let latencies: LatencyFigures
        /// The same of records that came out while rows were moved.
        package let markedLatencies: LatencyFigures
        /// When latencies were long.
        let timeline: LatencyTimeline
        /// When it began, in monotonic nanoseconds.
        let beginNanoseconds: Int64
        /// Records that were due at the end and had not come out.
        package let behindRecords: Int
        /// How much resident memory has grown while it was measured.
        package let grownBytes: Int
        /// The swaps; nil for the run without.
        package let swaps: SwapFigures?
    }
}
