/// Bytes as people read and write them: text where it is text, hexadecimal digits elsewhere.
package enum ByteText {
    /// The bytes as text; nil when they are not UTF-8, or not to be shown on a terminal.
    ///
    /// Control characters, line breaks and what turns the direction of writing are not shown.
    package static func text(_ bytes: [UInt8]) -> String? {
        if bytes.allSatisfy({ (0x20...0x7e).contains($0) }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let isShown = text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
                .paragraphSeparator:
                false
            default: true
            }
        }
        return isShown ? text : nil
    }

    /// Two lower-case digits for each byte.
    package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of hexadecimal digits; nil when it is something else.
    package static func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// The bytes as a person sees them; at most so many of them.
    package static func shown(_ bytes: [UInt8], byteCountMax: Int = .max) -> String {
        let part = bytes.count > byteCountMax ? Array(bytes.prefix(byteCountMax)) : bytes
        let more = bytes.count > byteCountMax ? "... (\(bytes.count) bytes)" : ""
        // Text that looks like digits would be read as them.
        if let text = text(part), !text.hasPrefix("0x") { return text + more }
        return "0x" + hexadecimal(part) + more
    }

    /// The key that a person wrote: text, or `0x` and hexadecimal digits.
    package static func key(_ text: String) throws(StateToolError) -> [UInt8] {
        guard text.hasPrefix("0x") else { return Array(text.utf8) }
        guard let bytes = bytes(hexadecimal: text.dropFirst(2)) else {
            throw StateToolError(
                .input,
                "the key '\(text)' begins with 0x: expected an even number of hexadecimal digits "
                    + "behind it; a key that is text and begins with 0x must be written in "
                    + "digits: 0x\(hexadecimal(text.utf8))"
            )
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
