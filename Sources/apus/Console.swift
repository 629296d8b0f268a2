import ApusIO
import Foundation
import Synchronization

/// What the program says: results on standard output, everything else on standard error.
enum Console {
    /// Makes sure that the three standard files are open, if only so that using them fails.
    ///
    /// A file that is opened later would otherwise get the number of one that is closed, and what
    /// is said to the user would be written into it.  Before anything else is opened.
    static func reserveStandardFiles() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(descriptor, F_GETFD) == -1 {
            // SAFETY: the path is a constant.
            _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Prints a line of the result.
    ///
    /// - Throws: ``DiskError``, for example when the disk is full: then the result is lost.
    static func print(_ text: String) throws {
        let output = try LineFile(nil)
        try output.write(text)
        try output.close()
    }

    /// Prints a line for the user beside the result.
    static func note(_ text: String) {
        if let gathered { return gathered.add(text) }
        show(text + "\n")
    }

    /// Lines that are for somebody else.
    private final class Gathered: Sendable {
        private let lines: Mutex<[String]> = Mutex([])

        func add(_ line: String) { lines.withLock { $0.append(line) } }

        var all: [String] { lines.withLock { $0 } }
    }

    @TaskLocal private static var gathered: Gathered?

    /// Runs a part and gives what it says on this thread, instead of printing that.
    static func gathering(_ body: () -> Void) -> [String] {
        let lines = Gathered()
        $gathered.withValue(lines, operation: body)
        return lines.all
    }

    /// Prints text beside the result, without ending the line.
    static func show(_ text: String) {
        // A job goes on when nobody can read what is said beside it.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))  // so there is no remedy
    }

    /// Prints an error.
    static func error(_ text: String) {
        note("error: \(text)")
    }

    /// Whether standard error is a terminal, on which a line can be drawn again.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// A value as JSON, keys sorted.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
