/// Reads the text of a signature.
///
///     signature = result "(" [parameter {"," parameter}] ")"
///     result    = number | "str" ("borrowed" | "malloc") | "void"
///     parameter = number | "str" | "bytes" | "out" number
///               | number "[]" | "str" "[]" | "out" number "[]" | "n"
///
/// Blanks mean nothing.  What C programmers are likely to write instead is refused with a word
/// about what to write here.
package struct FunctionSignatureParser {
    /// The longest text that is looked at.
    package static let byteCountMax = 400

    private enum Token: Equatable {
        case word(String)
        case open
        case close
        case comma
        case brackets
        case end

        var text: String {
            switch self {
            case .word(let word): "'\(word)'"
            case .open: "'('"
            case .close: "')'"
            case .comma: "','"
            case .brackets: "'[]'"
            case .end: "the end"
            }
        }
    }

    private var rest: Substring.UTF8View.SubSequence
    private let byteCount: Int
    private var token = Token.end
    /// Where the token begins, counted from 1.
    private var place = 1

    /// Reads a signature.
    ///
    /// - Throws: ``FunctionSignatureError`` for the first thing that is wrong.
    package static func parse(_ text: String) throws(FunctionSignatureError) -> FunctionSignature {
        guard text.utf8.count <= byteCountMax else {
            throw FunctionSignatureError(
                "a signature of \(text.utf8.count) bytes",
                expected: "at most \(byteCountMax)"
            )
        }
        var parser = FunctionSignatureParser(text)
        return try parser.signature()
    }

    private init(_ text: String) {
        rest = text[...].utf8[...]
        byteCount = text.utf8.count
    }

    private mutating func signature() throws(FunctionSignatureError) -> FunctionSignature {
        try advance()
        let result = try self.result()
        try expect(.open, "'(' and the parameters")
        var parameters: [FunctionSignature.Parameter] = []
        if token != .close {
            parameters.append(try parameter())
            while token == .comma {
                try advance()
                parameters.append(try parameter())
            }
        }
        if case .brackets = token, case .number? = parameters.last {
            throw unexpected("',' or ')'")
        }
        try expect(.close, "',' or ')'")
        guard token == .end else { throw unexpected("nothing behind ')'") }
        let signature = FunctionSignature(result: result, parameters: parameters)
        try signature.check()
        return signature
    }

    private mutating func result() throws(FunctionSignatureError) -> FunctionSignature.Result {
        let word = try self.word("the type of the result")
        let result: FunctionSignature.Result
        switch word {
        case "void": result = .nothing
        case "str":
            switch token {
            case .word("borrowed"): result = .borrowedString
            case .word("malloc"): result = .mallocString
            default:
                throw FunctionSignatureError(
                    "the result 'str' does not say whose the string is",
                    expected: "'str borrowed', which is copied at once, or 'str malloc', which is "
                        + "given to free()"
                )
            }
            try advance()
        case "bytes":
            throw .wrapper("the result 'bytes'", "C returns no length with a pointer")
        default:
            guard let type = FunctionSignature.Number(rawValue: word) else {
                throw unknown(word, Self.resultWords)
            }
            result = .number(type)
        }
        if token == .brackets {
            throw FunctionSignatureError(
                "a result that is an array",
                expected: "'void', and 'out \(word)[]' among the parameters"
            )
        }
        return result
    }

    private mutating func parameter() throws(FunctionSignatureError)
        -> FunctionSignature.Parameter
    {
        let word = try self.word("a parameter")
        if word == "out" {
            let name = try self.word("the type of a number behind 'out'")
            guard let type = FunctionSignature.Number(rawValue: name) else {
                if name == "str" || name == "bytes" {
                    throw .wrapper("'out \(name)'", "only numbers can be written to by 'out'")
                }
                throw unknown(name, Self.numberWords)
            }
            return try brackets() ? .outColumn(type) : .out(type)
        }
        switch word {
        case "n": return .count
        case "str": return try brackets() ? .stringColumn : .string
        case "bytes":
            guard token != .brackets else {
                throw .wrapper("'bytes[]'", "columns are of numbers or of 'str'")
            }
            return .bytes
        case "void":
            throw FunctionSignatureError(
                "'void' as a parameter",
                remedy: "a function without parameters is written 'i64()'"
            )
        default:
            guard let type = FunctionSignature.Number(rawValue: word) else {
                throw unknown(word, Self.parameterWords)
            }
            return try brackets() ? .column(type) : .number(type)
        }
    }

    private mutating func brackets() throws(FunctionSignatureError) -> Bool {
        guard token == .brackets else { return false }
        try advance()
        return true
    }

    private mutating func word(_ expected: String) throws(FunctionSignatureError) -> String {
        guard case .word(let word) = token else { throw unexpected(expected) }
        try advance()
        return word
    }

    private mutating func expect(
        _ wanted: Token,
        _ words: String
    ) throws(FunctionSignatureError) {
        guard token == wanted else { throw unexpected(words) }
        try advance()
    }

    private func unexpected(_ expected: String) -> FunctionSignatureError {
        FunctionSignatureError("\(token.text) at character \(place)", expected: expected)
    }

    // MARK: - Tokens

    private mutating func advance() throws(FunctionSignatureError) {
        while let byte = rest.first, byte == 0x20 || byte == 0x09 { rest = rest.dropFirst() }
        place = byteCount - rest.count + 1
        guard let byte = rest.first else {
            token = .end
            return
        }
        switch byte {
        case UInt8(ascii: "("): token = .open
        case UInt8(ascii: ")"): token = .close
        case UInt8(ascii: ","): token = .comma
        case UInt8(ascii: "["):
            rest = rest.dropFirst()
            while rest.first == 0x20 { rest = rest.dropFirst() }
            guard rest.first == UInt8(ascii: "]") else {
                throw FunctionSignatureError(
                    "'[' without ']' at character \(place)",
                    expected: "'[]': the length is the parameter 'n'"
                )
            }
            token = .brackets
        case _ where Self.isOfWord(byte):
            let word = rest.prefix(while: Self.isOfWord)
            rest = rest.dropFirst(word.count)
            token = .word(String(decoding: word, as: UTF8.self))
            return
        default:
            throw strange(byte)
        }
        rest = rest.dropFirst()
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// What a byte that is in no signature most likely stands for.
    private func strange(_ byte: UInt8) -> FunctionSignatureError {
        switch byte {
        case UInt8(ascii: "."):
            .wrapper(
                "'...' at character \(place)",
                "functions with a variable number of arguments are called in another way"
            )
        case UInt8(ascii: "*"):
            FunctionSignatureError(
                "'*' at character \(place)",
                expected: "'str' for a char pointer, 'bytes' for a pointer and a length, "
                    + "'out f64' for a pointer to a result, 'f64[]' for an array",
                remedy: "pointers to anything else, callbacks among them, need a C function of "
                    + "your own"
            )
        case UInt8(ascii: "{"):
            .wrapper("'{' at character \(place)", "structs cannot be passed or returned")
        default:
            FunctionSignatureError(
                "\(Self.shown(byte)) at character \(place)",
                expected: "a signature such as 'f64(f64, f64)'"
            )
        }
    }

    private static func shown(_ byte: UInt8) -> String {
        guard byte > 0x20, byte < 0x7f else { return "the byte \(byte)" }
        return "'\(String(decoding: [byte], as: UTF8.self))'"
    }

    // MARK: - Words

    private static let numberWords = FunctionSignature.Number.allCases.map(\.rawValue)
    private static let resultWords = numberWords + ["str", "void"]
    private static let parameterWords = numberWords + ["str", "bytes", "out", "n"]

    /// What the types of C are here.
    private static let wordsOfC: [String: String] = [
        "double": "f64", "float": "f32", "int": "i32", "unsigned": "u32", "uint": "u32",
        "long": "i64", "ulong": "u64", "short": "i16", "ushort": "u16", "char": "i8",
        "uchar": "u8", "size_t": "u64", "ssize_t": "i64", "int8_t": "i8", "int16_t": "i16",
        "int32_t": "i32", "int64_t": "i64", "uint8_t": "u8", "uint16_t": "u16",
        "uint32_t": "u32", "uint64_t": "u64", "_Bool": "bool", "boolean": "bool", "Bool": "bool",
        "time_t": "i64", "string": "str", "const": "str", "usize": "u64", "isize": "i64",
        "byte": "u8", "data": "bytes",
    ]

    private func unknown(_ word: String, _ words: [String]) -> FunctionSignatureError {
        switch word {
        case "struct", "union", "div_t", "ldiv_t", "lldiv_t":
            return .wrapper("the type '\(word)'", "structs cannot be passed or returned")
        case "complex", "_Complex":
            return .wrapper("the type '\(word)'", "complex numbers are passed as structs")
        case "callback", "func", "fn", "function":
            return .wrapper("the type '\(word)'", "functions cannot be passed")
        case "va_list":
            return .wrapper("the type '\(word)'", "it stands for a variable number of arguments")
        case "borrowed", "malloc":
            return FunctionSignatureError(
                "'\(word)' without 'str'",
                expected: "'str \(word)' as the result"
            )
        default:
            let shown = word.utf8.count > 40 ? word.prefix(40) + "..." : word[...]
            return FunctionSignatureError(
                "unknown type '\(shown)'",
                expected: JobProblem.oneOf(words),
                suggestion: Self.wordsOfC[word] ?? NearestWord.find(word, among: words)
            )
        }
    }
}

extension FunctionSignature {
    /// Refuses what can be read and not called.
    fileprivate func check() throws(FunctionSignatureError) {
        guard parameters.count <= Self.parameterCountMax else {
            throw FunctionSignatureError(
                "\(parameters.count) parameters",
                expected: "at most \(Self.parameterCountMax)"
            )
        }
        if isBatch { try checkBatch() } else { try checkScalar() }
    }

    private func checkScalar() throws(FunctionSignatureError) {
        let outs = parameters.count { if case .out = $0 { true } else { false } }
        switch (result, outs) {
        case (.nothing, 1), (.number, 0), (.borrowedString, 0), (.mallocString, 0): return
        case (.nothing, 0):
            throw FunctionSignatureError(
                "a function without result",
                expected: "a result, or one 'out' parameter, as in 'void(f64, out f64)'"
            )
        case (.nothing, _):
            throw .wrapper("\(outs) 'out' parameters", "a call has one result")
        default:
            throw .wrapper("a result and an 'out' parameter", "a call has one result")
        }
    }

    private func checkBatch() throws(FunctionSignatureError) {
        guard result == .nothing else {
            throw FunctionSignatureError(
                "the result '\(result.text)' of a function over columns",
                expected: "'void': what it returns could be only one for all records"
            )
        }
        if parameters.contains(where: { if case .out = $0 { true } else { false } }) {
            throw FunctionSignatureError(
                "'out' without '[]' in a function over columns",
                expected: "'out f64[]', a result for each record"
            )
        }
        if parameters.contains(.bytes) {
            throw .wrapper("'bytes' in a function over columns", "columns are of numbers or 'str'")
        }
        let outs = parameters.count { if case .outColumn = $0 { true } else { false } }
        guard outs == 1 else {
            throw FunctionSignatureError(
                outs == 0 ? "no 'out' column" : "\(outs) 'out' columns",
                expected: "one, as in 'void(f64[], out f64[], n)'"
            )
        }
        guard parameters.count(where: { $0 == .count }) == 1 else {
            throw FunctionSignatureError(
                parameters.contains(.count)
                    ? "more than one 'n'" : "no 'n' in a function over columns",
                expected: "one 'n', where the function takes the number of records"
            )
        }
    }
}
