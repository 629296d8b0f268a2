import ApusCore
import ApusMemory
import CApusPlugin

@testable import ApusIO

/// A record as a test compares it.
struct ReadRecord: Equatable {
    var key: String?
    var value: String
    var time: Int64

    init(_ value: String, key: String? = nil, time: Int64 = .min) {
        self.key = key
        self.value = value
        self.time = time
    }
}

/// What came out of a source.
struct ReadRecords {
    var records: [ReadRecord] = []
    var rejected: [RejectedRecord] = []
    var last = SourceProgress.advanced

    var values: [String] { records.map(\.value) }
    var reasons: [String] { rejected.map(\.reason) }

    /// Reads until a source has nothing more, now or for ever.
    init(
        _ source: any RecordSource,
        recordCapacity: Int = 7,
        arenaCapacity: Int = 64
    ) throws(EndpointError) {
        let batch = RecordBatch(recordCapacity: recordCapacity, arenaCapacity: arenaCapacity)
        repeat {
            batch.reset()
            last = try source.read(into: batch) { rejected.append($0) }
            records += Self.records(of: batch)
        } while last == .advanced
    }

    /// Reads all of a text in chunks of a size.
    init(
        _ text: String,
        _ parsing: RecordParsing,
        chunkByteCount: Int = 64,
        recordByteCountMax: Int = 16 << 20
    ) throws(EndpointError) {
        try self.init(
            Array(text.utf8),
            parsing,
            chunkByteCount: chunkByteCount,
            recordByteCountMax: recordByteCountMax
        )
    }

    /// Reads all of some bytes in chunks of a size.
    init(
        _ bytes: [UInt8],
        _ parsing: RecordParsing,
        chunkByteCount: Int = 64,
        recordByteCountMax: Int = 16 << 20
    ) throws(EndpointError) {
        let reader = RecordReader(
            name: "input",
            file: MemoryFile(bytes),
            parsing: parsing,
            endPolicy: .ends,
            limits: RecordReader.Limits(
                chunkByteCount: chunkByteCount,
                recordByteCountMax: recordByteCountMax
            )
        )
        try self.init(ReaderSource(reader: reader))
    }

    static func records(of batch: RecordBatch) -> [ReadRecord] {
        (0..<batch.count).map { index in
            let hasKey = batch.kinds[index] & UInt8(APUS_KIND_NULL_KEY) == 0
            let key = String(decoding: batch.bytes(of: batch.keys + index), as: UTF8.self)
            precondition(hasKey || key.isEmpty, "a missing key is zero")
            return ReadRecord(
                String(decoding: batch.bytes(of: batch.values + index), as: UTF8.self),
                key: hasKey ? key : nil,
                time: batch.times[index]
            )
        }
    }
}

/// A reader dressed as a source.
private final class ReaderSource: RecordSource {
    private let reader: RecordReader

    init(reader: RecordReader) {
        self.reader = reader
    }

    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        try reader.read(into: batch, reject: reject)
    }

    func close() {}
}

/// A file that is in memory.
final class MemoryFile: ReadableFile {
    private let bytes: [UInt8]
    private var offset = 0

    /// When set, reading fails at this offset.
    var failingOffset = Int.max

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        guard offset < failingOffset else {
            throw DiskError(operation: "read", path: "input", reason: "Input/output error")
        }
        let count = min(buffer.count, min(bytes.count, failingOffset) - offset)
        buffer.copyBytes(from: bytes[offset..<offset + count])
        offset += count
        return count
    }

    func isReady(waitingMilliseconds: Int32) -> Bool { true }

    func isStillThere() -> Bool { true }
}
