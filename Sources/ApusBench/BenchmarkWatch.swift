import ApusCore
import ApusIO
import ApusRuntime

/// Waits for things to happen in a job, and looks at the process's memory and at the clock
/// meanwhile.
struct BenchmarkWatch {
    /// How long to sleep between two looks.
    private static let stepMilliseconds = 10
    private static let memoryInterval: Int64 = 100_000_000
    private static let progressInterval: Int64 = 2_000_000_000

    let run: JobRun
    let clock: any Clock
    let progress: (String) -> Void
    /// What to tell the user now and then while something is waited for; nil for nothing.
    var status: (() -> String)?
    private(set) var memory = MemoryFigures()
    private var nextMemoryAt: Int64 = 0
    private var nextProgressAt: Int64

    init(_ run: JobRun, _ clock: any Clock, progress: @escaping (String) -> Void) {
        self.run = run
        self.clock = clock
        self.progress = progress
        nextProgressAt = clock.monotonicNanoseconds() + Self.progressInterval
    }

    /// The time, in monotonic nanoseconds.
    var now: Int64 { clock.monotonicNanoseconds() }

    /// Waits until something is true, or a time has come.
    ///
    /// - Parameters:
    ///   - deadline: The time, in monotonic nanoseconds.
    ///   - isTrue: Asked a hundred times a second.
    /// - Returns: Whether it became true.
    /// - Throws: ``BenchmarkFailure`` when the job has ended instead, with its reason if it failed.
    @discardableResult
    mutating func wait(
        until deadline: Int64 = .max,
        _ isTrue: () -> Bool
    ) throws(BenchmarkFailure) -> Bool {
        while !isTrue() {
            let now = self.now
            if now >= deadline { return false }
            if run.hasEnded {
                _ = try run.finish()
                throw BenchmarkFailure("the job ended before it was measured")
            }
            if now >= nextMemoryAt {
                nextMemoryAt = now + Self.memoryInterval
                memory.look()
            }
            if now >= nextProgressAt {
                nextProgressAt = now + Self.progressInterval
                if let status { progress(status()) }
            }
            let left = Int((deadline - now) / 1_000_000) + 1
            LinuxThreads.sleep(milliseconds: min(Self.stepMilliseconds, left))
        }
        return true
    }

    /// Waits for a time, in monotonic nanoseconds.
    mutating func wait(until deadline: Int64) throws(BenchmarkFailure) {
        try wait(until: deadline) { false }
    }

    /// Waits until every key has been made once and counted, then, with checkpoints, until a number
    /// of them are complete that began later.
    mutating func waitForSweep(
        _ sweep: Sweep,
        subtaskCount: Int,
        checkpointCount: Int
    ) throws(BenchmarkFailure) {
        let run = run
        status = {
            let done = min(run.recordsIn(BenchmarkJob.measuredNode), sweep.recordCount)
            return "\(done * 100 / max(1, sweep.recordCount)) % of \(sweep.recordCount) keys made"
        }
        try wait { sweep.isEnded(subtaskCount: subtaskCount) }
        let made = run.progress().sourceRecords
        try wait { run.recordsIn(BenchmarkJob.measuredNode) >= made }
        defer { status = nil }
        guard checkpointCount > 0, run.progress().checkpoints != nil else { return }
        // The one under way holds a part of the keys only.
        let goal = completeCount + checkpointCount + 1
        status = { "waiting for checkpoints of all keys" }
        try wait {
            run.progress().checkpoints?.completeCount ?? 0 >= goal
        }
    }

    /// How many checkpoints are complete.
    var completeCount: Int { run.progress().checkpoints?.completeCount ?? 0 }

    /// The number of the newest attempt that has ended; 0 for none.
    var newestAttempt: UInt64 { run.checkpoints().last?.number ?? 0 }

    /// The attempts behind one, of the last hundred.
    func attempts(after number: UInt64) -> [CheckpointStatistics] {
        run.checkpoints().filter { $0.number > number }
    }

    /// Looks at the memory now.
    mutating func lookAtMemory() { memory.look() }
}
