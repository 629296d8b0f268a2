import ApusCore
import ApusMemory

/// Makes every key once, as fast as it can, and then reads another source.
///
/// So it is certain that all keys have state before anything is measured.  Subtask s of P makes the
/// records s, s + P, s + 2P, ...; record n has key n modulo the number of keys, as 8 bytes,
/// little-endian.
///
/// Its position, in checkpoints of benchmarks; integers are big-endian:
///
///     offset  size
///          0     8  number of the next record
///          8   ...  the position of the source behind it
final class SweepSource: RecordSource {
    /// What is behind a key.
    enum Value {
        /// 8 bytes of 0, which say that the record was not due at any time, and filling.
        case stamped(byteCount: Int)
        /// The number of the record, and when its timer is due: from `first` on, spread evenly and
        /// without any order over `spread` microseconds.
        case timer(first: Int64, spread: Int64)

        var byteCount: Int {
            switch self {
            case .stamped(let byteCount): byteCount
            case .timer: 16
            }
        }
    }

    /// Values of a batch take about so much at most.
    private static let batchByteCountMax = 256 << 10

    private let sweep: Sweep
    private let keyCount: Int
    private let value: Value
    private let time: Int64
    private let stride: Int
    private let rest: any RecordSource
    private var next: Int
    private var hasEnded = false
    private let bytes: UnsafeMutableRawBufferPointer

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - sweep: Told when this subtask is through.
    ///   - keyCount: How many keys there are.
    ///   - value: What is behind each.
    ///   - time: The event time of all records in microseconds.
    ///   - subtask: Which subtask this is.
    ///   - subtaskCount: How many there are.
    ///   - rest: What is read then.
    init(
        _ sweep: Sweep,
        keyCount: Int,
        value: Value,
        time: Int64 = EventTime.none.microseconds,
        subtask: Int,
        subtaskCount: Int,
        rest: any RecordSource
    ) {
        self.sweep = sweep
        self.keyCount = keyCount
        self.value = value
        self.time = time
        stride = subtaskCount
        self.rest = rest
        next = subtask
        // SAFETY: freed in deinit; 8 bytes of key, then the value, which has at least 8.
        bytes = .allocate(byteCount: 8 + value.byteCount, alignment: 8)
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
        guard next < sweep.recordCount else {
            if !hasEnded { sweep.noteEnd() }
            hasEnded = true
            return try rest.read(into: batch, reject: reject)
        }
        let room = max(1, Self.batchByteCountMax / value.byteCount)
        let end = min(batch.recordCapacity, room)
        while batch.count < end, next < sweep.recordCount {
            fill()
            let isAppended = batch.append(
                key: UnsafeRawBufferPointer(rebasing: bytes[..<8]),
                value: UnsafeRawBufferPointer(rebasing: bytes[8...]),
                time: time
            )
            precondition(isAppended, "an empty batch has room for \(Self.batchByteCountMax) bytes")
            next += stride
        }
        return .advanced
    }

    private func fill() {
        bytes.storeBytes(of: UInt64(next % keyCount).littleEndian, as: UInt64.self)
        guard case .timer(let first, let spread) = value else { return }
        bytes.storeBytes(of: UInt64(next).littleEndian, toByteOffset: 8, as: UInt64.self)
        let distance = SplitMix64.mix(UInt64(next)) % UInt64(spread)
        let due = first &+ Int64(distance)
        bytes.storeBytes(of: due.littleEndian, toByteOffset: 16, as: Int64.self)
    }

    // doc: inherited
    var position: [UInt8]? {
        get throws(EndpointError) {
            guard let position = try rest.position else { return nil }
            return PositionNumber.bytes(next) + position
        }
    }

    // doc: inherited
    func seek(to position: [UInt8]) throws(EndpointError) {
        next = try PositionNumber.read(position.prefix(8))
        try rest.seek(to: Array(position.dropFirst(8)))
    }

    // doc: inherited
    func close() throws(EndpointError) { try rest.close() }
}

/// A number in the position of a benchmark's source: 8 bytes, big-endian.
enum PositionNumber {
    static func bytes(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    static func read(_ bytes: ArraySlice<UInt8>) throws(EndpointError) -> Int {
        let number = bytes.reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count == 8, number >= 0 else {
            throw EndpointError(
                "the checkpoint's position of a benchmark's source is damaged: expected 8 bytes "
                    + "with a number, found \(bytes.count); begin again without it"
            )
        }
        return number
    }
}
