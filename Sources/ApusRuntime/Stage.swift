import ApusCore
import ApusMemory

/// One node's work on one task thread: takes batches and the progress of time, passes both on.
///
/// Subclasses do the work.  A stage is called by the stage before it in its chain, or by the
/// ``InputGate`` that reads its channels; always on its thread, one call at a time.
class Stage {
    /// Where a stage stands in its job.
    struct Place {
        /// The node's id.
        let node: String
        /// The node's index in the plan.
        let nodeIndex: Int
        /// Which of the node's subtasks it is.
        let subtask: Int
        /// How many channels feed it.
        let channelCount: Int
        /// What the control plane asks for.
        let control: RunControl
        /// What it needs for checkpoints; nil when there are none.
        var checkpoints: ThreadCheckpoints?
        /// Event time as it was in the checkpoint that the job goes on from.
        var watermark = Int64.min
    }

    let node: String
    let nodeIndex: Int
    let subtask: Int
    let counters = StageCounters()
    private let control: RunControl
    private var tracker: WatermarkTracker
    /// The last watermark of each channel; nil while it is idle.
    private var channelTimes: [Int64?]
    /// How far event time may go: a channel that was stopped would have held it there.
    private var timeLimit = Int64.max

    // For checkpoints; see Stage+Barriers.swift.
    final let checkpoints: ThreadCheckpoints?
    final let alignment: BarrierAlignment?
    /// Whether what comes in may have to wait for a barrier, or be logged.
    final var isDiverting = false
    /// The newest checkpoint that has a snapshot of this stage.
    final var cutNumber: UInt64 = 0
    /// The newest checkpoint that this stage has nothing left to do for.
    final var reportedNumber: UInt64 = 0
    final var alignmentNanoseconds: Int64 = 0
    final var inFlight: InFlightFile?
    /// Whether what is done now is part of no checkpoint and must not be seen.
    final var isPastLastBarrier = false
    /// Records that a barrier had overtaken when the job was checkpointed.
    final var replays: [InFlightLog.Replay] = []
    /// Whether the records in hand were processed before the job was checkpointed.
    final var isReplayAgain = false

    /// Creates a stage.
    init(_ place: Place) {
        node = place.node
        nodeIndex = place.nodeIndex
        subtask = place.subtask
        control = place.control
        tracker = WatermarkTracker(channelCount: place.channelCount)
        channelTimes = Array(repeating: .min, count: place.channelCount)
        checkpoints = place.checkpoints
        alignment = place.checkpoints.map { _ in
            BarrierAlignment(channelCount: place.channelCount)
        }
        watermark = place.watermark
        if watermark != .min { counters.setWatermark(watermark) }
    }

    /// Event time at this stage.
    private(set) final var watermark: Int64

    /// Whether the job is to end where it is: nothing more is to be done.
    final var isAborted: Bool { control.current == .abort }

    /// Whether the sources end behind a barrier.
    final func isLast(_ barrier: UInt64) -> Bool { control.lastBarrier == barrier }

    /// Whether operators switch to other versions behind a barrier.
    final func isSwapCut(_ barrier: UInt64) -> Bool { control.swapBarrier == barrier }

    /// Goes on where a checkpoint was: processes what its barrier had overtaken, and tells those
    /// behind this stage how far event time has come.
    final func resume() throws(JobFailure) {
        let batches = replays
        replays = []
        for replay in batches {
            if isAborted { return }
            counters.addIn(replay.batch.count)
            isReplayAgain = replay.isAgain
            try process(replay.batch, input: replay.input)
        }
        isReplayAgain = false
        if watermark != .min { try announce(watermark) }
    }

    // MARK: - What comes in

    /// Takes records; the batch is the caller's again on return.
    final func receive(
        _ batch: RecordBatch,
        input: Int,
        channel: Int
    ) throws(JobFailure) {
        if isAborted { return }
        if isDiverting, try divert(batch, input: input, channel: channel) { return }
        try accept(batch, input: input, channel: channel)
    }

    @inline(__always)
    final func accept(_ batch: RecordBatch, input: Int, channel: Int) throws(JobFailure) {
        tracker.wake(channel)
        if channelTimes[channel] == nil { channelTimes[channel] = .min }
        counters.addIn(batch.count)
        try process(batch, input: input)
    }

    final func receiveWatermark(_ time: Int64, channel: Int) throws(JobFailure) {
        if isDiverting, divert(.watermark(time, channel: channel), channel: channel) { return }
        try acceptWatermark(time, channel: channel)
    }

    final func acceptWatermark(_ time: Int64, channel: Int) throws(JobFailure) {
        channelTimes[channel] = time
        try apply(tracker.advance(channel, to: time))
    }

    final func receiveIdle(channel: Int) throws(JobFailure) {
        if isDiverting, divert(.idle(channel: channel), channel: channel) { return }
        try acceptIdle(channel: channel)
    }

    final func acceptIdle(channel: Int) throws(JobFailure) {
        channelTimes[channel] = nil
        try apply(tracker.setIdle(channel))
    }

    final func receiveEnd(channel: Int) throws(JobFailure) {
        if isDiverting, divert(.end(channel: channel), channel: channel) { return }
        try acceptEnd(channel: channel)
    }

    final func acceptEnd(channel: Int) throws(JobFailure) {
        try noteEnd(channel: channel)
        // The end of an input has the watermark `Int64.max` before it; a stopped one has not.
        if let time = channelTimes[channel] { timeLimit = min(timeLimit, time) }
        try apply(tracker.end(channel))
        try completeAfterEnd()
    }

    private func apply(_ change: WatermarkTracker.Change) throws(JobFailure) {
        if isAborted { return }
        switch change {
        case .none:
            break
        case .advanced(let least):
            let time = min(least, timeLimit)
            guard time > watermark else { return }
            watermark = time
            counters.setWatermark(time)
            try advance(to: time)
        case .idle:
            try becomeIdle()
        case .ended:
            try finish()
            isFinished = true
        }
    }

    /// Whether every channel has ended and ``finish()`` is done.
    private(set) final var isFinished = false

    // MARK: - For subclasses

    /// Begins: before anything comes in.
    func open() throws(JobFailure) {}

    /// Handles records.
    func process(_ batch: RecordBatch, input: Int) throws(JobFailure) {}

    /// Handles the progress of event time.
    func advance(to time: Int64) throws(JobFailure) {}

    /// All inputs are idle.
    func becomeIdle() throws(JobFailure) {}

    /// Tells those behind this stage how far event time has come; see ``resume()``.
    func announce(_ time: Int64) throws(JobFailure) {}

    /// Notes what the stage is, for a checkpoint; what takes long follows in slices.
    func takeSnapshot(_ number: UInt64) throws(JobFailure) {}

    /// Whether a snapshot is not complete yet.
    var isSnapshotting: Bool { false }

    /// Goes on with the snapshot until the time is up, in monotonic nanoseconds.
    func continueSnapshot(until limit: Int64) {}

    /// What the last snapshot was; asked once for each that is complete.
    func snapshotContent() -> SubtaskReport.Content { .sink([]) }

    /// Hands a barrier on.
    func sendBarrier(_ number: UInt64) throws(JobFailure) {}

    /// Lets another version take over: a barrier that is marked for it has passed, and its snapshot
    /// is taken.
    func passSwapBarrier() throws(JobFailure) {}

    /// Does a bounded amount of housekeeping until the time is up, in monotonic nanoseconds.
    func maintain(until limit: Int64) {}

    /// Does what may only be done while nothing is in hand: once in each pass of its thread.
    func settleDown(until limit: Int64) throws(JobFailure) {}

    /// Closes what stays open until the job's last checkpoint is complete.
    func close() throws(JobFailure) {}

    /// Ends: nothing comes any more.
    func finish() throws(JobFailure) {}

    /// Gives back what is held when the job was broken off; what is under way is lost.
    func abandon() {}

    /// Hands on what waits in buffers.
    ///
    /// - Returns: Whether there was anything.
    func flush() throws(JobFailure) -> Bool { false }

    /// Handles what is due by the clock on the wall.
    ///
    /// - Returns: Whether there was anything.
    func advanceProcessingTime(to now: Int64) throws(JobFailure) -> Bool { false }

    /// Whether something has come by another way than a channel; one load.
    var hasArrivals: Bool { false }

    /// Appends the records to a log that are processed, but not done.
    ///
    /// They are part of the checkpoint.
    ///
    /// - Parameter makeLog: Called when there are any.
    /// - Throws: ``DiskError`` when they cannot be written.
    func logUndone(_ makeLog: () throws(DiskError) -> InFlightLog) throws(DiskError) {}

    /// When the clock on the wall next matters; `Int64.max` for never.
    var nextProcessingTime: Int64 { .max }

    /// Asks a callback that runs to return soon.
    ///
    /// Any thread.
    func requestStop() {}
}
