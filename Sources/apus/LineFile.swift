import ApusCore
import ApusIO

/// A file that lines are written to, or standard output.
final class LineFile {
    private static let bufferByteCount = 1 << 18

    private let file: any WritableFile
    private var buffer: [UInt8] = []

    /// Opens the file; nil is standard output.
    ///
    /// - Throws: ``DiskError``.
    init(_ path: String?) throws(DiskError) {
        // Not /dev/stdout: opening it empties a file that the shell has opened for appending.
        file =
            if let path {
                try LinuxDisk().openForWriting(path, appending: false)
            } else {
                LinuxWritableFile(
                    descriptor: 1,
                    path: "standard output",
                    ownsDescriptor: false
                )
            }
    }

    /// Writes a line.
    ///
    /// - Throws: ``DiskError``.
    func write(_ line: String) throws {
        buffer.append(contentsOf: line.utf8)
        buffer.append(10)
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    /// Writes what waits and closes.
    ///
    /// - Throws: ``DiskError``.
    func close() throws {
        try flush()
        try file.close()
    }

    private func flush() throws {
        // SAFETY: the buffer is only read during the call.
        try unsafe buffer.withUnsafeBytes { try unsafe file.write($0) }
        buffer.removeAll(keepingCapacity: true)
    }
}
