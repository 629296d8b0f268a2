import ApusCore
import ApusMemory
import ApusPluginHost

/// A source of frames whose codec makes records of them.
final class DecodingSource: BatchSource {
    private let frames: any RecordSource
    private let codec: CodecInstance
    private let batch: RecordBatch
    private let clock: any Clock
    /// The first frame that is not decoded.
    private var next = 0
    private var progress = SourceProgress.advanced

    init(frames: any RecordSource, codec: CodecInstance, frameCountMax: Int, clock: any Clock) {
        self.frames = frames
        self.codec = codec
        self.clock = clock
        batch = RecordBatch(recordCapacity: frameCountMax, arenaCapacity: 512 << 10)
    }

    func open() throws(EndpointError) { try frames.open() }

    func poll(
        watermark: Int64,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        if next == batch.count {
            batch.reset()
            next = 0
            progress = try frames.read(into: batch, reject: reject)
        }
        guard next < batch.count else { return progress }
        let outcome = codec.decode(
            batch,
            from: next,
            nowMicroseconds: clock.wallMicroseconds()
        )
        switch outcome {
        case .done: next = batch.count
        case .again(let at): next = at
        case .badRecord(let at, let reason):
            next = at + 1
            try reject(batch.rejected(at, reason: reason))
        case .failed(let error): throw EndpointError(error.description)
        }
        return isPartial ? .advanced : progress
    }

    func drain<Failure: Error>(
        _ body: (RecordBatch) throws(Failure) -> Void
    ) throws(Failure) {
        guard !codec.output.isEmpty else { return }
        try codec.output.drain(body)
    }

    /// Frames that are read are before the position, so that all of them must be decoded.
    var isPartial: Bool { next < batch.count }

    var position: [UInt8]? {
        get throws(EndpointError) { try frames.position }
    }

    func seek(to position: [UInt8]) throws(EndpointError) { try frames.seek(to: position) }

    func close() throws(EndpointError) { try frames.close() }
}
