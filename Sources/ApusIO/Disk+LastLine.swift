import ApusCore

extension Disk {
    /// Whether a plain file ends inside of a line, as one does that a crash has cut off.
    ///
    /// - Throws: ``DiskError`` when its last byte cannot be read.
    func endsInsideLine(_ path: String) throws(DiskError) -> Bool {
        guard let status = try status(path), status.kind == .file, status.byteCount > 0 else {
            return false
        }
        let last = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { last.deallocate() }
        let file = try openForReading(path)
        let byteCount = try file.read(into: last, atByteOffset: status.byteCount - 1)
        // SAFETY: read has filled the one byte there is; none when the file was shortened just now.
        return byteCount == 1 && last[0] != UInt8(ascii: "\n")
    }
}

extension WritableFile {
    /// Ends a line.
    ///
    /// - Throws: ``DiskError``.
    func writeLineFeed() throws(DiskError) {
        let lineFeed: [UInt8] = [UInt8(ascii: "\n")]
        // SAFETY: the span ends with this scope, before the array does.
        try lineFeed.span.bytes.withUnsafeBytes { bytes throws(DiskError) in try write(bytes) }
    }
}
