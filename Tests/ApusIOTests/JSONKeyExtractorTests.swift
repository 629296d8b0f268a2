import ApusMemory
import CApusPlugin
import Testing

@testable import ApusIO

/// Keys must be right wherever their value lies: in its view, in the arena, in a borrowed buffer.
@Suite("JSONKeyExtractor")
struct JSONKeyExtractorTests {
    static func batch(_ values: [String], arenaCapacity: Int = 16) -> RecordBatch {
        let batch = RecordBatch(recordCapacity: 64, arenaCapacity: arenaCapacity)
        for value in values {
            let bytes = Array(value.utf8)
            let isAppended = bytes.withUnsafeBytes { batch.append(key: nil, value: $0, time: 0) }
            precondition(isAppended)
        }
        return batch
    }

    static let values = [
        #"{"k":1}"#, #"{"k":"twelve bytes"}"#, #"{"k":"more than twelve bytes"}"#,
        #"{"k":1234567890.12345}"#, #"{"k":"\u00e9"}"#, #"{"k":true}"#, #"{"k":null}"#, "{}",
        #"{"k":{}}"#, "not JSON", "", #"{"k":"NA"}"#, #"{"k":""}"#,
    ]

    static let keys: [String?] = [
        "1", "twelve bytes", "more than twelve bytes", "1234567890.12345", "\u{e9}", "true", nil,
        nil, nil, nil, nil, nil, "",
    ]

    @Test("takes keys out of values")
    func takesKeysOutOfValues() {
        let batch = Self.batch(Self.values)
        JSONKeyExtractor(path: ["k"], nullValues: ["NA"]).extract(batch)
        let records = ReadRecords.records(of: batch)
        #expect(records.map(\.key) == Self.keys)
        #expect(records.map(\.value) == Self.values)
    }

    @Test("takes keys out of values in borrowed buffers")
    func takesKeysOutOfBorrowedValues() {
        let source = Self.batch(Self.values)
        var view = source.view(input: 0, isKeyed: false)
        let batch = RecordBatch(recordCapacity: 64, arenaCapacity: 16)
        batch.reset(borrowingFrom: &view)
        for index in 0..<source.count {
            batch.values[index] = source.values[index]
            batch.kinds[index] = 0
        }
        batch.count = source.count
        JSONKeyExtractor(path: ["k"], nullValues: ["NA"]).extract(batch)
        #expect(ReadRecords.records(of: batch).map(\.key) == Self.keys)
    }

    @Test("a record without a value has no key")
    func aRecordWithoutAValueHasNoKey() {
        let batch = Self.batch([#"{"k":1}"#])
        batch.kinds[0] = UInt8(APUS_KIND_NULL_VALUE)
        JSONKeyExtractor(path: ["k"], nullValues: []).extract(batch)
        #expect(batch.kinds[0] == UInt8(APUS_KIND_NULL_VALUE | APUS_KIND_NULL_KEY))
    }
}
