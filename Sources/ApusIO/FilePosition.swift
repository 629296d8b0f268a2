import ApusMemory

/// Where the reading of a file stands: between two records.
///
/// Persisted in checkpoints; integers are big-endian, and offsets count bytes after decompression:
///
///     offset  size
///          0     1  0x46
///          1     1  version: 1
///          2     1  format: 1 JSON lines, 2 CSV
///          3     1  delimiter of CSV, or 0
///          4     1  flags: 1 the end was reached; 2 inside a record that was too long and rejected
///          5     8  offset of the next unread byte
///         13     8  number of the line it is on, from 1
///         21     8  offset behind the header line; 0 when none was read
///         29     8  XXH3-64 of the header line without its line break, or 0
///         37     8  XXH3-64 of the file's first bytes, up to 4096, all before the offset
///         45     8  XXH3-64 of the bytes before the offset, up to 4096
///
/// Devices and inodes do not survive a copy; the samples tell whether the file is the one that was
/// read: it may have grown, but not have been replaced or shortened.
struct FilePosition: Equatable {
    private static let version: UInt8 = 1
    private static let endFlag: UInt8 = 1
    private static let skippingFlag: UInt8 = 2

    var delimiter: UInt8?
    var hasEnded = false
    var isSkipping = false
    var offset = 0
    var lineNumber = 1
    var headerEnd = 0
    var headerHash: UInt64 = 0
    var headHash: UInt64 = 0
    var tailHash: UInt64 = 0

    /// How many bytes each sample has.
    var sampleByteCount: Int { min(offset, InputWindow.sampleByteCountMax) }

    var bytes: [UInt8] {
        var writer = PositionWriter()
        writer.append(PositionKind.file.rawValue)
        writer.append(Self.version)
        writer.append(UInt8(delimiter == nil ? 1 : 2))
        writer.append(delimiter ?? 0)
        writer.append((hasEnded ? Self.endFlag : 0) | (isSkipping ? Self.skippingFlag : 0))
        writer.append(offset)
        writer.append(lineNumber)
        writer.append(headerEnd)
        writer.append(headerHash)
        writer.append(headHash)
        writer.append(tailHash)
        return writer.bytes
    }
}

extension FilePosition {
    /// Reads a position.
    ///
    /// - Parameters:
    ///   - bytes: As ``bytes`` gave them.
    ///   - name: What messages call the file.
    /// - Throws: ``EndpointError`` when they are not a position, or not one of this version.
    init(_ bytes: [UInt8], name: String) throws(EndpointError) {
        var reader = try PositionReader(bytes, name: name, kind: .file, version: Self.version)
        let format = try reader.takeByte()
        let delimiter = try reader.takeByte()
        self.delimiter = format == 2 ? delimiter : nil
        let flags = try reader.takeByte()
        hasEnded = flags & Self.endFlag != 0
        isSkipping = flags & Self.skippingFlag != 0
        offset = try reader.takeCount()
        lineNumber = try reader.takeCount()
        headerEnd = try reader.takeCount()
        headerHash = try reader.takeWord()
        headHash = try reader.takeWord()
        tailHash = try reader.takeWord()
        try reader.finish()
        guard (1...2).contains(format), headerEnd <= offset, lineNumber >= 1 else {
            throw EndpointError(
                "\(name): the checkpoint's position is damaged: start from another checkpoint"
            )
        }
    }
}
