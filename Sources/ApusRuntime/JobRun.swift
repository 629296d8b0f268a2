import ApusCheckpoint
import ApusCore
package import ApusGraph
import ApusMemory
import Synchronization

/// A job at work in this process: its threads, from start to end.
///
/// The border between the control plane and the task threads.  Methods are for any thread unless
/// they say otherwise.
package final class JobRun: Sendable {
    /// How a job ended.
    package enum End: Equatable, Sendable {
        /// The input ended, and everything was delivered.
        case finished
        /// It was asked to stop, and everything that was under way was delivered.
        case stopped
        /// It was asked to end at once; what was under way is lost.
        case aborted
        /// It failed; what was delivered until then is not the whole output.
        case failed(JobFailure)
    }

    /// What is known at the end.
    package struct Summary: Sendable {
        /// How the job ended.
        package let end: End
        /// The last progress.
        package let progress: JobProgress
        /// Timers that were armed and had not fired, by operator.
        package let armedTimers: [(node: String, count: Int)]
        /// The plugins' own counters, by operator, over all subtasks.
        package let pluginCounters: [(node: String, name: String, value: UInt64)]

        /// The same summary of a job that failed after all: its last step went wrong.
        package func failing(_ failure: JobFailure) -> Summary {
            if case .failed = end { return self }
            return Summary(
                end: .failed(failure),
                progress: progress,
                armedTimers: armedTimers,
                pluginCounters: pluginCounters
            )
        }
    }

    let plan: PhysicalPlan
    let environment: JobEnvironment
    let control: RunControl
    private let startedAt: Int64
    private let counters: [[StageCounters]]
    let taskThreads: [TaskThread]
    /// Where tools ask the operators, by node and subtask.
    let stateInboxes: [[StateInbox]]
    private let running: [any RunningThread]
    /// Takes the job's checkpoints; nil for a job that takes none.
    let checkpointing: JobCheckpoints?
    /// Touched by wait() after the threads have ended, and by nothing else.
    let operators: OperatorList
    /// The versions of the operators.
    let versions: OperatorVersions

    private let flags = Flags()

    /// What threads and callers note about the run.
    private final class Flags: Sendable {
        /// How many threads have ended.
        let endedCount: Atomic<Int> = Atomic(0)
        let isStopRequested: Atomic<Bool> = Atomic(false)
    }

    /// The operators' stages; they belong to the task threads until those have ended.
    final class OperatorList: @unchecked Sendable {
        // @unchecked because only constants of the stages are read before the threads that own them
        // were joined.
        let stages: [OperatorStage]
        init(_ stages: [OperatorStage]) { self.stages = stages }
    }

    /// Builds a job and starts its threads.
    ///
    /// A job that goes on from a checkpoint delivers first what that has undelivered.  When its
    /// input had ended then, nothing else is to be done: the job has ended at once.
    ///
    /// - Precondition: `environment` has an implementation for every operator of the plan.
    /// - Throws: ``JobFailure`` when a source, sink or operator cannot be made, or does not fit the
    ///   checkpoint; nothing runs then.
    package init(plan: PhysicalPlan, environment: JobEnvironment) throws(JobFailure) {
        self.plan = plan
        self.environment = environment
        let control = RunControl()
        self.control = control
        let preparation = try JobCheckpoints.Preparation(plan: plan, environment: environment)
        versions = preparation.versions
        if let settings = environment.checkpoints, settings.isOnProbation {
            control.limitDelivery(to: settings.restored?.number ?? 0)
        }
        guard !preparation.isFinal else {
            checkpointing = nil
            counters = plan.nodes.map { _ in [] }
            taskThreads = []
            stateInboxes = plan.nodes.map { _ in [] }
            operators = OperatorList([])
            startedAt = environment.clock.monotonicNanoseconds()
            running = []
            return
        }
        let assembly = try JobAssembly(
            plan: plan,
            environment: environment,
            control: control,
            restore: preparation.restore,
            makeCheckpoints: preparation.makeThreadCheckpoints
        )
        Failpoint.hit(.x7)
        counters = assembly.counters
        taskThreads = assembly.threads
        operators = OperatorList(assembly.operators)
        stateInboxes = plan.nodes.map { node in
            assembly.operators.filter { $0.nodeIndex == node.index }
                .sorted { $0.subtask < $1.subtask }.map(\.desk.inbox)
        }
        startedAt = environment.clock.monotonicNanoseconds()
        let checkpointing = preparation.start(control, threads: assembly.threads)
        self.checkpointing = checkpointing
        running = assembly.threads.map { [flags, threads = assembly.threads] thread in
            environment.threads.start(name: "apus-task-\(thread.index)", role: .task) {
                thread.run {
                    for other in threads { other.requestStop() }
                    checkpointing?.wake()
                }
                flags.endedCount.add(1, ordering: .releasing)
            }
        }
        Failpoint.hit(.x8)
    }

    /// Asks the sources to stop; what is under way is delivered.
    ///
    /// A job with checkpoints takes a last one: what the sources have read until then is delivered
    /// and part of it, and the job can go on from there.
    package func stop() {
        flags.isStopRequested.store(true, ordering: .relaxed)
        if let checkpointing {
            checkpointing.stop()
        } else {
            control.ask(.stop)
            for thread in taskThreads { thread.bell.ring() }
        }
    }

    /// Asks everything to stop where it is.
    package func abort() {
        control.ask(.abort)
        for thread in taskThreads { thread.requestStop() }
        checkpointing?.wake()
    }

    /// The last 100 checkpoints that were tried, oldest first.
    package func checkpoints() -> [CheckpointStatistics] { checkpointing?.history.attempts ?? [] }

    /// Whether all threads have ended: ``wait()`` returns at once then.
    package var hasEnded: Bool {
        flags.endedCount.load(ordering: .acquiring) == running.count
            && checkpointing?.hasEnded ?? true
    }

    /// Waits for the end.
    ///
    /// Once, by one caller; blocks its thread.
    package func wait() -> Summary {
        for thread in running { thread.join() }
        checkpointing?.join()
        let end: End
        if let failure = control.failure {
            end = .failed(failure)
        } else if control.current == .abort {
            end = .aborted
        } else {
            let wasStopped = flags.isStopRequested.load(ordering: .relaxed)
            // A stop that came after the end of the input changed nothing.
            let isFinal = checkpointing?.history.attempts.last?.isFinal ?? false
            end = wasStopped && !isFinal ? .stopped : .finished
        }
        let summary = Summary(
            end: end,
            progress: progress(),
            armedTimers: armedTimers(),
            pluginCounters: pluginCounters()
        )
        for stage in operators.stages { stage.destroy() }
        return summary
    }

    /// What the job has done so far.
    package func progress() -> JobProgress {
        let nodes = plan.nodes.map { node in
            let all = counters[node.index]
            return JobProgress.Node(
                id: node.id,
                recordsIn: all.reduce(0) { $0 + $1.recordsIn },
                recordsOut: all.reduce(0) { $0 + $1.recordsOut },
                rejected: all.reduce(0) { $0 + $1.rejected },
                timersFired: all.reduce(0) { $0 + $1.timersFired },
                watermark: all.map(\.watermark).min() ?? .min,
                keyCount: all.reduce(0) { $0 + $1.keyCount },
                stateByteCount: all.reduce(0) { $0 + $1.stateByteCount }
            )
        }
        let sources = plan.nodes.filter { if case .source = $0.role { true } else { false } }
        return JobProgress(
            nodes: nodes,
            checkpoints: checkpointing?.history.totals,
            elapsedNanoseconds: environment.clock.monotonicNanoseconds() - startedAt,
            sourceRecords: sources.reduce(0) { $0 + nodes[$1.index].recordsOut },
            rejectedRecords: nodes.reduce(0) { $0 + $1.rejected }
        )
    }

    /// The processor time of the task threads that still run, in nanoseconds.
    package func cpuNanoseconds() -> Int64 {
        running.reduce(0) { $0 + $1.cpuNanoseconds() }
    }

    private func armedTimers() -> [(node: String, count: Int)] {
        var counts: [(node: String, count: Int)] = []
        for node in plan.nodes {
            let count = operators.stages.filter { $0.nodeIndex == node.index }
                .reduce(0) { $0 + $1.armedTimerCount }
            if count > 0 { counts.append((node.id, count)) }
        }
        return counts
    }

    private func pluginCounters() -> [(node: String, name: String, value: UInt64)] {
        var sums: [(node: String, name: String, value: UInt64)] = []
        for node in plan.nodes {
            for stage in operators.stages where stage.nodeIndex == node.index {
                for counter in stage.pluginCounters {
                    let at = sums.firstIndex { $0.node == node.id && $0.name == counter.name }
                    if let at {
                        sums[at].value &+= counter.value
                    } else {
                        sums.append((node.id, counter.name, counter.value))
                    }
                }
            }
        }
        return sums
    }
}
