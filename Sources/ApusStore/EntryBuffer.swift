/// Entries on their way into the database, in the order in which they were made.
///
/// One thread fills it, then hands it over; whoever has it is alone with it.  Entries lie in
/// chunks that never move, one after the other:
///
/// | offset | size | what |
/// |---|---|---|
/// | 0 | 4 | key's length; the two highest bits are the ``Kind`` |
/// | 4 | 4 | value's length; of a range: the length of its end |
/// | 8 | … | key; of a range: its start |
/// | … | … | value; of a range: its end |
///
/// The next entry follows at once.
package final class EntryBuffer: @unchecked Sendable {
    // @unchecked because one thread has it at a time: handing it over is the synchronization.

    /// What an entry does.
    enum Kind: UInt32 {
        /// The key has this value.
        case put = 0
        /// The key has no value.
        case delete = 1
        /// No key of the range has a value.
        case deleteRange = 2
    }

    static let headerByteCount = 8
    static let kindShift: UInt32 = 30
    static let lengthMax = 1 << 30

    /// Large enough that allocating is rare, small enough that the last one's waste is little.
    static let chunkByteCount = 1 << 20

    /// Memory that holds entries; the bytes in front of `used` are theirs.
    struct Chunk {
        let start: UnsafeMutableRawPointer
        let capacity: Int
        var used: Int
    }

    // SAFETY: lives as long as the process; nothing is read or written there.
    nonisolated(unsafe) private static let emptyPlace =  // because it never changes
        UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)

    // SAFETY: chunks are allocated in `addChunk` and freed in `deinit` or `reset`; `cursor` and
    // `end` lie in the last one.  Every reservation is checked against `end`.
    private var chunks: [Chunk] = []
    private var spare: [Chunk] = []
    private var cursor = EntryBuffer.emptyPlace
    private var end = EntryBuffer.emptyPlace
    private var fullChunksByteCount = 0

    /// How many entries there are.
    package private(set) var entryCount = 0

    /// Whether there is any entry that deletes a range.
    private(set) var hasRanges = false

    /// Creates an empty buffer; it allocates with its first entry.
    package init() {}

    deinit {
        for chunk in chunks { chunk.start.deallocate() }
        for chunk in spare { chunk.start.deallocate() }
    }

    /// The memory that entries take, 8 bytes of each for its lengths included.
    package var byteCount: Int {
        fullChunksByteCount + (chunks.last.map { cursor - $0.start } ?? 0)
    }

    /// Appends an entry that gives a key a value.
    ///
    /// - Parameters:
    ///   - keyByteCount: The key's length, less than 2^30.
    ///   - valueByteCount: The value's length, less than 2^30.
    /// - Returns: Where the caller writes key and value, before anything else happens to the
    ///   buffer.
    package func put(
        keyByteCount: Int,
        valueByteCount: Int
    ) -> (key: UnsafeMutableRawPointer, value: UnsafeMutableRawPointer) {
        let key = reserve(.put, keyByteCount, valueByteCount)
        return (key, key + keyByteCount)
    }

    /// Appends an entry that takes a key's value away.
    ///
    /// - Parameter keyByteCount: The key's length, less than 2^30.
    /// - Returns: Where the caller writes the key, before anything else happens to the buffer.
    package func delete(keyByteCount: Int) -> UnsafeMutableRawPointer {
        reserve(.delete, keyByteCount, 0)
    }

    /// Appends an entry that takes away the values of all keys with `from` <= key < `to`.
    ///
    /// - Parameters:
    ///   - fromByteCount: The length of the first key, less than 2^30.
    ///   - toByteCount: The length of the key behind the last, less than 2^30.
    /// - Returns: Where the caller writes both, before anything else happens to the buffer.
    package func deleteRange(
        fromByteCount: Int,
        toByteCount: Int
    ) -> (from: UnsafeMutableRawPointer, to: UnsafeMutableRawPointer) {
        let from = reserve(.deleteRange, fromByteCount, toByteCount)
        hasRanges = true
        return (from, from + fromByteCount)
    }

    /// Forgets all entries.
    ///
    /// - Parameter keepingByteCount: How much memory to keep for the next entries.
    package func reset(keepingByteCount: Int = 16 << 20) {
        closeChunk()
        spare += chunks
        chunks.removeAll(keepingCapacity: true)
        var kept = 0
        var remaining: [Chunk] = []
        for chunk in spare {
            if chunk.capacity == Self.chunkByteCount, kept + chunk.capacity <= keepingByteCount {
                kept += chunk.capacity
                remaining.append(chunk)
            } else {
                chunk.start.deallocate()
            }
        }
        spare = remaining
        end = cursor
        fullChunksByteCount = 0
        entryCount = 0
        hasRanges = false
    }

    @inline(__always)
    private func reserve(
        _ kind: Kind,
        _ keyByteCount: Int,
        _ valueByteCount: Int
    ) -> UnsafeMutableRawPointer {
        precondition(
            UInt(bitPattern: keyByteCount) < UInt(Self.lengthMax)
                && UInt(bitPattern: valueByteCount) < UInt(Self.lengthMax),
            "a key or value of 2^30 bytes or more"
        )
        let byteCount = Self.headerByteCount &+ keyByteCount &+ valueByteCount
        if end - cursor < byteCount { addChunk(byteCount) }
        let entry = cursor
        cursor = entry + byteCount
        let keyWord = UInt32(truncatingIfNeeded: keyByteCount) | kind.rawValue &<< Self.kindShift
        let valueWord = UInt32(truncatingIfNeeded: valueByteCount)
        entry.storeBytes(of: keyWord, as: UInt32.self)
        entry.storeBytes(of: valueWord, toByteOffset: 4, as: UInt32.self)
        entryCount &+= 1
        return entry + Self.headerByteCount
    }

    private func closeChunk() {
        guard let last = chunks.indices.last else { return }
        chunks[last].used = cursor - chunks[last].start
        fullChunksByteCount += chunks[last].used
    }

    private func addChunk(_ byteCount: Int) {
        closeChunk()
        var chunk: Chunk
        if byteCount <= Self.chunkByteCount, let kept = spare.popLast() {
            chunk = kept
        } else {
            let capacity = max(byteCount, Self.chunkByteCount)
            chunk = Chunk(
                start: .allocate(byteCount: capacity, alignment: 16),
                capacity: capacity,
                used: 0
            )
        }
        chunk.used = 0
        chunks.append(chunk)
        cursor = chunk.start
        end = chunk.start + chunk.capacity
    }

    /// The entry that starts there.
    @inline(__always)
    static func entry(
        at start: UnsafeRawPointer
    ) -> (kind: Kind, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        // SAFETY: `reserve` wrote the lengths and made sure that there is room for both.
        let keyWord = start.loadUnaligned(as: UInt32.self)
        let valueByteCount = Int(start.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let keyByteCount = Int(keyWord & (1 << kindShift - 1))
        guard let kind = Kind(rawValue: keyWord >> kindShift) else {
            preconditionFailure("an entry of unknown kind: the buffer was overwritten")
        }
        let key = start + headerByteCount
        return (
            kind,
            UnsafeRawBufferPointer(start: key, count: keyByteCount),
            UnsafeRawBufferPointer(start: key + keyByteCount, count: valueByteCount)
        )
    }

    /// Calls `body` with the used part of every chunk, in order.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) -> Void) {
        for (index, chunk) in chunks.enumerated() {
            let used = index == chunks.count - 1 ? cursor - chunk.start : chunk.used
            body(UnsafeRawBufferPointer(start: chunk.start, count: used))
        }
    }
}
