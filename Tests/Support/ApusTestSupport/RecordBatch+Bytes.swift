package import ApusMemory
import CApusPlugin

extension RecordBatch {
    /// Appends a record whose key and value are arrays.
    package func append(key: [UInt8]?, value: [UInt8], time: Int64 = 0) -> Bool {
        value.withUnsafeBytes { value in
            guard let key else { return append(key: nil, value: value, time: time) }
            return key.withUnsafeBytes { append(key: $0, value: value, time: time) }
        }
    }

    /// The bytes of a record's key; nil when it has none.
    package func key(_ index: Int) -> [UInt8]? {
        isNullKey(index) ? nil : Array(bytes(of: keys + index))
    }

    /// The bytes of a record's value.
    package func value(_ index: Int) -> [UInt8] {
        Array(bytes(of: values + index))
    }

    /// All records, copied.
    package var records: [BatchRecord] {
        (0..<count).map { BatchRecord(key: key($0), value: value($0), time: times[$0]) }
    }
}

/// A record of a batch, copied.
package struct BatchRecord: Equatable, Sendable {
    /// The key; nil when there is none.
    package var key: [UInt8]?
    /// The value.
    package var value: [UInt8]
    /// The event time in microseconds.
    package var time: Int64

    /// Creates a record.
    package init(key: [UInt8]?, value: [UInt8], time: Int64) {
        self.key = key
        self.value = value
        self.time = time
    }
}
