import ApusCheckpoint
import ApusControl
import ApusCore
import ApusGraph
import ApusIO
import ApusMemory
import ApusPluginHost
import ApusRuntime
import ApusSwap
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
              apus run job.yaml --from latest-or-new --restart
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

    @Flag(
        help: ArgumentHelp(
            "Run what the job file names, whatever swaps and upgrades have brought in its place.",
            discussion: """
                Without this, a job file that names a version that was replaced means the newer \
                one. The way out when that one crashes again and again. It must be able to read \
                the checkpoint.
                """
        )
    )
    var forgetSwaps = false

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

    @Option(
        defaultAsFlag: 5,
        help: ArgumentHelp(
            "Start the job again when it crashes or hangs, at most N times in a row (default: 5).",
            discussion: """
                It runs in a child process then, and goes on from its newest checkpoint; without a \
                complete one in between N restarts are all. A swap on probation is taken back. \
                Written as --restart=N, or behind the job file.
                """,
            valueName: "N"
        )
    )
    var restart: Int?

    /// The process that starts this one again; for itself alone.
    @Option(help: .hidden)
    var restartedBy: Int32?

    /// Whether an earlier child of it has taken a checkpoint, so that `from` and what goes with it
    /// has been done.
    @Flag(help: .hidden)
    var goesOn = false

    func validate() throws {
        if let restart, !(1...1_000_000).contains(restart) {
            throw ValidationError("--restart=\(restart): expected 1 to 1000000 times")
        }
    }

    func run() throws {
        // Before any other thread: they inherit the mask.
        LinuxSignals.block()
        if let restart, restartedBy == nil { throw try runAsParent(limit: restart) }
        apus_guard_install_crash_report()
        apus_guard_skip_exit_handlers()
        let world = World()
        let startWatch = StartWatch(world.threads)
        let given = try options.prepare(world).read()
        let (source, swaps) = try orInvalid {
            try SwapStart.read(
                given,
                from: startPoint,
                forgetsSwaps: forgetSwaps && !goesOn,
                world
            )
        }
        let job = source.job
        PluginWatch.start(
            warningMicroseconds: job.callLimits.warningMicroseconds,
            timeoutMicroseconds: job.callLimits.timeoutMicroseconds,
            graceMicroseconds: job.callLimits.graceMicroseconds
        )
        let secrets = try SecretFiles(job, world).read()
        let admission = try source.preparation.admission()
        let loaded = try source.preparation.load(
            source,
            admission,
            choices: swaps.choices,
            parallelism: swaps.parallelism
        )
        let deadLetters = makeDeadLetters(job, world)
        let launcher = JobLauncher(world: world, secrets: secrets, deadLetters: deadLetters)
        let opened = try orInvalid {
            try launcher.open(
                loaded.plan,
                start: swaps.start(startPoint),
                droppedState: goesOn ? [] : dropState,
                rewindsOutput: rewindOutput && !goesOn,
                swapped: swaps.swapped
            )
        }
        let control: JobControl?
        let session: JobSession
        let journal: SwapJournal?
        do {
            journal = try orInvalid {
                try swaps.record(in: opened.durable.settings?.folder)
            }
            control = try makeControl(opened.durable, world)
            session = try start(launcher, opened, loaded, journal, control)
        } catch {
            opened.durable.close()
            throw error
        }
        defer { session.close() }
        do throws(SwapJournalError) {
            try swaps.adopt(in: journal)
        } catch {
            Console.note("warning: \(error.description)")
        }
        startWatch.end()
        tellStart(job, opened.durable, loaded.plan)
        let server = control?.serve(session, admission)
        watch(session, world)
        server?.close()
        try report(end(of: session, deadLetters), job, deadLetters)
    }

    /// Waits until all of the job is written.
    private func end(of session: JobSession, _ deadLetters: DeadLetterFile) -> JobRun.Summary {
        let summary = session.wait()
        do {
            try deadLetters.close()
            return summary
        } catch {
            return summary.failing(
                JobFailure(.environment, node: "dead letters", error.description)
            )
        }
    }

    private func tellStart(_ job: JobDescription, _ durable: DurableJob, _ plan: PhysicalPlan) {
        let origin = durable.restored.map { restored in
            ", from \(restored.isFinal ? "the end: " : "")checkpoint \(restored.number)"
        }
        Console.note(
            "job '\(job.name)': started, parallelism \(plan.parallelism)\(origin ?? "")"
        )
    }

    private func makeDeadLetters(_ job: JobDescription, _ world: World) -> DeadLetterFile {
        DeadLetterFile(
            path: job.errors.deadLetterFile,
            policy: job.errors.policy == .fail ? .fail : .deadLetter,
            disk: world.disk
        )
    }

    /// Where the job begins.
    private var startPoint: StartPoint? { goesOn ? .latestOrNew : from }

    /// Runs the job in a child process, and again after an unclean end; returns its status.
    private func runAsParent(limit: Int) throws -> ExitCode {
        let world = World()
        let job = try options.prepare(world).readJob()
        guard let folder = job.durability.checkpoint?.directory else {
            Console.error(
                "--restart: the job takes no checkpoints to go on from; give it a `checkpoint:` "
                    + "with a folder, or start it without --restart"
            )
            return ExitStatus.invalid
        }
        do {
            return try RestartParent(world: world, folder: folder, limit: limit).run()
        } catch {
            Console.error("--restart: \(error)")
            return ExitStatus.failed
        }
    }

    /// Runs a part that reads what was given; what is wrong with it ends the program.
    private func orInvalid<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let status as ExitCode {
            // It has said what is wrong.
            throw status
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

    /// Starts the first run.
    private func start(
        _ launcher: JobLauncher,
        _ opened: JobLauncher.Opened,
        _ loaded: JobPreparation.Loaded,
        _ journal: SwapJournal?,
        _ control: JobControl?
    ) throws -> JobSession {
        do throws(JobFailure) {
            return JobSession(
                launcher,
                run: try launcher.start(opened, loaded),
                durable: opened.durable,
                loaded: loaded,
                journal: journal
            )
        } catch {
            control?.close()
            Console.error(error.description)
            throw error.fault == .data ? ExitStatus.failed : ExitStatus.invalid
        }
    }

    /// How long the threads may take to notice that the job is to end at once, in nanoseconds.
    private static let abortPatience: Int64 = 1_000_000_000

    /// Two requests within this time are one, made of a parent and of who asked both.
    private static let sameRequest: Int64 = 500_000_000

    /// Shows progress and takes Ctrl-C until the job has ended.
    ///
    /// Ends the process when a plugin keeps the job from ending at once.
    private func watch(_ session: JobSession, _ world: World) {
        var display = ProgressDisplay(isTerminal: Console.isTerminal)
        var requests = 0
        var requestedAt: Int64?
        var abortedAt: Int64?
        while !session.hasEnded {
            let run = session.run
            // A short first wait: a job of a few milliseconds should take a few milliseconds.
            let wait = run.progress().elapsedNanoseconds < 100_000_000 ? 5 : 100
            var request = LinuxSignals.next(waitingMilliseconds: wait)
            let now = world.clock.monotonicNanoseconds()
            if let parent = restartedBy {
                // A terminal and a service manager ask both processes, and the parent asks again.
                if let requestedAt, now - requestedAt < Self.sameRequest { request = nil }
                if request == nil, requestedAt == nil, getppid() != parent { request = .terminate }
            }
            if let request {
                requests += 1
                requestedAt = now
                if requests == 1 {
                    display.note(
                        "stopping: what is under way is delivered"
                            + (request == .interrupt ? "; Ctrl-C again ends at once" : "")
                    )
                    session.stop()
                } else {
                    display.note("ending at once")
                    abortedAt = abortedAt ?? now
                    session.abort()
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
