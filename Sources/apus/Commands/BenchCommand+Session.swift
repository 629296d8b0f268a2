import ApusBench
import ApusCore
import ApusGraph
import ApusIO
import ApusPluginHost
import ArgumentParser
import Foundation
import Synchronization

extension BenchCommand {
    /// What the jobs of a benchmark share: the seams, the plugin, the folder for checkpoints.
    final class Session: Sendable {
        /// The component's plugin.
        let plugin: LoadedPlugin
        /// The seams.
        let world: World
        /// Where checkpoints go.
        let folder: String
        private let isTemporary: Bool
        private let hasEnded: Atomic<Bool> = Atomic(false)

        /// Finds the plugin and makes the folder.
        ///
        /// - Parameters:
        ///   - dir: The folder; nil for a temporary one, which goes away at the end, also when the
        ///     program is interrupted.
        ///   - world: The seams.
        /// - Throws: A status, once the user was told what is missing.
        init(dir: String?, world: World) throws {
            self.world = world
            do {
                let path = try PluginSearch(world: world, jobFile: "").find("benchmark")
                plugin = try world.loader.load(path)
            } catch {
                Console.error(error.description)
                throw ExitStatus.invalid
            }
            isTemporary = dir == nil
            folder = dir ?? NSTemporaryDirectory() + "apus-bench-\(getpid())"
            do {
                try world.disk.makeDirectory(folder)
            } catch {
                Console.error("--dir: \(error.description)")
                throw ExitStatus.invalid
            }
        }

        /// Removes a temporary folder.
        func end() {
            guard !hasEnded.exchange(true, ordering: .acquiringAndReleasing), isTemporary else {
                return
            }
            do {
                try world.disk.removeTree(folder)
            } catch {
                Console.note("warning: the benchmark's folder stays: \(error.description)")
            }
        }

        /// The job's checkpoints.
        func checkpoint(_ job: String, intervalMicroseconds: Int64) -> CheckpointDescription {
            CheckpointDescription(
                directory: "\(folder)/\(job)",
                intervalMicroseconds: intervalMicroseconds
            )
        }

        /// Opens a job, calls `body` with what it runs with, and closes it.
        ///
        /// - Parameters:
        ///   - job: The job.
        ///   - start: Where it begins; nil for a job without checkpoints.
        ///   - body: Measures.
        /// - Returns: What `body` returns.
        /// - Throws: A status, once the user was told what went wrong.
        func withSetup<Result>(
            _ job: BenchmarkJob,
            start: StartPoint?,
            _ body: (BenchmarkSetup) throws -> Result
        ) throws -> Result {
            do {
                let plan = try job.plan(plugin)
                let durable = try DurableJob(plan, world: world, start: start, droppedState: [])
                defer { durable.close() }
                return try body(
                    BenchmarkSetup(
                        plan: plan,
                        component: job.component,
                        plugin: plugin,
                        checkpoints: durable.settings,
                        clock: world.clock,
                        threads: world.threads,
                        notify: { Console.note("\(job.name): \($0)") }
                    )
                )
            } catch let code as ExitCode {
                throw code
            } catch {
                Console.error("\(job.name): \(error)")
                throw ExitStatus.failed
            }
        }
    }

    /// A session of the program that the user has started: Ctrl-C removes its temporary folder.
    func withSession(_ body: (Session) throws -> Void) throws {
        // Before any other thread: they inherit the mask.
        LinuxSignals.block()
        let session = try Session(dir: dir, world: World())
        let hasEnded = Flag()
        let watcher = session.world.threads.start(name: "apus-signals") {
            while !hasEnded.isSet {
                guard LinuxSignals.next(waitingMilliseconds: 100) != nil else { continue }
                session.end()
                // Not exit: what runs at the end must not run beside the job's threads.
                _exit(ExitStatus.interrupted.rawValue)
            }
        }
        defer {
            hasEnded.set()
            watcher.join()
            session.end()
        }
        try body(session)
    }

    /// Tells one thread that another one is done.
    private final class Flag: Sendable {
        private let cell: Atomic<Bool> = Atomic(false)
        var isSet: Bool { cell.load(ordering: .acquiring) }
        func set() { cell.store(true, ordering: .releasing) }
    }
}
