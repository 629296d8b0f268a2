import ApusCore
import CApusShims

/// The keys under which state lies in the database.
///
/// All integers are big-endian, so that the order of bytes is the order of numbers:
///
///     row           u16 group | u16 operator | u8 0 | key
///     list segment  u16 group | u16 operator | u8 1 + slot | u32 key length | key | u64 segment
///     map entry     u16 group | u16 operator | u8 1 + slot | u32 key length | key | map key
///     wake-up       u16 0xffff | u16 operator | u8 domain | u64 time ^ 2^63 | u16 group | key
///
/// A key group's entries lie together, so that groups can be handed from subtask to subtask, and
/// wake-ups lie in the order of their times, whatever the group.
enum EntryKey {
    // SAFETY: each function writes exactly the number of bytes that its counterpart tells; the
    // caller has made room for them.

    /// Bytes before the key of a row.
    static let rowPrefixByteCount = 5
    /// Bytes before the key of a wake-up.
    static let wakePrefixByteCount = 15
    /// The group number under which wake-ups lie.
    static let wakeGroup: UInt16 = 0xffff
    /// Bytes of a segment's number.
    static let segmentByteCount = 8

    /// Writes a row's key; `rowPrefixByteCount` bytes and the key.
    @inline(__always)
    static func writeRow(
        to target: UnsafeMutableRawPointer,
        group: Int,
        operatorNumber: UInt16,
        key: UnsafeRawBufferPointer
    ) {
        storeBigEndian(UInt16(truncatingIfNeeded: group), to: target)
        storeBigEndian(operatorNumber, to: target + 2)
        target.storeBytes(of: 0, toByteOffset: 4, as: UInt8.self)
        if let bytes = key.baseAddress { memcpy(target + 5, bytes, key.count) }
    }

    /// Bytes of the prefix that all entries of a list or map have.
    static func collectionPrefixByteCount(_ key: UnsafeRawBufferPointer) -> Int { 9 + key.count }

    /// Writes the prefix that all entries of a list or map have.
    static func writeCollectionPrefix(
        to target: UnsafeMutableRawPointer,
        group: Int,
        operatorNumber: UInt16,
        slotNumber: UInt8,
        key: UnsafeRawBufferPointer
    ) {
        storeBigEndian(UInt16(truncatingIfNeeded: group), to: target)
        storeBigEndian(operatorNumber, to: target + 2)
        target.storeBytes(of: 1 + slotNumber, toByteOffset: 4, as: UInt8.self)
        storeBigEndian(UInt32(truncatingIfNeeded: key.count), to: target + 5)
        if let bytes = key.baseAddress { memcpy(target + 9, bytes, key.count) }
    }

    /// Makes out of a prefix the first key behind all keys that begin with it, in place.
    ///
    /// The prefixes of this database begin with an operator's number and so always have one.
    static func advancePastPrefix(_ prefix: UnsafeMutableRawBufferPointer) {
        for index in prefix.indices.reversed() {
            prefix[index] &+= 1
            if prefix[index] != 0 { return }
        }
        preconditionFailure("no prefix consists of 0xff alone")
    }

    /// Bytes of a wake-up's key.
    static func wakeByteCount(_ key: UnsafeRawBufferPointer) -> Int {
        wakePrefixByteCount + key.count
    }

    /// Writes a wake-up's key; with an empty key it is the least one with that time and group.
    static func writeWake(
        to target: UnsafeMutableRawPointer,
        operatorNumber: UInt16,
        domain: KeyedState.TimerDomain,
        time: Int64,
        group: Int,
        key: UnsafeRawBufferPointer
    ) {
        storeBigEndian(wakeGroup, to: target)
        storeBigEndian(operatorNumber, to: target + 2)
        target.storeBytes(of: domain.number, toByteOffset: 4, as: UInt8.self)
        storeBigEndian(UInt64(bitPattern: time) ^ 1 << 63, to: target + 5)
        storeBigEndian(UInt16(truncatingIfNeeded: group), to: target + 13)
        if let bytes = key.baseAddress { memcpy(target + 15, bytes, key.count) }
    }

    /// A wake-up's time, group and key.
    static func readWake(
        _ entry: UnsafeRawBufferPointer
    ) -> (time: Int64, group: Int, key: UnsafeRawBufferPointer)? {
        guard entry.count >= wakePrefixByteCount, let base = entry.baseAddress else { return nil }
        return (
            Int64(bitPattern: loadBigEndian(base + 5, as: UInt64.self) ^ 1 << 63),
            Int(loadBigEndian(base + 13, as: UInt16.self)),
            UnsafeRawBufferPointer(rebasing: entry[wakePrefixByteCount...])
        )
    }

    /// Stores an integer, the most significant byte first.
    @inline(__always)
    static func storeBigEndian<Value: FixedWidthInteger>(
        _ value: Value,
        to target: UnsafeMutableRawPointer
    ) {
        target.storeBytes(of: value.bigEndian, as: Value.self)
    }

    /// Loads an integer, the most significant byte first.
    @inline(__always)
    static func loadBigEndian<Value: FixedWidthInteger>(
        _ source: UnsafeRawPointer,
        as type: Value.Type
    ) -> Value {
        Value(bigEndian: source.loadUnaligned(as: type))
    }
}

extension KeyedState.TimerDomain {
    /// The domain in stored keys and values; never changed.
    var number: UInt8 { self == .event ? 0 : 1 }
}
