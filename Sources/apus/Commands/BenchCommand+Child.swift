import ApusBench
import ApusCore
import ApusGraph
import ArgumentParser
import Foundation
import Synchronization

/// The parts of a benchmark that run in processes of their own, and how they are started.
extension BenchCommand {
    /// What such a process does; the argument of the hidden option `--child`.
    enum Part: String {
        case prepare
        case resume
        case arm
        case fire
    }

    /// Longer than any benchmark takes.
    private static let timeoutMilliseconds: Int32 = 24 * 3_600_000
    private static let progressSeconds = 10.0
    /// Without checkpoints but the one at the end.
    private static let day: Int64 = 86_400_000_000

    // MARK: - In the process

    func runAsChild(_ text: String) throws {
        let world = World()
        let mainAt = world.clock.monotonicNanoseconds()
        guard let part = Part(rawValue: text), dir != nil else {
            throw ValidationError("--child \(text): expected to be started by `apus bench`")
        }
        let session = try Session(dir: dir, world: world)
        switch part {
        case .prepare:
            let prepared = try session.withSetup(recoveryJob(session), start: .new) { setup in
                try recovery(setup).prepare { Console.note($0) }
            }
            try Console.print(try Console.json(prepared))
        case .resume:
            let resumed = try session.withSetup(recoveryJob(session), start: .latest) { setup in
                var resumed = RecoveryBenchmark.Resumed()
                resumed.mainAt = mainAt
                resumed.openedAt = world.clock.monotonicNanoseconds()
                return try recovery(setup).resume(resumed)
            }
            try Console.print(try Console.json(resumed))
        case .arm:
            let armed = try session.withSetup(timersJob(session), start: .new) { setup in
                try timers(setup).arm { Console.note($0) }
            }
            try Console.print(try Console.json(armed))
        case .fire:
            let fired = try session.withSetup(timersJob(session), start: .latest) { setup in
                try timers(setup).fire(startedAt: mainAt) { Console.note($0) }
            }
            try Console.print(try Console.json(fired))
        }
    }

    private func recoveryJob(_ session: Session) -> BenchmarkJob {
        job(session, "bench-recovery", RecoveryBenchmark.component, Self.day)
    }

    private func timersJob(_ session: Session) -> BenchmarkJob {
        job(session, "bench-timers", TimersBenchmark.component, intervalMicroseconds)
    }

    private func recovery(_ setup: BenchmarkSetup) -> RecoveryBenchmark {
        RecoveryBenchmark(keyCount: storedKeyCount, valueByteCount: valueByteCount, setup: setup)
    }

    private func timers(_ setup: BenchmarkSetup) -> TimersBenchmark {
        TimersBenchmark(armedCount: armed ?? 1, keyCount: keyCount, setup: setup)
    }

    /// A job with checkpoints.
    func job(
        _ session: Session,
        _ name: String,
        _ component: String,
        _ intervalMicroseconds: Int64
    ) -> BenchmarkJob {
        BenchmarkJob(
            name: name,
            component: component,
            parallelism: threadCount,
            durability: Durability(
                checkpoint: session.checkpoint(name, intervalMicroseconds: intervalMicroseconds),
                memoryBudget: memoryBudget.map { .bytes($0) }
            )
        )
    }

    // MARK: - In the process that starts it

    /// Runs a part of the benchmark in a process of its own, and says now and then that it runs.
    ///
    /// - Parameters:
    ///   - part: What it does.
    ///   - label: What the user is told.
    ///   - session: Its folder is the child's, too.
    /// - Returns: What it told, and when it was started, in monotonic nanoseconds.
    /// - Throws: A status, once the user was told what went wrong.
    func runChild<Told: Decodable>(
        _ part: Part,
        _ label: String,
        _ session: Session
    ) throws -> (told: Told, startedAt: Int64) {
        let state = ChildState()
        let world = session.world
        let arguments = childArguments(part, session)
        let thread = world.threads.start(name: "apus-child") {
            let startedAt = world.clock.monotonicNanoseconds()
            let result = Result {
                try world.processes.runSelf(
                    arguments: arguments,
                    timeoutMilliseconds: Self.timeoutMilliseconds
                )
            }
            state.cell.withLock { $0 = (startedAt, result) }
        }
        wait(for: state, label, world.clock)
        thread.join()
        guard let (startedAt, result) = state.cell.withLock({ $0 }) else {
            preconditionFailure("the thread has ended, so there is a result")
        }
        do {
            let process = try result.get()
            guard process.end == .exited(0) else {
                Console.note(String(decoding: process.errorOutput, as: UTF8.self))
                Console.error("\(label): the process ended with \(process.end)")
                throw ExitStatus.failed
            }
            let told = try JSONDecoder().decode(Told.self, from: Data(process.output))
            return (told, startedAt)
        } catch let code as ExitCode {
            throw code
        } catch {
            Console.error("\(label): \(error)")
            throw ExitStatus.failed
        }
    }

    private final class ChildState: Sendable {
        let cell: Mutex<(startedAt: Int64, result: Result<ProcessResult, any Error>)?> = Mutex(nil)
        var hasEnded: Bool { cell.withLock { $0 != nil } }
    }

    private func wait(for state: ChildState, _ label: String, _ clock: any Clock) {
        Console.note(label)
        let start = clock.monotonicNanoseconds()
        var nextAt = Self.progressSeconds
        while !state.hasEnded {
            usleep(5_000)
            let elapsed = Double(clock.monotonicNanoseconds() - start) / 1e9
            if elapsed >= nextAt {
                nextAt += Self.progressSeconds
                Console.note("\(label): \(Int(elapsed)) s")
            }
        }
    }

    private func childArguments(_ part: Part, _ session: Session) -> [String] {
        var arguments = [
            "bench", name, "--child", part.rawValue, "--dir", session.folder,
            "--parallelism", "\(threadCount)",
        ]
        if let memoryBudget { arguments += ["--memory-budget", "\(memoryBudget)B"] }
        switch part {
        case .prepare, .resume:
            if let stateSize { arguments += ["--state-size", "\(stateSize)B"] }
            arguments += ["--value-size", "\(valueByteCount)B"]
        case .arm, .fire:
            arguments += ["--armed", "\(armed ?? 1)", "--keys", "\(keyCount)"]
            arguments += ["--checkpoint-interval", "\(intervalMicroseconds)us"]
        }
        return arguments
    }
}
