package import ApusCore
import ApusFunctions
import ApusGraph
import ApusIO
import ApusMemory
import ApusRuntime
import CApusFunctions

/// Measures what a call of a C function costs: by itself, and in a job that reads and writes JSON.
///
/// The function multiplies two numbers, so that next to nothing but the call is measured.
package struct FunctionsBenchmark {
    /// What the program measures with.
    package struct Surroundings: Sendable {
        let clock: any Clock
        let threads: any Threads

        /// Creates surroundings.
        package init(clock: any Clock, threads: any Threads) {
            self.clock = clock
            self.threads = threads
        }
    }

    /// Rows that are called in one go, as many as a batch has.
    private static let rowCount = 1024
    private let surroundings: Surroundings
    private let runCount: Int
    private let recordCount: Int
    /// How often the rows of one run are called.
    private let repetitionCount: Int

    /// Creates a benchmark.
    ///
    /// - Parameters:
    ///   - surroundings: What it measures with.
    ///   - runCount: Runs of each kind.
    ///   - recordCount: Records of a job; calls alone are made four times as often.
    package init(_ surroundings: Surroundings, runCount: Int, recordCount: Int) {
        self.surroundings = surroundings
        self.runCount = runCount
        self.recordCount = recordCount
        repetitionCount = max(1, recordCount * 4 / Self.rowCount)
    }

    /// Measures.
    ///
    /// - Parameter progress: Told what happens, in words.
    /// - Returns: The figures.
    /// - Throws: ``BenchmarkFailure`` when a job fails.
    package func measure(
        progress: (String) -> Void
    ) throws(BenchmarkFailure) -> FunctionsBenchmarkResult {
        progress("calls alone")
        let bare = measureCalls()
        var job: [FunctionsBenchmarkResult.Figure] = []
        for way in JobWay.allCases {
            progress("job: \(way.rawValue)")
            job.append(try measureJob(way))
        }
        return FunctionsBenchmarkResult(
            calls: Self.rowCount * repetitionCount,
            records: recordCount,
            bare: bare,
            job: job
        )
    }

    // MARK: - Calls alone

    private func measureCalls() -> [FunctionsBenchmarkResult.Figure] {
        let memory = BareCalls(rowCount: Self.rowCount)
        return [
            figure("direct") { memory.direct() },
            figure("loop") { memory.scalar(usesFFI: false) },
            figure("libffi") { memory.scalar(usesFFI: true) },
            figure("batch") { memory.batch() },
        ]
    }

    private func figure(
        _ way: String,
        _ make: () -> () -> Void
    ) -> FunctionsBenchmarkResult.Figure {
        let body = make()
        for _ in 0..<max(1, repetitionCount / 8) { body() }
        let measured = (0..<runCount).map { _ in
            let start = surroundings.clock.monotonicNanoseconds()
            for _ in 0..<repetitionCount { body() }
            let end = surroundings.clock.monotonicNanoseconds()
            return Double(end - start) / Double(repetitionCount * Self.rowCount)
        }
        return FunctionsBenchmarkResult.Figure(way, measured)
    }

    // MARK: - In a job

    /// The jobs, one without function for comparison.
    private enum JobWay: String, CaseIterable {
        case none
        case loop
        case libffi
        case batch
    }

    private func measureJob(
        _ way: JobWay
    ) throws(BenchmarkFailure) -> FunctionsBenchmarkResult.Figure {
        var measured: [Double] = []
        _ = try runJob(way)
        for _ in 0..<runCount { measured.append(try runJob(way)) }
        return FunctionsBenchmarkResult.Figure(way.rawValue, measured)
    }

    private func runJob(_ way: JobWay) throws(BenchmarkFailure) -> Double {
        do {
            let function = try way == .none ? nil : Self.function(isBatch: way == .batch)
            let job = Self.job(function)
            let plan = try PhysicalPlan.make(
                for: job,
                parallelism: 1,
                signatures: Dictionary(
                    job.operators.map { ($0.id, OperatorSignature.function($0)) },
                    uniquingKeysWith: { first, _ in first }
                )
            )
            let environment = JobEnvironment(
                clock: surroundings.clock,
                threads: surroundings.threads,
                endpoints: BenchmarkEndpoints(source: { [recordCount] _, _ in
                    NumberPairSource(recordCount: recordCount)
                }),
                deadLetters: NoDeadLetters(),
                implementations: [:],
                functions: Dictionary(
                    function.map { [(Self.node, Self.bind($0, way))] } ?? [],
                    uniquingKeysWith: { first, _ in first }
                ),
                notify: { _ in }
            )
            let start = surroundings.clock.monotonicNanoseconds()
            let summary = try JobRun(plan: plan, environment: environment).finish()
            let end = surroundings.clock.monotonicNanoseconds()
            let written = summary.progress.nodes.last?.recordsIn ?? 0
            guard written == recordCount else {
                throw BenchmarkFailure("\(written) of \(recordCount) records came out")
            }
            return Double(end - start) / Double(recordCount)
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    private static let node = "multiply"

    private static func function(isBatch: Bool) throws -> FunctionDescription {
        let text = isBatch ? "void(f64[], f64[], out f64[], n)" : "f64(f64, f64)"
        return FunctionDescription(
            library: "apus",
            symbol: "multiply",
            signature: try FunctionSignatureParser.parse(text),
            arguments: [.place(.field(["a"])), .place(.field(["b"]))],
            use: .map(.field(["product"])),
            isThreadSafe: true,
            location: SourceLocation(line: 1, column: 1)
        )
    }

    private static func bind(_ function: FunctionDescription, _ way: JobWay) -> BoundFunction {
        BoundFunction(
            function,
            address: function.signature.isBatch ? BareCalls.multiplyAll : BareCalls.multiply,
            usesFFI: way == .libffi
        )
    }

    private static func job(_ function: FunctionDescription?) -> JobDescription {
        let location = SourceLocation(line: 1, column: 1)
        let source = SourceDescription(
            id: "source",
            kind: .generator(GeneratorDescription(kind: .impulse)),
            location: location
        )
        let operators = function.map { function in
            OperatorDescription(
                id: node,
                plugin: "",
                function: function,
                inputs: [PortReference(node: "source", location: location)],
                location: location
            )
        }
        let last = operators == nil ? "source" : node
        return JobDescription(
            name: "bench-functions",
            sources: [source],
            operators: operators.map { [$0] } ?? [],
            sinks: [
                SinkDescription(
                    id: "sink",
                    kind: .discard,
                    inputs: [PortReference(node: last, location: location)],
                    location: location
                )
            ]
        )
    }
}
