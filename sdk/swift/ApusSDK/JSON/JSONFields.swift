/// The fields of a JSON object, read from its bytes one by one as they are asked for.
///
/// ```swift
/// let fields = try JSONFields(record.value)
/// let type = try fields.string("type")
/// let amount = try fields.optionalInteger("amount") ?? 0
/// ```
///
/// The whole text is checked first, by RFC 8259: nothing may follow the object, strings are
/// UTF-8, nesting is at most 64 deep.  Only fields of the object itself can be read; a nested one
/// by way of ``object(_:)``.  Nothing is allocated, except for the strings that are asked for.
///
/// All errors are a ``RecordError`` with the place or the field's name.  A field that is there
/// twice is an error when it is asked for.
///
/// Valid as long as the bytes that it reads; see ``Bytes``.
public struct JSONFields {
    private struct Field {
        var name = JSONScanner.Piece()
        var value = JSONScanner.Piece()
    }

    /// How many fields are noted when the text is checked; those behind are looked for each time.
    private static let notedCountMax = 16

    private let text: Bytes
    private var noted: InlineArray<16, Field>
    private var notedCount = 0
    /// Where the fields begin that are not noted; nil when there is none.
    private var restPosition: Int?

    /// Checks the text, which must be one object.
    ///
    /// - Throws: ``RecordError`` when it is not.
    public init(_ text: Bytes) throws(RecordError) {
        self.text = text
        noted = InlineArray(repeating: Field())
        guard text.count <= Int(Int32.max) else {
            throw RecordError("not JSON: \(text.count) bytes are too many")
        }
        var scanner = JSONScanner(text: text, position: 0)
        guard scanner.skip("{") else { throw scanner.error("'{'") }
        if !scanner.skip("}") {
            repeat {
                let position = scanner.position
                let field = Field(name: try scanner.name(), value: try scanner.value())
                note(field, position)
            } while scanner.skip(",")
            guard scanner.skip("}") else { throw scanner.error("',' or '}'") }
        }
        scanner.skipSpaces()
        guard scanner.position == text.count else { throw scanner.error("nothing") }
        guard Self.isUTF8(text) else { throw RecordError("not JSON: not UTF-8") }
    }

    private mutating func note(_ field: Field, _ position: Int) {
        if notedCount < Self.notedCountMax {
            noted[notedCount] = field
            notedCount += 1
        } else if restPosition == nil {
            restPosition = position
        }
    }

    private static func isUTF8(_ text: Bytes) -> Bool {
        // SAFETY: the span is used within the call only.
        text.buffer.withMemoryRebound(to: UInt8.self) { bytes in
            guard bytes.contains(where: { $0 >= 0x80 }) else { return true }
            do {
                _ = try UTF8Span(validating: bytes.span)
                return true
            } catch {
                return false
            }
        }
    }

    // MARK: - Reading

    /// Whether there is such a field, be it null.
    public func contains(_ name: StaticString) throws(RecordError) -> Bool {
        try find(name) != nil
    }

    /// The text of a field that must be there.
    public func string(_ name: StaticString) throws(RecordError) -> String {
        try required(name, optionalString(name))
    }

    /// The text of a field; nil when it is missing or null.
    public func optionalString(_ name: StaticString) throws(RecordError) -> String? {
        guard let value = try find(name), value.kind != .null else { return nil }
        switch value.kind {
        case .plainString: return bytes(value).text
        case .escapedString: return try unescaped(value)
        default: throw unexpected(value, name, "a string")
        }
    }

    /// The number of a field that must be there: whole, written without fraction and exponent.
    public func integer(_ name: StaticString) throws(RecordError) -> Int64 {
        try required(name, optionalInteger(name))
    }

    /// The whole number of a field; nil when it is missing or null.
    public func optionalInteger(_ name: StaticString) throws(RecordError) -> Int64? {
        guard let value = try find(name), value.kind != .null else { return nil }
        guard value.kind == .integer else { throw unexpected(value, name, "a whole number") }
        guard let number = Self.integer(bytes(value)) else {
            throw RecordError("field '\(name)': \(bytes(value).text) does not fit in 64 bits")
        }
        return number
    }

    /// The number of a field that must be there.
    public func double(_ name: StaticString) throws(RecordError) -> Double {
        try required(name, optionalDouble(name))
    }

    /// The number of a field; nil when it is missing or null.
    public func optionalDouble(_ name: StaticString) throws(RecordError) -> Double? {
        guard let value = try find(name), value.kind != .null else { return nil }
        guard value.kind == .integer || value.kind == .number else {
            throw unexpected(value, name, "a number")
        }
        guard let number = Double(bytes(value).text), number.isFinite else {
            throw RecordError("field '\(name)': the number is too large")
        }
        return number
    }

    /// The truth value of a field that must be there.
    public func bool(_ name: StaticString) throws(RecordError) -> Bool {
        try required(name, optionalBool(name))
    }

    /// The truth value of a field; nil when it is missing or null.
    public func optionalBool(_ name: StaticString) throws(RecordError) -> Bool? {
        guard let value = try find(name), value.kind != .null else { return nil }
        guard value.kind == .bool else { throw unexpected(value, name, "true or false") }
        return bytes(value).count == 4
    }

    /// The fields of an object in a field that must be there.
    public func object(_ name: StaticString) throws(RecordError) -> JSONFields {
        guard let value = try find(name) else { throw Self.missing(name) }
        guard value.kind == .object else { throw unexpected(value, name, "an object") }
        return try JSONFields(bytes(value))
    }

    /// Checks that there are no other fields than these, for configurations.
    public func allowOnly(_ names: StaticString...) throws(RecordError) {
        var scanner = JSONScanner(text: text, position: 0)
        guard scanner.skip("{"), !scanner.skip("}") else { return }
        repeat {
            let name = try scanner.name()
            _ = try scanner.value()
            var isKnown = false
            for known in names where try isNamed(known, name) { isKnown = true }
            guard isKnown else {
                let expected = names.map(\.description).joined(separator: ", ")
                throw RecordError(
                    "field '\(bytes(name).text)' is unknown; expected "
                        + (names.isEmpty ? "none" : expected)
                )
            }
        } while scanner.skip(",")
    }

    // MARK: - Finding

    private func find(_ name: StaticString) throws(RecordError) -> JSONScanner.Piece? {
        var found: JSONScanner.Piece?
        for index in 0..<notedCount where try isNamed(name, noted[index].name) {
            guard found == nil else { throw RecordError("field '\(name)' is there twice") }
            found = noted[index].value
        }
        guard let restPosition else { return found }
        var scanner = JSONScanner(text: text, position: restPosition)
        repeat {
            let isNamed = try isNamed(name, scanner.name())
            let value = try scanner.value()
            guard isNamed else { continue }
            guard found == nil else { throw RecordError("field '\(name)' is there twice") }
            found = value
        } while scanner.skip(",")
        return found
    }

    private func isNamed(
        _ name: StaticString,
        _ piece: JSONScanner.Piece
    ) throws(RecordError) -> Bool {
        if piece.kind == .plainString { return bytes(piece) == name }
        return try unescaped(piece) == name.description
    }

    private func required<Value>(
        _ name: StaticString,
        _ value: Value?
    ) throws(RecordError) -> Value {
        guard let value else { throw Self.missing(name) }
        return value
    }

    private static func missing(_ name: StaticString) -> RecordError {
        RecordError("field '\(name)' is missing")
    }

    private func unexpected(
        _ value: JSONScanner.Piece,
        _ name: StaticString,
        _ expected: StaticString
    ) -> RecordError {
        RecordError("field '\(name)' is \(value.kind.name); expected \(expected)")
    }

    private func bytes(_ piece: JSONScanner.Piece) -> Bytes {
        text[Int(piece.start)..<Int(piece.end)]
    }
}

extension JSONFields {
    /// A string with its escapes resolved; they have been checked.
    private func unescaped(_ piece: JSONScanner.Piece) throws(RecordError) -> String {
        var result: [UInt8] = []
        var scanner = JSONScanner(text: text, position: Int(piece.start))
        while scanner.position < Int(piece.end) {
            let byte = text[scanner.position]
            scanner.position += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            let escape = text[scanner.position]
            switch escape {
            case UInt8(ascii: "u"):
                var units = [try scanner.codeUnit()]
                if UTF16.isLeadSurrogate(units[0]) {
                    scanner.position += 1
                    units.append(try scanner.codeUnit())
                }
                result.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
                continue
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            default: result.append(escape)
            }
            scanner.position += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The number that checked digits say; nil when it does not fit.
    private static func integer(_ digits: Bytes) -> Int64? {
        let isNegative = digits.first == UInt8(ascii: "-")
        var number: Int64 = 0
        for digit in digits.dropFirst(isNegative ? 1 : 0) {
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            // Built from below zero, where there is one number more.
            let (sum, isTooSmall) = product.subtractingReportingOverflow(
                Int64(digit - UInt8(ascii: "0"))
            )
            guard !isTooLarge, !isTooSmall else { return nil }
            number = sum
        }
        if isNegative { return number }
        return number == .min ? nil : -number
    }
}
