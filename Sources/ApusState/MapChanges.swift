import ApusMemory
import CApusShims

/// The keys of a map's entries that the database does not have as they are.
///
/// A new map has to be written as a whole, so nothing is noted; nor is it once so many keys were
/// noted that writing the whole map costs no more.
struct MapChanges {
    /// Notes may take this much, or twice as much per entry of the map, whichever is more.
    private static let byteCountMin = 64 << 10
    private static let byteCountPerEntry = 128

    private var notes: UnsafeMutableRawPointer?
    private var used = 0
    private var capacity = 0
    /// Whether the map has to be written as a whole.
    private(set) var isEverything = true

    // SAFETY: `notes` is a block of the map's pool with `capacity` bytes, of which `used` hold
    // (u32 length, key)*.

    /// Notes a key.
    mutating func note(
        _ key: UnsafeRawBufferPointer,
        entryCount: UInt64,
        in pool: inout BlockPool
    ) {
        guard !isEverything else { return }
        let needed = used + 4 + key.count
        if needed > max(Self.byteCountMin, Int(entryCount) * Self.byteCountPerEntry) {
            isEverything = true
            used = 0
            return
        }
        if needed > capacity {
            let grown = max(64, max(needed, capacity * 2))
            let block = pool.allocate(grown)
            if let notes {
                memcpy(block, notes, used)
                pool.deallocate(notes, capacity)
            }
            notes = block
            capacity = grown
        }
        guard let notes else { preconditionFailure("there is room for a note") }
        (notes + used).storeBytes(of: UInt32(key.count), as: UInt32.self)
        if let bytes = key.baseAddress { memcpy(notes + used + 4, bytes, key.count) }
        used = needed
    }

    /// Calls `body` with each noted key; a key that was removed and came back is noted twice.
    func forEachKey(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard let notes else { return }
        var at = 0
        while at < used {
            let length = Int((notes + at).loadUnaligned(as: UInt32.self))
            body(UnsafeRawBufferPointer(start: notes + at + 4, count: length))
            at += 4 + length
        }
    }

    /// Forgets all notes.
    mutating func clear(isEverything: Bool) {
        used = 0
        self.isEverything = isEverything
    }

    /// Gives the memory back.
    mutating func destroy(in pool: inout BlockPool) {
        if let notes { pool.deallocate(notes, capacity) }
        notes = nil
        capacity = 0
        used = 0
    }
}
