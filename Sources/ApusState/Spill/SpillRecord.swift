/// A spilled row in the log.
///
/// In the byte order of the machine, because the file ends with the process:
///
///     offset  type  field        meaning
///          0  u32   byteCount    the whole record, a multiple of 8
///          4  u32   keyByteCount
///          8  u64   hash         XXH3-64 of the key
///         16  u32   epoch        in which it became dirty; 0 when it was clean
///         20  u32   flush        bit 31: the database has the row, or will have once the flush is
///                                in whose number the other bits are
///         24  u32   rowByteCount
///         28  u32   0
///         32  ...   key, then the row as ``RowCodec`` has it, then zeros
struct SpillRecord {
    static let headerByteCount = 32
    private static let storedBit: UInt32 = 1 << 31

    // SAFETY: whoever makes one has checked that the whole record is there: the log reads and
    // writes records as wholes.
    let start: UnsafeRawPointer

    /// Bytes of a record.
    static func byteCount(keyByteCount: Int, rowByteCount: Int) -> Int {
        (headerByteCount + keyByteCount + rowByteCount + 7) & ~7
    }

    var byteCount: Int { Int(start.load(as: UInt32.self)) }
    var hash: UInt64 { start.load(fromByteOffset: 8, as: UInt64.self) }
    var epoch: UInt32 { start.load(fromByteOffset: 16, as: UInt32.self) }
    var flush: Int { Int(word & ~Self.storedBit) }
    var isStored: Bool { word & Self.storedBit != 0 }

    var key: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + Self.headerByteCount, count: keyByteCount)
    }

    /// The row, see ``RowCodec``.
    var row: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: start + Self.headerByteCount + keyByteCount,
            count: Int(start.load(fromByteOffset: 24, as: UInt32.self))
        )
    }

    private var keyByteCount: Int { Int(start.load(fromByteOffset: 4, as: UInt32.self)) }
    private var word: UInt32 { start.load(fromByteOffset: 20, as: UInt32.self) }

    /// Writes the header; returns where the key goes, with the row behind it.
    static func begin(
        at target: UnsafeMutableRawPointer,
        hash: UInt64,
        keyByteCount: Int,
        rowByteCount: Int,
        _ standing: Standing
    ) -> UnsafeMutableRawPointer {
        let byteCount = byteCount(keyByteCount: keyByteCount, rowByteCount: rowByteCount)
        // What the row does not fill.
        target.storeBytes(of: 0, toByteOffset: byteCount - 8, as: UInt64.self)
        target.storeBytes(of: UInt32(byteCount), as: UInt32.self)
        target.storeBytes(of: UInt32(keyByteCount), toByteOffset: 4, as: UInt32.self)
        target.storeBytes(of: hash, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: UInt32(rowByteCount), toByteOffset: 24, as: UInt32.self)
        target.storeBytes(of: 0, toByteOffset: 28, as: UInt32.self)
        set(standing, at: target)
        return target + headerByteCount
    }

    /// Changes what a record in memory says of the database.
    static func set(_ standing: Standing, at target: UnsafeMutableRawPointer) {
        let word = UInt32(standing.flush) | (standing.isStored ? storedBit : 0)
        target.storeBytes(of: standing.epoch, toByteOffset: 16, as: UInt32.self)
        target.storeBytes(of: word, toByteOffset: 20, as: UInt32.self)
    }

    /// How a row stands to the database.
    struct Standing: Equatable {
        /// The epoch in which it became dirty; 0: the database has it as it is.
        var epoch: UInt32
        /// The flush with which the database has its newest stored form; 0 for long ago.
        var flush: Int
        /// Whether the database has, or will have, any form of it.
        var isStored: Bool
    }

    var standing: Standing { Standing(epoch: epoch, flush: flush, isStored: isStored) }
}
