import Synchronization

/// A bounded queue from one thread to one other: words in, words out, no locks.
///
/// Head and tail count up for ever; their low bits are the slot.  Each side keeps its index on a
/// cache line of its own together with a copy of what it last saw of the other side, so that it
/// looks at the other's line only when the ring seems full or empty (the scheme of FastForward
/// and of the LMAX Disruptor's batching).
package final class Ring: @unchecked Sendable {
    // @unchecked because the fields of each side are used by that side's thread alone, and slots
    // pass from one to the other through the release store and acquire load of `tail` and `head`.

    /// How many words fit.
    package let capacity: Int
    private let mask: Int
    private let slots: UnsafeMutablePointer<UInt64>

    /// Next slot to read: written by the reader (release: the slot may be reused).
    private let head: UnsafeMutablePointer<PaddedIndex>
    /// Next slot to write: written by the writer (release: the slot's word is visible).
    private let tail: UnsafeMutablePointer<PaddedIndex>

    /// An index alone on two cache lines (the processor fetches lines in pairs).
    private struct PaddedIndex: ~Copyable {
        let published: Atomic<Int> = Atomic(0)
        var own = 0
        var seenOther = 0
        var padding: (Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int) = (
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        )
    }

    /// Creates an empty ring.
    ///
    /// - Parameter capacity: A power of two, at least 2.
    package init(capacity: Int) {
        precondition(capacity >= 2 && capacity & (capacity - 1) == 0, "a power of two")
        self.capacity = capacity
        mask = capacity - 1
        // SAFETY: freed in deinit, which runs when neither side has a reference any more.
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
        head = .allocate(capacity: 1)
        head.initialize(to: PaddedIndex())
        tail = .allocate(capacity: 1)
        tail.initialize(to: PaddedIndex())
    }

    deinit {
        head.deinitialize(count: 1)
        head.deallocate()
        tail.deinitialize(count: 1)
        tail.deallocate()
        slots.deallocate()
    }

    /// Appends a word; false when the ring is full.
    ///
    /// The writer's thread only.
    package func push(_ word: UInt64) -> Bool {
        let index = tail.pointee.own
        if index &- tail.pointee.seenOther >= capacity {
            tail.pointee.seenOther = head.pointee.published.load(ordering: .acquiring)
            if index &- tail.pointee.seenOther >= capacity { return false }
        }
        slots[index & mask] = word
        tail.pointee.own = index &+ 1
        tail.pointee.published.store(index &+ 1, ordering: .releasing)
        return true
    }

    /// Removes the oldest word; nil when the ring is empty.
    ///
    /// The reader's thread only.
    package func pop() -> UInt64? {
        let index = head.pointee.own
        if index == head.pointee.seenOther {
            head.pointee.seenOther = tail.pointee.published.load(ordering: .acquiring)
            if index == head.pointee.seenOther { return nil }
        }
        let word = slots[index & mask]
        head.pointee.own = index &+ 1
        head.pointee.published.store(index &+ 1, ordering: .releasing)
        return word
    }

    /// Whether there is nothing to read.
    ///
    /// The reader's thread only.
    package var isEmpty: Bool {
        head.pointee.own == tail.pointee.published.load(ordering: .acquiring)
    }

    /// How many words are in the ring, as either side may see it; a moment later it can differ.
    package var depth: Int {
        let read = head.pointee.published.load(ordering: .relaxed)
        return max(0, tail.pointee.published.load(ordering: .relaxed) &- read)
    }
}
