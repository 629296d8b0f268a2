import CApusPlugin

/// A walk through all maps of a ``BroadcastState`` for a snapshot.
///
/// The maps may be written between its steps: what a write changes and the walk has not come to
/// is kept first, once per key.  So beginning costs nothing, and a write one copy at most.
struct BroadcastWalk {
    /// Entries per step; a step is what a slice can go over its time.
    private static let entriesPerStep = 64

    private(set) var snapshot: BroadcastSnapshot
    /// The map in hand; behind the last one when all are done.
    private var index = 0
    /// The last key of it that was walked; nil before the first.
    private var last: [UInt8]?

    init(mapCount: Int) {
        snapshot = BroadcastSnapshot(
            maps: Array(repeating: BroadcastSnapshot.Map(), count: mapCount)
        )
    }

    var isComplete: Bool { index == snapshot.maps.count }

    /// Keeps what an entry is before it changes.
    mutating func keep(
        _ map: Int,
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer?
    ) {
        guard map >= index else { return }
        if map == index, let last, !last.lexicographicallyPrecedes(key) { return }
        let bytes = Array(key)
        guard snapshot.maps[map].kept[bytes] == nil else { return }
        snapshot.maps[map].kept[bytes] = .some(value.map { Array($0) })
    }

    /// Walks on over a few entries.
    mutating func step(_ state: BroadcastState) {
        guard !isComplete else { return }
        let start = last ?? []
        // SAFETY: the cursor refers to `start` during the call alone, and to entries of the map,
        // which nothing changes meanwhile.
        let isAtEnd = start.withUnsafeBytes { from in
            var cursor = apus_cursor_range(
                apus_bytes(
                    data: from.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    len: UInt64(from.count)
                ),
                apus_bytes()
            )
            return withUnsafeTemporaryAllocation(of: apus_entry.self, capacity: Self.entriesPerStep)
            { entries in
                guard let memory = entries.baseAddress else { return true }
                let count = state.map(index).next(&cursor, memory, Self.entriesPerStep) ?? 0
                for entry in entries[0..<count] { add(entry) }
                return count < Self.entriesPerStep
            }
        }
        if isAtEnd {
            index += 1
            last = nil
        }
    }

    /// Walks to the end of a map.
    mutating func finish(_ state: BroadcastState, through map: Int) {
        while index <= map, !isComplete { step(state) }
    }

    private mutating func add(_ entry: apus_entry) {
        let key = Array(UnsafeRawBufferPointer(start: entry.key.data, count: Int(entry.key.len)))
        // The first one of a step is the last one of the step before.
        if key == last { return }
        last = key
        guard snapshot.maps[index].kept[key] == nil else { return }
        let value = UnsafeRawBufferPointer(start: entry.value.data, count: Int(entry.value.len))
        snapshot.maps[index].entries.append(BroadcastEntry(key: key, value: Array(value)))
    }
}

/// What the maps held when a snapshot began.
package struct BroadcastSnapshot: Equatable, Sendable {
    /// A map.
    struct Map: Equatable, Sendable {
        /// Entries that were not changed meanwhile, in the order of keys.
        var entries: [BroadcastEntry] = []
        /// What was changed before the walk came to it: the old value; `.some(nil)` for none.
        var kept: [[UInt8]: [UInt8]?] = [:]
    }

    var maps: [Map]

    /// The entries of each map, in the order of their keys.
    package var contents: [[BroadcastEntry]] {
        maps.map { map in
            if map.kept.isEmpty { return map.entries }
            let kept = map.kept.compactMap { key, value in
                value.map { BroadcastEntry(key: key, value: $0) }
            }
            return (map.entries + kept).sorted { $0.key.lexicographicallyPrecedes($1.key) }
        }
    }
}
