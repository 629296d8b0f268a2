package import ApusCore
package import CApusPlugin
import CApusShims

/// The rows of an operator's keys on one subtask: an open-addressing hash table per key group.
///
/// An index entry is 8 bytes (row number + 1 in the low half, low half of the hash in the high
/// half), so a probe touches one cache line and the row is read once, to compare the key.  A
/// table per key group keeps each growth short (the tables are small and grow one by one), and
/// gives rescaling and checkpoints their unit.  Rows lie in chunks and never move.
///
/// A handle on memory that ``destroy()`` frees; one thread.
package struct KeyTable {
    /// A row; see ``RowLayout``.
    package typealias Row = UnsafeMutableRawPointer

    /// The table of one key group; 16 bytes, so that 1,024 of them share the first-level cache
    /// with the records.
    private struct GroupIndex {
        var entries: UnsafeMutablePointer<UInt64>?
        var mask: UInt32
        var count: UInt32
    }

    private struct Core {
        var rowCount: Int
        var indexByteCount: Int
    }

    private let core: UnsafeMutablePointer<Core>
    private let indexes: UnsafeMutablePointer<GroupIndex>
    private let rows: RowStore
    private let tables: TableRegions
    private let groups: KeyGroups
    private let rowByteCount: Int

    /// Creates an empty table.
    package init(rowByteCount: Int, groups: KeyGroups) {
        precondition(rowByteCount >= RowLayout.slotsOffset && rowByteCount % 8 == 0)
        self.rowByteCount = rowByteCount
        self.groups = groups
        rows = RowStore(rowByteCount: rowByteCount)
        tables = TableRegions()
        // SAFETY: freed in destroy(), which the owner calls once.
        core = .allocate(capacity: 1)
        core.initialize(to: Core(rowCount: 0, indexByteCount: 0))
        indexes = .allocate(capacity: groups.count)
        indexes.initialize(
            repeating: GroupIndex(entries: nil, mask: 0, count: 0),
            count: groups.count
        )
    }

    /// Frees everything; the handle may not be used any more.
    package func destroy() {
        for group in 0..<groups.count {
            let index = indexes[group]
            if let entries = index.entries { tables.free(entries, count: Int(index.mask) + 1) }
        }
        rows.destroy()
        tables.destroy()
        core.deallocate()
        indexes.deallocate()
    }

    /// How many keys have a row.
    package var rowCount: Int { core.pointee.rowCount }

    /// Bytes of rows and index.
    package var byteCount: Int {
        rows.usedCount * rowByteCount + core.pointee.indexByteCount
    }

    /// Bytes of places that rows have left.
    var spareByteCount: Int { (rows.numberEnd - rows.usedCount) * rowByteCount }

    // MARK: - Finding

    /// Finds the rows of records `first ..< end` of a batch, memory fetched ahead.
    ///
    /// Writes the row, or nil where the key has none (or the record no key), to `rows`.
    package func find(
        _ batch: UnsafePointer<apus_batch>,
        _ first: Int,
        _ end: Int,
        into rows: UnsafeMutablePointer<Row?>
    ) {
        guard let hashes = batch.pointee.key_hash, let keys = batch.pointee.key else {
            for index in first..<end { rows[index] = nil }
            return
        }
        // 128 records' index lines and rows together fit into the first-level cache.
        var start = first
        while start < end {
            let stop = min(start + 128, end)
            for index in start..<stop { prefetchEntry(hashes[index]) }
            for index in start..<stop { rows[index] = guess(hashes[index]) }
            for index in start..<stop {
                let key = keys + index
                if let row = rows[index], hasKey(row, key, batch.pointee.buffers) { continue }
                rows[index] =
                    hasNoKey(batch, index)
                    ? nil : find(hashes[index], key, batch.pointee.buffers)
            }
            start = stop
        }
    }

    @inline(__always)
    private func hasNoKey(_ batch: UnsafePointer<apus_batch>, _ index: Int) -> Bool {
        guard let kinds = batch.pointee.kind else { return false }
        return kinds[index] & UInt8(APUS_KIND_NULL_KEY) != 0
    }

    @inline(__always)
    private func prefetchEntry(_ hash: UInt64) {
        let index = indexes[groups.group(ofHash: hash)]
        guard let entries = index.entries else { return }
        apus_prefetch(entries + Int(UInt32(truncatingIfNeeded: hash) & index.mask))
    }

    /// The row of the first entry whose tag fits, fetched ahead; its key is not compared yet.
    @inline(__always)
    func guess(_ hash: UInt64) -> Row? {
        let index = indexes[groups.group(ofHash: hash)]
        guard let entries = index.entries else { return nil }
        let tag = hash & 0xffff_ffff
        let mask = Int(index.mask)
        var at = Int(truncatingIfNeeded: tag) & mask
        while true {
            let entry = entries[at]
            if entry == 0 { return nil }
            if entry &>> 32 == tag {
                let row = self.row(Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1)
                apus_prefetch(row)
                apus_prefetch(row + (rowByteCount &- 8))
                return row
            }
            at = (at &+ 1) & mask
        }
    }

    /// The row of a key, or nil.
    package func find(
        _ hash: UInt64,
        _ key: UnsafePointer<apus_view>,
        _ buffers: UnsafePointer<UnsafePointer<UInt8>?>?
    ) -> Row? {
        let index = indexes[groups.group(ofHash: hash)]
        guard let entries = index.entries else { return nil }
        let tag = hash & 0xffff_ffff
        let mask = Int(index.mask)
        var at = Int(truncatingIfNeeded: tag) & mask
        while true {
            let entry = entries[at]
            if entry == 0 { return nil }
            if entry &>> 32 == tag {
                let row = self.row(Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1)
                if hasKey(row, key, buffers) { return row }
            }
            at = (at &+ 1) & mask
        }
    }

    @inline(__always)
    private func hasKey(
        _ row: Row,
        _ key: UnsafePointer<apus_view>,
        _ buffers: UnsafePointer<UnsafePointer<UInt8>?>?
    ) -> Bool {
        let view = UnsafeRawPointer(key)
        let stored = row + RowLayout.keyOffset
        // Length and the first four bytes at once, in place or as a prefix.
        guard stored.load(as: UInt64.self) == view.loadUnaligned(as: UInt64.self) else {
            return false
        }
        let length = Int(key.pointee.len)
        if length <= 12 {
            return (stored + 8).load(as: UInt64.self)
                == (view + 8).loadUnaligned(as: UInt64.self)
        }
        let bytes = (row + RowLayout.keyPointerOffset).load(as: UnsafeRawPointer.self)
        return memcmp(bytes, apus_view_data(key, buffers), length) == 0
    }

    @inline(__always)
    private func row(_ number: Int) -> Row {
        rows[number]
    }

    // MARK: - Adding and removing

    /// Adds a row for a key that has none: zeroed but for hash and key.
    ///
    /// - Parameters:
    ///   - hash: XXH3-64 of the key.
    ///   - key: The key; its bytes are needed only when they are in place.
    ///   - longKey: A copy of a key of more than 12 bytes, which the row then points to.
    /// - Returns: Nil when the subtask has 2^32 - 2 keys.
    package func insert(
        _ hash: UInt64,
        _ key: UnsafePointer<apus_view>,
        longKey: UnsafeMutableRawPointer?
    ) -> Row? {
        guard let number = rows.take() else { return nil }
        let row = rows[number]
        // Lists of dirty rows have places, whoever lives there.
        let listed = listedBits(row)
        memset(row, 0, rowByteCount)
        (row + RowLayout.markOffset).storeBytes(of: listed, as: UInt32.self)
        row.storeBytes(of: hash, as: UInt64.self)
        memcpy(row + RowLayout.keyOffset, key, 16)
        if let longKey {
            (row + RowLayout.keyPointerOffset).storeBytes(
                of: longKey,
                as: UnsafeMutableRawPointer.self
            )
        }
        let group = groups.group(ofHash: hash)
        let index = indexes[group]
        // Three quarters full at most.
        if index.entries == nil || (UInt64(index.count) + 1) * 4 > (UInt64(index.mask) + 1) * 3 {
            grow(group)
        }
        place((hash & 0xffff_ffff) &<< 32 | UInt64(number + 1), in: indexes[group])
        indexes[group].count += 1
        core.pointee.rowCount += 1
        return row
    }

    /// Removes a row.
    ///
    /// Its slots and its long key are the caller's to free before.
    package func remove(_ row: Row) {
        let hash = row.load(as: UInt64.self)
        let group = groups.group(ofHash: hash)
        let index = indexes[group]
        guard let entries = index.entries else { preconditionFailure("the row is in its group") }
        let mask = Int(index.mask)
        var at = Int(truncatingIfNeeded: hash & 0xffff_ffff) & mask
        while true {
            precondition(entries[at] != 0, "the row is in its group's table")
            if self.row(Int(truncatingIfNeeded: entries[at] & 0xffff_ffff) &- 1) == row { break }
            at = (at &+ 1) & mask
        }
        let number = Int(truncatingIfNeeded: entries[at] & 0xffff_ffff) - 1
        closeGap(at, entries, mask)
        indexes[group].count -= 1
        core.pointee.rowCount -= 1
        let mark = RowMark.free.rawValue | listedBits(row)
        (row + RowLayout.markOffset).storeBytes(of: mark, as: UInt32.self)
        rows.giveBack(number)
    }

    /// Fetches the memory that removing a row needs.
    @inline(__always)
    func prefetchRemoval(ofHash hash: UInt64) { prefetchEntry(hash) }

    private func listedBits(_ row: Row) -> UInt32 {
        (row + RowLayout.markOffset).load(as: UInt32.self) & RowMark.listed.rawValue
    }

    /// How many keys of a group have a row.
    func rowCount(ofGroup group: Int) -> Int { Int(indexes[group].count) }

    /// Row numbers are less than this.
    var rowNumberEnd: Int { rows.numberEnd }

    /// The row with a number, in use or free; its mark tells.
    @inline(__always)
    func row(numbered number: Int) -> Row { rows[number] }

    /// Backward-shift deletion: entries that were pushed past the gap move into it (Knuth 6.4 R).
    private func closeGap(_ start: Int, _ entries: UnsafeMutablePointer<UInt64>, _ mask: Int) {
        var gap = start
        var at = (gap + 1) & mask
        while entries[at] != 0 {
            let home = Int(truncatingIfNeeded: entries[at] &>> 32) & mask
            if (at &- home) & mask >= (at &- gap) & mask {
                entries[gap] = entries[at]
                gap = at
            }
            at = (at + 1) & mask
        }
        entries[gap] = 0
    }

    private func place(_ entry: UInt64, in index: GroupIndex) {
        guard let entries = index.entries else { preconditionFailure("the table was grown") }
        let mask = Int(index.mask)
        var at = Int(truncatingIfNeeded: entry &>> 32) & mask
        while entries[at] != 0 { at = (at &+ 1) & mask }
        entries[at] = entry
    }

    /// Has memory for so many rows of each key group at hand; before the first row.
    func reserve(_ rowCounts: [Int], until isEnough: () -> Bool) {
        for (group, count) in rowCounts.enumerated() where count > 0 {
            guard !isEnough() else { return }
            // New keys come as well; the table grows with more than three quarters.
            var capacity = 8
            while capacity * 3 < (count + count / 16) * 4 { capacity *= 2 }
            grow(group, to: capacity)
        }
        rows.reserve(rowCounts.reduce(0, +), until: isEnough)
    }

    private func grow(_ group: Int) {
        let old = indexes[group]
        grow(group, to: old.entries == nil ? 8 : 2 * (Int(old.mask) + 1))
    }

    private func grow(_ group: Int, to capacity: Int) {
        let old = indexes[group]
        let oldCapacity = old.entries == nil ? 0 : Int(old.mask) + 1
        indexes[group].entries = tables.allocate(count: capacity)
        indexes[group].mask = UInt32(capacity - 1)
        core.pointee.indexByteCount += 8 * (capacity - oldCapacity)
        guard let oldEntries = old.entries else { return }
        for at in 0..<oldCapacity where oldEntries[at] != 0 {
            place(oldEntries[at], in: indexes[group])
        }
        tables.free(oldEntries, count: oldCapacity)
    }

    // MARK: - Walking

    /// Calls `body` with every row, group by group; rows may not be added or removed meanwhile.
    package func forEachRow(_ body: (Row) -> Void) {
        for group in 0..<groups.count {
            let index = indexes[group]
            guard let entries = index.entries else { continue }
            for at in 0...Int(index.mask) where entries[at] != 0 {
                body(row(Int(truncatingIfNeeded: entries[at] & 0xffff_ffff) - 1))
            }
        }
    }
}
