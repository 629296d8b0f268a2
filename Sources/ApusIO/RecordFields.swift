import ApusCore
import ApusMemory
import CApusPlugin

/// A field of a record.
///
/// The bytes hold until the next field is asked for.
enum FieldValue {
    case missing
    case null
    /// A string, number or truth value.
    case text(ByteRange)
    /// An object or array.
    case nested
}

/// Why a record cannot be processed.
struct MalformedRecord: Error, Equatable {
    let reason: String
}

/// A record whose fields can be asked for, by their position in ``RecordParsing/fieldPaths``.
protocol FieldAccess {
    func field(_ index: Int) -> FieldValue
}

/// Makes the event time and the key of a record out of its fields.
struct RecordFields {
    private let timestamp: RecordParsing.Timestamp
    private let nullValues: [[UInt8]]
    private let names: [String]
    private let keyIndex: Int?

    init(_ parsing: RecordParsing) {
        timestamp = parsing.timestamp
        nullValues = parsing.nullValues.map { Array($0.utf8) }
        names = parsing.fieldPaths.map { $0.joined(separator: ".") }
        keyIndex = parsing.keyField == nil ? nil : names.count - 1
    }

    /// Appends a record to a batch with room for it.
    ///
    /// - Parameters:
    ///   - fields: The record's fields.
    ///   - batch: What it is appended to.
    ///   - arenaOffset: Where the batch's arena has the value.
    ///   - byteCount: The size of the value.
    /// - Throws: ``MalformedRecord`` when it has no event time though it should.
    @inline(__always)
    func append(
        _ fields: some FieldAccess,
        to batch: RecordBatch,
        arenaOffset: Int,
        byteCount: Int
    ) throws(MalformedRecord) {
        let index = batch.count
        // SAFETY: the caller has checked that the columns have room for one more record; the views
        // are written before `count` makes them readable.
        batch.times[index] = try time(of: fields)
        batch.kinds[index] = 0
        if let key = key(of: fields) {
            guard batch.store(key.start, count: key.count, in: batch.keys + index) else {
                throw MalformedRecord(reason: "no room for the key in a batch")
            }
        } else {
            batch.keys[index] = apus_view()
            batch.kinds[index] = UInt8(APUS_KIND_NULL_KEY)
        }
        batch.show(arenaOffset: arenaOffset, count: byteCount, in: batch.values + index)
        batch.count = index + 1
    }

    private func key(of fields: some FieldAccess) -> ByteRange? {
        guard let keyIndex, case .text(let text) = fields.field(keyIndex),
            nullValues.isEmpty || !text.isOne(of: nullValues)
        else { return nil }
        return text
    }

    /// The event time.
    ///
    /// - Throws: ``MalformedRecord`` when it has none though it should.
    func time(of fields: some FieldAccess) throws(MalformedRecord) -> Int64 {
        switch timestamp {
        case .none:
            return EventTime.none.microseconds
        case .field(_, let unit):
            let text = try timeText(of: fields, 0)
            guard let time = TimestampReader.microseconds(of: text, unit: unit) else {
                throw unreadable(0, text, "is not \(Self.words(for: unit))")
            }
            return time
        case .parts:
            return try timeOfParts(of: fields)
        }
    }

    private func timeOfParts(of fields: some FieldAccess) throws(MalformedRecord) -> Int64 {
        var parts = (Int64(0), Int64(0), Int64(0), Int64(0), Int64(0), Int64(0))
        for index in 0..<names.count where index != keyIndex {
            let text = try timeText(of: fields, index)
            guard let part = TimestampReader.part(of: text) else {
                throw unreadable(index, text, "is not a whole number")
            }
            switch index {
            case 0: parts.0 = part
            case 1: parts.1 = part
            case 2: parts.2 = part
            case 3: parts.3 = part
            case 4: parts.4 = part
            default: parts.5 = part
            }
        }
        guard let time = TimestampReader.microseconds(ofParts: parts) else {
            throw MalformedRecord(
                reason: "no event time: \(parts.0)-\(parts.1)-\(parts.2) "
                    + "\(parts.3):\(parts.4):\(parts.5) is not a date and time"
            )
        }
        return time
    }

    private func timeText(
        of fields: some FieldAccess,
        _ index: Int
    ) throws(MalformedRecord) -> ByteRange {
        switch fields.field(index) {
        case .text(let text):
            guard nullValues.isEmpty || !text.isOne(of: nullValues) else {
                throw unreadable(index, text, "means no value")
            }
            return text
        case .missing: throw noTime(index, "is missing")
        case .null: throw noTime(index, "is null")
        case .nested: throw noTime(index, "is an object or array")
        }
    }

    private func noTime(_ index: Int, _ what: String) -> MalformedRecord {
        MalformedRecord(reason: "no event time: field '\(names[index])' \(what)")
    }

    private func unreadable(_ index: Int, _ text: ByteRange, _ what: String) -> MalformedRecord {
        let shown = String(decoding: text.copy(atMost: 64), as: UTF8.self)
        return noTime(index, "is '\(shown)\(text.count > 64 ? "..." : "")', which \(what)")
    }

    private static func words(for unit: RecordParsing.TimeUnit) -> String {
        switch unit {
        case .seconds: "a time in seconds since 1970"
        case .milliseconds: "a time in milliseconds since 1970"
        case .microseconds: "a time in microseconds since 1970"
        case .rfc3339: "an RFC 3339 time such as 2013-01-01T05:15:00Z"
        }
    }
}
