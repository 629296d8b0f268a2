import ApusMemory
import CApusPlugin
import CApusShims

/// A list in a pool's memory: values one behind the other, each with its length before it.
///
/// The slot holds a pointer to a header; the values lie in one block that doubles when full.
///
///     header   u64 count   u64 version   u64 used   u64 capacity   pointer values
///              u64 stored   u64 next segment
///     values   (u32 length, bytes)*
struct ListState {
    private struct Header {
        var count: UInt64
        var version: UInt64
        var used: Int
        var capacity: Int
        var values: UnsafeMutableRawPointer
        /// Bytes of `values` that the database has.
        var storedByteCount: Int
        /// The number of the next segment in the database.
        var nextSegment: UInt64
    }

    private let header: UnsafeMutablePointer<Header>

    /// The list that a slot points to.
    init(at pointer: UnsafeMutableRawPointer) {
        // SAFETY: the slot's pointer was made by init(in:) below.
        header = pointer.assumingMemoryBound(to: Header.self)
    }

    /// Creates an empty list whose versions begin with `version`.
    init(in pool: inout BlockPool, version: UInt64) {
        let memory = pool.allocate(MemoryLayout<Header>.size)
        header = memory.bindMemory(to: Header.self, capacity: 1)
        header.initialize(
            to: Header(
                count: 0,
                version: version,
                used: 0,
                capacity: 64,
                values: pool.allocate(64),
                storedByteCount: 0,
                nextSegment: 0
            )
        )
    }

    /// What the slot holds.
    var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(header) }

    var count: UInt64 { header.pointee.count }

    /// Gives the memory back.
    func destroy(in pool: inout BlockPool) {
        pool.deallocate(header.pointee.values, header.pointee.capacity)
        pool.deallocate(UnsafeMutableRawPointer(header), MemoryLayout<Header>.size)
    }

    func append(_ bytes: UnsafeRawPointer?, _ length: Int, in pool: inout BlockPool) {
        let needed = header.pointee.used + 4 + length
        var old: (block: UnsafeMutableRawPointer, capacity: Int)?
        if needed > header.pointee.capacity {
            let capacity = max(needed, header.pointee.capacity * 2)
            let grown = pool.allocate(capacity)
            memcpy(grown, header.pointee.values, header.pointee.used)
            old = (header.pointee.values, header.pointee.capacity)
            header.pointee.values = grown
            header.pointee.capacity = capacity
        }
        let target = header.pointee.values + header.pointee.used
        target.storeBytes(of: UInt32(length), as: UInt32.self)
        if let bytes { memcpy(target + 4, bytes, length) }
        header.pointee.used = needed
        header.pointee.count += 1
        header.pointee.version &+= 1
        // Only now: the bytes may lie in the old block.
        if let old { pool.deallocate(old.block, old.capacity) }
    }

    /// Fills `values` with what comes next.
    ///
    /// - Returns: How many, or nil when the list has changed since the cursor started.
    func next(
        _ cursor: UnsafeMutablePointer<apus_cursor>,
        _ values: UnsafeMutablePointer<apus_bytes>,
        _ capacity: Int
    ) -> Int? {
        if cursor.pointee.started == 0 {
            cursor.pointee.started = 1
            cursor.pointee.position = 0
            cursor.pointee.version = header.pointee.version
        }
        guard cursor.pointee.version == header.pointee.version else { return nil }
        var offset = Int(cursor.pointee.position)
        var count = 0
        while count < capacity, offset < header.pointee.used {
            let value = header.pointee.values + offset
            let length = Int(value.loadUnaligned(as: UInt32.self))
            values[count] = apus_bytes(
                data: UnsafeRawPointer(value + 4).assumingMemoryBound(to: UInt8.self),
                len: UInt64(length)
            )
            offset += 4 + length
            count += 1
        }
        cursor.pointee.position = UInt64(offset)
        return count
    }

    // MARK: - The durable tier

    /// Adds the values of a stored segment, in their stored form: (u32 length, little-endian,
    /// bytes)*.
    ///
    /// - Returns: False when the bytes are not those of a segment.
    func appendStored(
        _ segment: UnsafeRawBufferPointer,
        number: UInt64,
        in pool: inout BlockPool
    ) -> Bool {
        var rest = segment[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return false }
            let bytes = UnsafeRawBufferPointer(rebasing: rest)
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
            guard length <= bytes.count - 4 else { return false }
            append(bytes.baseAddress.map { $0 + 4 }, length, in: &pool)
            rest = rest.dropFirst(4 + length)
        }
        header.pointee.storedByteCount = header.pointee.used
        header.pointee.nextSegment = number + 1
        return true
    }

    /// How many segments the database has of this list.
    var segmentCount: UInt64 { header.pointee.nextSegment }

    /// Makes the next ``takeSegment()`` hand out everything, as the first segment.
    func restartSegments() {
        header.pointee.storedByteCount = 0
        header.pointee.nextSegment = 0
    }

    /// What the database does not have yet, as a segment; nil when there is nothing.
    ///
    /// The bytes are good until the list changes.
    func takeSegment() -> (number: UInt64, bytes: UnsafeRawBufferPointer)? {
        let from = header.pointee.storedByteCount
        guard from < header.pointee.used else { return nil }
        let number = header.pointee.nextSegment
        header.pointee.storedByteCount = header.pointee.used
        header.pointee.nextSegment = number + 1
        return (
            number,
            UnsafeRawBufferPointer(
                start: header.pointee.values + from,
                count: header.pointee.used - from
            )
        )
    }
}
