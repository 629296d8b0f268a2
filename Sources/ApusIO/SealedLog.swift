import ApusCore
import ApusMemory
import Glibc

/// Bytes that are to be delivered: a log, perhaps with a line feed before it.
///
/// Opened anew by each call and read in pieces.
struct SealedLog {
    private static let pieceByteCount = 256 << 10

    /// The file.
    let path: String
    /// How many bytes it has.
    let logByteCount: Int
    /// Whether a line feed comes first.
    let beginsWithLineFeed: Bool
    private let disk: any Disk

    /// The bytes of a sealed output.
    ///
    /// - Throws: ``DiskError`` when its log is missing or has another size.
    init(
        _ output: SealedOutput,
        at path: String,
        beginsWithLineFeed: Bool = false,
        disk: any Disk
    ) throws(DiskError) {
        self.path = path
        self.disk = disk
        logByteCount = output.byteCount
        self.beginsWithLineFeed = beginsWithLineFeed
        let found = try disk.status(path)?.byteCount
        guard found == logByteCount else {
            throw DiskError(
                operation: "deliver",
                path: path,
                reason: "the log of \(output.sink), epoch \(output.epoch), should have "
                    + "\(logByteCount) bytes, and "
                    + (found.map { "has \($0): it was changed" } ?? "is missing")
            )
        }
    }

    /// How many bytes are to be delivered.
    var byteCount: Int { logByteCount + (beginsWithLineFeed ? 1 : 0) }

    /// Appends all bytes from an offset on to a file.
    ///
    /// - Throws: ``DiskError``; a part may have been written.
    func copy(from offset: Int, to file: any WritableFile) throws(DiskError) {
        try forEachPiece(offset..<byteCount) { piece, _ throws(DiskError) in
            try file.write(piece)
            return true
        }
    }

    /// Compares the first bytes with those of a file.
    ///
    /// - Parameters:
    ///   - byteCount: How many.
    ///   - file: What to compare with.
    ///   - fileOffset: Where in it.
    /// - Returns: The offset of the first byte that differs or is missing; nil for none.
    /// - Throws: ``DiskError``.
    func firstDifference(
        in byteCount: Int,
        with file: any ReadableFile,
        at fileOffset: Int
    ) throws(DiskError) -> Int? {
        let other = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.pieceByteCount,
            alignment: 64
        )
        defer { other.deallocate() }
        var difference: Int?
        try forEachPiece(0..<byteCount) { piece, offset throws(DiskError) in
            // SAFETY: a piece is no larger than the buffer.
            let part = UnsafeMutableRawBufferPointer(rebasing: other[..<piece.count])
            let count = try Self.fill(part, from: file, at: fileOffset + offset)
            // SAFETY: both have `count` bytes.
            if count == piece.count, let mine = piece.baseAddress, let other = part.baseAddress,
                memcmp(mine, other, count) == 0
            {
                return true
            }
            var equal = 0
            while equal < count, piece[equal] == part[equal] { equal += 1 }
            if equal < piece.count { difference = offset + equal }
            return difference == nil
        }
        return difference
    }

    /// Calls a closure with one piece after the other until it returns false.
    private func forEachPiece(
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer, _ offset: Int) throws(DiskError) -> Bool
    ) throws(DiskError) {
        guard !range.isEmpty else { return }
        let file = try disk.openForReading(path)
        let piece = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.pieceByteCount,
            alignment: 64
        )
        defer { piece.deallocate() }
        var offset = range.lowerBound
        if beginsWithLineFeed, offset == 0 {
            piece[0] = UInt8(ascii: "\n")
            guard try body(UnsafeRawBufferPointer(rebasing: piece[..<1]), 0) else { return }
            offset = 1
        }
        while offset < range.upperBound {
            let count = min(piece.count, range.upperBound - offset)
            // SAFETY: the piece has room for `count` bytes, and lives until return.
            let part = UnsafeMutableRawBufferPointer(rebasing: piece[..<count])
            let found = try Self.fill(part, from: file, at: offset - byteCount + logByteCount)
            guard found == count else {
                throw DiskError(
                    operation: "read",
                    path: path,
                    reason: "it should have \(logByteCount) bytes and is shorter"
                )
            }
            guard try body(UnsafeRawBufferPointer(part), offset) else { return }
            offset += count
        }
    }

    /// Reads until a buffer is full or the file has no more; returns how many bytes there are.
    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer,
        from file: any ReadableFile,
        at fileOffset: Int
    ) throws(DiskError) -> Int {
        var filled = 0
        while filled < buffer.count {
            // SAFETY: the rest of the caller's buffer, for the time of the call.
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = try file.read(into: rest, atByteOffset: fileOffset + filled)
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}
