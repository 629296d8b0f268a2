import ApusMemory

/// A record as a value.
struct TestRecord: Hashable, Sendable {
    var key: String?
    var value: String
    /// Event time in microseconds; `Int64.min` for none.
    var time: Int64 = .min
}

extension TestRecord: Comparable {
    static func < (left: TestRecord, right: TestRecord) -> Bool {
        (left.key ?? "", left.value, left.time) < (right.key ?? "", right.value, right.time)
    }
}

extension RecordBatch {
    /// Appends a record that is a value.
    func append(_ record: TestRecord) {
        var value = record.value
        let isAppended = value.withUTF8 { value in
            guard var key = record.key else {
                return append(key: nil, value: UnsafeRawBufferPointer(value), time: record.time)
            }
            return key.withUTF8 {
                append(
                    key: UnsafeRawBufferPointer($0),
                    value: UnsafeRawBufferPointer(value),
                    time: record.time
                )
            }
        }
        precondition(isAppended, "the source knows the batch's capacity")
    }

    /// All records as values.
    var testRecords: [TestRecord] {
        (0..<count).map { index in
            TestRecord(
                key: isNullKey(index)
                    ? nil : String(decoding: bytes(of: keys + index), as: UTF8.self),
                value: String(decoding: bytes(of: values + index), as: UTF8.self),
                time: times[index]
            )
        }
    }
}
