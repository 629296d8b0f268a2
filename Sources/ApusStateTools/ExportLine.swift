import Foundation

/// A line of the export format: a JSON object, UTF-8, a newline at its end.
///
/// The first line of a file and its last one may be missing, both together:
///
///     {"apusStateExport":1,"job":J,"checkpoint":N,"maxParallelism":G,"what":TEXT}
///     {"apusStateExportEnd":LINES}        the number of lines between the two
///
/// Each line between is a value, counter, element of a list, entry of a map, or timer:
///
///     "operator"       the operator's id, or "#7" of one that the job has no longer
///     "key"            the key as text; where it is none, "keyHex": hexadecimal digits
///     "state"          the state's name ("slot 3" where nobody declares it); not of timers
///     "kind"           "value", "counter", "list", "map", "unknown", "timer"; "broadcast": an
///                      entry of broadcast state, which has a mapKey and no key; "operator": an
///                      item of operator state, which has a subtask and an index and no key
///     "schemaVersion"  what the bytes mean, by the operator's numbering; not of timers
///     "value"          the bytes as text; where they are none, "valueHex"; not of counters, timers
///     "number"         a counter's sum
///     "subtask"        of an item of operator state: whose it is
///     "index"          of an element of a list: 0, 1, 2 ...; a list's lines follow each other; of
///                      an item of operator state: 0, 1, 2 ... in its subtask
///     "mapKey"         of an entry of a map, or "mapKeyHex"; of an unknown state what is behind
///                      the key in the database, or nothing for what is in the row
///     "timer"          a timer's name ("timer 3" where nobody declares it)
///     "domain"         a timer's domain: "event", "processing"
///     "id"             a timer's id, 0 ... 2^64 - 1
///     "timeMicroseconds"  when a timer is due, since 1970-01-01T00:00:00Z
///     "payload"        a timer's payload where it has one, or "payloadHex"
///     "refreshed"      when state with a time to live was last refreshed; not of other state
///     "written"        when the key was last written, RFC 3339; left out when not known
///     "expires"        when the key expires; left out for never
struct ExportLine: Codable, Equatable {
    /// The version of the format, in the first line alone.
    var apusStateExport: Int?
    var job: String?
    var checkpoint: UInt64?
    var maxParallelism: Int?
    var what: String?
    /// The number of lines between, in the last line alone.
    var apusStateExportEnd: Int?

    var `operator`: String?
    var key: String?
    var keyHex: String?
    var state: String?
    var kind: String?
    var schemaVersion: UInt16?
    var value: String?
    var valueHex: String?
    var number: Int64?
    var index: Int?
    var subtask: Int?
    var mapKey: String?
    var mapKeyHex: String?
    var timer: String?
    var domain: String?
    var id: UInt64?
    var timeMicroseconds: Int64?
    var payload: String?
    var payloadHex: String?
    var written: String?
    var expires: String?
    var refreshed: String?

    /// The newest version of the format.
    static let version = 1

    /// The members of a line, so that one that is misspelt is an error.
    private static let members: [String] = [
        "apusStateExport", "job", "checkpoint", "maxParallelism", "what", "apusStateExportEnd",
        "operator", "key", "keyHex", "state", "kind", "schemaVersion", "value", "valueHex",
        "number", "index", "subtask", "mapKey", "mapKeyHex", "timer", "domain", "id",
        "timeMicroseconds",
        "payload", "payloadHex", "written", "expires", "refreshed",
    ]

    /// Sets a pair of members out of bytes.
    static func set(_ bytes: [UInt8], _ text: inout String?, _ hex: inout String?) {
        text = ByteText.text(bytes)
        hex = text == nil ? ByteText.hexadecimal(bytes) : nil
    }

    // MARK: - JSON

    /// The line without its newline.
    var json: String {
        var line = LineText()
        line.add("apusStateExport", apusStateExport.map(String.init))
        line.add("job", text: job)
        line.add("checkpoint", checkpoint.map { String($0) })
        line.add("maxParallelism", maxParallelism.map(String.init))
        line.add("what", text: what)
        line.add("apusStateExportEnd", apusStateExportEnd.map(String.init))
        line.add("operator", text: self.operator)
        line.add("key", text: key)
        line.add("keyHex", text: keyHex)
        line.add("state", text: state)
        line.add("timer", text: timer)
        line.add("kind", text: kind)
        line.add("schemaVersion", schemaVersion.map { String($0) })
        line.add("subtask", subtask.map(String.init))
        line.add("index", index.map(String.init))
        line.add("mapKey", text: mapKey)
        line.add("mapKeyHex", text: mapKeyHex)
        line.add("value", text: value)
        line.add("valueHex", text: valueHex)
        line.add("number", number.map { String($0) })
        line.add("domain", text: domain)
        line.add("id", id.map { String($0) })
        line.add("timeMicroseconds", timeMicroseconds.map { String($0) })
        line.add("payload", text: payload)
        line.add("payloadHex", text: payloadHex)
        line.add("refreshed", text: refreshed)
        line.add("written", text: written)
        line.add("expires", text: expires)
        return line.text + "}"
    }

    /// Reads a line.
    ///
    /// - Parameters:
    ///   - bytes: The line without its newline.
    ///   - place: Where it is, for messages: `file:3`.
    /// - Throws: ``StateToolError`` that says what was expected.
    init(_ bytes: [UInt8], at place: String) throws(StateToolError) {
        do {
            let decoder = JSONDecoder()
            let names = try decoder.decode(MemberNames.self, from: Data(bytes)).names
            if let unknown = names.first(where: { !Self.members.contains($0) }) {
                throw StateToolError(
                    .input,
                    "\(place): " + OperatorDirectory.unknown("member", unknown, Self.members)
                )
            }
            self = try decoder.decode(ExportLine.self, from: Data(bytes))
        } catch let error as StateToolError {
            throw error
        } catch {
            throw StateToolError(
                .input,
                "\(place): expected a JSON object of the export format, found something else: "
                    + Self.reason(error)
            )
        }
    }

    /// Creates an empty line.
    init() {}

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context), .dataCorrupted(let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return (path.isEmpty ? "" : "member '\(path)': ") + context.debugDescription
        @unknown default: return "\(error)"
        }
    }
}

/// A JSON object that is written member by member.
private struct LineText {
    private(set) var text = "{"

    mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        if text.utf8.count > 1 { text += "," }
        text += "\"\(name)\":\(value)"
    }

    mutating func add(_ name: String, text value: String?) {
        add(name, value.map(Self.quoted))
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// The names of a JSON object's members.
private struct MemberNames: Decodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) { nil }
    }

    let names: [String]

    init(from decoder: any Decoder) throws {
        names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue).sorted()
    }
}
