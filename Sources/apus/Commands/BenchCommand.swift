import ApusBench
import ArgumentParser
import Foundation

/// `apus bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure throughput, latency, recovery and memory of a built-in job.",
        discussion: """
            Every job runs through the plugin ABI and the rings between threads.

            THROUGHPUT, at full speed: keyed-count, passthrough, timers, or all of them
            \(Benchmark.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
              The warm-up is not counted; the figure is the median of the windows. With \
            --state rocksdb state may outgrow memory and checkpoints are taken.

            LATENCY: checkpoint
              Records are due at a fixed rate, whether the job keeps up or not; latency is from \
            then until the sink has them. Once without checkpoints, once with.

            RECOVERY: recovery
              Fresh processes go on from a checkpoint; from the start of each to its first record.

            TIMERS: timers --armed N
              One process arms timers and stops with a checkpoint, another fires them; none may be \
            lost, none may fire twice. Status 1 otherwise.

            ENDS: endpoints
              Source and sink of a plugin beside those that are built in, with nothing between.

            C FUNCTIONS: functions
              What a call costs per record: a call that the compiler knows, a compiled loop, \
            libffi, one call per batch; alone, and in a job with JSON (`none` has no function).

            PLUGIN ABI: abi
              What a call into a plugin, a record and an asynchronous call cost, beside the same \
            loops compiled into the host.

            LOADING: load --plugin FILE
              Loads and unloads the plugin --runs times; memory, threads, files and mappings must \
            stay as they are. Status 1 when resident memory has grown by more than a hundredth \
            from the middle to the end.

            SWAPS: swap [--mode MODE]
              Replaces the operator of a job under load --runs times (default: 100) at random \
            times, beside a run of the same length without swaps. MODE is one of
            \(SwapMode.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

            EXAMPLE
              apus bench swap --keys 1000000 --load 0.7 --runs 100
              apus bench load --plugin ./libcount.so --runs 1000
              apus bench keyed-count --keys 1000000 --parallelism 2 --seconds 2 --json
              apus bench keyed-count --state rocksdb --keys 10000000 --memory-budget 256MiB
              apus bench checkpoint --state-size 1GiB --rate 50000 --interval 1s --seconds 30
              apus bench recovery --state-size 1GiB --runs 5
              apus bench timers --armed 10000000 --memory-budget 1GiB
              apus bench endpoints --parallelism 2 --windows 5
              apus bench functions --runs 9 --json
              apus bench abi
            """
    )

    @Argument(help: "The benchmark, or `all`.")
    var name: String

    @Option(help: "Distinct keys (default: 1000000; of timers --armed: a key for each).")
    var keys: Int?

    @Option(name: .shortAndLong, help: "Task threads (default: the processors).")
    var parallelism: Int?

    @Option(help: "Seconds of one window (default: 2); of checkpoint: of the whole (default: 30).")
    var seconds: Double?

    @Option(help: "Windows, at least 3 (default: 5).")
    var windows: Int?

    @Option(help: "Where state is kept: memory or rocksdb (default: memory).")
    var state: String?

    @Option(
        name: [.customLong("checkpoint-interval"), .customLong("interval")],
        help: "From one checkpoint to the next, such as 500ms (default: 1s).",
        transform: microseconds
    )
    var interval: Int64?

    @Option(
        help: "Memory for state, such as 256MiB (default: half of the machine's).",
        transform: byteCount
    )
    var memoryBudget: Int?

    @Option(help: "Folder for checkpoints, which stay there (default: a temporary one).")
    var dir: String?

    @Option(help: "Keys and values together, such as 1GiB (default: 1GiB).", transform: byteCount)
    var stateSize: Int?

    @Option(help: "The size of a value (default: 1KiB).", transform: byteCount)
    var valueSize: Int?

    @Option(help: "Records per second (default: 50000).")
    var rate: Int?

    @Option(help: "Processes that recover or runs (default: 5); rounds of load (default: 1000).")
    var runs: Int?

    @Option(help: "Records of a run of functions (default: 2000000).")
    var records: Int?

    @Flag(help: "Recover with an empty page cache, too. Needs root; slows the machine down.")
    var cold = false

    @Option(help: "The plugin that load loads; in C, or another that can be unloaded.")
    var plugin: String?

    @Option(help: "How many timers to arm.")
    var armed: Int?

    @Option(help: "Of swap: the part of the most records per second that are due (default: 0.7).")
    var load: Double?

    @Flag(help: "Of swap: each swap changes the schema of the state; the same as --mode schema.")
    var schema = false

    @Option(help: "Of swap: what is measured; see SWAPS (default: code).")
    var mode: SwapMode?

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: .hidden)
    var child: String?

    func validate() throws {
        try checkNames()
        try checkNumbers()
        try checkSizes()
    }

    func run() throws {
        if let child { return try runAsChild(child) }
        if kind == .functions { return try measureFunctions() }
        if kind == .abi { return try measureABI() }
        if kind == .loading, let plugin { return try measureLoading(plugin) }
        try withSession { session in
            switch kind {
            case .throughput: try measureThroughput(session)
            case .checkpoint: try measureCheckpoints(session)
            case .recovery: try measureRecovery(session)
            case .armedTimers: try measureTimers(session)
            case .endpoints: try measureEndpoints(session)
            case .swaps: try measureSwaps(session)
            case .functions, .abi, nil:
                preconditionFailure("validate() has refused other names")
            case .loading: preconditionFailure("validate() demands a plugin, and that is above")
            }
        }
    }

    /// Prints a result: as JSON, or as text.
    func show(_ result: some Encodable, text: String) throws {
        try Console.print(json ? try Console.json(result) : text)
    }

    // MARK: - What counts when nothing is said

    /// Task threads.
    var threadCount: Int { parallelism ?? ProcessInfo.processInfo.activeProcessorCount }

    /// Distinct keys of benchmarks that take their number.
    var keyCount: Int { keys ?? armed ?? 1_000_000 }

    /// The size of a value.
    var valueByteCount: Int { valueSize ?? 1 << 10 }

    /// Distinct keys of benchmarks that take the size of state; a key has 8 bytes.
    var storedKeyCount: Int { max(1, (stateSize ?? 1 << 30) / (valueByteCount + 8)) }

    /// From one checkpoint to the next.
    var intervalMicroseconds: Int64 { interval ?? 1_000_000 }
}
