import ApusCore
import ApusGraph
import ApusMemory
import CApusPlugin

/// A source at work on one subtask: reads, makes watermarks, notices idleness, ends.
final class SourceHead: Head {
    /// How a source's records carry time.
    struct TimePolicy {
        /// Records can be older than the newest one by this much (microseconds).
        let outOfOrder: Int64
        /// The source is idle after so long without a record (microseconds); nil for never.
        let idleAfter: Int64?
        /// What keeps the source's subtasks together; nil for one that has only one subtask.
        let alignment: SourceAlignment?
    }

    /// Where a source takes part in its job.
    struct Place {
        /// The node's id.
        let node: String
        /// The node's index in the plan.
        let nodeIndex: Int
        /// Which of the node's subtasks it is.
        let subtask: Int
        /// What the control plane asks for.
        let control: RunControl
        /// What it needs for checkpoints; nil when there are none.
        var checkpoints: ThreadCheckpoints?
        /// How it was in the checkpoint that the job goes on from.
        var restored: SourceSnapshot?
    }

    private enum Phase {
        case running
        case finished
    }

    /// Watermarks are sent at most this often: each one flushes half-filled batches.
    private static let watermarkInterval: Int64 = 1_000_000

    let nodeIndex: Int
    private let node: String
    private let subtask: Int
    private let source: any RecordSource
    /// The same source, when it fills batches of its own.
    private let batchSource: (any BatchSource)?
    private let stamper: (any TimeStamper)?
    private let port: OutputPort
    private let batch: RecordBatch
    private let time: TimePolicy?
    private let rejects: RejectHandler
    private let counters: StageCounters
    private let control: RunControl
    private let checkpoints: ThreadCheckpoints?
    private let clock: any Clock
    private let notify: @Sendable (String) -> Void
    private var phase = Phase.running
    private var isIdle = false
    private var hasNothing = false
    private var newestTime = Int64.min
    private var sentWatermark = Int64.min
    private var nextWatermarkAt = Int64.min
    private var lastRecordAt: Int64
    /// What the source was when it ended.
    private var endSnapshot: SourceSnapshot?
    private var isClosed = false
    /// The newest complete checkpoint that the source knows of.
    private var knownCheckpoint: UInt64 = 0

    init(
        _ place: Place,
        source: any RecordSource,
        port: OutputPort,
        time: TimePolicy?,
        stamper: (any TimeStamper)? = nil,
        recordsPerBatch: Int,
        rejects: RejectHandler,
        counters: StageCounters,
        clock: any Clock,
        notify: @escaping @Sendable (String) -> Void
    ) {
        node = place.node
        nodeIndex = place.nodeIndex
        subtask = place.subtask
        control = place.control
        checkpoints = place.checkpoints
        self.source = source
        batchSource = source as? any BatchSource
        self.stamper = stamper
        self.port = port
        self.time = time
        self.counters = counters
        self.clock = clock
        self.notify = notify
        self.rejects = rejects
        batch = RecordBatch(recordCapacity: recordsPerBatch, arenaCapacity: 512 << 10)
        lastRecordAt = clock.monotonicNanoseconds()
        if let restored = place.restored {
            newestTime = restored.newestTime
            sentWatermark = restored.watermark
            if time != nil, newestTime != .min {
                time?.alignment?.report(subtask, newest: newestTime)
            }
        }
    }

    /// Begins; once, before ``resume()``.
    func open() throws(JobFailure) {
        do { try source.open() } catch { throw fail(error) }
    }

    /// Goes on where a checkpoint was: tells how far event time has come.
    ///
    /// Once, before the first step.
    func resume() throws(JobFailure) {
        guard sentWatermark != .min else { return }
        counters.setWatermark(sentWatermark)
        try port.sendWatermark(sentWatermark)
    }

    var isFinished: Bool { phase == .finished }
    var isPolling: Bool { phase == .running }
    var hasInput: Bool { phase == .running && !hasNothing }

    /// Reads one batch and sends it.
    func step() throws(JobFailure) -> Bool {
        guard phase == .running else { return false }
        if control.current == .stop {
            // Event time stays where it is: timers that are not due do not fire.
            try end()
            return true
        }
        if newestTime != .min, let alignment = time?.alignment, alignment.mustWait(at: newestTime) {
            hasNothing = true
            return false
        }
        try noteCheckpoint()
        let (progress, hasRecords) = try read()
        let now = clock.monotonicNanoseconds()
        if hasRecords { lastRecordAt = now }
        switch progress {
        case .advanced:
            hasNothing = false
            try sendWatermarkIfDue(now, isForced: false)
            return true
        case .nothingYet:
            hasNothing = true
            try sendWatermarkIfDue(now, isForced: true)
            try noticeIdleness(now)
            return hasRecords
        case .ended:
            try sendWatermark(.max)
            endSnapshot = try snapshot(hasEnded: true)
            try end()
            return true
        }
    }

    /// Reads records and sends them.
    private func read() throws(JobFailure) -> (progress: SourceProgress, hasRecords: Bool) {
        guard let batchSource else {
            batch.reset()
            let progress = try read { (reject) throws(EndpointError) in
                try source.read(into: batch, reject: reject)
            }
            if batch.count > 0 { try send(batch) }
            return (progress, batch.count > 0)
        }
        var progress = SourceProgress.advanced
        var hasRecords = false
        repeat {
            progress = try read { (reject) throws(EndpointError) in
                try batchSource.poll(watermark: sentWatermark, reject: reject)
            }
            try batchSource.drain { (batch: RecordBatch) throws(JobFailure) in
                if let stamper {
                    for record in stamper.stamp(batch) { try rejects.reject(record, node: node) }
                }
                guard batch.count > 0 else { return }
                hasRecords = true
                try send(batch)
            }
        } while batchSource.isPartial && control.current != .abort
        return (progress, hasRecords)
    }

    private func read(
        _ call: ((RejectedRecord) throws(EndpointError) -> Void) throws(EndpointError) ->
            SourceProgress
    ) throws(JobFailure) -> SourceProgress {
        var failure: JobFailure?
        do throws(EndpointError) {
            return try call { (record) throws(EndpointError) in
                do throws(JobFailure) {
                    try rejects.reject(record, node: node)
                } catch {
                    failure = error
                    throw EndpointError(error.message)
                }
            }
        } catch {
            throw failure ?? fail(error)
        }
    }

    private func send(_ batch: RecordBatch) throws(JobFailure) {
        isIdle = false
        counters.addOut(batch.count)
        if time != nil { noteTimes(of: batch) }
        try port.send(batch)
    }

    private func fail(_ error: EndpointError) -> JobFailure {
        JobFailure(.environment, node: node, error.description)
    }

    private func end() throws(JobFailure) {
        time?.alignment?.report(subtask, newest: .max)
        phase = .finished
        // One that wants to know of the last checkpoint stays open until that is complete.
        if checkpoints == nil || !source.wantsCheckpoints { try close() }
        try port.sendEnd()
    }

    /// Closes what stays open until the job's last checkpoint is complete.
    func close() throws(JobFailure) {
        guard !isClosed else { return }
        try noteCheckpoint()
        isClosed = true
        do { try source.close() } catch { throw fail(error) }
    }

    /// Tells the source of a checkpoint that is complete.
    private func noteCheckpoint() throws(JobFailure) {
        let complete = control.completeCheckpoint
        guard complete != knownCheckpoint else { return }
        knownCheckpoint = complete
        do { try source.noteCheckpoint(complete) } catch { throw fail(error) }
    }

    // MARK: - Checkpoints

    /// Sends a barrier, and reports what is in front of it.
    ///
    /// Between two steps of the thread's loop: no source is in the middle of a read then.
    func sendBarrier(_ number: UInt64) throws(JobFailure) {
        guard let checkpoints else { preconditionFailure("barriers come only with checkpoints") }
        checkpoints.meter.begin(number)
        if phase == .running {
            try port.sendBarrier(number)
            Failpoint.hit(.c2)
        }
        let cut = if let endSnapshot { endSnapshot } else { try snapshot(hasEnded: false) }
        guard let cut else {
            let reason = "source '\(node)' cannot be resumed: it has no position to go back to"
            checkpoints.mailbox.post(.declined(number, reason))
            return
        }
        if source.wantsCheckpoints { source.noteBarrier(number) }
        Failpoint.hit(.c3)
        checkpoints.mailbox.post(
            .report(
                SubtaskReport(
                    number: number,
                    subtask: SubtaskID(nodeIndex: nodeIndex, node: node, subtask: subtask),
                    content: .source(cut),
                    inFlight: nil,
                    pauseNanoseconds: checkpoints.meter.longest,
                    alignmentNanoseconds: 0,
                    isUnaligned: false
                )
            )
        )
        Failpoint.hit(.c8)
        if phase == .running, number == control.lastBarrier {
            // Event time stays where it is: the job goes on from here.
            endSnapshot = cut
            try end()
        }
    }

    private func snapshot(hasEnded: Bool) throws(JobFailure) -> SourceSnapshot? {
        let position: [UInt8]?
        do { position = try source.position } catch { throw fail(error) }
        guard let position else { return nil }
        return SourceSnapshot(
            position: position,
            newestTime: newestTime,
            watermark: sentWatermark,
            hasEnded: hasEnded
        )
    }

    func abandon() {
        phase = .finished
        guard !isClosed else { return }
        isClosed = true
        // The job was aborted or has failed before: what goes wrong now changes nothing.
        do { try source.close() } catch { return }
    }

    // MARK: - Time

    private func noteTimes(of batch: RecordBatch) {
        newestTime = max(newestTime, batch.newestTime)
        time?.alignment?.report(subtask, newest: newestTime)
    }

    private func sendWatermarkIfDue(_ now: Int64, isForced: Bool) throws(JobFailure) {
        guard let time, newestTime != .min else { return }
        let watermark = newestTime &- time.outOfOrder &- 1
        guard watermark > sentWatermark else { return }
        guard isForced || now >= nextWatermarkAt else { return }
        nextWatermarkAt = now + Self.watermarkInterval
        try sendWatermark(watermark)
    }

    private func sendWatermark(_ watermark: Int64) throws(JobFailure) {
        sentWatermark = watermark
        counters.setWatermark(watermark)
        try port.sendWatermark(watermark)
    }

    private func noticeIdleness(_ now: Int64) throws(JobFailure) {
        guard let idleAfter = time?.idleAfter, !isIdle else { return }
        guard now &- lastRecordAt >= idleAfter &* 1000 else { return }
        isIdle = true
        time?.alignment?.report(subtask, newest: .max)
        notify(
            "source '\(node)' is idle: no record for "
                + DurationText.format(microseconds: idleAfter)
                + "; event time goes on without it (watermark.idle-after)"
        )
        try port.sendIdle()
    }

    /// Hands on what waits in buffers.
    func flush() throws(JobFailure) -> Bool { try port.flush() }
}
