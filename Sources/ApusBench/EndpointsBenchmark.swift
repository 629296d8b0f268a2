package import ApusCore
import ApusGraph
import ApusIO
package import ApusPluginHost
import ApusRuntime

/// What the ends of a job cost when they are plugins: sources and sinks of the benchmark plugin
/// beside those that are built in, at full speed, without an operator between them.
package struct EndpointsBenchmark: Sendable {
    /// Which of the ends are plugins.
    package enum Pairing: String, CaseIterable, Codable, Sendable {
        /// The built-in generator and the built-in discard.
        case builtIn = "generator -> discard"
        /// The source is a plugin.
        case pluginSource = "plugin source -> discard"
        /// The sink is a plugin.
        case pluginSink = "generator -> plugin sink"
        /// Both are plugins.
        case plugins = "plugin source -> plugin sink"

        var hasPluginSource: Bool { self == .pluginSource || self == .plugins }
        var hasPluginSink: Bool { self == .pluginSink || self == .plugins }
    }

    private static let location = SourceLocation(line: 1, column: 1)
    private static let sink = "sink"
    private static let keyCount = 1_000_000
    private static let warmUpNanoseconds: Int64 = 300_000_000

    private let plugin: LoadedPlugin
    private let parallelism: Int
    private let options: BenchmarkOptions
    private let clock: any Clock
    private let threads: any Threads
    private let notify: @Sendable (String) -> Void

    /// Creates a benchmark.
    ///
    /// - Parameters:
    ///   - plugin: The benchmark plugin.
    ///   - parallelism: Task threads.
    ///   - options: How long it measures.
    ///   - clock: Both times.
    ///   - threads: Starts the task threads.
    ///   - notify: Takes what the job says to its user; any thread.
    package init(
        plugin: LoadedPlugin,
        parallelism: Int,
        options: BenchmarkOptions,
        clock: any Clock,
        threads: any Threads,
        notify: @escaping @Sendable (String) -> Void
    ) {
        self.plugin = plugin
        self.parallelism = parallelism
        self.options = options
        self.clock = clock
        self.threads = threads
        self.notify = notify
    }

    /// Measures all pairings, in turns, so that a machine that grows slower does so for all.
    ///
    /// - Parameter progress: Told what happens, in words.
    /// - Returns: The figures.
    /// - Throws: ``BenchmarkFailure`` when the plugin or the job fails.
    package func measure(
        progress: (String) -> Void
    ) throws(BenchmarkFailure) -> EndpointsBenchmarkResult {
        var windows: [Pairing: [BenchmarkResult.Window]] = [:]
        for round in 1...options.windowCount {
            for pairing in Pairing.allCases {
                let window = try measure(pairing)
                windows[pairing, default: []].append(window)
                progress(
                    "round \(round) of \(options.windowCount), \(pairing.rawValue): "
                        + "\(Int(window.recordsPerSecond)) records/s"
                )
            }
        }
        return EndpointsBenchmarkResult(parallelism: parallelism, windows: windows)
    }

    private func measure(_ pairing: Pairing) throws(BenchmarkFailure) -> BenchmarkResult.Window {
        let run = try start(pairing)
        var watch = BenchmarkWatch(run, clock, progress: { _ in })
        try watch.wait(until: watch.now + Self.warmUpNanoseconds)
        let startAt = clock.monotonicNanoseconds()
        let startCount = run.recordsIn(Self.sink)
        let startCPU = run.cpuNanoseconds()
        try watch.wait(until: startAt + Int64(options.windowSeconds * 1e9))
        let cpu = run.cpuNanoseconds() - startCPU
        let records = run.recordsIn(Self.sink) - startCount
        let elapsed = clock.monotonicNanoseconds() - startAt
        run.abort()
        _ = try run.finish()
        return BenchmarkResult.Window(
            recordsPerSecond: Double(records) * 1e9 / Double(elapsed),
            cpuSecondsPerMillionRecords: records == 0
                ? 0 : Double(cpu) / 1e9 / (Double(records) / 1e6)
        )
    }

    private func start(_ pairing: Pairing) throws(BenchmarkFailure) -> JobRun {
        let clock = clock
        let endpoints = BenchmarkEndpoints(source: { subtask, subtaskCount in
            GeneratorSource(
                kind: .keyed(keyCount: Self.keyCount, valueByteCount: 8),
                seed: 1,
                subtask: subtask,
                subtaskCount: subtaskCount,
                time: .none,
                clock: clock
            )
        })
        do {
            let source = try plugin.componentIndex("generate", .source)
            let sink = try plugin.componentIndex("discard", .sink)
            return try JobRun(
                plan: try plan(pairing),
                environment: JobEnvironment(
                    clock: clock,
                    threads: threads,
                    endpoints: endpoints,
                    deadLetters: NoDeadLetters(),
                    implementations: [
                        "source": JobEnvironment.Implementation(plugin: plugin, component: source),
                        Self.sink: JobEnvironment.Implementation(plugin: plugin, component: sink),
                    ],
                    notify: notify
                )
            )
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    private func plan(_ pairing: Pairing) throws -> PhysicalPlan {
        func component(_ id: String) -> PluginComponent {
            PluginComponent(plugin: "benchmark", component: id, location: Self.location)
        }
        let generator = GeneratorDescription(
            kind: .keyed(keyCount: Self.keyCount, valueByteCount: 8)
        )
        let job = JobDescription(
            name: "bench-endpoints",
            sources: [
                SourceDescription(
                    id: "source",
                    kind: pairing.hasPluginSource
                        ? .plugin(component("generate")) : .generator(generator),
                    location: Self.location
                )
            ],
            sinks: [
                SinkDescription(
                    id: Self.sink,
                    kind: pairing.hasPluginSink ? .plugin(component("discard")) : .discard,
                    inputs: [PortReference(node: "source", location: Self.location)],
                    location: Self.location
                )
            ]
        )
        return try PhysicalPlan.make(
            for: job,
            parallelism: parallelism,
            signatures: [:],
            sinks: [Self.sink: SinkSignature(canFlush: true, canCommit: false)]
        )
    }
}
