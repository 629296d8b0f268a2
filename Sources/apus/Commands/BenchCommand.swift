import ApusBench
import ApusPluginHost
import ArgumentParser
import Foundation

/// `apus bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure throughput, processor time and memory of a built-in job.",
        discussion: """
            Benchmarks: \(Benchmark.allCases.map(\.rawValue).joined(separator: ", ")), or all.
            \(Benchmark.allCases.map { "\($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

            Every job runs through the plugin ABI and the rings between threads. The warm-up is \
            not counted; the figure is the median of the windows.

            EXAMPLE
              apus bench keyed-count --keys 1000000 --parallelism 2 --seconds 2 --json
            """
    )

    @Argument(help: "The benchmark, or `all`.")
    var name: String

    @Option(help: "Distinct keys.")
    var keys = 1_000_000

    @Option(name: .shortAndLong, help: "Task threads (default: the processors).")
    var parallelism: Int?

    @Option(help: "Seconds of one window.")
    var seconds = 2.0

    @Option(help: "Windows, at least 3.")
    var windows = 5

    @Option(help: "Where state is kept: memory.")
    var state = "memory"

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard name == "all" || Benchmark(rawValue: name) != nil else {
            throw ValidationError(
                "unknown benchmark '\(name)'; expected one of "
                    + Benchmark.allCases.map(\.rawValue).joined(separator: ", ") + ", all"
            )
        }
        guard state == "memory" else {
            throw ValidationError("--state \(state): expected memory")
        }
        guard keys >= 1, keys <= 1 << 31, windows >= 3, windows <= 1000, seconds >= 0.05 else {
            throw ValidationError(
                "--keys must be 1 to 2147483648, --windows 3 to 1000, --seconds 0.05 or more"
            )
        }
        if let parallelism, !(1...256).contains(parallelism) {
            throw ValidationError("--parallelism must be 1 to 256")
        }
    }

    func run() throws {
        let world = World()
        let plugin: LoadedPlugin
        do {
            let path = try PluginSearch(world: world, jobFile: "").find("benchmark")
            plugin = try world.loader.load(path)
        } catch {
            Console.error(error.description)
            throw ExitStatus.invalid
        }
        let chosen = Benchmark(rawValue: name).map { [$0] } ?? Benchmark.allCases
        var results: [BenchmarkResult] = []
        for benchmark in chosen {
            let options = BenchmarkOptions(
                keyCount: keys,
                parallelism: parallelism ?? ProcessInfo.processInfo.activeProcessorCount,
                windowSeconds: seconds,
                windowCount: windows
            )
            let run = BenchmarkRun(
                benchmark,
                options: options,
                plugin: plugin,
                clock: world.clock,
                threads: world.threads
            )
            let result: BenchmarkResult
            do {
                result = try run.measure { Console.note("\(benchmark.rawValue): \($0)") }
            } catch {
                Console.error("\(benchmark.rawValue): \(error.description)")
                throw ExitStatus.failed
            }
            if !json { try Console.print(Self.text(result)) }
            results.append(result)
        }
        if json {
            try Console.print(
                results.count == 1 ? try Console.json(results[0]) : try Console.json(results)
            )
        }
    }

    private static func text(_ result: BenchmarkResult) -> String {
        let cpu = String(format: "%.3f", result.cpuSecondsPerMillionRecords)
        return "\(result.benchmark): \(ProgressDisplay.short(result.recordsPerSecond)) records/s "
            + "(\(ProgressDisplay.short(result.recordsPerSecondMin)) to "
            + "\(ProgressDisplay.short(result.recordsPerSecondMax)), "
            + "\(result.windows.count) windows of \(result.windowSeconds) s), "
            + "\(cpu) CPU-s per million, \(result.peakResidentBytes >> 20) MiB peak; "
            + "\(result.keys) keys, parallelism \(result.parallelism), state in \(result.state)"
    }
}
