import ApusCore
import ApusMemory
import ApusPluginHost

/// A codec as what turns records into bytes.
final class CodecEncoder: RecordEncoder {
    private let codec: CodecInstance
    private let clock: any Clock

    init(_ codec: CodecInstance, clock: any Clock) {
        self.codec = codec
        self.clock = clock
    }

    func encode(
        _ batch: RecordBatch,
        into target: RecordBatch
    ) throws(EndpointError) -> [RejectedRecord] {
        var rejected: [RejectedRecord] = []
        let now = clock.wallMicroseconds()
        for index in 0..<batch.count {
            switch codec.encode(index, of: batch, into: target, nowMicroseconds: now) {
            case .done, .again: continue
            case .badRecord(let at, let reason):
                rejected.append(batch.rejected(at, reason: reason))
            case .failed(let error): throw EndpointError(error.description)
            }
        }
        return rejected
    }
}
