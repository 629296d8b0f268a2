import ApusMemory

/// The writing end of an edge: takes what a port emits to the readers on this and other threads.
class Output {
    /// Delivers records; the batch is the caller's again on return.
    func send(_ batch: RecordBatch) throws(JobFailure) {}
    /// Delivers a watermark behind all records before it.
    func sendWatermark(_ time: Int64) throws(JobFailure) {}
    /// Delivers word that nothing comes for now.
    func sendIdle() throws(JobFailure) {}
    /// Delivers a barrier behind everything that belongs to its checkpoint.
    func sendBarrier(_ number: UInt64) throws(JobFailure) {}
    /// Delivers the end, behind everything else.
    func sendEnd() throws(JobFailure) {}
    /// Delivers records that wait for their batch to fill; tells whether there were any.
    func flush() throws(JobFailure) -> Bool { false }
}

/// A forward edge: the reader is the next stage of the chain, called at once.
final class ForwardOutput: Output {
    private let stage: Stage
    private let input: Int
    private let channel: Int

    init(to stage: Stage, input: Int, channel: Int) {
        self.stage = stage
        self.input = input
        self.channel = channel
    }

    override func send(_ batch: RecordBatch) throws(JobFailure) {
        try stage.receive(batch, input: input, channel: channel)
    }

    override func sendWatermark(_ time: Int64) throws(JobFailure) {
        try stage.receiveWatermark(time, channel: channel)
    }

    override func sendIdle() throws(JobFailure) {
        try stage.receiveIdle(channel: channel)
    }

    override func sendBarrier(_ number: UInt64) throws(JobFailure) {
        try stage.receiveBarrier(number, channel: channel)
    }

    override func sendEnd() throws(JobFailure) {
        try stage.receiveEnd(channel: channel)
    }
}
