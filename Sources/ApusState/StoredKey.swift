import ApusCore
import ApusMemory

/// A key of the state database taken apart, for tools; see ``EntryKey`` for its bytes.
package enum StoredKey: Hashable, Sendable {
    /// A row: everything of a key but the entries of its lists and maps.
    case row(group: Int, operatorNumber: UInt16, key: [UInt8])
    /// A segment of a list (the suffix is its number, 8 bytes) or an entry of a map (the suffix is
    /// the map key).
    case entry(group: Int, operatorNumber: UInt16, slot: Int, key: [UInt8], suffix: [UInt8])
    /// The time at which a key with timers must be in memory; domain 0 is event time, 1 processing
    /// time.
    case wake(operatorNumber: UInt16, domain: UInt8, time: Int64, group: Int, key: [UInt8])

    /// Takes a key apart; nil when it is none.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= EntryKey.rowPrefixByteCount else { return nil }
        let group = UInt16(Self.bigEndian(bytes[0..<2]))
        let operatorNumber = UInt16(Self.bigEndian(bytes[2..<4]))
        if group == EntryKey.wakeGroup {
            guard bytes.count >= EntryKey.wakePrefixByteCount, bytes[4] <= 1 else { return nil }
            self = .wake(
                operatorNumber: operatorNumber,
                domain: bytes[4],
                time: Int64(bitPattern: Self.bigEndian(bytes[5..<13]) ^ 1 << 63),
                group: Int(Self.bigEndian(bytes[13..<15])),
                key: Array(bytes[15...])
            )
        } else if bytes[4] == 0 {
            self = .row(
                group: Int(group),
                operatorNumber: operatorNumber,
                key: Array(bytes[5...])
            )
        } else {
            guard bytes[4] <= RowLayout.slotCountMax, bytes.count >= 9 else { return nil }
            let keyByteCount = Int(Self.bigEndian(bytes[5..<9]))
            guard bytes.count - 9 >= keyByteCount else { return nil }
            self = .entry(
                group: Int(group),
                operatorNumber: operatorNumber,
                slot: Int(bytes[4]) - 1,
                key: Array(bytes[9..<9 + keyByteCount]),
                suffix: Array(bytes[(9 + keyByteCount)...])
            )
        }
    }

    /// The key as it is in the database.
    package var bytes: [UInt8] {
        switch self {
        case .row(let group, let operatorNumber, let key):
            let byteCount = EntryKey.rowPrefixByteCount + key.count
            return Self.made(byteCount, from: key) { target, key in
                EntryKey.writeRow(
                    to: target,
                    group: group,
                    operatorNumber: operatorNumber,
                    key: key
                )
            }
        case .entry(let group, let operatorNumber, let slot, let key, let suffix):
            return Self.prefix(group, operatorNumber, slot: slot, key: key) + suffix
        case .wake(let operatorNumber, let domain, let time, let group, let key):
            let byteCount = EntryKey.wakePrefixByteCount + key.count
            return Self.made(byteCount, from: key) { target, key in
                EntryKey.writeWake(
                    to: target,
                    operatorNumber: operatorNumber,
                    domain: domain == 0 ? .event : .processing,
                    time: time,
                    group: group,
                    key: key
                )
            }
        }
    }

    /// What all entries of a list or map begin with.
    package static func prefix(
        _ group: Int,
        _ operatorNumber: UInt16,
        slot: Int,
        key: [UInt8]
    ) -> [UInt8] {
        made(9 + key.count, from: key) { target, key in
            EntryKey.writeCollectionPrefix(
                to: target,
                group: group,
                operatorNumber: operatorNumber,
                slotNumber: UInt8(truncatingIfNeeded: slot),
                key: key
            )
        }
    }

    /// What all entries of an operator in a key group begin with.
    package static func prefix(group: Int, operatorNumber: UInt16) -> [UInt8] {
        [
            UInt8(truncatingIfNeeded: group >> 8), UInt8(truncatingIfNeeded: group),
            UInt8(truncatingIfNeeded: operatorNumber >> 8),
            UInt8(truncatingIfNeeded: operatorNumber),
        ]
    }

    /// A key in front of which all keys of the database lie.
    package static let end: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff]

    /// The first key behind all that begin with a prefix of this database.
    package static func end(of prefix: [UInt8]) -> [UInt8] {
        var end = prefix
        // SAFETY: the pointer is used during the call only.
        end.withUnsafeMutableBytes { EntryKey.advancePastPrefix($0) }
        return end
    }

    /// The key group of a key.
    package static func group(of key: [UInt8], groupCount: Int) -> Int {
        // SAFETY: the pointer is used during the call only.
        let hash = key.withUnsafeBytes { KeyHash.of($0) }
        return KeyGroups(count: groupCount).group(ofHash: hash)
    }

    private static func made(
        _ byteCount: Int,
        from key: [UInt8],
        _ write: (UnsafeMutableRawPointer, UnsafeRawBufferPointer) -> Void
    ) -> [UInt8] {
        // SAFETY: `byteCount` is what `write` writes; it fills all of it.
        [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            key.withUnsafeBytes { write(UnsafeMutableRawPointer(start), $0) }
            count = byteCount
        }
    }

    private static func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
