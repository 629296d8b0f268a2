import ApusMemory
import Synchronization

/// Collects what the new version writes; nothing goes any further.
final class ShadowPort: Output {
    private let number: Int
    private let body: ([UInt8]) -> Void

    /// Creates the reader of an output.
    init(_ number: Int, _ body: @escaping ([UInt8]) -> Void) {
        self.number = number
        self.body = body
    }

    override func send(_ batch: RecordBatch) throws(JobFailure) {
        ShadowOutput.bytes(batch, output: number, body)
    }
}

/// Collects what the new version rejects.
final class ShadowRejects: DeadLetters {
    private let records: Mutex<[[UInt8]]> = Mutex([])

    // doc: inherited
    func add(_ record: RejectedRecord, node: String) throws(EndpointError) {
        records.withLock { $0.append(ShadowOutput.bytes(record)) }
    }

    // doc: inherited
    func flush() throws(EndpointError) {}

    /// What came since the last time.
    func take() -> [[UInt8]] {
        records.withLock { records in
            defer { records = [] }
            return records
        }
    }
}
