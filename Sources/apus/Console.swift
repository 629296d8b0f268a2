import ApusIO
import Foundation

/// What the program says: results on standard output, everything else on standard error.
enum Console {
    /// Prints a line of the result.
    static func print(_ text: String) {
        Swift.print(text)
    }

    /// Prints a line for the user beside the result.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// Prints text beside the result, without ending the line.
    static func show(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
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
