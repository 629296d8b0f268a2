/// What a scalar means: the core schema of YAML 1.2, held to the numbers of JSON.
///
/// Unlike in YAML 1.1, `NO`, `on` and `1:30` are strings, and so are `007` and `.inf`.
enum PlainScalar {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    /// A number that no integer or floating-point number of 64 bits holds.
    case outOfRange

    init(_ scalar: DocumentNode.Scalar) {
        guard scalar.isPlain else {
            self = .string(scalar.text)
            return
        }
        switch scalar.text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        default: self = Self.number(scalar.text) ?? .string(scalar.text)
        }
    }

    /// The kind of value as messages name it.
    var kindInWords: String {
        switch self {
        case .null: "null"
        case .bool: "truth value"
        case .integer, .number, .outOfRange: "number"
        case .string: "string"
        }
    }

    /// The number that `text` is, or `nil` if it is none.
    private static func number(_ text: String) -> PlainScalar? {
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            let digits = text.dropFirst(2)
            guard !digits.isEmpty, digits.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
                return nil
            }
            if radix == 8 && digits.contains(where: { $0 > "7" }) { return nil }
            return Int64(digits, radix: radix).map(PlainScalar.integer) ?? .outOfRange
        }
        guard let shape = shape(of: unsigned) else { return nil }
        if shape == .integer { return Int64(text).map(PlainScalar.integer) ?? .outOfRange }
        guard let value = Double(text), value.isFinite else { return .outOfRange }
        return .number(value)
    }

    private enum Shape {
        case integer
        case fraction
    }

    /// Whether the text is `1`, or `1.5`, `.5`, `1e3`, or no number at all.
    private static func shape(of text: Substring) -> Shape? {
        var rest = text.utf8[...]
        let whole = dropDigits(&rest)
        var shape = Shape.integer
        var fractionCount = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fractionCount = dropDigits(&rest)
            shape = .fraction
        }
        guard whole + fractionCount > 0 else { return nil }
        // A leading zero is more likely part of a code than of a number.
        if whole > 1 && text.utf8.first == UInt8(ascii: "0") { return nil }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
                rest = rest.dropFirst()
            }
            guard dropDigits(&rest) > 0 else { return nil }
            shape = .fraction
        }
        return rest.isEmpty ? shape : nil
    }

    /// Drops the digits at the front and returns their number.
    private static func dropDigits(_ text: inout Substring.UTF8View.SubSequence) -> Int {
        let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        text = text.dropFirst(digits.count)
        return digits.count
    }
}
