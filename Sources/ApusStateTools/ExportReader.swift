import ApusCore

/// Reads a file of the export format line by line; see ``ExportLine``.
final class ExportReader {
    private let lines: LineReader
    private let path: String
    private var count = 0
    private var hasEnded = false
    /// The first line; nil when the file has none.
    private(set) var head: ExportLine?
    private var waiting: ExportLine?

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - needsHead: Whether the first and the last line must be there.
    ///   - disk: The seam to files.
    /// - Throws: ``StateToolError``: there is no such file, or it is of another format.
    init(_ path: String, needsHead: Bool, disk: any Disk) throws(StateToolError) {
        self.path = path
        lines = try LineReader(path, disk: disk)
        guard let first = try nextLine() else {
            throw StateToolError(.input, "\(path): expected lines of the export format, found none")
        }
        if let version = first.apusStateExport {
            guard version == ExportLine.version else {
                throw StateToolError(
                    .input,
                    "\(path): its format is \(version), this Apus reads \(ExportLine.version); use "
                        + "the Apus that wrote it"
                )
            }
            head = first
        } else {
            guard !needsHead else {
                throw StateToolError(
                    .input,
                    "\(path):1: expected the first line of a purge's file, "
                        + "{\"apusStateExport\":1,...}; to bring in other lines use "
                        + "`apus state import`"
                )
            }
            waiting = first
        }
    }

    /// Where the line that was read last is.
    var place: String { lines.place }

    /// The next line with something in it; nil at the end.
    func next() throws(StateToolError) -> ExportLine? {
        let found: ExportLine?
        if let waiting {
            found = waiting
            self.waiting = nil
        } else {
            found = try nextLine()
        }
        guard let line = found else {
            guard head == nil || hasEnded else {
                throw StateToolError(
                    .input,
                    "\(path): its last line, {\"apusStateExportEnd\":...}, is missing: the file "
                        + "was cut off"
                )
            }
            return nil
        }
        guard !hasEnded else { throw wrong("expected nothing behind the last line") }
        if let end = line.apusStateExportEnd {
            guard end == count else {
                throw wrong("expected \(end) lines in front of it, found \(count)")
            }
            hasEnded = true
            return try next()
        }
        guard line.apusStateExport == nil else { throw wrong("expected one first line, found two") }
        count += 1
        return line
    }

    private func nextLine() throws(StateToolError) -> ExportLine? {
        while let bytes = try lines.next() {
            if bytes.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 13 }) { continue }
            return try ExportLine(bytes, at: lines.place)
        }
        return nil
    }

    private func wrong(_ what: String) -> StateToolError {
        StateToolError(.input, "\(place): \(what)")
    }
}
