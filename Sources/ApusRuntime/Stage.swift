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
    private let control: RunControl
    private var tracker: WatermarkTracker
    /// The last watermark of each channel; nil while it is idle.
    private var channelTimes: [Int64?]
    /// How far event time may go: a channel that was stopped would have held it there.
    private var timeLimit = Int64.max

    /// Creates a stage that is fed by so many channels.
    init(node: String, nodeIndex: Int, channelCount: Int, control: RunControl) {
        self.node = node
        self.nodeIndex = nodeIndex
        self.control = control
        tracker = WatermarkTracker(channelCount: channelCount)
        channelTimes = Array(repeating: .min, count: channelCount)
    }

    /// Event time at this stage.
    private(set) final var watermark = Int64.min

    /// Whether the job is to end where it is: nothing more is to be done.
    final var isAborted: Bool { control.current == .abort }

    // MARK: - What comes in

    /// Takes records; the batch is the caller's again on return.
    final func receive(
        _ batch: RecordBatch,
        input: Int,
        channel: Int
    ) throws(JobFailure) {
        if isAborted { return }
        tracker.wake(channel)
        if channelTimes[channel] == nil { channelTimes[channel] = .min }
        counters.addIn(batch.count)
        try process(batch, input: input)
    }

    final func receiveWatermark(_ time: Int64, channel: Int) throws(JobFailure) {
        channelTimes[channel] = time
        try apply(tracker.advance(channel, to: time))
    }

    final func receiveIdle(channel: Int) throws(JobFailure) {
        channelTimes[channel] = nil
        try apply(tracker.setIdle(channel))
    }

    final func receiveEnd(channel: Int) throws(JobFailure) {
        // The end of an input has the watermark `Int64.max` before it; a stopped one has not.
        if let time = channelTimes[channel] { timeLimit = min(timeLimit, time) }
        try apply(tracker.end(channel))
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

    /// When the clock on the wall next matters; `Int64.max` for never.
    var nextProcessingTime: Int64 { .max }

    /// Asks a callback that runs to return soon.
    ///
    /// Any thread.
    func requestStop() {}
}
