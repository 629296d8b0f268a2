import ApusCore

// SAFETY: arrays lend their bytes during a call.
extension ReadableFile {
    /// Reads so many bytes, fewer only at the end of the file.
    func readBytes(_ byteCount: Int) throws(DiskError) -> [UInt8] {
        // In pieces: a length in a damaged file may be any number.
        var bytes: [UInt8] = []
        while bytes.count < byteCount {
            var piece = [UInt8](repeating: 0, count: min(byteCount - bytes.count, 1 << 20))
            var span = piece.mutableSpan
            let count = try span.withUnsafeMutableBytes { buffer throws(DiskError) in
                try read(into: buffer)
            }
            if count == 0 { break }
            if count == piece.count, bytes.isEmpty {
                bytes = piece
            } else {
                bytes += piece[..<count]
            }
        }
        return bytes
    }
}

extension WritableFile {
    /// Writes an array's bytes.
    func writeBytes(_ bytes: [UInt8]) throws(DiskError) {
        try bytes.span.bytes.withUnsafeBytes { bytes throws(DiskError) in try write(bytes) }
    }
}

/// Copies of files.
enum FilePieces {
    /// What is read at once.
    static let byteCount = 1 << 20

    /// Reads a file to its end, in pieces.
    ///
    /// - Returns: Its length and the hash of its bytes, 32 hexadecimal digits.
    @discardableResult
    static func read(
        _ path: String,
        disk: any Disk,
        _ body: ([UInt8]) throws(DiskError) -> Void = { _ in }
    ) throws(StateToolError) -> (byteCount: Int, hash: String) {
        do throws(DiskError) {
            let file = try disk.openForReading(path)
            let digest = ContentDigest()
            while true {
                let piece = try file.readBytes(byteCount)
                if piece.isEmpty { return (digest.byteCount, digest.digits) }
                digest.add(piece)
                try body(piece)
            }
        } catch {
            throw StateToolError(error)
        }
    }

    /// Copies a file to a path at which there is none, and waits until it is on the disk.
    ///
    /// - Returns: The length and the hash of its bytes, 32 hexadecimal digits.
    static func copy(
        _ path: String,
        to newPath: String,
        disk: any Disk
    ) throws(StateToolError) -> (byteCount: Int, hash: String) {
        let copy = try StateToolError.onDisk(try disk.create(newPath))
        let found = try read(path, disk: disk) { piece throws(DiskError) in
            try copy.writeBytes(piece)
        }
        try StateToolError.onDisk(try copy.synchronize())
        try StateToolError.onDisk(try copy.close())
        return found
    }
}
