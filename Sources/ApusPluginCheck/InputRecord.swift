/// A record that a check gives to a plugin.
struct InputRecord: Equatable, Sendable {
    /// Nil for a record without key.
    var key: [UInt8]?
    /// Nil for a record without value.
    var value: [UInt8]?
    /// Event time in microseconds, or `Int64.min` for none.
    var time: Int64
}

/// A record that a plugin wrote, or one that it refused.
struct OutputRecord: Equatable, Sendable {
    var key: [UInt8]?
    var value: [UInt8]?
    var time: Int64

    /// The record in words, for messages.
    var text: String {
        "key \(Self.text(key)), value \(Self.text(value)), time "
            + (time == .min ? "none" : "\(time)")
    }

    /// Bytes in words, cut when there are many.
    static func text(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return "none" }
        let isText = bytes.allSatisfy { (32..<127).contains($0) }
        let shown = bytes.prefix(isText ? 80 : 24)
        let more = bytes.count > shown.count ? "... (\(bytes.count) bytes)" : ""
        if isText { return "'" + String(decoding: shown, as: UTF8.self) + "'" + more }
        let digits = shown.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return "0x" + digits.joined() + more
    }
}
