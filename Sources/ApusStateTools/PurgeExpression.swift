import ApusGraph

/// Reads the conditions behind `--where`.
///
///     expression  condition ("and" condition)*
///     condition   "idle" compare duration | "size" compare bytes | "expired"
///                 | "key" "like" string | "key" "=" string
///     compare     ">" | ">=" | "<" | "<="
///     duration    500ms, 24h, 1h30m;  units us, ms, s, m, h, d
///     bytes       1MiB, 100KB;  units B, KB, MB, GB, KiB, MiB, GiB
///     string      in " or ';  in a pattern * stands for any bytes and ? for one
struct PurgeExpression {
    private struct Token {
        enum Kind { case word, string, symbol }

        let kind: Kind
        let text: String
        /// How many characters are in front of it.
        let offset: Int
    }

    private static let conditions = ["idle", "size", "expired", "key"]

    private let source: String
    private var tokens: [Token] = []
    private var at = 0

    private init(_ source: String) throws(StateToolError) {
        self.source = source
        tokens = try tokenize()
    }

    /// Reads an expression.
    ///
    /// - Throws: ``StateToolError`` that shows the place, what was expected and the nearest word.
    static func parse(_ text: String) throws(StateToolError) -> PurgePredicate {
        var parser = try PurgeExpression(text)
        var terms = [try parser.condition()]
        while let token = parser.next {
            guard token.kind == .word, token.text.lowercased() == "and" else {
                throw parser.expected("'and' or the end", among: ["and"])
            }
            parser.at += 1
            terms.append(try parser.condition())
        }
        return PurgePredicate(terms: terms)
    }

    // MARK: - Conditions

    private var next: Token? { at < tokens.count ? tokens[at] : nil }

    private mutating func condition() throws(StateToolError) -> PurgePredicate.Term {
        guard let token = next, token.kind == .word,
            Self.conditions.contains(token.text.lowercased())
        else {
            throw expected("a condition: idle, size, expired or key", among: Self.conditions)
        }
        at += 1
        switch token.text.lowercased() {
        case "expired": return .expired
        case "idle":
            let comparison = try comparison(after: "idle")
            return .idle(comparison, microseconds: try duration())
        case "size":
            let comparison = try comparison(after: "size")
            return .size(comparison, byteCount: try byteCount())
        default: return try keyCondition()
        }
    }

    private mutating func keyCondition() throws(StateToolError) -> PurgePredicate.Term {
        guard let token = next, token.text.lowercased() == "like" || token.text == "=" else {
            throw expected("'like' or '=' behind 'key'", among: ["like"])
        }
        at += 1
        guard let string = next, string.kind == .string else {
            throw expected("a string in quotes, as \"abc*\"", among: [])
        }
        at += 1
        let bytes = try ByteText.key(string.text)
        return token.text == "=" ? .keyEquals(bytes) : .keyLike(Array(string.text.utf8))
    }

    private mutating func comparison(
        after word: String
    ) throws(StateToolError) -> PurgePredicate.Comparison {
        guard let token = next, token.kind == .symbol,
            let comparison = PurgePredicate.Comparison(rawValue: token.text)
        else { throw expected("one of > >= < <= behind '\(word)'", among: []) }
        at += 1
        return comparison
    }

    private mutating func duration() throws(StateToolError) -> Int64 {
        let what = "a duration, as 7d or 1h30m"
        let names = DurationText.units.map(\.name)
        var total: Int64 = 0
        for (number, unit) in try amounts(what, names) {
            guard let found = DurationText.units.first(where: { $0.name == unit }) else {
                throw expected(what, unit: unit, among: names)
            }
            let (product, isTooLong) = Int64(number).multipliedReportingOverflow(
                by: found.microseconds
            )
            let (sum, isSumTooLong) = total.addingReportingOverflow(product)
            guard !isTooLong, !isSumTooLong else { throw expected(what, among: []) }
            total = sum
        }
        at += 1
        return total
    }

    private mutating func byteCount() throws(StateToolError) -> Int {
        let what = "a size, as 1MiB or 500KB"
        let names = ByteSizeText.units.map(\.name)
        let parts = try amounts(what, names)
        guard parts.count == 1, let part = parts.first else { throw expected(what, among: []) }
        guard let unit = ByteSizeText.units.first(where: { $0.name == part.unit }) else {
            throw expected(what, unit: part.unit, among: names)
        }
        let (product, isTooLarge) = part.number.multipliedReportingOverflow(by: unit.byteCount)
        guard !isTooLarge else { throw expected(what, among: []) }
        at += 1
        return product
    }

    /// The numbers and units of the next word.
    private func amounts(
        _ what: String,
        _ units: [String]
    ) throws(StateToolError) -> [(number: Int, unit: String)] {
        guard let token = next, token.kind == .word else { throw expected(what, among: []) }
        var amounts: [(Int, String)] = []
        var rest = token.text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Int(digits) else { throw expected(what, among: []) }
            guard !unit.isEmpty else {
                throw expected(
                    what + "; '\(token.text)' has no unit (\(units.joined(separator: ", ")))",
                    among: []
                )
            }
            amounts.append((number, String(unit)))
        }
        return amounts
    }

    // MARK: - Tokens

    private func tokenize() throws(StateToolError) -> [Token] {
        var tokens: [Token] = []
        let characters = Array(source)
        var index = 0
        while index < characters.count {
            let start = index
            let character = characters[index]
            if character.isWhitespace {
                index += 1
            } else if character == "\"" || character == "'" {
                index += 1
                while index < characters.count, characters[index] != character { index += 1 }
                guard index < characters.count else {
                    throw Self.error(source, start, "expected a \(character) at the string's end")
                }
                let text = String(characters[start + 1..<index])
                tokens.append(Token(kind: .string, text: text, offset: start))
                index += 1
            } else if "<>=!".contains(character) {
                while index < characters.count, "<>=!".contains(characters[index]) { index += 1 }
                let text = String(characters[start..<index])
                tokens.append(Token(kind: .symbol, text: text, offset: start))
            } else {
                while index < characters.count, !characters[index].isWhitespace,
                    !"<>=!\"'".contains(characters[index])
                {
                    index += 1
                }
                let text = String(characters[start..<index])
                tokens.append(Token(kind: .word, text: text, offset: start))
            }
        }
        return tokens
    }

    private func expected(_ what: String, among words: [String]) -> StateToolError {
        guard let token = next else {
            return Self.error(source, source.count, "expected \(what), found the end")
        }
        let nearest = NearestWord.find(token.text, among: words)
        return Self.error(
            source,
            token.offset,
            "expected \(what), found '\(token.text)'"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        )
    }

    private func expected(_ what: String, unit: String, among units: [String]) -> StateToolError {
        let same = units.first { $0.lowercased() == unit.lowercased() }
        let nearest = same ?? NearestWord.find(unit, among: units)
        return Self.error(
            source,
            next?.offset ?? source.count,
            "expected \(what); there is no unit '\(unit)', only \(units.joined(separator: ", "))"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        )
    }

    private static func error(_ source: String, _ offset: Int, _ what: String) -> StateToolError {
        StateToolError(
            .input,
            "--where: \(what)\n  \(source)\n  \(String(repeating: " ", count: offset))^"
        )
    }
}

extension PurgePredicate {
    /// Reads what `--where` says; `apus state purge --help` has the grammar.
    ///
    /// - Throws: ``StateToolError`` that shows the place, what was expected and the nearest word.
    package init(parsing text: String) throws(StateToolError) {
        self = try PurgeExpression.parse(text)
    }
}
