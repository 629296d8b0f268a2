import ApusMemory
import CApusPlugin
import CApusShims

/// An ordered map in a pool's memory: sorted leaves of up to 63 entries under one directory.
///
/// That is a B+ tree of two levels.  Finding is two binary searches; inserting moves at most one
/// leaf's pointers, and the directory's when a leaf splits, once in about 31 inserts.
///
///     header   u64 count   u64 version   u32 leaves   u32 capacity   pointer directory
///     leaf     u32 count   u32 capacity  entry pointers
///     entry    u32 key length   u32 value length, high bit: changed   key   value
///
/// With a durable tier the map notes the keys of entries that change, in ``MapChanges``; the high
/// bit of an entry tells that its key is noted already.
struct MapState {
    private struct Header {
        var count: UInt64
        var version: UInt64
        var leafCount: Int32
        var leafCapacity: Int32
        var leaves: UnsafeMutablePointer<Leaf>
        var changes: MapChanges
    }

    private typealias Entry = UnsafeMutableRawPointer

    /// A pointer to a leaf; entries begin 8 bytes behind it.
    private struct Leaf {
        static let entryCountMax = 63
        let memory: UnsafeMutableRawPointer
        var count: Int {
            get { Int(memory.load(as: UInt32.self)) }
            nonmutating set { memory.storeBytes(of: UInt32(newValue), as: UInt32.self) }
        }
        var capacity: Int {
            get { Int((memory + 4).load(as: UInt32.self)) }
            nonmutating set { (memory + 4).storeBytes(of: UInt32(newValue), as: UInt32.self) }
        }
        var entries: UnsafeMutablePointer<Entry> {
            (memory + 8).assumingMemoryBound(to: Entry.self)
        }

        static func make(capacity: Int, in pool: inout BlockPool) -> Leaf {
            let leaf = Leaf(memory: pool.allocate(8 + 8 * capacity))
            leaf.count = 0
            leaf.capacity = capacity
            return leaf
        }
        func free(in pool: inout BlockPool) { pool.deallocate(memory, 8 + 8 * capacity) }
    }

    /// A place in the map: leaf and entry, which may be one behind the leaf's last.
    private struct Position {
        var leaf: Int
        var entry: Int
        var isMatch: Bool
    }

    private let header: UnsafeMutablePointer<Header>

    /// The map that a slot points to.
    init(at pointer: UnsafeMutableRawPointer) {
        // SAFETY: the slot's pointer was made by init(in:) below.
        header = pointer.assumingMemoryBound(to: Header.self)
    }

    /// Creates an empty map whose versions begin with `version`; the database has none of it.
    init(in pool: inout BlockPool, version: UInt64) {
        let memory = pool.allocate(MemoryLayout<Header>.size)
        header = memory.bindMemory(to: Header.self, capacity: 1)
        let directory = pool.allocate(16).bindMemory(to: Leaf.self, capacity: 2)
        directory[0] = Leaf.make(capacity: 7, in: &pool)
        header.initialize(
            to: Header(
                count: 0,
                version: version,
                leafCount: 1,
                leafCapacity: 2,
                leaves: directory,
                changes: MapChanges()
            )
        )
    }

    /// What the slot holds.
    var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(header) }

    var count: UInt64 { header.pointee.count }

    /// Gives the memory back.
    func destroy(in pool: inout BlockPool) {
        for number in 0..<Int(header.pointee.leafCount) {
            let leaf = header.pointee.leaves[number]
            for index in 0..<leaf.count { Self.freeEntry(leaf.entries[index], &pool) }
            leaf.free(in: &pool)
        }
        pool.deallocate(
            UnsafeMutableRawPointer(header.pointee.leaves),
            8 * Int(header.pointee.leafCapacity)
        )
        header.pointee.changes.destroy(in: &pool)
        pool.deallocate(UnsafeMutableRawPointer(header), MemoryLayout<Header>.size)
    }

    // MARK: - Single entries

    func get(_ key: UnsafeRawBufferPointer) -> apus_bytes? {
        let position = lowerBound(key)
        guard position.isMatch else { return nil }
        return Self.value(header.pointee.leaves[position.leaf].entries[position.entry])
    }

    func put(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        in pool: inout BlockPool
    ) {
        header.pointee.version &+= 1
        let position = lowerBound(key)
        let entry = Self.makeEntry(key, value, &pool)
        if position.isMatch {
            let leaf = header.pointee.leaves[position.leaf]
            let old = leaf.entries[position.entry]
            noteChange(of: key, isNoted: Self.isChanged(old), in: &pool)
            Self.freeEntry(old, &pool)
            leaf.entries[position.entry] = entry
        } else {
            noteChange(of: key, isNoted: false, in: &pool)
            insert(entry, at: position, in: &pool)
            header.pointee.count += 1
        }
        if !header.pointee.changes.isEverything { Self.setChanged(entry, true) }
    }

    func remove(_ key: UnsafeRawBufferPointer, in pool: inout BlockPool) -> Bool {
        let position = lowerBound(key)
        guard position.isMatch else { return false }
        header.pointee.version &+= 1
        header.pointee.count -= 1
        let leaf = header.pointee.leaves[position.leaf]
        let isNoted = Self.isChanged(leaf.entries[position.entry])
        noteChange(of: key, isNoted: isNoted, in: &pool)
        Self.freeEntry(leaf.entries[position.entry], &pool)
        let after = leaf.entries + position.entry + 1
        (leaf.entries + position.entry).update(from: after, count: leaf.count - position.entry - 1)
        leaf.count -= 1
        mergeIfSmall(position.leaf, in: &pool)
        return true
    }

    // MARK: - The durable tier

    private func noteChange(
        of key: UnsafeRawBufferPointer,
        isNoted: Bool,
        in pool: inout BlockPool
    ) {
        guard !isNoted else { return }
        header.pointee.changes.note(key, entryCount: header.pointee.count, in: &pool)
    }

    /// Says that the database has everything that the map holds now.
    func setStored() { header.pointee.changes.clear(isEverything: false) }

    /// Whether the database's entries, if any, are to be replaced as a whole.
    var mustBeRewritten: Bool { header.pointee.changes.isEverything }

    /// Calls `body` with what the database does not have yet: each entry with a key and its value,
    /// or nil for a value that is gone.
    ///
    /// After it the database counts as having everything.  A key may come twice.
    func takeChanges(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) -> Void) {
        if mustBeRewritten {
            for number in 0..<Int(header.pointee.leafCount) {
                let leaf = header.pointee.leaves[number]
                for index in 0..<leaf.count {
                    let entry = leaf.entries[index]
                    Self.setChanged(entry, false)
                    body(Self.key(entry), Self.buffer(Self.value(entry)))
                }
            }
        } else {
            header.pointee.changes.forEachKey { key in
                let position = lowerBound(key)
                guard position.isMatch else { return body(key, nil) }
                let entry = header.pointee.leaves[position.leaf].entries[position.entry]
                Self.setChanged(entry, false)
                body(key, Self.buffer(Self.value(entry)))
            }
        }
        setStored()
    }

    // MARK: - Walking

    /// Fills `entries` with what comes next in the cursor's range.
    ///
    /// - Returns: How many, or nil when the map has changed since the cursor started.
    func next(
        _ cursor: UnsafeMutablePointer<apus_cursor>,
        _ entries: UnsafeMutablePointer<apus_entry>,
        _ capacity: Int
    ) -> Int? {
        if cursor.pointee.started == 0 {
            let start = lowerBound(Self.buffer(cursor.pointee.from))
            cursor.pointee.started = 1
            cursor.pointee.version = header.pointee.version
            cursor.pointee.position = UInt64(start.leaf) << 32 | UInt64(start.entry)
        }
        guard cursor.pointee.version == header.pointee.version else { return nil }
        var leafNumber = Int(cursor.pointee.position >> 32)
        var index = Int(cursor.pointee.position & 0xffff_ffff)
        var count = 0
        while count < capacity, leafNumber < Int(header.pointee.leafCount) {
            let leaf = header.pointee.leaves[leafNumber]
            guard index < leaf.count else {
                leafNumber += 1
                index = 0
                continue
            }
            let key = Self.key(leaf.entries[index])
            guard Self.isWanted(key, cursor) else { break }
            entries[count] = apus_entry(
                key: Self.bytes(key),
                value: Self.value(leaf.entries[index])
            )
            count += 1
            index += 1
        }
        cursor.pointee.position = UInt64(leafNumber) << 32 | UInt64(index)
        return count
    }

    private static func isWanted(
        _ key: UnsafeRawBufferPointer,
        _ cursor: UnsafeMutablePointer<apus_cursor>
    ) -> Bool {
        if cursor.pointee.is_prefix != 0 {
            let prefix = buffer(cursor.pointee.from)
            return key.count >= prefix.count
                && compare(UnsafeRawBufferPointer(rebasing: key.prefix(prefix.count)), prefix) == 0
        }
        return cursor.pointee.to.data == nil || compare(key, buffer(cursor.pointee.to)) < 0
    }

    // MARK: - Leaves

    /// The first entry whose key is not less than `key`.
    private func lowerBound(_ key: UnsafeRawBufferPointer) -> Position {
        var low = 0
        var high = Int(header.pointee.leafCount)
        while high - low > 1 {
            let middle = (low + high) / 2
            let leaf = header.pointee.leaves[middle]
            if Self.compare(Self.key(leaf.entries[0]), key) <= 0 {
                low = middle
            } else {
                high = middle
            }
        }
        let leaf = header.pointee.leaves[low]
        var first = 0
        var end = leaf.count
        while first < end {
            let middle = (first + end) / 2
            let order = Self.compare(Self.key(leaf.entries[middle]), key)
            if order == 0 { return Position(leaf: low, entry: middle, isMatch: true) }
            if order < 0 { first = middle + 1 } else { end = middle }
        }
        return Position(leaf: low, entry: first, isMatch: false)
    }

    private func insert(_ entry: Entry, at position: Position, in pool: inout BlockPool) {
        var leaf = header.pointee.leaves[position.leaf]
        var index = position.entry
        if leaf.count == leaf.capacity {
            if leaf.capacity < Leaf.entryCountMax {
                let grown = Leaf.make(capacity: leaf.capacity * 2 + 1, in: &pool)
                grown.entries.update(from: leaf.entries, count: leaf.count)
                grown.count = leaf.count
                leaf.free(in: &pool)
                header.pointee.leaves[position.leaf] = grown
                leaf = grown
            } else {
                let right = split(position.leaf, in: &pool)
                if index > leaf.count {
                    index -= leaf.count
                    leaf = right
                }
            }
        }
        for at in stride(from: leaf.count, to: index, by: -1) {
            leaf.entries[at] = leaf.entries[at - 1]
        }
        leaf.entries[index] = entry
        leaf.count += 1
    }

    /// Moves the upper half of a full leaf into a new one behind it.
    private func split(_ number: Int, in pool: inout BlockPool) -> Leaf {
        let leaf = header.pointee.leaves[number]
        let right = Leaf.make(capacity: Leaf.entryCountMax, in: &pool)
        let half = leaf.count / 2
        right.entries.update(from: leaf.entries + half, count: leaf.count - half)
        right.count = leaf.count - half
        leaf.count = half
        let leafCount = Int(header.pointee.leafCount)
        if leafCount == Int(header.pointee.leafCapacity) {
            let directory = pool.allocate(16 * leafCount)
                .bindMemory(to: Leaf.self, capacity: 2 * leafCount)
            directory.update(from: header.pointee.leaves, count: leafCount)
            pool.deallocate(UnsafeMutableRawPointer(header.pointee.leaves), 8 * leafCount)
            header.pointee.leaves = directory
            header.pointee.leafCapacity = Int32(2 * leafCount)
        }
        for at in stride(from: leafCount, to: number + 1, by: -1) {
            header.pointee.leaves[at] = header.pointee.leaves[at - 1]
        }
        header.pointee.leaves[number + 1] = right
        header.pointee.leafCount += 1
        return right
    }

    /// Joins a leaf with the one behind it when both together are half full, so that walking stays
    /// proportional to the entries however they were removed.
    ///
    /// Only a lone leaf may be empty.
    private func mergeIfSmall(_ number: Int, in pool: inout BlockPool) {
        let leafCount = Int(header.pointee.leafCount)
        guard leafCount > 1 else { return }
        let left = number + 1 < leafCount ? number : number - 1
        let first = header.pointee.leaves[left]
        let second = header.pointee.leaves[left + 1]
        if first.count == 0 {
            header.pointee.leaves[left] = second
            first.free(in: &pool)
        } else if first.count + second.count <= min(first.capacity, Leaf.entryCountMax / 2)
            || second.count == 0
        {
            (first.entries + first.count).update(from: second.entries, count: second.count)
            first.count += second.count
            second.free(in: &pool)
        } else {
            return
        }
        for at in left + 1..<leafCount - 1 {
            header.pointee.leaves[at] = header.pointee.leaves[at + 1]
        }
        header.pointee.leafCount -= 1
    }

    // MARK: - Entries

    private static func makeEntry(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        _ pool: inout BlockPool
    ) -> Entry {
        let entry = pool.allocate(8 + key.count + value.count)
        entry.storeBytes(of: UInt32(key.count), as: UInt32.self)
        (entry + 4).storeBytes(of: UInt32(value.count), as: UInt32.self)
        if let bytes = key.baseAddress { memcpy(entry + 8, bytes, key.count) }
        if let bytes = value.baseAddress { memcpy(entry + 8 + key.count, bytes, value.count) }
        return entry
    }

    private static func freeEntry(_ entry: Entry, _ pool: inout BlockPool) {
        pool.deallocate(entry, 8 + key(entry).count + Int(value(entry).len))
    }

    private static let changedBit: UInt32 = 1 << 31

    private static func isChanged(_ entry: Entry) -> Bool {
        (entry + 4).load(as: UInt32.self) & changedBit != 0
    }

    private static func setChanged(_ entry: Entry, _ isChanged: Bool) {
        let length = (entry + 4).load(as: UInt32.self) & ~changedBit
        (entry + 4).storeBytes(of: isChanged ? length | changedBit : length, as: UInt32.self)
    }

    private static func key(_ entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: entry + 8, count: Int(entry.load(as: UInt32.self)))
    }

    private static func value(_ entry: Entry) -> apus_bytes {
        let start = UnsafeRawPointer(entry + 8 + Int(entry.load(as: UInt32.self)))
        return apus_bytes(
            data: start.assumingMemoryBound(to: UInt8.self),
            len: UInt64((entry + 4).load(as: UInt32.self) & ~changedBit)
        )
    }

    private static func bytes(_ buffer: UnsafeRawBufferPointer) -> apus_bytes {
        apus_bytes(
            data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
            len: UInt64(buffer.count)
        )
    }

    private static func buffer(_ bytes: apus_bytes) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes.data, count: bytes.data == nil ? 0 : Int(bytes.len))
    }

    /// Bytes in order, the shorter one first when one begins the other.
    private static func compare(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer
    ) -> Int {
        let count = min(left.count, right.count)
        if count > 0, let a = left.baseAddress, let b = right.baseAddress {
            let order = memcmp(a, b, count)
            if order != 0 { return Int(order) }
        }
        return left.count - right.count
    }
}
