import ApusCore
import ApusMemory

/// One line of a dead-letter file: a JSON object.
///
///     key            value
///     node           the node that could not process the record
///     position       where the record came from, or ""
///     reason         why it could not be processed
///     time           its event time as in RFC 3339, or null
///     key            its key, or null; "key_base64" instead when it is not UTF-8
///     value          its bytes; "value_base64" instead when they are not UTF-8
///     byte_count     their number; only when there are more than are shown
///     truncated      true; only then
enum DeadLetterLine {
    /// How many bytes of a key or value are shown.
    static let shownByteCountMax = 1 << 20

    /// The line for a record, with its line feed.
    static func encode(_ record: RejectedRecord, node: String) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(record.bytes.count + 256)
        append("{\"node\":", to: &line)
        JSONText.append(node, to: &line)
        append(",\"position\":", to: &line)
        JSONText.append(record.position, to: &line)
        append(",\"reason\":", to: &line)
        JSONText.append(record.reason, to: &line)
        append(",\"time\":", to: &line)
        if record.time == .none || record.time == .endOfTime {
            append("null", to: &line)
        } else {
            JSONText.append(CivilTime(record.time).rfc3339, to: &line)
        }
        if let key = record.key {
            append(key, named: "key", to: &line)
        } else {
            append(",\"key\":null", to: &line)
        }
        append(record.bytes, named: "value", to: &line)
        if record.bytes.count > shownByteCountMax {
            append(",\"byte_count\":\(record.bytes.count),\"truncated\":true", to: &line)
        }
        append("}\n", to: &line)
        return line
    }

    private static func append(_ bytes: [UInt8], named name: String, to line: inout [UInt8]) {
        if let text = text(bytes) {
            append(",\"\(name)\":", to: &line)
            JSONText.append(text, to: &line)
        } else {
            append(",\"\(name)_base64\":", to: &line)
            JSONText.append(Base64.encode(Array(bytes.prefix(shownByteCountMax))), to: &line)
        }
    }

    /// The bytes as text, cut where a character ends; nil when they are not UTF-8.
    private static func text(_ bytes: [UInt8]) -> String? {
        guard bytes.count > shownByteCountMax else {
            return String(validating: bytes, as: UTF8.self)
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var end = shownByteCountMax
        // Bytes 10xxxxxx continue a character.
        while bytes[end] & 0xc0 == 0x80 { end -= 1 }
        return String(validating: bytes[..<end], as: UTF8.self)
    }

    private static func append(_ text: String, to line: inout [UInt8]) {
        line.append(contentsOf: text.utf8)
    }
}
