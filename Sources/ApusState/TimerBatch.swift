package import ApusMemory
import CApusPlugin

/// Timers that are due, in the shape in which a plugin gets them.
package final class TimerBatch {
    typealias Row = UnsafeMutableRawPointer

    /// The most timers in a batch.
    package let capacity: Int
    /// Keys, hashes, times, and payloads as values.
    package let records: RecordBatch
    /// The declaration of each timer.
    package let names: UnsafeMutablePointer<UInt32>
    /// The plugin's id of each timer.
    package let ids: UnsafeMutablePointer<UInt64>
    let rows: UnsafeMutablePointer<Row>
    /// Whether `rows` is good still: after a callback rows that hold nothing are gone.
    var areRowsKnown = false

    /// A small hash set of the rows in the batch; a slot counts when its stamp is the batch's.
    private let seenRows: UnsafeMutablePointer<(row: UInt, stamp: UInt)>
    private let seenMask: Int
    private var stamp: UInt = 0

    /// Creates an empty batch.
    package init(capacity: Int = 1024) {
        self.capacity = capacity
        records = RecordBatch(recordCapacity: capacity, arenaCapacity: 64 << 10)
        // SAFETY: freed in deinit; the first `count` of each are written before they are read.
        names = .allocate(capacity: capacity)
        ids = .allocate(capacity: capacity)
        rows = .allocate(capacity: capacity)
        seenMask = capacity * 4 - 1
        precondition(capacity & (capacity - 1) == 0, "a power of two")
        seenRows = .allocate(capacity: capacity * 4)
        seenRows.initialize(repeating: (0, 0), count: capacity * 4)
    }

    deinit {
        names.deallocate()
        ids.deallocate()
        rows.deallocate()
        seenRows.deallocate()
    }

    /// How many timers are in the batch.
    package var count: Int { records.count }

    func reset() {
        records.reset()
        areRowsKnown = true
        stamp += 1
    }

    /// Notes a row; false when it is in the batch already.
    func mark(_ row: Row) -> Bool {
        let bits = UInt(bitPattern: row)
        var at = Int(truncatingIfNeeded: (bits &* 0x9e37_79b9_7f4a_7c15) &>> 40) & seenMask
        while seenRows[at].stamp == stamp {
            if seenRows[at].row == bits { return false }
            at = (at + 1) & seenMask
        }
        seenRows[at] = (bits, stamp)
        return true
    }

    func append(
        row: Row,
        key: UnsafeRawBufferPointer,
        hash: UInt64,
        time: Int64,
        payload: UnsafeRawBufferPointer,
        name: UInt32,
        id: UInt64
    ) -> Bool {
        let index = records.count
        guard records.append(key: key, value: payload, time: time) else { return false }
        records.hashes[index] = hash
        rows[index] = row
        names[index] = name
        ids[index] = id
        return true
    }
}
