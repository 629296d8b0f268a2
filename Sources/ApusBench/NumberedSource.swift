import ApusCore
import ApusMemory
import Synchronization

/// Makes records with the numbers from 0 on as their keys, as fast as they are taken, until there
/// are enough or it is told to stop.
///
/// A key is 8 bytes, little-endian; a value is 16 zeros.  Subtask s of P makes the records s,
/// s + P, s + 2P, ...  Its position is the number of the next record: 8 bytes, big-endian.
final class NumberedSource: RecordSource {
    /// What the sources of a job have made.
    final class Made: Sendable {
        let limit: Int
        private let stopping: Atomic<Bool> = Atomic(false)
        private let countCell: Atomic<Int> = Atomic(0)
        private let sumCell: Atomic<UInt64> = Atomic(0)

        init(limit: Int) { self.limit = limit }

        var isStopping: Bool { stopping.load(ordering: .relaxed) }
        func stop() { stopping.store(true, ordering: .relaxed) }
        /// How many records there are, and the sum of their numbers, mixed.
        var total: (count: Int, sum: UInt64) {
            (countCell.load(ordering: .acquiring), sumCell.load(ordering: .acquiring))
        }
        func add(_ count: Int, _ sum: UInt64) {
            countCell.add(count, ordering: .releasing)
            sumCell.wrappingAdd(sum, ordering: .releasing)
        }
    }

    private let made: Made
    private let stride: Int
    private var next: Int
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ made: Made, subtask: Int, subtaskCount: Int) {
        self.made = made
        stride = subtaskCount
        next = subtask
        // SAFETY: freed in deinit; 8 bytes of key, 16 of value.
        bytes = .allocate(byteCount: 24, alignment: 8)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }

    // doc: inherited
    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        guard !made.isStopping else { return .ended }
        var sum: UInt64 = 0
        while batch.count < batch.recordCapacity, next < made.limit {
            bytes.storeBytes(of: UInt64(next).littleEndian, as: UInt64.self)
            let isAppended = batch.append(
                key: UnsafeRawBufferPointer(rebasing: bytes[..<8]),
                value: UnsafeRawBufferPointer(rebasing: bytes[8...]),
                time: .min
            )
            guard isAppended else { break }
            sum &+= SplitMix64.mix(UInt64(next))
            next += stride
        }
        made.add(batch.count, sum)
        return batch.count > 0 ? .advanced : .ended
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
