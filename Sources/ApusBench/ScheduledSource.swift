import ApusCore
import ApusMemory

/// Makes records with uniformly random keys when an ``OpenLoop`` says that they are due.
///
/// A value begins with the time at which the record was due, in monotonic nanoseconds, 8 bytes,
/// little-endian.  Subtask s of P makes the records s, s + P, s + 2P, ...
///
/// Its position, in checkpoints of benchmarks, is the number of the next record: 8 bytes,
/// big-endian.
final class ScheduledSource: RecordSource {
    /// Values of a batch take about so much at most.
    private static let batchByteCountMax = 256 << 10

    private let schedule: OpenLoop
    private let keyCount: Int
    private let clock: any Clock
    private let stride: Int
    private var next: Int
    private let bytes: UnsafeMutableRawBufferPointer

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - schedule: When records are due.
    ///   - keyCount: How many keys there are.
    ///   - valueByteCount: The size of a value, at least 8.
    ///   - subtask: Which subtask this is.
    ///   - subtaskCount: How many there are.
    ///   - clock: Tells what is due.
    init(
        _ schedule: OpenLoop,
        keyCount: Int,
        valueByteCount: Int,
        subtask: Int,
        subtaskCount: Int,
        clock: any Clock
    ) {
        precondition(valueByteCount >= 8, "a value begins with a time")
        self.schedule = schedule
        self.keyCount = keyCount
        self.clock = clock
        stride = subtaskCount
        next = subtask
        // SAFETY: freed in deinit; 8 bytes of key, then the value.
        bytes = .allocate(byteCount: 8 + valueByteCount, alignment: 8)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        bytes.deallocate()
    }

    // doc: inherited
    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        guard let start = schedule.start else { return .nothingYet }
        let now = clock.monotonicNanoseconds()
        let room = max(1, Self.batchByteCountMax / (bytes.count - 8))
        let end = min(batch.recordCapacity, room)
        while batch.count < end, next < schedule.recordCount {
            let due = start + schedule.offset(of: next)
            guard due <= now else { break }
            let key = SplitMix64.mix(UInt64(next)) % UInt64(keyCount)
            bytes.storeBytes(of: key.littleEndian, as: UInt64.self)
            bytes.storeBytes(of: due.littleEndian, toByteOffset: 8, as: Int64.self)
            let isAppended = batch.append(
                key: UnsafeRawBufferPointer(rebasing: bytes[..<8]),
                value: UnsafeRawBufferPointer(rebasing: bytes[8...]),
                time: EventTime.none.microseconds
            )
            precondition(isAppended, "an empty batch has room for \(Self.batchByteCountMax) bytes")
            next += stride
        }
        return batch.count > 0 ? .advanced : .nothingYet
    }

    // doc: inherited
    var position: [UInt8]? { PositionNumber.bytes(next) }

    // doc: inherited
    func seek(to position: [UInt8]) throws(EndpointError) {
        next = try PositionNumber.read(position[...])
    }

    // doc: inherited
    func close() {}
}
