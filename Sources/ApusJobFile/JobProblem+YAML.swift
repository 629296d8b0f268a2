import ApusGraph
import Yams

extension JobProblem {
    /// What the YAML library complains about, with its place in `text`.
    init(_ error: YamlError, in text: String) {
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let location = SourceLocation(line: mark.line, column: mark.column)
            let during = context.map { "\($0.text) (line \($0.mark.line)): " } ?? ""
            self.init(
                at: location,
                path: "",
                found: "not YAML: \(during)\(problem)",
                remedy: Self.remedy(at: location, in: text)
            )
        case .reader(let problem, let offset, _, _):
            self.init(
                at: Self.location(ofByte: offset ?? 0, in: text),
                path: "",
                found: "not YAML: \(problem)",
                expected: "text without control characters"
            )
        case .duplicatedKeysInMapping(let keys, let context):
            let words = keys.sorted().map(DocumentNode.quoted).joined(separator: ", ")
            self.init(
                at: SourceLocation(line: context.mark.line, column: context.mark.column),
                path: "",
                found: "duplicate key \(words)",
                expected: "each key once in a mapping",
                remedy: "remove one of them"
            )
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            self.init(at: nil, path: "", found: "not YAML: \(error)")
        }
    }

    /// How to repair the mistakes in YAML that are made most often.
    private static func remedy(at location: SourceLocation, in text: String) -> String? {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.indices.contains(location.line - 1) else { return nil }
        let line = lines[location.line - 1]
        let rest = line.unicodeScalars.dropFirst(location.column - 1)
        if line.prefix(while: \.isWhitespace).contains("\t") || rest.first == "\t" {
            return "indent with spaces; YAML allows no tabs there"
        }
        if let character = rest.first, "@`%".unicodeScalars.contains(character) {
            return "put a value that starts with '\(character)' in quotes"
        }
        return nil
    }

    /// The position of a byte of the UTF-8 text.
    private static func location(ofByte offset: Int, in text: String) -> SourceLocation {
        let before = text.utf8.prefix(max(0, offset))
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lineBytes = before.reversed().prefix { $0 != UInt8(ascii: "\n") }
        // Every byte that does not continue a scalar starts one.
        let column = lineBytes.count { $0 & 0xC0 != 0x80 } + 1
        return SourceLocation(line: line, column: column)
    }
}
