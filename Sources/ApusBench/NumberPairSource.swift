import ApusMemory

/// Makes records such as `{"id":17,"a":4.25,"b":8.5}`, as fast as it can.
final class NumberPairSource: RecordSource {
    private static let textCount = 1024

    private let recordCount: Int
    private let texts: [[UInt8]]
    private var next = 0

    init(recordCount: Int) {
        self.recordCount = recordCount
        texts = (0..<Self.textCount).map { number in
            Array(
                "{\"id\":\(number),\"a\":\(Double(number) / 4),\"b\":\(Double(number) / 2)}".utf8
            )
        }
    }

    // doc: inherited
    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        guard next < recordCount else { return .ended }
        while batch.count < batch.recordCapacity, next < recordCount {
            // SAFETY: the batch copies the bytes.
            let isAppended = texts[next % Self.textCount].withUnsafeBytes {
                batch.append(key: nil, value: $0, time: .min)
            }
            precondition(isAppended, "a batch has room for short records")
            next += 1
        }
        return .advanced
    }

    // doc: inherited
    func close() {}
}
