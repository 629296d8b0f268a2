import ApusCheckpoint
import ApusControl
import ApusCore
import ApusGraph
import ApusIO
import ApusMemory
import ApusPluginHost
import ApusRuntime
import ArgumentParser
import CApusGuard
import Glibc

/// `apus run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a job in this process until its input ends.",
        discussion: """
            Ctrl-C stops the sources and delivers what is under way; timers that are not due do \
            not fire. A job with checkpoints takes a last one, from which it can go on. A second \
            Ctrl-C ends the job at once.

            EXAMPLE
              apus run samples/flights/job.yaml --parallelism 2
              apus run job.yaml --from latest
              apus run job.yaml --from 7 --rewind-output
              apus run job.yaml --set spec.sources.orders.config.path=orders.jsonl
            """
    )

    @OptionGroup var options: JobOptions

    @Option(
        help: ArgumentHelp(
            "Where a job with checkpoints begins: latest, latest-or-new, new, or a number.",
            discussion: """
                'latest' is an error when there is no checkpoint yet, 'latest-or-new' begins anew \
                then. 'new' gives earlier checkpoints up. A path is that of a savepoint.
                """,
            valueName: "latest|latest-or-new|new|N|PATH"
        )
    )
    var from: StartPoint?

    @Option(
        help: "Give up a node's part of the checkpoint that the job goes on from.",
        completion: nil
    )
    var dropState: [String] = []

    @Flag(
        help: ArgumentHelp(
            "Move output away that was delivered after the checkpoint that the job goes on from.",
            discussion: """
                To FILE.rewound-N, or rewound-N in a folder; the job produces it anew. Without \
                this, a job that goes back to an older checkpoint does not start when output was \
                delivered since.
                """
        )
    )
    var rewindOutput = false

    @Option(
        help: ArgumentHelp(
            "Where the control socket is (default: control.sock in the checkpoint folder).",
            discussion: """
                `apus job status`, `apus checkpoint create` and --live of other commands ask the \
                running job by way of it. A job without checkpoints has none unless it is given.
                """,
            valueName: "path"
        )
    )
    var control: String?

    @Flag(help: "Print the summary as JSON on standard output.")
    var json = false

    func run() throws {
        // Before any other thread: they inherit the mask.
        LinuxSignals.block()
        apus_guard_install_crash_report()
        apus_guard_skip_exit_handlers()
        let world = World()
        let startWatch = StartWatch(world.threads)
        let preparation = options.prepare(world)
        let job = try preparation.readJob()
        PluginWatch.start(
            warningMicroseconds: job.callLimits.warningMicroseconds,
            timeoutMicroseconds: job.callLimits.timeoutMicroseconds,
            graceMicroseconds: job.callLimits.graceMicroseconds
        )
        let secrets = try SecretFiles(job, world).read()
        let admission = try preparation.admission()
        let loaded = try preparation.load(job, admission)
        let plan = loaded.plan
        let (durable, endpoints) = try open(plan, world)
        defer { durable.close() }
        let deadLetters = DeadLetterFile(
            path: job.errors.deadLetterFile,
            policy: job.errors.policy == .fail ? .fail : .deadLetter,
            disk: world.disk
        )
        let environment = JobEnvironment(
            clock: world.clock,
            threads: world.threads,
            endpoints: endpoints,
            deadLetters: deadLetters,
            implementations: loaded.implementations,
            codecs: loaded.codecs,
            secrets: secrets,
            functions: loaded.functions,
            checkpoints: durable.settings,
            notify: { Console.note("note: \($0)") }
        )
        let control = try makeControl(durable, world)
        let run: JobRun
        do {
            run = try JobRun(plan: plan, environment: environment)
        } catch {
            control?.close()
            Console.error(error.description)
            throw error.fault == .data ? ExitStatus.failed : ExitStatus.invalid
        }
        startWatch.end()
        let origin = durable.restored.map { restored in
            ", from \(restored.isFinal ? "the end: " : "")checkpoint \(restored.number)"
        }
        Console.note(
            "job '\(job.name)': started, parallelism \(plan.parallelism)\(origin ?? "")"
        )
        let server = control?.serve(run, job: job.name, admission: admission)
        watch(run, world)
        server?.close()
        var summary = run.wait()
        do {
            try deadLetters.close()
        } catch {
            summary = summary.failing(
                JobFailure(.environment, node: "dead letters", error.description)
            )
        }
        try report(summary, job, deadLetters)
    }

    /// Opens the job's checkpoints and its local database.
    private func open(
        _ plan: PhysicalPlan,
        _ world: World
    ) throws -> (durable: DurableJob, endpoints: Endpoints) {
        do {
            let durable = try DurableJob(
                plan,
                world: world,
                start: from,
                droppedState: dropState,
                rewindsOutput: rewindOutput
            )
            return (durable, try Endpoints(world: world, durable: durable))
        } catch {
            Console.error("\(error)")
            throw ExitStatus.invalid
        }
    }

    /// Makes the control socket, before anything runs.
    private func makeControl(_ durable: DurableJob, _ world: World) throws -> JobControl? {
        do throws(SocketError) {
            return try JobControl(at: control, folder: durable.folderPath, world: world)
        } catch {
            Console.error("--control: \(error)")
            throw ExitStatus.invalid
        }
    }

    /// How long the threads may take to notice that the job is to end at once, in nanoseconds.
    private static let abortPatience: Int64 = 1_000_000_000

    /// Shows progress and takes Ctrl-C until the job has ended.
    ///
    /// Ends the process when a plugin keeps the job from ending at once.
    private func watch(_ run: JobRun, _ world: World) {
        var display = ProgressDisplay(isTerminal: Console.isTerminal)
        var requests = 0
        var abortedAt: Int64?
        while !run.hasEnded {
            // A short first wait: a job of a few milliseconds should take a few milliseconds.
            let wait = run.progress().elapsedNanoseconds < 100_000_000 ? 5 : 100
            let request = LinuxSignals.next(waitingMilliseconds: wait)
            let now = world.clock.monotonicNanoseconds()
            if let request {
                requests += 1
                if requests == 1 {
                    display.note(
                        "stopping: what is under way is delivered"
                            + (request == .interrupt ? "; Ctrl-C again ends at once" : "")
                    )
                    run.stop()
                } else {
                    display.note("ending at once")
                    abortedAt = abortedAt ?? now
                    run.abort()
                }
            }
            if let abortedAt, now - abortedAt > Self.abortPatience {
                display.note("a plugin does not return; what was under way is lost")
                // Not exit: what runs at the end must not run beside the plugin's thread.
                _exit(ExitStatus.interrupted.rawValue)
            }
            display.update(run.progress(), nowNanoseconds: now)
        }
        display.finish()
    }

    private func report(
        _ summary: JobRun.Summary,
        _ job: JobDescription,
        _ deadLetters: DeadLetterFile
    ) throws {
        let report = RunReport(summary, job: job, deadLetters: deadLetters)
        Console.note(report.text)
        if json { try Console.print(try Console.json(report)) }
        switch summary.end {
        case .finished, .stopped: break
        case .aborted: throw ExitStatus.interrupted
        case .failed: throw ExitStatus.failed
        }
    }
}
