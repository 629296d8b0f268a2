import ApusMemory
import CApusPlugin

/// The broadcast state of a subtask: a few ordered maps in memory, the same in all subtasks.
///
/// One task thread.  Reading takes no lock and counts no references.  Each map has a sum of the
/// hashes of its entries, by which a checkpoint sees that all subtasks hold the same.
///
/// A snapshot is a walk in slices; see ``BroadcastWalk``.
package final class BroadcastState {
    /// The names of the maps, in the order of their declaration.
    package let names: [String]
    /// Whether a callback runs that may write.
    package var isWritable = false

    // SAFETY: made in init and destroyed in deinit; each is what `MapState.pointer` gave, and
    // stays where it is for the map's life.
    private let maps: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var pool = BlockPool()
    private var hashSums: [UInt64]
    private var walk: BroadcastWalk?
    private var share: BudgetShare

    /// Creates empty maps.
    ///
    /// - Parameters:
    ///   - names: Their names.
    ///   - budget: What they use counts in it; nil for in none.
    package init(names: [String], budget: MemoryBudget? = nil) {
        self.names = names
        share = BudgetShare(of: budget)
        hashSums = Array(repeating: 0, count: names.count)
        maps = .allocate(capacity: max(1, names.count))
        for index in names.indices {
            (maps + index).initialize(to: MapState(in: &pool, version: 1).pointer)
        }
    }

    deinit {
        for index in names.indices { map(index).destroy(in: &pool) }
        maps.deallocate()
    }

    func map(_ index: Int) -> MapState { MapState(at: maps[index]) }

    /// What each map holds, as a sum that is equal when the entries are.
    package var digests: [BroadcastDigest] {
        names.indices.map {
            BroadcastDigest(entryCount: Int(map($0).count), hashSum: hashSums[$0])
        }
    }

    /// Fills the maps, which are empty, with what a checkpoint had.
    ///
    /// - Parameter contents: The entries of each map, in the order of their declaration.
    package func restore(_ contents: [[BroadcastEntry]]) {
        precondition(contents.count == names.count, "the caller has compared the declarations")
        for (index, entries) in contents.enumerated() {
            for entry in entries {
                entry.key.withUnsafeBytes { key in
                    entry.value.withUnsafeBytes { put(index, key, $0) }
                }
            }
        }
    }

    // MARK: - Reading and writing

    // SAFETY, for all: bytes from the plugin are read during the call only.

    /// The entries of each map, in the order of their keys.
    package var contents: [[BroadcastEntry]] {
        (0..<names.count).map { index in
            var entries: [BroadcastEntry] = []
            var step = Array(repeating: apus_entry(), count: 64)
            var cursor = apus_cursor()
            // SAFETY: nothing changes the map while it is walked; the bytes are copied.
            while let count = map(index).next(&cursor, &step, step.count), count > 0 {
                entries += step[..<count].map { entry in
                    BroadcastEntry(
                        key: Array(
                            UnsafeBufferPointer(start: entry.key.data, count: Int(entry.key.len))
                        ),
                        value: Array(
                            UnsafeBufferPointer(
                                start: entry.value.data,
                                count: Int(entry.value.len)
                            )
                        )
                    )
                }
            }
            return entries
        }
    }

    func get(_ index: Int, _ key: UnsafeRawBufferPointer) -> apus_bytes? { map(index).get(key) }

    func put(_ index: Int, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        if let old = willChange(index, key) { hashSums[index] &-= Self.hash(key, old) }
        hashSums[index] &+= Self.hash(key, value)
        map(index).put(key, value, in: &pool)
        share.report(pool.usedByteCount)
    }

    func remove(_ index: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        guard let old = willChange(index, key) else { return false }
        hashSums[index] &-= Self.hash(key, old)
        defer { share.report(pool.usedByteCount) }
        return map(index).remove(key, in: &pool)
    }

    func clear(_ index: Int) {
        // All that a walk has not come to would have to be kept: it may as well be walked.
        walk?.finish(self, through: index)
        map(index).destroy(in: &pool)
        // Another version than any before, for cursors; none has seen so many.
        clearCount += 1
        maps[index] = MapState(in: &pool, version: clearCount << 40).pointer
        hashSums[index] = 0
        share.report(pool.usedByteCount)
    }

    private var clearCount: UInt64 = 0

    /// The value of an entry that is about to change; a walk that has not come to it keeps it.
    private func willChange(
        _ index: Int,
        _ key: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer? {
        let old = map(index).get(key).map {
            UnsafeRawBufferPointer(start: $0.data, count: Int($0.len))
        }
        if walk != nil { walk?.keep(index, key, old) }
        return old
    }

    private static func hash(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer
    ) -> UInt64 {
        // Multiplied, so that values that two keys exchange do not cancel out.
        let mixed = (KeyHash.of(key) ^ 0x9e37_79b9_7f4a_7c15) &* (KeyHash.of(value) | 1)
        return mixed ^ (mixed >> 29)
    }

    // MARK: - Snapshots

    /// Begins a snapshot of what is there now; one that is under way is given up.
    package func beginSnapshot() { walk = BroadcastWalk(mapCount: names.count) }

    /// Whether a snapshot has not been walked to its end.
    package var isSnapshotting: Bool { walk.map { !$0.isComplete } ?? false }

    /// Goes on with the snapshot.
    ///
    /// - Parameter isTimeLeft: Asked between some entries and the next.
    package func continueSnapshot(while isTimeLeft: () -> Bool) {
        guard walk != nil else { return }
        repeat { walk?.step(self) } while isSnapshotting && isTimeLeft()
    }

    /// Takes a complete snapshot over.
    package func takeSnapshot() -> BroadcastSnapshot? {
        guard let done = walk, done.isComplete else { return nil }
        walk = nil
        return done.snapshot
    }
}

/// What a map holds, in short.
package struct BroadcastDigest: Equatable, Sendable {
    /// How many entries.
    package let entryCount: Int
    /// The sum of their hashes.
    package let hashSum: UInt64
}

/// An entry of a map.
package struct BroadcastEntry: Equatable, Sendable {
    /// The key.
    package let key: [UInt8]
    /// The value.
    package let value: [UInt8]

    /// Creates an entry.
    package init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
}
