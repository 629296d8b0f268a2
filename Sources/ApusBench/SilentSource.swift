import ApusMemory

/// Makes no records: says that there are none yet, or that there will never be any.
///
/// Its position has no bytes.
final class SilentSource: RecordSource {
    private let progress: SourceProgress

    init(_ progress: SourceProgress) {
        self.progress = progress
    }

    // doc: inherited
    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress { progress }

    // doc: inherited
    var position: [UInt8]? { [] }

    // doc: inherited
    func seek(to position: [UInt8]) throws(EndpointError) {}

    // doc: inherited
    func close() {}
}
