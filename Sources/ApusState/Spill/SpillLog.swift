import ApusStore
import CApusShims

/// The records of spilled rows, in a file, in the order in which they left memory.
///
/// The file is a set of segments of equal size.  The log is a sequence of them: records are added
/// to the last one, which is in memory until it is full; segments are taken back at the front when
/// what they still hold has been moved or dropped, and are used again.  Where a record is, is told
/// by its location: its offset in the file in units of 8 bytes.  One thread.
///
/// The design is that of log-structured stores (Rosenblum and Ousterhout, 1992; FASTER, 2018).
final class SpillLog {
    static let segmentByteCount = 256 << 10
    /// Longer records are refused: a segment should hold several.
    static let recordByteCountMax = 64 << 10
    private static let unitsPerSegment = segmentByteCount / 8
    /// What one read brings at first: most records as wholes.
    private static let readByteCount = 192

    // SAFETY: `tail` and `scratch` have the sizes below and live as long as the log; offsets in
    // them are checked where records are added and read.
    private let tail: UnsafeMutableRawPointer
    private let scratch: UnsafeMutableRawPointer
    private var file: SpillFile?
    private let directory: String
    private let name: String

    /// Segments in the order of the log, by number; those before `first` were taken back.
    private var order: [Int32] = []
    private var first = 0
    /// How many segments were taken back before `order[0]`.
    private var sequenceBase = 0
    /// Segments that can be used again.
    private var spare: [Int32] = []
    private var segmentCount: Int32 = 0
    /// By segment: bytes of records that are not taken out, and bytes of all.
    private var live: [Int32] = []
    private var used: [Int32] = []
    private(set) var liveByteCount = 0

    init(directory: String, name: String) {
        self.directory = directory
        self.name = name
        tail = .allocate(byteCount: Self.segmentByteCount, alignment: 64)
        scratch = .allocate(byteCount: Self.recordByteCountMax, alignment: 64)
    }

    deinit {
        tail.deallocate()
        scratch.deallocate()
    }

    /// Bytes of memory.
    var byteCount: Int {
        Self.segmentByteCount + Self.recordByteCountMax + live.count * 8 + order.count * 4
    }

    /// Bytes of all segments of the log.
    var logByteCount: Int { (order.count - first) * Self.segmentByteCount }

    /// The number, from 0, of the first and behind the last segment of the log.
    var sequences: Range<Int> { sequenceBase + first..<sequenceBase + order.count }

    /// Where the next record goes: the segment's number in the log, and the offset in it.
    var end: (sequence: Int, offset: Int) {
        guard let last = order.last else { return (0, 0) }
        return (sequenceBase + order.count - 1, Int(used[Int(last)]))
    }

    // MARK: - Records

    /// Makes room for a record, which the caller writes at once.
    ///
    /// - Returns: The place, and the location that the record will have.
    /// - Throws: ``StoreError`` when the last segment is full and cannot be written; the log is as
    ///   it was.
    func append(
        byteCount: Int
    ) throws(StoreError) -> (place: UnsafeMutableRawPointer, location: Int) {
        precondition(byteCount <= Self.recordByteCountMax, "a record fits into a segment")
        if order.count == first { addSegment() }
        var segment = Int(order[order.count - 1])
        if Int(used[segment]) + byteCount > Self.segmentByteCount {
            try writeTail(segment)
            addSegment()
            segment = Int(order[order.count - 1])
        }
        let offset = Int(used[segment])
        used[segment] += Int32(byteCount)
        live[segment] += Int32(byteCount)
        liveByteCount += byteCount
        return (tail + offset, segment * Self.unitsPerSegment + offset / 8)
    }

    /// Reads a record.
    ///
    /// - Returns: The record, until the next call.
    /// - Throws: ``StoreError`` when the file cannot be read.
    func read(_ location: Int) throws(StoreError) -> SpillRecord {
        let segment = location / Self.unitsPerSegment
        let offset = location % Self.unitsPerSegment * 8
        if Int32(segment) == order.last { return SpillRecord(start: tail + offset) }
        let wanted = min(Self.readByteCount, Self.segmentByteCount - offset)
        let count = try fill(scratch, wanted, atByteOffset: location * 8)
        guard count >= SpillRecord.headerByteCount else { throw damaged }
        let record = SpillRecord(start: scratch)
        let rest = record.byteCount - count
        guard rest > 0 else { return record }
        guard record.byteCount <= Self.recordByteCountMax,
            try fill(scratch + count, rest, atByteOffset: location * 8 + count) == rest
        else { throw damaged }
        return record
    }

    /// Notes that a record is not needed any more.
    func release(_ location: Int, byteCount: Int) {
        live[location / Self.unitsPerSegment] -= Int32(byteCount)
        liveByteCount -= byteCount
    }

    // MARK: - Segments

    /// Whether a segment of the log holds nothing that is needed.
    func isDead(_ sequence: Int) -> Bool { live[segment(sequence)] == 0 }

    /// Brings a whole segment.
    ///
    /// - Parameters:
    ///   - sequence: The segment's number in the log.
    ///   - buffer: Takes ``segmentByteCount`` bytes.
    /// - Returns: The bytes of its records, and its first location.
    /// - Throws: ``StoreError`` when the file cannot be read.
    func read(
        segment sequence: Int,
        into buffer: UnsafeMutableRawPointer
    ) throws(StoreError) -> (byteCount: Int, location: Int) {
        let segment = segment(sequence)
        let byteCount = Int(used[segment])
        if Int32(segment) == order.last {
            memcpy(buffer, tail, byteCount)
        } else {
            let count = try fill(buffer, byteCount, atByteOffset: segment * Self.segmentByteCount)
            guard count == byteCount else { throw damaged }
        }
        return (byteCount, segment * Self.unitsPerSegment)
    }

    /// Takes the first segment back, of which nothing is needed any more.
    func removeFirst() {
        let segment = Int(order[first])
        precondition(live[segment] == 0, "a segment that is taken back is empty")
        precondition(first < order.count - 1, "the last segment stays")
        used[segment] = 0
        spare.append(Int32(segment))
        first += 1
        if first > 1024, first * 2 > order.count {
            order.removeFirst(first)
            sequenceBase += first
            first = 0
        }
    }

    private func segment(_ sequence: Int) -> Int { Int(order[sequence - sequenceBase]) }

    private func addSegment() {
        if let again = spare.popLast() {
            order.append(again)
            return
        }
        order.append(segmentCount)
        segmentCount += 1
        live.append(0)
        used.append(0)
    }

    // MARK: - The file

    private func writeTail(_ segment: Int) throws(StoreError) {
        let file: SpillFile
        if let open = self.file {
            file = open
        } else {
            file = try SpillFile(directory: directory, name: name)
            self.file = file
        }
        try file.write(
            UnsafeRawBufferPointer(start: tail, count: Int(used[segment])),
            atByteOffset: segment * Self.segmentByteCount
        )
    }

    private func fill(
        _ target: UnsafeMutableRawPointer,
        _ byteCount: Int,
        atByteOffset byteOffset: Int
    ) throws(StoreError) -> Int {
        let buffer = UnsafeMutableRawBufferPointer(start: target, count: byteCount)
        guard let file else { throw damaged }
        return try file.read(into: buffer, atByteOffset: byteOffset)
    }

    private var damaged: StoreError {
        StoreError(
            operation: "read the spill file of",
            path: directory + "/" + name,
            reason: "it does not hold what was written to it"
        )
    }
}
