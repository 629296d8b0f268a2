import ApusMemory
import CApusShims

/// The armed timers of one operator on one subtask, in one time domain.
///
/// Three structures over the same entries: a slab that holds them, a 4-ary heap in the order
/// (time, name, id) with the entry's place in the heap written back (so that a timer can be
/// cancelled where it lies), and a hash index from (row, name, id) to the entry.  A 4-ary heap has
/// half the levels of a binary one, and a node's children share a cache line (LaMarca and
/// Ladner, "The Influence of Caches on the Performance of Heaps").
///
/// Where rows have room for it, a row's timers are also linked with each other, so that a row can
/// be
/// stored and evicted with them.
///
/// A handle on memory that ``destroy()`` frees; one thread.
struct TimerQueue {
    typealias Row = UnsafeMutableRawPointer

    /// A timer.
    struct Entry {
        var time: Int64
        var id: UInt64
        var row: Row
        var payload: UnsafeMutableRawPointer?
        var payloadByteCount: UInt32
        var name: UInt32
        var heapIndex: Int32
        /// The next entry in the same bucket of the index, or in the list of free entries.
        var next: Int32
        /// The timers of the same row before and behind this one: number + 1, 0 for none.
        var previousOfRow: Int32 = 0
        var nextOfRow: Int32 = 0
    }

    /// Memory per armed timer: entry, node and bucket.
    static let timerByteCount =
        MemoryLayout<Entry>.stride + MemoryLayout<Node>.stride + MemoryLayout<Int32>.stride

    /// A node of the heap: the time is here so that comparing rarely touches the entry.
    private struct Node {
        var time: Int64
        var entry: Int32
    }

    private struct Core {
        var entries: UnsafeMutablePointer<Entry>
        var heap: UnsafeMutablePointer<Node>
        var buckets: UnsafeMutablePointer<Int32>
        var capacity: Int
        var bucketMask: Int
        var count: Int
        var used: Int
        var free: Int32
    }

    private let core: UnsafeMutablePointer<Core>
    /// Where a row holds the number + 1 of its first timer; 0 when rows have no room for it.
    private let firstOffset: Int

    /// Creates a queue without timers.
    ///
    /// - Parameter firstOffset: Where rows hold their first timer, a u32 that begins as 0; 0 for
    ///   rows that do not.
    init(firstOffset: Int = 0) {
        self.firstOffset = firstOffset
        // SAFETY: freed in destroy(), which the owner calls once.
        core = .allocate(capacity: 1)
        let capacity = 64
        core.initialize(
            to: Core(
                entries: .allocate(capacity: capacity),
                heap: .allocate(capacity: capacity),
                buckets: .allocate(capacity: capacity),
                capacity: capacity,
                bucketMask: capacity - 1,
                count: 0,
                used: 0,
                free: -1
            )
        )
        core.pointee.buckets.initialize(repeating: -1, count: capacity)
    }

    func destroy() {
        core.pointee.entries.deallocate()
        core.pointee.heap.deallocate()
        core.pointee.buckets.deallocate()
        core.deallocate()
    }

    /// How many timers are armed.
    var count: Int { core.pointee.count }

    /// When the first one is due; `Int64.max` when there is none.
    var nextTime: Int64 { core.pointee.count == 0 ? .max : core.pointee.heap[0].time }

    /// The first timer.
    ///
    /// It is there: the caller looked at ``nextTime``.
    var first: UnsafeMutablePointer<Entry> {
        core.pointee.entries + Int(core.pointee.heap[0].entry)
    }

    /// The timer with this name and id of a row, or nil.
    func find(_ row: Row, _ name: UInt32, _ id: UInt64) -> UnsafeMutablePointer<Entry>? {
        var number = core.pointee.buckets[bucket(row, name, id)]
        while number >= 0 {
            let entry = core.pointee.entries + Int(number)
            if entry.pointee.row == row, entry.pointee.id == id, entry.pointee.name == name {
                return entry
            }
            number = entry.pointee.next
        }
        return nil
    }

    /// Arms a timer that is not armed yet.
    ///
    /// - Returns: False when there are 2^31 - 1 timers.
    func insert(_ entry: Entry) -> Bool {
        guard let number = takeEntry() else { return false }
        let bucket = bucket(entry.row, entry.name, entry.id)
        core.pointee.entries[number] = entry
        core.pointee.entries[number].next = core.pointee.buckets[bucket]
        core.pointee.buckets[bucket] = Int32(truncatingIfNeeded: number)
        if firstOffset > 0 { link(number) }
        let at = core.pointee.count
        core.pointee.count = at + 1
        siftUp(Node(time: entry.time, entry: Int32(truncatingIfNeeded: number)), from: at)
        return true
    }

    /// Moves an armed timer to another time.
    func move(_ entry: UnsafeMutablePointer<Entry>, to time: Int64) {
        let at = Int(entry.pointee.heapIndex)
        var node = core.pointee.heap[at]
        let isEarlier = time < node.time
        entry.pointee.time = time
        node.time = time
        if isEarlier { siftUp(node, from: at) } else { siftDown(node, from: at) }
    }

    /// Disarms a timer; its payload is the caller's to free before.
    func remove(_ entry: UnsafeMutablePointer<Entry>) {
        unlink(entry)
        if firstOffset > 0 { unlinkFromRow(entry) }
        let at = Int(entry.pointee.heapIndex)
        let last = core.pointee.count - 1
        core.pointee.count = last
        if at < last {
            let node = core.pointee.heap[last]
            if at > 0, isBefore(node, core.pointee.heap[(at - 1) / 4]) {
                siftUp(node, from: at)
            } else {
                siftDown(node, from: at)
            }
        }
        let number = Int32(truncatingIfNeeded: entry - core.pointee.entries)
        entry.pointee.next = core.pointee.free
        core.pointee.free = number
    }

    /// Calls `body` with every armed timer, in no order.
    func forEach(_ body: (UnsafeMutablePointer<Entry>) -> Void) {
        for at in 0..<core.pointee.count {
            body(core.pointee.entries + Int(core.pointee.heap[at].entry))
        }
    }

    // MARK: - The timers of a row

    /// The first timer of a row, or nil.
    ///
    /// Rows must have room for it.
    func first(of row: Row) -> UnsafeMutablePointer<Entry>? {
        entry((row + firstOffset).load(as: Int32.self))
    }

    /// The timer of the same row behind one, or nil.
    func next(after entry: UnsafeMutablePointer<Entry>) -> UnsafeMutablePointer<Entry>? {
        self.entry(entry.pointee.nextOfRow)
    }

    private func entry(_ link: Int32) -> UnsafeMutablePointer<Entry>? {
        link == 0 ? nil : core.pointee.entries + Int(link - 1)
    }

    private func link(_ number: Int) {
        let entry = core.pointee.entries + number
        let place = entry.pointee.row + firstOffset
        let first = place.load(as: Int32.self)
        entry.pointee.previousOfRow = 0
        entry.pointee.nextOfRow = first
        self.entry(first)?.pointee.previousOfRow = Int32(truncatingIfNeeded: number + 1)
        place.storeBytes(of: Int32(truncatingIfNeeded: number + 1), as: Int32.self)
    }

    private func unlinkFromRow(_ entry: UnsafeMutablePointer<Entry>) {
        let next = entry.pointee.nextOfRow
        let previous = entry.pointee.previousOfRow
        self.entry(next)?.pointee.previousOfRow = previous
        if let before = self.entry(previous) {
            before.pointee.nextOfRow = next
        } else {
            (entry.pointee.row + firstOffset).storeBytes(of: next, as: Int32.self)
        }
    }

    // MARK: - The heap

    @inline(__always)
    private func isBefore(_ left: Node, _ right: Node) -> Bool {
        if left.time != right.time { return left.time < right.time }
        let a = core.pointee.entries + Int(left.entry)
        let b = core.pointee.entries + Int(right.entry)
        if a.pointee.name != b.pointee.name { return a.pointee.name < b.pointee.name }
        return a.pointee.id < b.pointee.id
    }

    @inline(__always)
    private func set(_ node: Node, at index: Int) {
        core.pointee.heap[index] = node
        core.pointee.entries[Int(node.entry)].heapIndex = Int32(truncatingIfNeeded: index)
    }

    private func siftUp(_ node: Node, from start: Int) {
        var at = start
        while at > 0 {
            let parent = (at &- 1) / 4
            let above = core.pointee.heap[parent]
            guard isBefore(node, above) else { break }
            set(above, at: at)
            at = parent
        }
        set(node, at: at)
    }

    private func siftDown(_ node: Node, from start: Int) {
        let count = core.pointee.count
        let heap = core.pointee.heap
        var at = start
        while true {
            let firstChild = at &* 4 &+ 1
            guard firstChild < count else { break }
            var best = firstChild
            for child in firstChild &+ 1..<min(firstChild &+ 4, count)
            where isBefore(heap[child], heap[best]) {
                best = child
            }
            guard isBefore(heap[best], node) else { break }
            set(heap[best], at: at)
            at = best
        }
        set(node, at: at)
    }

    // MARK: - The index and the slab

    @inline(__always)
    private func bucket(_ row: Row, _ name: UInt32, _ id: UInt64) -> Int {
        var hash = UInt64(UInt(bitPattern: row)) &* 0x9e37_79b9_7f4a_7c15
        hash ^= id &* 0xd6e8_feb8_6659_fd93 &+ UInt64(name)
        hash ^= hash &>> 32
        hash = hash &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: hash &>> 24) & core.pointee.bucketMask
    }

    private func unlink(_ entry: UnsafeMutablePointer<Entry>) {
        let bucket = bucket(entry.pointee.row, entry.pointee.name, entry.pointee.id)
        let number = Int32(truncatingIfNeeded: entry - core.pointee.entries)
        if core.pointee.buckets[bucket] == number {
            core.pointee.buckets[bucket] = entry.pointee.next
            return
        }
        var at = Int(core.pointee.buckets[bucket])
        while core.pointee.entries[at].next != number {
            at = Int(core.pointee.entries[at].next)
        }
        core.pointee.entries[at].next = entry.pointee.next
    }

    private func takeEntry() -> Int? {
        if core.pointee.free >= 0 {
            let number = Int(core.pointee.free)
            core.pointee.free = core.pointee.entries[number].next
            return number
        }
        if core.pointee.used == core.pointee.capacity {
            guard core.pointee.capacity < 1 << 30 else { return nil }
            grow()
        }
        core.pointee.used += 1
        return core.pointee.used - 1
    }

    /// Has memory for so many timers at hand; before the first one.
    func reserve(_ count: Int, until isEnough: () -> Bool) {
        let count = min(count, 1 << 30)
        while core.pointee.capacity < count { grow() }
        let (entry, node) = (MemoryLayout<Entry>.stride, MemoryLayout<Node>.stride)
        FreshPages.touch(core.pointee.entries, count * entry, until: isEnough)
        FreshPages.touch(core.pointee.heap, count * node, until: isEnough)
    }

    private func grow() {
        let old = core.pointee
        let capacity = old.capacity * 2
        core.pointee.entries = .allocate(capacity: capacity)
        core.pointee.entries.moveInitialize(from: old.entries, count: old.used)
        core.pointee.heap = .allocate(capacity: capacity)
        core.pointee.heap.moveInitialize(from: old.heap, count: old.count)
        core.pointee.buckets = .allocate(capacity: capacity)
        core.pointee.buckets.initialize(repeating: -1, count: capacity)
        core.pointee.capacity = capacity
        core.pointee.bucketMask = capacity - 1
        old.entries.deallocate()
        old.heap.deallocate()
        old.buckets.deallocate()
        for at in 0..<core.pointee.count {
            let number = core.pointee.heap[at].entry
            let entry = core.pointee.entries + Int(number)
            let bucket = bucket(entry.pointee.row, entry.pointee.name, entry.pointee.id)
            entry.pointee.next = core.pointee.buckets[bucket]
            core.pointee.buckets[bucket] = number
        }
    }
}
