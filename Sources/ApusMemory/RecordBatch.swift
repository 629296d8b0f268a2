package import CApusPlugin

/// A batch of records in columns, and the bytes that its keys and values point into.
///
/// The columns have room for `recordCapacity` records; bytes longer than a view holds in place
/// go to the arena.  Views name buffers by number: the first ``borrowedBufferCount`` belong to
/// somebody else (the batch this one was made from, which must outlive it), the next one is the
/// arena.  One thread at a time; a batch that travels through a ``Channel`` changes threads whole.
package final class RecordBatch {
    /// The most records that a batch can have room for.
    package static let recordCapacityMax = 65_536

    /// How many records the columns have room for.
    package let recordCapacity: Int
    /// The number of records written.
    package var count = 0

    /// The key of each record; all zero for a record without key.
    package let keys: UnsafeMutablePointer<apus_view>
    /// The value of each record.
    package let values: UnsafeMutablePointer<apus_view>
    /// The event time of each record in microseconds, or `APUS_NO_TIME`.
    package let times: UnsafeMutablePointer<Int64>
    /// XXH3-64 of each key; filled only on the way into a keyed operator.
    package let hashes: UnsafeMutablePointer<UInt64>
    /// `APUS_KIND_` bits of each record.
    package let kinds: UnsafeMutablePointer<UInt8>

    /// Bytes of keys and values.
    package private(set) var arena: UnsafeMutablePointer<UInt8>
    /// The size of the arena.
    package private(set) var arenaCapacity: Int
    /// How much of the arena is in use.
    package var arenaUsed = 0

    /// Buffers by number: borrowed ones, then the arena.
    package let buffers: UnsafeMutablePointer<UnsafePointer<UInt8>?>
    /// How many of the buffers belong to somebody else.
    package private(set) var borrowedBufferCount = 0
    /// The most buffers, that is, operators that can hand on a record without copying it.
    package static let bufferCountMax = 64

    private let columns: UnsafeMutableRawPointer

    /// Creates an empty batch.
    ///
    /// - Parameters:
    ///   - recordCapacity: 1 to ``recordCapacityMax``.
    ///   - arenaCapacity: Bytes of arena to begin with; pages are taken only when written.
    package init(recordCapacity: Int, arenaCapacity: Int) {
        precondition((1...Self.recordCapacityMax).contains(recordCapacity), "batch size")
        self.recordCapacity = recordCapacity
        let viewBytes = MemoryLayout<apus_view>.stride * recordCapacity
        let wordBytes = 8 * recordCapacity
        // SAFETY: one block of 64-byte-aligned columns, freed in deinit; every column is written
        // before `count` makes it readable.
        columns = UnsafeMutableRawPointer.allocate(
            byteCount: 2 * viewBytes + 2 * wordBytes + recordCapacity,
            alignment: 64
        )
        keys = columns.bindMemory(to: apus_view.self, capacity: recordCapacity)
        values = (columns + viewBytes).bindMemory(to: apus_view.self, capacity: recordCapacity)
        times = (columns + 2 * viewBytes).bindMemory(to: Int64.self, capacity: recordCapacity)
        hashes = (columns + 2 * viewBytes + wordBytes)
            .bindMemory(to: UInt64.self, capacity: recordCapacity)
        kinds = (columns + 2 * viewBytes + 2 * wordBytes)
            .bindMemory(to: UInt8.self, capacity: recordCapacity)
        self.arenaCapacity = max(arenaCapacity, 16)
        arena = Self.makeArena(self.arenaCapacity)
        buffers = .allocate(capacity: Self.bufferCountMax)
        buffers.initialize(repeating: nil, count: Self.bufferCountMax)
        buffers[0] = UnsafePointer(arena)
    }

    deinit {
        columns.deallocate()
        arena.deallocate()
        buffers.deallocate()
    }

    /// What lies behind an arena, to see whether somebody has written there.
    private static let fence: UInt64 = 0x5a17_fe9c_e5ee_d00d

    private static func makeArena(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
        let arena = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + 8)
        UnsafeMutableRawPointer(arena + capacity).storeBytes(of: fence, as: UInt64.self)
        return arena
    }

    /// Whether nobody has written directly behind the arena.
    package var isFenceIntact: Bool {
        // SAFETY: makeArena allocates and fills these bytes.
        UnsafeRawPointer(arena + arenaCapacity).loadUnaligned(as: UInt64.self) == Self.fence
    }

    /// Forgets all records and borrowed buffers; the memory stays.
    package func reset() {
        count = 0
        arenaUsed = 0
        borrowedBufferCount = 0
        buffers[0] = UnsafePointer(arena)
    }

    /// Forgets all records, and lets views refer to the buffers of `source` by their numbers.
    ///
    /// - Precondition: `source` outlives what is written now.
    package func reset(borrowingFrom source: UnsafePointer<apus_batch>) {
        count = 0
        arenaUsed = 0
        let borrowed = Int(source.pointee.buffer_count)
        precondition(borrowed < Self.bufferCountMax, "a chain of operators is at most 63 long")
        for number in 0..<borrowed {
            buffers[number] = source.pointee.buffers[number]
        }
        borrowedBufferCount = borrowed
        buffers[borrowed] = UnsafePointer(arena)
    }

    /// Makes room for so many more bytes in the arena.
    ///
    /// Views stay valid: they hold offsets.
    ///
    /// - Returns: False when the arena would pass 2 GiB.
    package func reserveArena(_ byteCount: Int) -> Bool {
        if byteCount <= arenaCapacity - arenaUsed { return true }
        let needed = arenaUsed + byteCount
        guard needed <= Int(Int32.max) else { return false }
        let capacity = max(needed, arenaCapacity * 2)
        let grown = Self.makeArena(capacity)
        grown.update(from: arena, count: arenaUsed)
        arena.deallocate()
        arena = grown
        arenaCapacity = capacity
        buffers[borrowedBufferCount] = UnsafePointer(grown)
        return true
    }

    /// The batch as the plugin ABI sees it; valid while the batch is neither written nor freed.
    package func view(input: UInt32, isKeyed: Bool) -> apus_batch {
        apus_batch(
            size: UInt32(MemoryLayout<apus_batch>.size),
            count: UInt32(truncatingIfNeeded: count),
            input: input,
            flags: 0,
            key: UnsafePointer(keys),
            value: UnsafePointer(values),
            ts: UnsafePointer(times),
            key_hash: isKeyed ? UnsafePointer(hashes) : nil,
            kind: UnsafePointer(kinds),
            buffers: UnsafePointer(buffers),
            buffer_count: UInt32(truncatingIfNeeded: borrowedBufferCount + 1),
            reserved: 0,
            host_private: nil
        )
    }

    /// The bytes of a key or value of this batch.
    package func bytes(of view: UnsafePointer<apus_view>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: apus_view_data(view, UnsafePointer(buffers)),
            count: Int(view.pointee.len)
        )
    }
}
