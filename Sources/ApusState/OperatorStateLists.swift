import ApusMemory
import CApusPlugin

/// The operator state of a subtask: a few lists of items in memory, each subtask's own.
///
/// One task thread.  An item is a block that does not move while the item is there.  A snapshot is
/// a walk in slices; see ``OperatorStateWalk``.
package final class OperatorStateLists {
    /// The names of the lists, in the order of their declaration.
    package let names: [String]
    /// How many of them the plugin knows: those whose names begin with '@' are the host's own, and
    /// come last.
    let declaredCount: Int

    // SAFETY: blocks of the pool, each of one item of one list; the pool goes with this object.
    private var lists: [[UnsafeMutableRawBufferPointer]]
    private var pool = BlockPool()
    private var itemCount = 0
    private var walk: OperatorStateWalk?
    private var share: BudgetShare

    /// Creates empty lists.
    ///
    /// - Parameters:
    ///   - names: Their names.
    ///   - budget: What they use counts in it; nil for in none.
    package init(names: [String], budget: MemoryBudget? = nil) {
        self.names = names
        declaredCount = names.count { !$0.hasPrefix("@") }
        lists = Array(repeating: [], count: names.count)
        share = BudgetShare(of: budget)
    }

    /// Fills the lists, which are empty, with what a checkpoint had.
    ///
    /// - Parameter contents: The items of each list, in the order of their declaration.
    package func restore(_ contents: [OperatorStateItems]) {
        precondition(contents.count == names.count, "the caller has compared the declarations")
        for (index, items) in contents.enumerated() {
            for item in items { item.withUnsafeBytes { append(index, $0) } }
        }
    }

    // MARK: - Reading and writing

    // SAFETY, for all: bytes from the plugin are read during the call only.  They may lie in the
    // item that is replaced, so that the copy is made before the old block goes.

    /// The item that ``replaceLast(with:)`` has put into the last list; nil for none.
    package var lastItem: [UInt8]? { lists.last?.first.map { Array($0) } }

    /// The items of each list.
    package var contents: [OperatorStateItems] { lists.map { $0.map { Array($0) } } }

    func count(_ index: Int) -> Int { lists[index].count }

    /// The item at a position, which the caller has compared with the count.
    func item(_ index: Int, _ position: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(lists[index][position])
    }

    func append(_ index: Int, _ item: UnsafeRawBufferPointer) {
        lists[index].append(copy(item))
        itemCount += 1
        report()
    }

    func set(_ index: Int, _ position: Int, _ item: UnsafeRawBufferPointer) {
        let old = lists[index][position]
        willChange(index, position, old)
        lists[index][position] = copy(item)
        free(old)
        report()
    }

    func truncate(_ index: Int, to count: Int) {
        guard count < lists[index].count else { return }
        for position in count..<lists[index].count {
            let old = lists[index][position]
            willChange(index, position, old)
            free(old)
        }
        itemCount -= lists[index].count - count
        lists[index].removeSubrange(count...)
        report()
    }

    /// Makes some bytes the only item of the last list, which is the host's own.
    package func replaceLast(with bytes: [UInt8]) {
        let index = lists.count - 1
        truncate(index, to: 0)
        bytes.withUnsafeBytes { append(index, $0) }
    }

    private func copy(_ item: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer {
        let block = UnsafeMutableRawBufferPointer(
            start: pool.allocate(item.count),
            count: item.count
        )
        block.copyMemory(from: item)
        return block
    }

    private func free(_ block: UnsafeMutableRawBufferPointer) {
        guard let start = block.baseAddress else { return }
        pool.deallocate(start, block.count)
    }

    private func willChange(
        _ index: Int,
        _ position: Int,
        _ old: UnsafeMutableRawBufferPointer
    ) {
        if walk != nil { walk?.keep(index, position, UnsafeRawBufferPointer(old)) }
    }

    private func report() {
        let reference = MemoryLayout<UnsafeMutableRawBufferPointer>.size
        share.report(pool.usedByteCount + itemCount * reference)
    }

    // MARK: - Snapshots

    /// Begins a snapshot of what is there now; one that is under way is given up.
    package func beginSnapshot() { walk = OperatorStateWalk(counts: lists.map(\.count)) }

    /// Whether a snapshot has not been walked to its end.
    package var isSnapshotting: Bool { walk.map { !$0.isComplete } ?? false }

    /// Goes on with the snapshot.
    ///
    /// - Parameter isTimeLeft: Asked between some items and the next.
    package func continueSnapshot(while isTimeLeft: () -> Bool) {
        guard walk != nil else { return }
        repeat { walk?.step(self) } while isSnapshotting && isTimeLeft()
    }

    /// Takes a complete snapshot over.
    package func takeSnapshot() -> OperatorStateSnapshot? {
        guard let done = walk, done.isComplete else { return nil }
        walk = nil
        return done.snapshot
    }
}
