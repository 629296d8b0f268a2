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
            not fire. A second Ctrl-C ends the job at once.

            EXAMPLE
              apus run samples/flights/job.yaml --parallelism 2
              apus run job.yaml --set spec.sources.orders.config.path=orders.jsonl
            """
    )

    @OptionGroup var options: JobOptions

    @Flag(help: "Print the summary as JSON on standard output.")
    var json = false

    func run() throws {
        // Before any other thread: they inherit the mask.
        LinuxSignals.block()
        apus_guard_install_crash_report()
        let world = World()
        let startWatch = StartWatch(world.threads)
        let preparation = options.prepare(world)
        let job = try preparation.readJob()
        let (plan, implementations) = try preparation.load(job)
        let deadLetters = DeadLetterFile(
            path: job.errors.deadLetterFile,
            policy: job.errors.policy == .fail ? .fail : .deadLetter,
            disk: world.disk
        )
        let environment = JobEnvironment(
            clock: world.clock,
            threads: world.threads,
            endpoints: Endpoints(world: world),
            deadLetters: deadLetters,
            implementations: implementations,
            notify: { Console.note("note: \($0)") }
        )
        let run: JobRun
        do {
            run = try JobRun(plan: plan, environment: environment)
        } catch {
            Console.error(error.description)
            throw error.fault == .data ? ExitStatus.failed : ExitStatus.invalid
        }
        startWatch.end()
        Console.note("job '\(job.name)': started, parallelism \(plan.parallelism)")
        watch(run, world)
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
