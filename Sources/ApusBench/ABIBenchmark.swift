package import ApusCore
import ApusGraph
import ApusMemory
package import ApusPluginHost
import ApusRuntime
import CApusBareLoop
import CApusPlugin

/// Measures what the plugin ABI costs: a call, a record, an asynchronous call.
///
/// A plugin and the same loop compiled into the host take turns over the same batch.
package struct ABIBenchmark {
    private static let batchRecordCount = 1024
    private static let capacity = 1000

    private let clock: any Clock
    private let threads: any Threads
    private let plugin: LoadedPlugin
    private let runCount: Int
    private let batchCount: Int
    private let callCount: Int

    /// Creates a benchmark.
    ///
    /// - Parameters:
    ///   - clock: What it measures with.
    ///   - threads: Starts the threads of the job with asynchronous calls.
    ///   - plugin: The benchmark plugin.
    ///   - runCount: Runs of each figure.
    ///   - recordCount: Records of a run; a quarter as many asynchronous calls are made.
    package init(
        clock: any Clock,
        threads: any Threads,
        plugin: LoadedPlugin,
        runCount: Int,
        recordCount: Int
    ) {
        self.clock = clock
        self.threads = threads
        self.plugin = plugin
        self.runCount = runCount
        batchCount = max(1, recordCount / Self.batchRecordCount)
        callCount = max(1, recordCount / 4)
    }

    /// Measures.
    ///
    /// - Parameter progress: Told what happens, in words.
    /// - Returns: The figures.
    /// - Throws: ``BenchmarkFailure`` when the plugin or the job fails.
    package func measure(
        progress: (String) -> Void
    ) throws(BenchmarkFailure) -> ABIBenchmarkResult {
        progress("plugins and bare loops in turn")
        let batch = Self.makeBatch(Self.batchRecordCount)
        let single = Self.makeBatch(1)
        let passthrough = try makeInstance("passthrough")
        let filter = try makeInstance("filter")
        let nothing = try makeInstance("nothing")
        let builder = OutputBuilder(port: 0, recordCapacity: 1024, arenaCapacity: 64 << 10)
        let perRecord = Double(batchCount * Self.batchRecordCount)
        var measured: [[Double]] = Array(repeating: [], count: 5)
        for _ in 0...runCount {
            let times = [
                try time(passthrough, batch, batchCount) / perRecord,
                time(builder, batch) { apus_bare_forward($0, $1) } / perRecord,
                try time(filter, batch, batchCount) / perRecord,
                time(builder, batch) { apus_bare_filter($0, $1) } / perRecord,
                try time(nothing, single, batchCount * 16) / Double(batchCount * 16),
            ]
            for (index, time) in times.enumerated() { measured[index].append(time) }
        }
        // The first run warms caches and the processor up.
        let figures = measured.map { ABIBenchmarkResult.Figure(Array($0.dropFirst())) }
        progress("asynchronous calls")
        var completions: [Double] = []
        for _ in 0..<runCount { completions.append(try measureCalls()) }
        return ABIBenchmarkResult(
            runs: runCount,
            batchRecords: Self.batchRecordCount,
            batches: batchCount,
            passthrough: figures[0],
            passthroughBare: figures[1],
            filter: figures[2],
            filterBare: figures[3],
            call: figures[4],
            completions: ABIBenchmarkResult.Figure(completions),
            capacity: Self.capacity
        )
    }

    // MARK: - Calls

    /// Records of 8 bytes with keys of 8 bytes; values begin with even and odd bytes in turn.
    private static func makeBatch(_ count: Int) -> RecordBatch {
        let batch = RecordBatch(recordCapacity: count, arenaCapacity: 64)
        for index in 0..<count {
            withUnsafeBytes(of: UInt64(index).littleEndian) {
                _ = batch.append(key: $0, value: $0, time: Int64(index))
            }
        }
        return batch
    }

    private func makeInstance(_ component: String) throws(BenchmarkFailure) -> OperatorInstance {
        do {
            let instance = try OperatorInstance(
                plugin: plugin,
                component: try plugin.componentIndex(component),
                arguments: InstanceArguments(
                    job: "bench-abi",
                    operatorID: component,
                    configuration: "{}",
                    subtask: 0,
                    parallelism: 1,
                    groups: KeyGroups(count: 128),
                    recordsPerBatch: Self.batchRecordCount
                )
            )
            try instance.open(nowMicroseconds: 0)
            return instance
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    /// How long a plugin takes over a batch again and again, in nanoseconds.
    private func time(
        _ instance: OperatorInstance,
        _ batch: RecordBatch,
        _ count: Int
    ) throws(BenchmarkFailure) -> Double {
        var view = batch.view(input: 0, isKeyed: false)
        let start = clock.monotonicNanoseconds()
        for _ in 0..<count {
            // SAFETY: the view and the batch outlive the call.
            let outcome = withUnsafePointer(to: &view) {
                instance.process($0, from: 0, watermark: .min, nowMicroseconds: 0)
            }
            guard case .done = outcome else { throw BenchmarkFailure("process: \(outcome)") }
            for output in instance.outputs { output.discard() }
        }
        return Double(clock.monotonicNanoseconds() - start)
    }

    /// How long a loop in the host takes over the same.
    private func time(
        _ builder: OutputBuilder,
        _ batch: RecordBatch,
        _ loop: (UnsafeMutablePointer<apus_out>, UnsafePointer<apus_batch>) -> Int32
    ) -> Double {
        var view = batch.view(input: 0, isKeyed: false)
        let start = clock.monotonicNanoseconds()
        for _ in 0..<batchCount {
            withUnsafePointer(to: &view) {
                builder.begin(input: $0)
                _ = loop(builder.out, $0)
            }
            builder.discard()
        }
        return Double(clock.monotonicNanoseconds() - start)
    }

    // MARK: - Asynchronous calls

    /// Completions a second of a job on one thread.
    private func measureCalls() throws(BenchmarkFailure) -> Double {
        do {
            let index = try plugin.componentIndex("ask")
            var async = AsyncDescription()
            async.capacity = Self.capacity
            let plan = try PhysicalPlan.make(
                for: Self.job(async),
                parallelism: 1,
                signatures: [
                    "ask": OperatorSignature(
                        outputs: ["main"],
                        isKeyed: false,
                        isAsynchronous: true
                    )
                ]
            )
            let environment = JobEnvironment(
                clock: clock,
                threads: threads,
                endpoints: BenchmarkEndpoints(source: { [callCount] _, _ in
                    NumberPairSource(recordCount: callCount)
                }),
                deadLetters: NoDeadLetters(),
                implementations: [
                    "ask": JobEnvironment.Implementation(plugin: plugin, component: index)
                ],
                notify: { _ in }
            )
            let start = clock.monotonicNanoseconds()
            let summary = try JobRun(plan: plan, environment: environment).finish()
            let end = clock.monotonicNanoseconds()
            let written = summary.progress.nodes.last?.recordsIn ?? 0
            guard written == callCount else {
                throw BenchmarkFailure("\(written) of \(callCount) results came out")
            }
            return Double(callCount) * 1e9 / Double(end - start)
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    private static func job(_ async: AsyncDescription) -> JobDescription {
        let location = SourceLocation(line: 1, column: 1)
        return JobDescription(
            name: "bench-abi",
            sources: [
                SourceDescription(
                    id: "source",
                    kind: .generator(GeneratorDescription(kind: .impulse)),
                    location: location
                )
            ],
            operators: [
                OperatorDescription(
                    id: "ask",
                    plugin: "benchmark",
                    inputs: [PortReference(node: "source", location: location)],
                    async: async,
                    location: location
                )
            ],
            sinks: [
                SinkDescription(
                    id: "sink",
                    kind: .discard,
                    inputs: [PortReference(node: "ask", location: location)],
                    location: location
                )
            ]
        )
    }
}
