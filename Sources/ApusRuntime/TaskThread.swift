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

    /// How long a thread without work looks for some before it sleeps, in nanoseconds.
    ///
    /// Not longer: a thread that never sleeps has no claim to a processor at once when other
    /// threads of the process need one for a checkpoint, and waits behind them.
    private static let spinNanoseconds: Int64 = 10_000
    /// The first sleep while a source may get new input, in nanoseconds; twice as long each time
    /// that there was none, up to the longest.
    private static let pollIntervalMin: Int64 = 100_000
    private static let pollInterval: Int64 = 1_000_000
    /// How long snapshots and housekeeping may take in one pass, in nanoseconds.
    private static let sliceLimit: Int64 = 100_000
    /// They may take so much of a longer pass, or they would never catch up with it.
    private static let sliceShare: Int64 = 4
    /// But never longer than this, in nanoseconds.
    private static let sliceLimitMax: Int64 = 1_000_000
    /// The longest sleep at all: a net under the doorbell.
    private static let sleepLimit: Int64 = 20_000_000

    let index: Int
    let bell = Doorbell()
    /// What the thread needs for checkpoints; nil when there are none.
    let checkpoints: ThreadCheckpoints?
    private let control: RunControl
    private let clock: any Clock
    private let bufferTimeout: Int64
    private var heads: [any Head] = []
    private var sources: [SourceHead] = []
    private var stages: [Stage] = []
    /// The newest barrier that the sources have sent.
    private var barrier: UInt64 = 0
    /// Whether a stage has something left to do for it.
    private var isBarrierOpen = false
    private var hasReportedEnd = false
    private var slice = TaskThread.sliceLimit
    /// Parts of snapshots come no closer, so that they leave the processor to others in between.
    private var nextSliceAt: Int64 = 0
    /// How long the next sleep may be while a source may get new input.
    private var poll = TaskThread.pollIntervalMin

    init(
        index: Int,
        control: RunControl,
        clock: any Clock,
        bufferTimeoutMicroseconds: Int64,
        checkpoints: ThreadCheckpoints?
    ) {
        self.index = index
        self.checkpoints = checkpoints
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
        checkpoints?.stages = stages
        defer { checkpoints?.stages = [] }
        do {
            // Readers first: what one stage sends, those behind it are ready for.
            for stage in stages {
                try stage.open()
                try stage.resume()
            }
            for source in sources {
                try source.open()
                try source.resume()
            }
            try loop()
            if control.current != .abort {
                for source in sources { try source.close() }
                for stage in stages { try stage.close() }
            }
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
        var idleSince: Int64?
        var passStart = lastFlush
        while control.current != .abort {
            let tookPart = checkpoints != nil ? try takePartInCheckpoint() : false
            var worked = false
            for head in heads where try head.step() { worked = true }
            for stage in stages where stage.nextProcessingTime != .max {
                if try stage.advanceProcessingTime(to: clock.wallMicroseconds()) { worked = true }
            }
            let now = clock.monotonicNanoseconds()
            // A pass with a part of a snapshot is a long one: records that are there must not wait
            // for many of them.
            if !worked || tookPart || now &- lastFlush >= bufferTimeout {
                lastFlush = now
                if try flush() { worked = true }
            }
            // Not `now`: a flush may have waited for readers since.
            let passEnd = clock.monotonicNanoseconds()
            let part = (passEnd &- passStart) / Self.sliceShare
            slice = min(max(Self.sliceLimit, part), Self.sliceLimitMax)
            for stage in stages {
                stage.maintain(until: passEnd &+ slice)
                try stage.settleDown(until: passEnd &+ slice)
            }
            passStart = clock.monotonicNanoseconds()
            if worked || tookPart {
                idleSince = nil
                poll = Self.pollIntervalMin
                checkpoints?.share?.rest(now: passStart)
                continue
            }
            if heads.allSatisfy(\.isFinished), mayEnd() { return }
            let since = idleSince ?? passStart
            idleSince = since
            if passStart &- since >= Self.spinNanoseconds {
                sleep()
                checkpoints?.share?.noteSleep(now: passStart)
            }
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
        if heads.contains(where: \.isPolling) {
            limit = poll
            poll = min(2 * poll, Self.pollInterval)
        }
        var next = Int64.max
        for stage in stages { next = min(next, stage.nextProcessingTime) }
        if next != .max {
            let now = clock.wallMicroseconds()
            // Compared in microseconds: a timer may be too far away to tell in nanoseconds.
            limit = next <= now ? 0 : min(limit / 1000, next &- now) * 1000
        }
        if isBarrierOpen { limit = min(limit, nextSliceAt &- clock.monotonicNanoseconds()) }
        guard limit > 0 else { return }
        bell.sleep(nanoseconds: limit) {
            heads.contains { $0.hasInput } || stages.contains { $0.hasArrivals }
                || control.current == .abort || control.barrier != barrier || control.isReleased
        }
    }

    // MARK: - Checkpoints

    /// Sends a barrier that is asked for, and goes on with what stages have left to do for it.
    private func takePartInCheckpoint() throws(JobFailure) -> Bool {
        checkpoints?.meter.beginPass()
        let wanted = control.barrier
        if wanted != barrier {
            barrier = wanted
            isBarrierOpen = true
            for source in sources { try source.sendBarrier(wanted) }
        }
        return isBarrierOpen ? try advanceCheckpoint() : false
    }

    private func advanceCheckpoint() throws(JobFailure) -> Bool {
        let start = clock.monotonicNanoseconds()
        guard start >= nextSliceAt else { return false }
        let limit = start &+ slice
        var worked = false
        var isOpen = false
        for stage in stages {
            if try stage.advanceCheckpoint(barrier, until: limit) { worked = true }
            if stage.reportedNumber < barrier { isOpen = true }
        }
        isBarrierOpen = isOpen
        if control.lastBarrier == 0 {
            nextSliceAt = start &+ Self.sliceShare &* (clock.monotonicNanoseconds() &- start)
        }
        return worked
    }

    /// Whether the thread may end: with checkpoints it waits for the last one.
    private func mayEnd() -> Bool {
        guard let checkpoints else { return true }
        if !hasReportedEnd {
            hasReportedEnd = true
            checkpoints.mailbox.post(.threadEnded)
        }
        return control.isReleased
    }

    // MARK: - Backpressure

    /// Waits until a channel has taken what waits in its overflow queue.
    func relieve(_ channel: Channel, writerIndex: Int) throws(JobFailure) {
        try wait(writerIndex: writerIndex) { channel.flushOverflow() }
    }

    /// Waits until a node may go on.
    ///
    /// Meanwhile heads behind the node run: they may be what it waits for.  Only those with a
    /// higher node index: nodes are in topological order, so none of them can be in the middle of
    /// a call, and none can write to a channel that the node writes to or reads.
    func wait(writerIndex: Int, until isReady: () -> Bool) throws(JobFailure) {
        while !isReady() {
            if control.current == .abort { return }
            var worked = false
            for head in heads where head.nodeIndex > writerIndex {
                if try head.step() { worked = true }
            }
            if !worked, isBarrierOpen {
                // A snapshot must not wait for a slow reader: it would take for ever.
                let limit = clock.monotonicNanoseconds() &+ Self.sliceLimit
                for stage in stages where stage.continueSnapshotWhileWaiting(until: limit) {
                    worked = true
                }
            }
            if !worked {
                bell.sleep(nanoseconds: Self.pollInterval) {
                    isReady() || heads.contains { $0.nodeIndex > writerIndex && $0.hasInput }
                }
            }
        }
    }
}
