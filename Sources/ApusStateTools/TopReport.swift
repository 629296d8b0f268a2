import ApusState

/// The largest or oldest keys: `apus state top`.
package struct TopReport: Encodable, Equatable, Sendable {
    /// What keys are ranked by.
    package enum Order: String, CaseIterable, Sendable {
        /// Most bytes first.
        case bytes
        /// Most entries first.
        case entries
        /// Least recently written first; keys without a time are left out.
        case age
    }

    /// A key.
    package struct Key: Encodable, Equatable, Sendable {
        /// The operator.
        package let `operator`: String
        /// The key.
        package let key: KeyReport.Bytes
        /// The bytes of all its entries in the database.
        package let byteCount: Int
        /// Values, entries, elements and timers.
        package let entryCount: Int
        /// When it was last written; nil when that is not known.
        package let written: String?
    }

    /// What they are ranked by.
    package let by: String
    /// How many keys there are.
    package let keyCount: Int
    /// The first of them.
    package let keys: [Key]

    /// Ranks the keys.
    ///
    /// - Parameters:
    ///   - reader: The checkpoint's state.
    ///   - order: What they are ranked by.
    ///   - operatorNumber: The operator; nil for all.
    ///   - limit: How many are named.
    /// - Throws: ``StateToolError`` when a file is damaged.
    package init(
        _ reader: StateSnapshotReader,
        by order: Order,
        operatorNumber: UInt16?,
        limit: Int
    ) throws(StateToolError) {
        func isBefore(_ left: KeySummary, _ right: KeySummary) -> Bool {
            switch order {
            case .bytes: left.byteCount > right.byteCount
            case .entries: left.entryCount > right.entryCount
            case .age: left.written < right.written
            }
        }
        var ranking = Ranking<KeySummary>(limit: limit) { left, right in
            if isBefore(left, right) { return true }
            if isBefore(right, left) { return false }
            // Of equal ones the order must not depend on when they came by.
            if left.operatorNumber != right.operatorNumber {
                return left.operatorNumber < right.operatorNumber
            }
            return left.key.lexicographicallyPrecedes(right.key)
        }
        var count = 0
        try reader.forEachKey(of: operatorNumber) { key in
            count += 1
            if order != .age || key.written.seconds != 0 { ranking.add(key) }
        }
        by = order.rawValue
        keyCount = count
        keys = ranking.first.map { key in
            Key(
                operator: reader.directory.name(key.operatorNumber),
                key: KeyReport.Bytes(key.key),
                byteCount: key.byteCount,
                entryCount: key.entryCount,
                written: TimeText.text(key.written)
            )
        }
    }

    /// The report as text.
    package var text: String {
        var table = TextTable(
            ["OPERATOR", "BYTES", "ENTRIES", "LAST WRITE", "KEY"],
            right: [1, 2]
        )
        for key in keys {
            table.add([
                key.operator, String(key.byteCount), String(key.entryCount), key.written ?? "-",
                key.key.shown,
            ])
        }
        return (table.lines + ["\(keys.count) of \(keyCount) keys, by \(by)"])
            .joined(separator: "\n")
    }
}
