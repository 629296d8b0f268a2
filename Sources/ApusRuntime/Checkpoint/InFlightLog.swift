import ApusCore
import ApusMemory

/// A file of the records that a barrier has overtaken on their way into one subtask.
///
/// They belong to the checkpoint, but not to the state that it has: a restart processes them before
/// anything else.  All integers are little-endian.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 7 | `APUSIFL` in ASCII |
/// | 7 | 1 | version of the format: 2; 1 had no bit 0x80 |
/// | 8 | 8 | number of the checkpoint |
/// | 16 | | records, then the trailer |
///
/// | record | bytes | what |
/// |---|---|---|
/// | 0 | 4 | bytes of the key, at most 2^31 - 1 |
/// | 4 | 4 | bytes of the value, at most 2^31 - 1 |
/// | 8 | 8 | hash of the key |
/// | 16 | 8 | event time in microseconds, `Int64.min` for none |
/// | 24 | 4 | the operator's input |
/// | 28 | 1 | `APUS_KIND_` bits; 0x80 = the operator has had it, and is to begin its call again |
/// | 29 | | key, value |
///
/// | trailer | bytes | what |
/// |---|---|---|
/// | 0 | 4 | 0xFFFFFFFF |
/// | 4 | 8 | number of records |
///
/// Written by one task thread.  The checkpoint thread makes it durable.
final class InFlightLog {
    // SAFETY: bytes of a batch are copied while the caller holds the batch; the buffer is an array
    // whose pointer is used during one write.

    private static let magic: [UInt8] = Array("APUSIFL".utf8)
    private static let versions: ClosedRange<UInt8> = 1...2
    private static let againBit: UInt8 = 0x80
    private static let recordByteCount = 29
    private static let trailerMark: UInt32 = .max
    private static let bufferByteCount = 256 << 10
    /// The largest log that is read back: what fits in the rings of a job is far less.
    private static let byteCountMax = 1 << 31

    private let path: String
    private let file: any WritableFile
    private var buffer: [UInt8] = []
    private var recordCount = 0

    /// Creates the file.
    init(_ path: String, checkpoint: UInt64, disk: any Disk) throws(DiskError) {
        self.path = path
        file = try disk.openForWriting(path, appending: false)
        buffer.reserveCapacity(Self.bufferByteCount + 4096)
        buffer += Self.magic + [Self.versions.upperBound]
        Self.add(checkpoint, to: &buffer)
    }

    /// Appends the records of a batch.
    ///
    /// - Parameters:
    ///   - batch: The records.
    ///   - input: The operator's input that they came in by.
    ///   - isAgain: Whether the operator has had them.
    /// - Throws: ``DiskError`` when they cannot be written.
    func append(
        _ batch: RecordBatch,
        input: Int,
        isAgain: Bool = false
    ) throws(DiskError) {
        for index in 0..<batch.count {
            let key = batch.bytes(of: batch.keys + index)
            let value = batch.bytes(of: batch.values + index)
            Self.add(UInt32(key.count), to: &buffer)
            Self.add(UInt32(value.count), to: &buffer)
            Self.add(batch.hashes[index], to: &buffer)
            Self.add(UInt64(bitPattern: batch.times[index]), to: &buffer)
            Self.add(UInt32(input), to: &buffer)
            buffer.append(batch.kinds[index] | (isAgain ? Self.againBit : 0))
            buffer += key
            buffer += value
            if buffer.count >= Self.bufferByteCount { try flush() }
        }
        recordCount += batch.count
    }

    /// Writes the rest and closes the file.
    func finish() throws(DiskError) -> InFlightFile {
        Self.add(Self.trailerMark, to: &buffer)
        Self.add(UInt64(recordCount), to: &buffer)
        try flush()
        try file.close()
        return InFlightFile(path: path, recordCount: recordCount)
    }

    /// Closes a file that nobody will read.
    func abandon() {
        do { try file.close() } catch { return }
    }

    private func flush() throws(DiskError) {
        var failure: DiskError?
        buffer.withUnsafeBytes { bytes in
            do throws(DiskError) { try file.write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        buffer.removeAll(keepingCapacity: true)
    }

    private static func add<Word: FixedWidthInteger>(_ word: Word, to buffer: inout [UInt8]) {
        withUnsafeBytes(of: word.littleEndian) { buffer += $0 }
    }

    // MARK: - Reading

    /// Records of a log, as a stage takes them.
    struct Replay {
        let batch: RecordBatch
        let input: Int
        /// Whether the operator has had them before.
        let isAgain: Bool
    }

    /// Reads the records that a subtask is to process again.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - disk: The seam to files.
    ///   - isWanted: Tells by the hash of a record's key whether it is the subtask's.
    /// - Returns: The records in their order.
    /// - Throws: ``EndpointError`` when the file cannot be read or is damaged.
    static func read(
        _ path: String,
        disk: any Disk,
        isWanted: (UInt64) -> Bool
    ) throws(EndpointError) -> [Replay] {
        let bytes: [UInt8]
        do {
            bytes = try disk.readAll(path, maximumByteCount: byteCountMax)
        } catch {
            throw EndpointError(error.description)
        }
        var reader = Reader(path: path, bytes: bytes)
        return try reader.read(isWanted)
    }

    private struct Reader {
        let path: String
        let bytes: [UInt8]
        var at = 0
        var replays: [Replay] = []

        mutating func read(_ isWanted: (UInt64) -> Bool) throws(EndpointError) -> [Replay] {
            at = InFlightLog.magic.count
            guard bytes.starts(with: InFlightLog.magic), bytes.count > at,
                InFlightLog.versions.contains(bytes[at])
            else {
                throw EndpointError(
                    "\(path): expected a log of in-flight records, format version 1 or 2, found "
                        + "something else; restore an earlier checkpoint"
                )
            }
            at += 1 + 8
            var count: UInt64 = 0
            while true {
                let keyByteCount = try word(UInt32.self)
                if keyByteCount == InFlightLog.trailerMark { break }
                let valueByteCount = try word(UInt32.self)
                try readRecord(Int(keyByteCount), Int(valueByteCount), isWanted)
                count += 1
            }
            guard try word(UInt64.self) == count, at == bytes.count else {
                throw damage("\(count) records are not what its end says")
            }
            return replays
        }

        private mutating func readRecord(
            _ keyByteCount: Int,
            _ valueByteCount: Int,
            _ isWanted: (UInt64) -> Bool
        ) throws(EndpointError) {
            let hash = try word(UInt64.self)
            let time = Int64(bitPattern: try word(UInt64.self))
            let input = Int(try word(UInt32.self))
            let kind = try word(UInt8.self)
            let end = at + keyByteCount + valueByteCount
            guard end <= bytes.count else { throw damage("it is too short") }
            defer { at = end }
            guard isWanted(hash) else { return }
            let isAgain = kind & InFlightLog.againBit != 0
            let batch = target(input, isAgain)
            let index = batch.count
            let isAppended = bytes.withUnsafeBytes { bytes in
                batch.append(
                    key: UnsafeRawBufferPointer(rebasing: bytes[at..<at + keyByteCount]),
                    value: UnsafeRawBufferPointer(rebasing: bytes[at + keyByteCount..<end]),
                    time: time
                )
            }
            guard isAppended else { throw damage("a record is too large") }
            batch.hashes[index] = hash
            batch.kinds[index] = kind & ~InFlightLog.againBit
        }

        /// A batch with room for another record of the input.
        private mutating func target(_ input: Int, _ isAgain: Bool) -> RecordBatch {
            if let last = replays.last, last.input == input, last.isAgain == isAgain,
                last.batch.count < last.batch.recordCapacity,
                last.batch.arenaUsed < InFlightLog.bufferByteCount
            {
                return last.batch
            }
            let batch = RecordBatch(recordCapacity: 1024, arenaCapacity: 64 << 10)
            replays.append(Replay(batch: batch, input: input, isAgain: isAgain))
            return batch
        }

        private mutating func word<Word: FixedWidthInteger>(
            _ type: Word.Type
        ) throws(EndpointError) -> Word {
            let byteCount = Word.bitWidth / 8
            guard bytes.count - at >= byteCount else { throw damage("it is too short") }
            defer { at += byteCount }
            return bytes.withUnsafeBytes {
                Word(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: Word.self))
            }
        }

        private func damage(_ what: String) -> EndpointError {
            EndpointError(
                "\(path): the log of in-flight records is damaged at byte \(at): \(what); "
                    + "restore an earlier checkpoint"
            )
        }
    }
}
