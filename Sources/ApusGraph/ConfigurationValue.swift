/// A piece of configuration that only its plugin understands.
package indirect enum ConfigurationValue: Sendable, Hashable {
    /// The absence of a value.
    case null
    /// True or false.
    case bool(Bool)
    /// A number without a fraction.
    case integer(Int64)
    /// A number with a fraction or an exponent.
    case number(Double)
    /// Text.
    case string(String)
    /// Values in order.
    case list([ConfigurationValue])
    /// Named values in the author's order; no name occurs twice.
    case map([Entry])

    /// One named value of a ``map(_:)``.
    package struct Entry: Sendable, Hashable {
        /// The name.
        package var key: String

        /// The value.
        package var value: ConfigurationValue

        /// Creates an entry; see the properties.
        package init(_ key: String, _ value: ConfigurationValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value as JSON: UTF-8, no white space, names in the author's order.
    ///
    /// Equal values give equal text. JSON has no word for a number that is not finite; it becomes
    /// `null`.
    package func json() -> String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? value.description : "null"
        case .string(let value): Self.write(value, to: &text)
        case .list(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .map(let entries):
            text += "{"
            for (index, entry) in entries.enumerated() {
                if index > 0 { text += "," }
                Self.write(entry.key, to: &text)
                text += ":"
                entry.value.write(to: &text)
            }
            text += "}"
        }
    }

    /// Writes `string` as a JSON string: only what JSON demands is escaped.
    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{08}": text += "\\b"
            case "\u{0C}": text += "\\f"
            case "\u{00}"..<"\u{20}":
                text += scalar.value < 0x10 ? "\\u000" : "\\u00"
                text += String(scalar.value, radix: 16)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
