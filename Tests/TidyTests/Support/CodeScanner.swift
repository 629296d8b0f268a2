/// Tells code from comments and from the contents of literals, line by line.
///
/// A scanner, not a parser: it knows comments, strings with interpolation, raw and multi-line
/// strings, `#/…/#` and C character literals.  A bare `/…/` is taken for division.
struct CodeScanner {
    /// How literals and comments are written.
    enum Language {
        case swift
        case c
    }

    /// What one line holds.
    struct Line: Equatable {
        /// The code, with the contents of literals left out and their quotes kept.
        var code = ""
        /// The text of the comments, with their marks.
        var comment = ""
    }

    /// How a string, a regular expression or a C character ends.
    private struct Literal {
        let quote: UInt8
        let quoteCount: Int
        let hashCount: Int
        var isMultiline: Bool { quoteCount == 3 }
    }

    private enum Mode {
        /// Code; the count of open parentheses tells where an interpolation ends.
        case code(parentheses: Int)
        case literal(Literal)
        case lineComment
        case blockComment(depth: Int)
    }

    private let bytes: [UInt8]
    private let language: Language
    private var index = 0
    private var modes: [Mode] = [.code(parentheses: 0)]
    private var code: [UInt8] = []
    private var comment: [UInt8] = []
    private var lines: [Line] = []

    private init(_ text: String, _ language: Language) {
        self.bytes = Array(text.utf8)
        self.language = language
    }

    /// Splits `text` into lines, and each line into code and comment.
    static func scan(_ text: String, as language: Language) -> [Line] {
        var scanner = CodeScanner(text, language)
        while scanner.index < scanner.bytes.count { scanner.step() }
        if !scanner.code.isEmpty || !scanner.comment.isEmpty { scanner.endLine() }
        return scanner.lines
    }

    private mutating func step() {
        if bytes[index] == UInt8(ascii: "\n") {
            endLine()
            index += 1
            return
        }
        switch modes[modes.count - 1] {
        case .code(let parentheses): stepCode(parentheses)
        case .literal(let literal): stepLiteral(literal)
        case .lineComment: takeComment(1)
        case .blockComment(let depth): stepBlockComment(depth)
        }
    }

    private mutating func endLine() {
        lines.append(
            Line(
                code: String(decoding: code, as: UTF8.self),
                comment: String(decoding: comment, as: UTF8.self)
            )
        )
        code.removeAll(keepingCapacity: true)
        comment.removeAll(keepingCapacity: true)
        switch modes[modes.count - 1] {
        case .lineComment: modes.removeLast()
        // An unclosed literal is a misreading or an error; do not let it swallow the file.
        case .literal(let literal) where !literal.isMultiline: modes.removeLast()
        default: break
        }
    }

    private mutating func stepCode(_ parentheses: Int) {
        if starts("//") {
            modes.append(.lineComment)
            takeComment(2)
        } else if starts("/*") {
            modes.append(.blockComment(depth: 1))
            takeComment(2)
        } else if let literal = literalAhead() {
            modes.append(.literal(literal))
            takeCode(literal.hashCount + literal.quoteCount)
        } else if bytes[index] == UInt8(ascii: "("), modes.count > 1 {
            modes[modes.count - 1] = .code(parentheses: parentheses + 1)
            takeCode(1)
        } else if bytes[index] == UInt8(ascii: ")"), modes.count > 1 {
            modes[modes.count - 1] = .code(parentheses: parentheses - 1)
            if parentheses == 1 { modes.removeLast() }
            takeCode(1)
        } else {
            takeCode(1)
        }
    }

    private mutating func stepLiteral(_ literal: Literal) {
        let hashes = String(repeating: "#", count: literal.hashCount)
        let quotes = Array(repeating: literal.quote, count: literal.quoteCount)
        let isString = literal.quote == UInt8(ascii: "\"")
        if starts("\\" + hashes) {
            let next = index + 1 + literal.hashCount
            guard language == .swift, isString, next < bytes.count,
                bytes[next] == UInt8(ascii: "(")
            else {
                // Step over the escaped byte, but never over the end of the line.
                index = next
                if next < bytes.count, bytes[next] != UInt8(ascii: "\n") { index += 1 }
                return
            }
            index = next
            modes.append(.code(parentheses: 1))
            takeCode(1)
        } else if bytes[index...].starts(with: quotes + Array(hashes.utf8)) {
            modes.removeLast()
            takeCode(literal.quoteCount + literal.hashCount)
        } else {
            index += 1
        }
    }

    private mutating func stepBlockComment(_ depth: Int) {
        if starts("*/") {
            modes.removeLast()
            if depth > 1 { modes.append(.blockComment(depth: depth - 1)) }
            takeComment(2)
        } else if language == .swift, starts("/*") {
            modes[modes.count - 1] = .blockComment(depth: depth + 1)
            takeComment(2)
        } else {
            takeComment(1)
        }
    }

    /// The literal that starts here, if one does.
    private func literalAhead() -> Literal? {
        if language == .c {
            let quote = bytes[index]
            // A quote after a letter or digit separates digits: 1'000'000.
            let separates = index > 0 && isWord(bytes[index - 1])
            guard quote == UInt8(ascii: "\"") || (quote == UInt8(ascii: "'") && !separates) else {
                return nil
            }
            return Literal(quote: quote, quoteCount: 1, hashCount: 0)
        }
        let hashCount = bytes[index...].prefix { $0 == UInt8(ascii: "#") }.count
        let start = index + hashCount
        guard start < bytes.count else { return nil }
        if bytes[start] == UInt8(ascii: "/"), hashCount > 0 {
            return Literal(quote: bytes[start], quoteCount: 1, hashCount: hashCount)
        }
        guard bytes[start] == UInt8(ascii: "\"") else { return nil }
        let isTriple = bytes[start...].starts(with: "\"\"\"".utf8)
        return Literal(quote: bytes[start], quoteCount: isTriple ? 3 : 1, hashCount: hashCount)
    }

    private func starts(_ text: String) -> Bool {
        bytes[index...].starts(with: text.utf8)
    }

    private mutating func takeCode(_ count: Int) {
        code += bytes[index..<min(index + count, bytes.count)]
        index += count
    }

    private mutating func takeComment(_ count: Int) {
        comment += bytes[index..<min(index + count, bytes.count)]
        index += count
    }
}

/// Whether a byte can be part of an identifier or a number.
func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
        true
    default:
        false
    }
}
