import CApusShims

/// The stored form of a row: everything of a key but the entries of its lists and maps.
///
/// All integers are big-endian; `varint` is LEB128, 7 bits a byte, the low ones first:
///
///     header   u8 format = 1 | u8 flags | u16 0 | u32 last written | u32 expires, 0 = never
///     value    u8 slot (0-31) | u16 schema version | varint length | bytes
///     stamp    u8 0x40 + slot | u32 last refresh, a ``CoarseTime``
///     timer    u8 0x80 + domain | varint name | u64 id | i64 time | varint length | payload
///
/// The header is followed by values, stamps and timers until the end, values in the order of slots,
/// the stamp of a value that expires behind it, timers in no order.  Times in the header are
/// ``CoarseTime`` of the clock on the wall; the flags are 0.
/// A counter's bytes are an i64; those of a list or a map are none: that the value is there says
/// that there are entries under keys of their own, see ``EntryKey``.
enum RowCodec {
    static let format: UInt8 = 1
    static let headerByteCount = 12
    static let writtenOffset = 4
    static let expiresOffset = 8
    /// The bit that tells a timer from a value.
    static let timerTag: UInt8 = 0x80
    /// The bit that tells a stamp from a value.
    static let stampTag: UInt8 = 0x40

    /// Bytes of a varint.
    @inline(__always)
    static func varintByteCount(_ value: Int) -> Int {
        var byteCount = 1
        var left = value &>> 7
        while left > 0 {
            byteCount &+= 1
            left = left &>> 7
        }
        return byteCount
    }

    // SAFETY: writers write what their counterparts count; the reader checks each step against the
    // end of the stored bytes.

    /// Writes a varint; returns where it ends.
    @inline(__always)
    static func writeVarint(
        _ value: Int,
        to target: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        var at = target
        var left = value
        while left >= 0x80 {
            at.storeBytes(of: UInt8(truncatingIfNeeded: left) | 0x80, as: UInt8.self)
            at += 1
            left = left &>> 7
        }
        at.storeBytes(of: UInt8(truncatingIfNeeded: left), as: UInt8.self)
        return at + 1
    }

    /// What a stored row consists of, field by field.
    enum Field {
        case value(slot: UInt8, schemaVersion: UInt16, bytes: UnsafeRawBufferPointer)
        case stamp(slot: UInt8, seconds: UInt32)
        case timer(
            domain: UInt8,
            name: Int,
            id: UInt64,
            time: Int64,
            payload: UnsafeRawBufferPointer
        )
    }

    /// Reads a stored row from its header to its end.
    struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private var at = RowCodec.headerByteCount

        /// Begins to read; nil when the header is not that of a row.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= RowCodec.headerByteCount, bytes[0] == RowCodec.format else {
                return nil
            }
            self.bytes = bytes
        }

        /// Seconds of the last write.
        var writtenSeconds: UInt32 { integer(at: RowCodec.writtenOffset) }

        /// Seconds at which it expires; 0 = never.
        var expiresSeconds: UInt32 { integer(at: RowCodec.expiresOffset) }

        /// Whether nothing is left.
        var isAtEnd: Bool { at == bytes.count }

        /// The next field; nil when the bytes are not those of a row.
        mutating func next() -> Field? {
            guard let tag = take(1).map({ $0[0] }) else { return nil }
            if tag & RowCodec.timerTag == 0 {
                if tag & RowCodec.stampTag != 0 {
                    let seconds = takeInteger(as: UInt32.self)
                    return seconds.map { .stamp(slot: tag & ~RowCodec.stampTag, seconds: $0) }
                }
                guard let version = takeInteger(as: UInt16.self), let value = takeCounted() else {
                    return nil
                }
                return .value(slot: tag, schemaVersion: version, bytes: value)
            }
            guard let name = takeVarint(), let id = takeInteger(as: UInt64.self),
                let time = takeInteger(as: Int64.self), let payload = takeCounted()
            else { return nil }
            return .timer(
                domain: tag & ~RowCodec.timerTag,
                name: name,
                id: id,
                time: time,
                payload: payload
            )
        }

        private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count >= 0, count <= bytes.count - at else { return nil }
            defer { at += count }
            return UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
        }

        private mutating func takeInteger<Value: FixedWidthInteger>(as type: Value.Type) -> Value? {
            guard MemoryLayout<Value>.size <= bytes.count - at else { return nil }
            defer { at += MemoryLayout<Value>.size }
            return integer(at: at)
        }

        private func integer<Value: FixedWidthInteger>(at offset: Int) -> Value {
            Value(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }

        private mutating func takeVarint() -> Int? {
            var value = 0
            var shift = 0
            while shift < 63, at < bytes.count {
                let byte = bytes[at]
                at += 1
                value |= Int(byte & 0x7f) << shift
                if byte & 0x80 == 0 { return value }
                shift += 7
            }
            return nil
        }

        private mutating func takeCounted() -> UnsafeRawBufferPointer? {
            guard let count = takeVarint() else { return nil }
            return take(count)
        }
    }
}
