import ApusBench
import ApusGraph
import ArgumentParser
import Foundation

extension BenchCommand {
    /// Without checkpoints while anybody measures: state is in two tiers all the same.
    private static let dayMicroseconds: Int64 = 86_400_000_000

    // MARK: - Throughput

    func measureThroughput(_ session: Session) throws {
        let chosen = Benchmark(rawValue: name).map { [$0] } ?? Benchmark.allCases
        var results: [BenchmarkResult] = []
        for benchmark in chosen {
            let result = try measure(benchmark, session)
            if !json { try Console.print(Report.text(result)) }
            results.append(result)
        }
        if json {
            try Console.print(
                results.count == 1 ? try Console.json(results[0]) : try Console.json(results)
            )
        }
    }

    private func measure(_ benchmark: Benchmark, _ session: Session) throws -> BenchmarkResult {
        let isDurable = state == "rocksdb"
        let jobName = "bench-\(benchmark.rawValue)"
        let job =
            isDurable
            ? job(session, jobName, benchmark.component, intervalMicroseconds)
            : BenchmarkJob(
                name: jobName,
                component: benchmark.component,
                parallelism: threadCount
            )
        let options = BenchmarkOptions(
            keyCount: keyCount,
            windowSeconds: seconds ?? 2,
            windowCount: windows ?? 5
        )
        return try session.withSetup(job, start: isDurable ? .new : nil) { setup in
            try BenchmarkRun(benchmark, options: options, setup: setup)
                .measure { Console.note("\(benchmark.rawValue): \($0)") }
        }
    }

    // MARK: - Sources and sinks

    func measureEndpoints(_ session: Session) throws {
        let benchmark = EndpointsBenchmark(
            plugin: session.plugin,
            parallelism: threadCount,
            options: BenchmarkOptions(
                keyCount: keyCount,
                windowSeconds: seconds ?? 2,
                windowCount: windows ?? 5
            ),
            clock: session.world.clock,
            threads: session.world.threads,
            notify: { Console.note("endpoints: \($0)") }
        )
        do {
            let result = try benchmark.measure { Console.note("endpoints: \($0)") }
            try show(result, text: Report.text(result))
        } catch let failure as BenchmarkFailure {
            Console.error("endpoints: \(failure)")
            throw ExitStatus.failed
        }
    }

    // MARK: - Latency with checkpoints

    func measureCheckpoints(_ session: Session) throws {
        let options = CheckpointBenchmark.Options(
            keyCount: storedKeyCount,
            valueByteCount: valueByteCount,
            recordsPerSecond: rate ?? 50_000,
            seconds: seconds ?? 30
        )
        let control = try measure(options, takesCheckpoints: false, session)
        let withCheckpoints = try measure(options, takesCheckpoints: true, session)
        let result = CheckpointBenchmarkResult(
            options,
            parallelism: threadCount,
            intervalMicroseconds: intervalMicroseconds,
            control: control,
            withCheckpoints: withCheckpoints
        )
        try show(result, text: Report.text(result))
    }

    private func measure(
        _ options: CheckpointBenchmark.Options,
        takesCheckpoints: Bool,
        _ session: Session
    ) throws -> CheckpointBenchmark.Side {
        let label = takesCheckpoints ? "with checkpoints" : "without checkpoints"
        let job = job(
            session,
            "bench-checkpoint",
            CheckpointBenchmark.component,
            takesCheckpoints ? intervalMicroseconds : Self.dayMicroseconds
        )
        return try session.withSetup(job, start: .new) { setup in
            try CheckpointBenchmark(options, setup: setup)
                .measure(takesCheckpoints: takesCheckpoints) { Console.note("\(label): \($0)") }
        }
    }

    // MARK: - Recovery

    func measureRecovery(_ session: Session) throws {
        let prepared: RecoveryBenchmark.Prepared
        (prepared, _) = try runChild(.prepare, "preparing a checkpoint", session)
        let warm = try recover(session, "recovery", before: {})
        let cold =
            cold ? try recover(session, "cold recovery", before: { try dropPageCache() }) : nil
        let result = RecoveryBenchmarkResult(
            keys: storedKeyCount,
            valueBytes: valueByteCount,
            parallelism: threadCount,
            prepared: prepared,
            warm: warm,
            cold: cold
        )
        try show(result, text: Report.text(result))
    }

    private func recover(
        _ session: Session,
        _ label: String,
        before: () throws -> Void
    ) throws -> RecoveryBenchmarkResult.Runs {
        let count = runs ?? 5
        var done: [RecoveryBenchmarkResult.Run] = []
        for number in 1...count {
            try before()
            let resumed: RecoveryBenchmark.Resumed
            let startedAt: Int64
            (resumed, startedAt) = try runChild(.resume, "\(label) \(number) of \(count)", session)
            done.append(RecoveryBenchmarkResult.Run(resumed, startedAt: startedAt))
        }
        return RecoveryBenchmarkResult.Runs(done)
    }

    /// Has the system forget all that it has read from disks (`man 5 proc`, `drop_caches`).
    private func dropPageCache() throws {
        sync()
        do {
            let file = try LineFile("/proc/sys/vm/drop_caches")
            try file.write("3")
            try file.close()
        } catch {
            Console.error("--cold: \(error)")
            throw ExitStatus.failed
        }
    }

    // MARK: - Timers

    func measureTimers(_ session: Session) throws {
        let arming: TimersBenchmark.Armed
        let firing: TimersBenchmark.Fired
        (arming, _) = try runChild(.arm, "arming timers", session)
        (firing, _) = try runChild(.fire, "firing timers", session)
        let result = TimersBenchmarkResult(
            armed: armed ?? 1,
            keys: keyCount,
            parallelism: threadCount,
            memoryBudgetBytes: memoryBudget,
            arming: arming,
            firing: firing
        )
        try show(result, text: Report.text(result))
        guard firing.isExact else {
            Console.error("timers were lost, doubled or out of their order")
            throw ExitStatus.failed
        }
    }
}
