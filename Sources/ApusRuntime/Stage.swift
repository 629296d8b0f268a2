import ApusCore
import ApusMemory

/// One node's work on one task thread: takes batches and the progress of time, passes both on.
///
/// Subclasses do the work.  A stage is called by the stage before it in its chain, or by the
/// ``InputGate`` that reads its channels; always on its thread, one call at a time.
class Stage {
    let node: String
    let nodeIndex: Int
    let counters = StageCounters()
    private var tracker: WatermarkTracker

    /// Creates a stage that is fed by so many channels.
    init(node: String, nodeIndex: Int, channelCount: Int) {
        self.node = node
        self.nodeIndex = nodeIndex
        tracker = WatermarkTracker(channelCount: channelCount)
    }

    /// Event time at this stage.
    final var watermark: Int64 { tracker.current }

    // MARK: - What comes in

    /// Takes records; the batch is the caller's again on return.
    final func receive(
        _ batch: RecordBatch,
        input: Int,
        channel: Int
    ) throws(JobFailure) {
        tracker.wake(channel)
        counters.addIn(batch.count)
        try process(batch, input: input)
    }

    final func receiveWatermark(_ time: Int64, channel: Int) throws(JobFailure) {
        try apply(tracker.advance(channel, to: time))
    }

    final func receiveIdle(channel: Int) throws(JobFailure) {
        try apply(tracker.setIdle(channel))
    }

    final func receiveEnd(channel: Int) throws(JobFailure) {
        try apply(tracker.end(channel))
    }

    private func apply(_ change: WatermarkTracker.Change) throws(JobFailure) {
        switch change {
        case .none:
            break
        case .advanced(let time):
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

    /// Ends: nothing comes any more.
    func finish() throws(JobFailure) {}

    /// Hands on what waits in buffers.
    ///
    /// - Returns: Whether there was anything.
    func flush() throws(JobFailure) -> Bool { false }

    /// Handles what is due by the clock on the wall.
    ///
    /// - Returns: Whether there was anything.
    func advanceProcessingTime(to now: Int64) throws(JobFailure) -> Bool { false }

    /// When the clock on the wall next matters; `Int64.max` for never.
    var nextProcessingTime: Int64 { .max }

    /// Asks a callback that runs to return soon.
    ///
    /// Any thread.
    func requestStop() {}
}
