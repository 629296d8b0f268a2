import ApusCore
import CApusPlugin

extension RecordBatch {
    /// Whether a record has no key.
    package func isNullKey(_ index: Int) -> Bool {
        kinds[index] & UInt8(APUS_KIND_NULL_KEY) != 0
    }

    /// Whether any record has no key.
    package var hasNullKeys: Bool {
        var bits: UInt8 = 0
        for index in 0..<count { bits |= kinds[index] }
        return bits & UInt8(APUS_KIND_NULL_KEY) != 0
    }

    /// Removes the records that have no key; the others keep their order.
    package func removeNullKeys() {
        var kept = 0
        for index in 0..<count where !isNullKey(index) {
            keys[kept] = keys[index]
            values[kept] = values[index]
            times[kept] = times[index]
            kinds[kept] = kinds[index]
            kept += 1
        }
        count = kept
    }

    /// Becomes a copy of another batch's columns that refers to the other one's bytes.
    ///
    /// - Precondition: The other batch outlives what is read from this one; it has room for as
    ///   many records as the other one holds.
    package func borrow(_ other: RecordBatch) {
        precondition(other.count <= recordCapacity, "the batch has room for the other's records")
        let view = other.view(input: 0, isKeyed: false)
        // SAFETY: the view is only read during the call; the columns do not overlap.
        withUnsafePointer(to: view) { reset(borrowingFrom: $0) }
        keys.update(from: other.keys, count: other.count)
        values.update(from: other.values, count: other.count)
        times.update(from: other.times, count: other.count)
        kinds.update(from: other.kinds, count: other.count)
        count = other.count
    }

    /// Becomes a copy of another batch, with hashes and with all bytes in its own arena.
    ///
    /// - Precondition: It has room for as many records as the other one holds.
    /// - Complexity: O(records + bytes).
    package func copy(_ other: RecordBatch) {
        precondition(other.count <= recordCapacity, "the batch has room for the other's records")
        reset()
        for index in 0..<other.count {
            let isAppended = append(
                key: other.bytes(of: other.keys + index),
                value: other.bytes(of: other.values + index),
                time: other.times[index]
            )
            precondition(isAppended, "what the arenas of a chain hold fits into one")
            hashes[index] = other.hashes[index]
            kinds[index] = other.kinds[index]
        }
    }

    /// The newest event time of the batch; `Int64.min` when no record has one.
    package var newestTime: Int64 {
        var newest = Int64.min
        for index in 0..<count { newest = max(newest, times[index]) }
        return newest
    }

    /// A record of this batch, copied, as one that cannot be processed.
    package func rejected(_ index: Int, reason: String) -> RejectedRecord {
        RejectedRecord(
            position: "",
            reason: reason,
            bytes: Array(bytes(of: values + index)),
            key: isNullKey(index) ? nil : Array(bytes(of: keys + index)),
            time: EventTime(microseconds: times[index])
        )
    }
}
