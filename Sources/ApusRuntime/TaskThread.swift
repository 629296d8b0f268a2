import ApusCore
import ApusMemory

/// A thread of a job: drives the heads of its chains, readers first, until all have ended.
///
/// One pass asks every head for a bounded amount of work, the ones nearest to the sinks first, so
/// that what is under way leaves before new work comes in.  Then come timers in processing time
/// and, when the buffer time-out has passed or there was nothing to do, the flush of batches that
/// are not full.  A thread with nothing to do spins for a moment, then sleeps on its doorbell.
final class TaskThread: @unchecked Sendable {
    // @unchecked because everything but `bell` and `control` is used by the thread alone once
    // run() has begun; the control plane builds it before and reads results after joining.

    /// Passes without work before the thread sleeps.
    private static let spinPasses = 64
    /// The longest sleep while a source may get new input, in nanoseconds.
    private static let pollInterval: Int64 = 1_000_000
    /// The longest sleep at all: a net under the doorbell.
    private static let sleepLimit: Int64 = 20_000_000

    let index: Int
    let bell = Doorbell()
    private let control: RunControl
    private let clock: any Clock
    private let bufferTimeout: Int64
    private var heads: [any Head] = []
    private var sources: [SourceHead] = []
    private var stages: [Stage] = []

    init(index: Int, control: RunControl, clock: any Clock, bufferTimeoutMicroseconds: Int64) {
        self.index = index
        self.control = control
        self.clock = clock
        bufferTimeout = bufferTimeoutMicroseconds * 1000
    }

    /// Adds a stage that runs here.
    ///
    /// Before run().
    func add(_ stage: Stage) { stages.append(stage) }

    /// Adds a head that runs here.
    ///
    /// Before run().
    func add(_ head: any Head) {
        heads.append(head)
        heads.sort { $0.nodeIndex > $1.nodeIndex }
        if let source = head as? SourceHead { sources.append(source) }
    }

    /// Tells callbacks that run to return soon.
    ///
    /// Any thread.
    func requestStop() {
        for stage in stages { stage.requestStop() }
        bell.ring()
    }

    // MARK: - The loop

    /// Runs until everything has ended, or the job is aborted.
    ///
    /// - Parameter onFailure: Called when this thread has made the job fail.
    func run(onFailure: () -> Void) {
        do {
            for stage in stages { try stage.open() }
            try loop()
        } catch {
            control.fail(error)
            onFailure()
        }
        // What has ended by itself is closed already; what was broken off is not.
        for head in heads { head.abandon() }
        for stage in stages { stage.abandon() }
    }

    private func loop() throws(JobFailure) {
        var lastFlush = clock.monotonicNanoseconds()
        var emptyPasses = 0
        while control.current != .abort {
            var worked = false
            for head in heads where try head.step() { worked = true }
            for stage in stages where stage.nextProcessingTime != .max {
                if try stage.advanceProcessingTime(to: clock.wallMicroseconds()) { worked = true }
            }
            let now = clock.monotonicNanoseconds()
            if !worked || now &- lastFlush >= bufferTimeout {
                lastFlush = now
                if try flush() { worked = true }
            }
            if worked {
                emptyPasses = 0
                continue
            }
            if heads.allSatisfy(\.isFinished) { return }
            emptyPasses += 1
            if emptyPasses > Self.spinPasses { sleep() }
        }
    }

    private func flush() throws(JobFailure) -> Bool {
        var hadAny = false
        for source in sources where try source.flush() { hadAny = true }
        for stage in stages where try stage.flush() { hadAny = true }
        return hadAny
    }

    private func sleep() {
        var limit = Self.sleepLimit
        if heads.contains(where: \.isPolling) { limit = Self.pollInterval }
        var next = Int64.max
        for stage in stages { next = min(next, stage.nextProcessingTime) }
        if next != .max {
            let now = clock.wallMicroseconds()
            // Compared in microseconds: a timer may be too far away to tell in nanoseconds.
            limit = next <= now ? 0 : min(limit / 1000, next &- now) * 1000
        }
        guard limit > 0 else { return }
        bell.sleep(nanoseconds: limit) {
            heads.contains { $0.hasInput } || control.current == .abort
        }
    }

    // MARK: - Backpressure

    /// Waits until a channel has taken what waits in its overflow queue.
    ///
    /// Meanwhile heads behind the writer run: they may be what the channel waits for.  Only those
    /// with a higher node index: nodes are in topological order, so none of them can be in the
    /// middle of a call, and none can write to this channel.
    func relieve(_ channel: Channel, writerIndex: Int) throws(JobFailure) {
        while !channel.flushOverflow() {
            if control.current == .abort { return }
            var worked = false
            for head in heads where head.nodeIndex > writerIndex {
                if try head.step() { worked = true }
            }
            if !worked, channel.hasOverflow {
                bell.sleep(nanoseconds: Self.pollInterval) {
                    channel.flushOverflow()
                        || heads.contains { $0.nodeIndex > writerIndex && $0.hasInput }
                }
            }
        }
    }
}
