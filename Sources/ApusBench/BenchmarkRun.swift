package import ApusCore
import ApusGraph
import ApusIO
package import ApusPluginHost
import ApusRuntime

/// Runs a benchmark and measures it in windows.
///
/// First comes a warm-up, until every key has most likely been seen and the tables have grown.
/// Then records are counted at the plugin, and processor time by the task threads' own clocks,
/// over windows of equal length; the median window is the figure to quote.
package struct BenchmarkRun {
    private let benchmark: Benchmark
    private let options: BenchmarkOptions
    private let clock: any Clock
    private let threads: any Threads
    private let plugin: LoadedPlugin

    /// Creates a run.
    package init(
        _ benchmark: Benchmark,
        options: BenchmarkOptions,
        plugin: LoadedPlugin,
        clock: any Clock,
        threads: any Threads
    ) {
        self.benchmark = benchmark
        self.options = options
        self.plugin = plugin
        self.clock = clock
        self.threads = threads
    }

    /// What went wrong.
    package struct Failure: Error, CustomStringConvertible {
        /// The reason.
        package let description: String
    }

    /// Runs and measures.
    ///
    /// - Parameter progress: Told what happens, in words.
    /// - Returns: The windows and their medians.
    /// - Throws: ``Failure`` when the plugin or the job fails.
    package func measure(progress: (String) -> Void) throws(Failure) -> BenchmarkResult {
        let run = try start()
        progress("warming up")
        let warm = warmUp(run)
        var windows: [BenchmarkResult.Window] = []
        if warm {
            for number in 1...options.windowCount {
                let window = measureWindow(run)
                windows.append(window)
                progress(
                    "window \(number) of \(options.windowCount): "
                        + "\(Int(window.recordsPerSecond)) records/s"
                )
            }
        }
        let state = run.progress().nodes.first { $0.id == Benchmark.measuredNode }
        run.abort()
        let summary = run.wait()
        if case .failed(let failure) = summary.end {
            throw Failure(description: failure.description)
        }
        let counters = Dictionary(
            summary.pluginCounters.map { ($0.name, $0.value) },
            uniquingKeysWith: { $0 &+ $1 }
        )
        return BenchmarkResult(
            benchmark: benchmark,
            options: options,
            windows: windows,
            timersFired: state?.timersFired ?? 0,
            pluginCounters: counters,
            peakResidentByteCount: LinuxMemory.peakResidentByteCount()
        )
    }

    private func start() throws(Failure) -> JobRun {
        do {
            let component = try plugin.componentIndex(benchmark.component)
            let description = plugin.description.components[component]
            let job = benchmark.job(options)
            let signature = OperatorSignature(
                outputs: description.outputs,
                isKeyed: description.isKeyed,
                acceptsMissingKey: description.acceptsNullKey,
                inputCount: description.inputCount
            )
            let plan = try PhysicalPlan.make(
                for: job,
                parallelism: options.parallelism,
                signatures: [Benchmark.measuredNode: signature]
            )
            let environment = JobEnvironment(
                clock: clock,
                threads: threads,
                endpoints: BenchmarkEndpoints(clock: clock, hasTime: benchmark == .timers),
                deadLetters: NoDeadLetters(),
                implementations: [
                    Benchmark.measuredNode: JobEnvironment.Implementation(
                        plugin: plugin,
                        component: component
                    )
                ],
                notify: { _ in }
            )
            return try JobRun(plan: plan, environment: environment)
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    /// Waits until five records per key have been counted, at least a second.
    ///
    /// - Returns: False when the job has ended instead.
    private func warmUp(_ run: JobRun) -> Bool {
        let start = clock.monotonicNanoseconds()
        while !run.hasEnded {
            LinuxThreads.sleep(milliseconds: 20)
            let elapsed = clock.monotonicNanoseconds() - start
            let isWarm = elapsed > 1_000_000_000 && count(run) > options.keyCount * 5
            if isWarm || elapsed > 60_000_000_000 { return true }
        }
        return false
    }

    private func measureWindow(_ run: JobRun) -> BenchmarkResult.Window {
        let startAt = clock.monotonicNanoseconds()
        let startCount = count(run)
        let startCPU = run.cpuNanoseconds()
        LinuxThreads.sleep(milliseconds: Int(options.windowSeconds * 1000))
        let cpu = run.cpuNanoseconds() - startCPU
        let records = count(run) - startCount
        let elapsed = clock.monotonicNanoseconds() - startAt
        return BenchmarkResult.Window(
            recordsPerSecond: Double(records) * 1e9 / Double(elapsed),
            cpuSecondsPerMillionRecords: records == 0
                ? 0 : Double(cpu) / 1e9 / (Double(records) / 1e6)
        )
    }

    private func count(_ run: JobRun) -> Int {
        run.progress().nodes.first { $0.id == Benchmark.measuredNode }?.recordsIn ?? 0
    }
}
