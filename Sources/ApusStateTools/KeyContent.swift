package import ApusState

/// Everything that an operator holds for a key.
package struct KeyContent: Equatable, Sendable {
    /// The entries of a list or map, or of state that nobody declares any more.
    package enum Collection: Equatable, Sendable {
        /// A list's values in their order.
        case list([[UInt8]])
        /// Entries by their keys, in the order of the keys; of undeclared state what is behind the
        /// key in the database.
        case map([StateEntry])
    }

    /// The operator.
    package var operatorNumber: UInt16
    /// The key group.
    package var group: Int
    /// The key.
    package var key: [UInt8]
    /// Values, counters, timers and times.
    package var row: StoredRow
    /// Lists and maps by slot.
    package var collections: [Int: Collection] = [:]
    /// The bytes of all its entries in the database, keys and values, without wake-ups.
    package var byteCount = 0
}

/// What a key amounts to, without the bytes themselves.
package struct KeySummary: Equatable, Sendable {
    /// How much a slot holds.
    package struct Slot: Equatable, Sendable {
        /// Values, entries or elements.
        package var entryCount = 0
        /// Their bytes; of lists and maps those of the database's keys too.
        package var byteCount = 0
    }

    /// The operator.
    package var operatorNumber: UInt16
    /// The key group.
    package var group: Int
    /// The key.
    package var key: [UInt8]
    /// When it was last written; 0 when that is not known.
    package var written: CoarseTime
    /// When it expires; 0 for never.
    package var expires: CoarseTime
    /// What the slots hold that hold anything.
    package var slots: [Int: Slot] = [:]
    /// The timers that are armed.
    package var timerCount = 0
    /// The bytes of all its entries in the database, keys and values, without wake-ups.
    package var byteCount = 0

    /// Values, entries, elements and timers.
    package var entryCount: Int { slots.values.reduce(timerCount) { $0 + $1.entryCount } }

    init(_ operatorNumber: UInt16, group: Int, key: [UInt8], row: StoredRow, byteCount: Int) {
        self.operatorNumber = operatorNumber
        self.group = group
        self.key = key
        self.byteCount = byteCount
        written = row.written
        expires = row.expires
        timerCount = row.timers.count
        for value in row.values {
            slots[value.slot] = Slot(
                entryCount: value.bytes.isEmpty ? 0 : 1,
                byteCount: value.bytes.count
            )
        }
    }
}
