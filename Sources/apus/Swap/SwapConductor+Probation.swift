import ApusCheckpoint
import ApusCore
import ApusIO
import ApusRuntime
import ApusSwap
import Synchronization

// The guard: it watches what is on probation, and decides.
extension SwapConductor {
    /// How often the guard looks, in milliseconds.
    static let pollMilliseconds = 10

    /// What is on probation: other versions of operators, or another graph.
    struct Trial {
        /// The run that has it.
        var run: JobRun
        /// Whether the checkpoint of the cut is complete when the trial begins.
        var isCutComplete = false
        /// What it has shown.
        var observe: () -> ProbationRecord
        /// It stays; why, when the probation is not over.
        var commit: (String?) -> Void
        /// It goes, for a reason.
        var rollBack: (String, SwapEntry.Cause) -> Void
    }

    /// Watches a trial until it is decided.
    func watch(_ trial: Trial, _ order: SwapOrder) {
        let run = trial.run
        let begin = world.clock.monotonicNanoseconds()
        let end = begin + (order.guardMicroseconds ?? 0) * 1000
        tell { $0.phase = .probation }
        var lease: CheckpointLease?
        defer { lease?.release() }
        while true {
            // As soon as it is complete, so that it is there when the job has to go back.
            if lease == nil, let cut = cutCheckpoint, trial.isCutComplete || run.isComplete(cut) {
                do { lease = try run.lease(cut) } catch { Console.note("warning: \(error)") }
                Failpoint.hit(.s5)
            }
            let now = world.clock.monotonicNanoseconds()
            let seen = Self.observation(trial.observe())
            tell { status in
                status.guard = SwapStatus.Guard(
                    endsInSeconds: Double(max(0, end - now)) / 1e9,
                    records: seen.recordCount,
                    errorRate: seen.errorRate,
                    p99Microseconds: seen.p99Microseconds,
                    counters: seen.counters
                )
            }
            let (wish, failure) = current.withLock { ($0?.wish, $0?.failure) }
            if failure != nil || run.hasFailed {
                let reason = failure ?? run.failure?.description ?? "the job was ended"
                return trial.rollBack(reason, .breach)
            }
            let isOver = now >= end && wish == nil && !run.isEnding
            if let breach = order.limits.breach(seen, isLast: isOver) {
                return trial.rollBack(breach, .breach)
            }
            switch wish {
            case .rollBack: return trial.rollBack("on request", .request)
            case .commit: return trial.commit("on request")
            case nil: break
            }
            if now >= end { return trial.commit(nil) }
            // What the end leaves is the job's output: it is decided now.
            if run.isEnding {
                return trial.commit(
                    "the job was stopped or its input has ended, and no limit was broken"
                )
            }
            LinuxThreads.sleep(milliseconds: Self.pollMilliseconds)
        }
    }

    private var cutCheckpoint: UInt64? {
        // A job without a journal has no checkpoints either.
        current.withLock { $0?.status.swap == nil ? nil : $0?.status.checkpoint }
    }

    private static func observation(_ record: ProbationRecord) -> SwapLimits.Observation {
        var seen = SwapLimits.Observation()
        seen.recordCount = record.recordCount
        seen.rejectedCount = record.rejectedCount
        seen.batchCount = record.batchCount
        seen.p99Microseconds = record.p99Nanoseconds.map { $0 / 1000 }
        for counters in record.counters.values {
            seen.counters.merge(counters) { $0 &+ $1 }
        }
        return seen
    }
}
