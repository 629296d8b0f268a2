/// A walk through all lists of an ``OperatorStateLists`` for a snapshot.
///
/// The lists may be written between its steps: an item that a write takes away and the walk has
/// not come to is kept first.  So beginning costs nothing, and a write one copy per item at most.
struct OperatorStateWalk {
    // Items, and bytes, of a step, which is what a slice can go over its time.
    private static let itemsPerStep = 256
    private static let bytesPerStep = 64 << 10

    private(set) var snapshot: OperatorStateSnapshot
    /// Items by list and position that the walk has not come to, as they were when it began.
    private var kept: [[Int: [UInt8]]]
    /// The list in hand; behind the last one when all are done.
    private var index = 0
    /// The next item of it.
    private var position = 0

    /// Begins a walk through lists of so many items each.
    init(counts: [Int]) {
        snapshot = OperatorStateSnapshot(counts: counts)
        kept = Array(repeating: [:], count: counts.count)
    }

    var isComplete: Bool { index == snapshot.lists.count }

    /// Keeps an item before it goes.
    // SAFETY: a block of the list that calls, on its thread; it is copied during the call.
    mutating func keep(_ list: Int, _ position: Int, _ item: UnsafeRawBufferPointer) {
        let isWalked = list < index || (list == index && position < self.position)
        // An item that was appended later is none of the snapshot's.
        guard !isWalked, position < snapshot.lists[list].count, kept[list][position] == nil else {
            return
        }
        kept[list][position] = Array(item)
    }

    /// Walks on over a few items.
    mutating func step(_ state: OperatorStateLists) {
        guard !isComplete else { return }
        var chunk: [UInt8] = []
        let end = snapshot.lists[index].count
        let limit = min(end, position + Self.itemsPerStep)
        while position < limit, chunk.count < Self.bytesPerStep {
            if let old = kept[index].removeValue(forKey: position) {
                old.withUnsafeBytes { OperatorStateFile.append($0, to: &chunk) }
            } else {
                OperatorStateFile.append(state.item(index, position), to: &chunk)
            }
            position += 1
        }
        if !chunk.isEmpty { snapshot.lists[index].chunks.append(chunk) }
        if position == end {
            index += 1
            position = 0
        }
    }
}

/// What the lists of a subtask held when a snapshot began.
package struct OperatorStateSnapshot: Equatable, Sendable {
    /// A list.
    struct List: Equatable, Sendable {
        /// How many items.
        let count: Int
        /// Their bytes as the file has them, in pieces.
        var chunks: [[UInt8]] = []
    }

    /// The lists, in the order of their declaration.
    var lists: [List]

    init(counts: [Int]) {
        lists = counts.map { List(count: $0) }
    }

    /// How many items each list has.
    package var itemCounts: [Int] { lists.map(\.count) }
}
