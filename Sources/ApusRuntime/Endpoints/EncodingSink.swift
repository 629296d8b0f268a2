import ApusMemory

/// A sink of bytes, and what turns records into them.
class EncodingSink: RecordSink {
    private let encoder: any RecordEncoder
    private let sink: any RecordSink
    private var encoded: RecordBatch
    private var rejected: [RejectedRecord] = []
    /// Whether the batch in hand is encoded, and the sink could not take it yet.
    private var isWaiting = false

    init(_ encoder: any RecordEncoder, _ sink: any RecordSink) {
        self.encoder = encoder
        self.sink = sink
        encoded = RecordBatch(recordCapacity: 1024, arenaCapacity: 256 << 10)
    }

    func open() throws(EndpointError) { try sink.open() }

    func write(_ batch: RecordBatch) throws(EndpointError) {
        if !isWaiting {
            if encoded.recordCapacity < batch.count {
                encoded = RecordBatch(
                    recordCapacity: batch.recordCapacity,
                    arenaCapacity: encoded.arenaCapacity
                )
            }
            encoded.reset()
            rejected = try encoder.encode(batch, into: encoded)
        }
        do throws(EndpointError) {
            try sink.write(encoded)
            isWaiting = false
        } catch {
            isWaiting = error.isRetryable
            throw error
        }
    }

    func takeRejected() -> [RejectedRecord] {
        defer { rejected = [] }
        return rejected
    }

    var asksForPatience: Bool { sink.asksForPatience }

    func flush() throws(EndpointError) { try sink.flush() }

    func close() throws(EndpointError) { try sink.close() }
}

/// The same for a sink whose output becomes visible with checkpoints.
final class EncodingEpochSink: EncodingSink, EpochSink {
    private let epochSink: any EpochSink

    init(_ encoder: any RecordEncoder, epochs sink: any EpochSink) {
        epochSink = sink
        super.init(encoder, sink)
    }

    func seal(epoch: UInt64) throws(EndpointError) -> SealedOutput {
        try epochSink.seal(epoch: epoch)
    }
}
