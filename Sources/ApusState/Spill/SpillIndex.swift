import ApusCore
import CApusShims

/// Where the spilled rows of a subtask are: an open-addressing hash table per key group.
///
/// An entry is 8 bytes: 24 bits of the hash above 40 bits of location + 1; 0 is empty.  The key
/// itself is in the log and has to be compared there.  Tables grow by a quarter, so that what is
/// empty is little: the index is what limits how many keys a budget can keep out of the database.
/// A handle on memory that ``destroy()`` frees; one thread.
struct SpillIndex {
    private struct Table {
        var entries: UnsafeMutablePointer<UInt64>?
        var capacity: Int
        var count: Int
    }

    private struct Core {
        var count: Int
        var byteCount: Int
    }

    private static let locationBits: UInt64 = 40
    private static let locationMask: UInt64 = 1 << 40 - 1
    private static let tagBits = 24
    private static let capacityMin = 8

    private let groups: KeyGroups
    private let tables: UnsafeMutablePointer<Table>
    private let core: UnsafeMutablePointer<Core>

    init(groups: KeyGroups) {
        self.groups = groups
        // SAFETY: freed in destroy(), which the owner calls once; an entry's place is always less
        // than the capacity of its table.
        tables = .allocate(capacity: groups.count)
        tables.initialize(
            repeating: Table(entries: nil, capacity: 0, count: 0),
            count: groups.count
        )
        core = .allocate(capacity: 1)
        core.initialize(to: Core(count: 0, byteCount: 0))
    }

    func destroy() {
        for group in 0..<groups.count { tables[group].entries?.deallocate() }
        tables.deallocate()
        core.deallocate()
    }

    /// How many rows there are.
    var count: Int { core.pointee.count }

    /// Bytes of the tables.
    var byteCount: Int { core.pointee.byteCount }

    /// Fetches the memory where a lookup of the hash would begin.
    @inline(__always)
    func prefetch(_ hash: UInt64) {
        let table = tables[groups.group(ofHash: hash)]
        guard let entries = table.entries else { return }
        apus_prefetch(entries + Self.home(Self.tag(hash), table.capacity))
    }

    /// The first location behind `place` whose entry may be of the hash, or nil.
    ///
    /// - Parameters:
    ///   - hash: XXH3-64 of the key.
    ///   - place: Where to go on, 0 at first; behind what was found at the return.
    /// - Returns: The location.
    @inline(__always)
    func next(_ hash: UInt64, _ place: inout Int) -> Int? {
        let table = tables[groups.group(ofHash: hash)]
        guard let entries = table.entries else { return nil }
        let tag = Self.tag(hash)
        let home = Self.home(tag, table.capacity)
        while place < table.capacity {
            var at = home &+ place
            if at >= table.capacity { at &-= table.capacity }
            place &+= 1
            let entry = entries[at]
            if entry == 0 { return nil }
            if entry &>> Self.locationBits == tag {
                return Int(truncatingIfNeeded: entry & Self.locationMask) &- 1
            }
        }
        return nil
    }

    /// Whether a row with this hash is at this location.
    func contains(_ hash: UInt64, _ location: Int) -> Bool { find(hash, location) != nil }

    /// Adds a row.
    func insert(_ hash: UInt64, _ location: Int) {
        let group = groups.group(ofHash: hash)
        // Four fifths full at most.
        if (tables[group].count + 1) * 5 > tables[group].capacity * 4 {
            let capacity = tables[group].capacity
            resize(group, to: max(Self.capacityMin, capacity + capacity / 4))
        }
        place(Self.entry(hash, location), in: tables[group])
        tables[group].count += 1
        core.pointee.count += 1
    }

    /// Takes a row out.
    func remove(_ hash: UInt64, _ location: Int) {
        guard let found = find(hash, location) else {
            preconditionFailure("a row that is taken out is in the index")
        }
        let group = groups.group(ofHash: hash)
        closeGap(found, tables[group])
        tables[group].count -= 1
        core.pointee.count -= 1
        let (count, capacity) = (tables[group].count, tables[group].capacity)
        if capacity > 64, count * 5 < capacity * 2 { resize(group, to: count * 3 / 2 + 1) }
    }

    /// Notes that a row has moved.
    func move(_ hash: UInt64, from old: Int, to new: Int) {
        guard let found = find(hash, old), let entries = tables[groups.group(ofHash: hash)].entries
        else { preconditionFailure("a row that moves is in the index") }
        entries[found] = Self.entry(hash, new)
    }

    // MARK: - Places

    @inline(__always)
    private static func tag(_ hash: UInt64) -> UInt64 { hash & (1 &<< UInt64(tagBits) &- 1) }

    @inline(__always)
    private static func entry(_ hash: UInt64, _ location: Int) -> UInt64 {
        tag(hash) &<< locationBits | UInt64(truncatingIfNeeded: location &+ 1)
    }

    /// The tag, scaled to the capacity.
    @inline(__always)
    private static func home(_ tag: UInt64, _ capacity: Int) -> Int {
        Int(truncatingIfNeeded: (tag &* UInt64(truncatingIfNeeded: capacity)) &>> UInt64(tagBits))
    }

    private func find(_ hash: UInt64, _ location: Int) -> Int? {
        let table = tables[groups.group(ofHash: hash)]
        guard let entries = table.entries else { return nil }
        let wanted = Self.entry(hash, location)
        var at = Self.home(Self.tag(hash), table.capacity)
        while entries[at] != 0 {
            if entries[at] == wanted { return at }
            at += 1
            if at == table.capacity { at = 0 }
        }
        return nil
    }

    private func place(_ entry: UInt64, in table: Table) {
        guard let entries = table.entries else { preconditionFailure("the table was made") }
        var at = Self.home(entry &>> Self.locationBits, table.capacity)
        while entries[at] != 0 {
            at += 1
            if at == table.capacity { at = 0 }
        }
        entries[at] = entry
    }

    /// Backward-shift deletion (Knuth 6.4 R), for tables of any length.
    private func closeGap(_ start: Int, _ table: Table) {
        guard let entries = table.entries else { return }
        func distance(_ from: Int, _ to: Int) -> Int {
            to >= from ? to - from : to - from + table.capacity
        }
        var gap = start
        var at = gap + 1 == table.capacity ? 0 : gap + 1
        while entries[at] != 0 {
            let home = Self.home(entries[at] &>> Self.locationBits, table.capacity)
            if distance(home, at) >= distance(gap, at) {
                entries[gap] = entries[at]
                gap = at
            }
            at = at + 1 == table.capacity ? 0 : at + 1
        }
        entries[gap] = 0
    }

    private func resize(_ group: Int, to capacity: Int) {
        let old = tables[group]
        let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
        entries.initialize(repeating: 0, count: capacity)
        tables[group].entries = entries
        tables[group].capacity = capacity
        core.pointee.byteCount += 8 * (capacity - old.capacity)
        guard let oldEntries = old.entries else { return }
        for at in 0..<old.capacity where oldEntries[at] != 0 {
            place(oldEntries[at], in: tables[group])
        }
        oldEntries.deallocate()
    }
}
