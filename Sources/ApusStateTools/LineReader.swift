import ApusCore

/// Reads a file line by line.
final class LineReader {
    /// Longer lines are refused.
    private static let lineByteCountMax = 256 << 20

    private let path: String
    private let file: any ReadableFile
    private var buffer: [UInt8] = []
    private var at = 0
    private var isAtEnd = false
    /// The number of the line that was read last, from 1.
    private(set) var lineNumber = 0

    init(_ path: String, disk: any Disk) throws(StateToolError) {
        self.path = path
        do throws(DiskError) {
            file = try disk.openForReading(path)
        } catch {
            throw StateToolError(.input, error.description)
        }
    }

    /// Where the line that was read last is, for messages.
    var place: String { "\(path):\(lineNumber)" }

    /// The next line without its newline; nil at the end.
    func next() throws(StateToolError) -> [UInt8]? {
        var searched = at
        while true {
            if let newline = buffer[searched...].firstIndex(of: 10) {
                defer { at = newline + 1 }
                lineNumber += 1
                return Array(buffer[at..<newline])
            }
            if isAtEnd {
                guard at < buffer.count else { return nil }
                defer { at = buffer.count }
                lineNumber += 1
                return Array(buffer[at...])
            }
            guard buffer.count - at <= Self.lineByteCountMax else {
                throw StateToolError(
                    .input,
                    "\(path):\(lineNumber + 1): a line of more than \(Self.lineByteCountMax) bytes"
                )
            }
            buffer.removeSubrange(..<at)
            at = 0
            searched = buffer.count
            let piece = try StateToolError.onDisk(try file.readBytes(FilePieces.byteCount))
            isAtEnd = piece.isEmpty
            buffer += piece
        }
    }
}
