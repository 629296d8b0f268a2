/// Walks over JSON text, checking every byte of it, and builds nothing.
///
/// RFC 8259 without extensions.  Nesting is limited, so that no input exhausts the stack.
struct JSONScanner {
    /// What a value is.
    enum Kind: UInt8 {
        case null
        case bool
        /// A number without fraction and exponent.
        case integer
        case number
        /// A string without escapes.
        case plainString
        case escapedString
        case array
        case object

        /// What it is called in messages.
        var name: StaticString {
            switch self {
            case .null: "null"
            case .bool: "a truth value"
            case .integer, .number: "a number"
            case .plainString, .escapedString: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        }
    }

    /// Where a value or a name is; strings without their quotes.
    struct Piece {
        var start: UInt32 = 0
        var end: UInt32 = 0
        var kind = Kind.null
    }

    /// How deep arrays and objects may be nested.
    static let depthMax = 64

    let text: Bytes
    var position: Int

    /// The byte at the position; 0, which no JSON has outside of strings, at the end.
    private var byte: UInt8 { position < text.count ? text[position] : 0 }

    func error(_ expected: StaticString) -> RecordError {
        guard position < text.count else {
            return RecordError("not JSON: expected \(expected) at the end of \(text.count) bytes")
        }
        return RecordError("not JSON: expected \(expected) at byte \(position)")
    }

    /// Skips spaces, and then a byte if it is there.
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard byte == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func skipSpaces() {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// Skips a name and the colon behind it.
    mutating func name() throws(RecordError) -> Piece {
        guard skip("\"") else { throw error("a field's name") }
        let name = try string()
        guard skip(":") else { throw error("':'") }
        return name
    }

    /// Skips a value.
    mutating func value(depth: Int = 1) throws(RecordError) -> Piece {
        skipSpaces()
        let start = position
        let kind: Kind
        switch byte {
        case UInt8(ascii: "\""):
            position += 1
            return try string()
        case UInt8(ascii: "{"):
            try object(depth)
            kind = .object
        case UInt8(ascii: "["):
            try array(depth)
            kind = .array
        case UInt8(ascii: "t"):
            kind = try literal("true", .bool)
        case UInt8(ascii: "f"):
            kind = try literal("false", .bool)
        case UInt8(ascii: "n"):
            kind = try literal("null", .null)
        default:
            kind = try number()
        }
        return Piece(start: UInt32(start), end: UInt32(position), kind: kind)
    }

    private mutating func object(_ depth: Int) throws(RecordError) {
        guard depth < Self.depthMax else { throw error("at most 64 levels") }
        position += 1
        if skip("}") { return }
        repeat {
            _ = try name()
            _ = try value(depth: depth + 1)
        } while skip(",")
        guard skip("}") else { throw error("',' or '}'") }
    }

    private mutating func array(_ depth: Int) throws(RecordError) {
        guard depth < Self.depthMax else { throw error("at most 64 levels") }
        position += 1
        if skip("]") { return }
        repeat {
            _ = try value(depth: depth + 1)
        } while skip(",")
        guard skip("]") else { throw error("',' or ']'") }
    }

    private mutating func literal(
        _ literal: StaticString,
        _ kind: Kind
    ) throws(RecordError) -> Kind {
        let end = position + literal.utf8CodeUnitCount
        guard end <= text.count, text[position..<end] == literal else { throw error("a value") }
        position = end
        return kind
    }

    private mutating func number() throws(RecordError) -> Kind {
        if byte == UInt8(ascii: "-") { position += 1 }
        if byte == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits("a value")
        }
        var kind = Kind.integer
        if byte == UInt8(ascii: ".") {
            position += 1
            try digits("a digit")
            kind = .number
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            position += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
            try digits("a digit")
            kind = .number
        }
        return kind
    }

    private mutating func digits(_ expected: StaticString) throws(RecordError) {
        let start = position
        while UInt8(ascii: "0") <= byte, byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw error(expected) }
    }

    /// Skips the rest of a string, whose first quote has been read.
    private mutating func string() throws(RecordError) -> Piece {
        var piece = Piece(start: UInt32(position), end: 0, kind: .plainString)
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""):
                piece.end = UInt32(position)
                position += 1
                return piece
            case UInt8(ascii: "\\"):
                piece.kind = .escapedString
                position += 1
                try escape()
            case 0..<0x20:
                throw error("no control characters in a string")
            default:
                position += 1
            }
        }
        throw error("'\"'")
    }

    private mutating func escape() throws(RecordError) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            let unit = try codeUnit()
            guard UTF16.isSurrogate(unit) else { return }
            guard UTF16.isLeadSurrogate(unit), byte == UInt8(ascii: "\\") else {
                throw error("a pair of surrogates")
            }
            position += 1
            guard byte == UInt8(ascii: "u"), UTF16.isTrailSurrogate(try codeUnit()) else {
                throw error("a pair of surrogates")
            }
        default:
            throw error("an escape")
        }
    }

    /// Reads `uXXXX`.
    mutating func codeUnit() throws(RecordError) -> UInt16 {
        position += 1
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("four hexadecimal digits")
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }
}
