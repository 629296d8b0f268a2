/// Rows that were written in an epoch, in the order in which they became dirty.
///
/// An entry is a hint: the row may have been encoded before its turn, or freed and taken for
/// another key; its ``RowMark`` tells.  Appending never copies what is there.  One thread.
struct DirtyList {
    typealias Row = UnsafeMutableRawPointer

    private static let chunkCapacity = 4096

    private var chunks: [UnsafeMutablePointer<Row>] = []
    private var spare: [UnsafeMutablePointer<Row>] = []
    /// Entries in the list.
    private(set) var count = 0

    // SAFETY: entry n lies in chunk n / chunkCapacity, which append made; destroy() frees them.

    /// Adds a row.
    mutating func append(_ row: Row) {
        let index = count % Self.chunkCapacity
        if index == 0 { chunks.append(spare.popLast() ?? .allocate(capacity: Self.chunkCapacity)) }
        chunks[chunks.count - 1][index] = row
        count += 1
    }

    /// The row of an entry.
    subscript(index: Int) -> Row {
        chunks[index / Self.chunkCapacity][index % Self.chunkCapacity]
    }

    /// Empties the list; keeps some memory for the next time.
    mutating func removeAll() {
        for chunk in chunks {
            if spare.count < 256 { spare.append(chunk) } else { chunk.deallocate() }
        }
        chunks.removeAll(keepingCapacity: true)
        count = 0
    }

    /// Frees the memory.
    mutating func destroy() {
        for chunk in chunks + spare { chunk.deallocate() }
        chunks = []
        spare = []
        count = 0
    }

    /// Bytes of memory.
    var byteCount: Int { (chunks.count + spare.count) * Self.chunkCapacity * 8 }
}
