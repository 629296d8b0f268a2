/// The way from one subtask to another: messages one way, empty batches back.
///
/// The writer takes an empty batch, fills it and sends it; the reader gives it back when done.
/// So batches are allocated a few times at the start and never again, and their memory stays in
/// the caches.  When the ring is full the message waits in the writer's overflow queue, and the
/// writer's owner stops taking input until ``flushOverflow()`` has emptied it: backpressure.
///
/// A ring's word has a tag in its low 3 bits: 0 = a batch (the word is the retained pointer, which
/// is
/// aligned to 16), 1 = a watermark (the next word is its time), 2 = idle, 3 = end, 4 = a barrier
/// (its number is in the other bits).
package final class Channel: @unchecked Sendable {
    // @unchecked because `overflow` and `pendingWatermark` belong to the writer's thread,
    // `hasReadTag` to the reader's, and the rings say themselves which side may use what.

    private enum Tag {
        static let batch: UInt64 = 0
        static let watermark: UInt64 = 1
        static let idle: UInt64 = 2
        static let end: UInt64 = 3
        static let barrier: UInt64 = 4
        static let mask: UInt64 = 7
        static let bitCount: UInt64 = 3
    }

    private let messages: Ring
    private let empties: Ring
    private let readerBell: Doorbell
    private let writerBell: Doorbell
    private let recordCapacity: Int
    private let arenaCapacity: Int
    private var overflow: [(tag: UInt64, payload: UInt64)] = []
    private var pendingWatermark: Bool = false

    /// Creates an empty channel.
    ///
    /// - Parameters:
    ///   - messageCapacity: Messages in flight before the writer has to wait; a power of two.
    ///   - recordCapacity: Records in a batch.
    ///   - arenaCapacity: Bytes of arena that a batch begins with.
    ///   - readerBell: Rung when there is a message.
    ///   - writerBell: Rung when there is room again.
    package init(
        messageCapacity: Int,
        recordCapacity: Int,
        arenaCapacity: Int,
        readerBell: Doorbell,
        writerBell: Doorbell
    ) {
        // Two words for a message that has a payload; one word suffices for a batch.
        messages = Ring(capacity: messageCapacity * 2)
        empties = Ring(capacity: messageCapacity * 4)
        self.recordCapacity = recordCapacity
        self.arenaCapacity = arenaCapacity
        self.readerBell = readerBell
        self.writerBell = writerBell
    }

    deinit {
        // The reader may have stopped between the two words of a watermark.
        if hasReadTag { _ = messages.pop() }
        while let word = messages.pop() {
            if word & Tag.mask == Tag.batch {
                Self.release(word)
            } else if word & Tag.mask == Tag.watermark {
                _ = messages.pop()
            }
        }
        while let word = empties.pop() { Self.release(word) }
        for message in overflow where message.tag == Tag.batch { Self.release(message.payload) }
    }

    // MARK: - The writer's side

    /// An empty batch to fill: one that came back, or a new one.
    package func takeEmpty() -> RecordBatch {
        if let word = empties.pop() {
            let batch = Self.take(word)
            batch.reset()
            return batch
        }
        return RecordBatch(recordCapacity: recordCapacity, arenaCapacity: arenaCapacity)
    }

    /// Sends a message, or queues it when the ring is full.
    package func send(_ message: consuming ChannelMessage) {
        switch message {
        case .batch(let batch):
            // SAFETY: the retain travels with the word; the reader (or deinit) takes it over.
            let pointer = Unmanaged.passRetained(batch).toOpaque()
            enqueue(Tag.batch, UInt64(UInt(bitPattern: pointer)))
        case .watermark(let time):
            enqueue(Tag.watermark, UInt64(bitPattern: time))
        case .idle:
            enqueue(Tag.idle, 0)
        case .end:
            enqueue(Tag.end, 0)
        case .barrier(let number):
            precondition(number >> 61 == 0, "checkpoints are numbered from 1")
            enqueue(Tag.barrier, number)
        }
    }

    /// Whether messages wait for room in the ring.
    package var hasOverflow: Bool { !overflow.isEmpty }

    /// Moves waiting messages into the ring as far as there is room.
    ///
    /// - Returns: Whether nothing waits any more.
    package func flushOverflow() -> Bool {
        guard !overflow.isEmpty else { return true }
        var sent = 0
        while sent < overflow.count, push(overflow[sent].tag, overflow[sent].payload) {
            sent += 1
        }
        if sent > 0 {
            overflow.removeFirst(sent)
            readerBell.ring()
        }
        return overflow.isEmpty
    }

    private func enqueue(_ tag: UInt64, _ payload: UInt64) {
        if overflow.isEmpty, push(tag, payload) {
            readerBell.ring()
        } else {
            overflow.append((tag, payload))
        }
    }

    private func push(_ tag: UInt64, _ payload: UInt64) -> Bool {
        if tag == Tag.batch { return messages.push(payload) }
        if tag == Tag.barrier { return messages.push(payload << Tag.bitCount | tag) }
        guard tag == Tag.watermark else { return messages.push(tag) }
        // A watermark takes two words; when only the first one fits, the second one follows later.
        if !pendingWatermark {
            guard messages.push(tag) else { return false }
            pendingWatermark = true
        }
        guard messages.push(payload) else { return false }
        pendingWatermark = false
        return true
    }

    // MARK: - The reader's side

    private var hasReadTag = false

    /// The next message, or nil when there is none for now.
    package func receive() -> ChannelMessage? {
        if !hasReadTag {
            guard let word = messages.pop() else { return nil }
            if word & Tag.mask == Tag.batch { return .batch(Self.take(word)) }
            // For a batch the bell rings when it is given back.
            writerBell.ring()
            switch word & Tag.mask {
            case Tag.idle: return .idle
            case Tag.end: return .end
            case Tag.barrier: return .barrier(word >> Tag.bitCount)
            default: hasReadTag = true
            }
        }
        guard let payload = messages.pop() else { return nil }
        hasReadTag = false
        writerBell.ring()
        return .watermark(Int64(bitPattern: payload))
    }

    /// Gives a batch back to the writer.
    package func giveBack(_ batch: RecordBatch) {
        let pointer = Unmanaged.passRetained(batch).toOpaque()
        let word = UInt64(UInt(bitPattern: pointer))
        // When the ring of empties is full the batch is simply freed.
        if !empties.push(word) { Self.release(word) }
        writerBell.ring()
    }

    /// Whether there is nothing to receive.
    package var isEmpty: Bool { messages.isEmpty }

    /// Messages in flight, roughly.
    package var depth: Int { messages.depth }

    private static func take(_ word: UInt64) -> RecordBatch {
        guard let pointer = UnsafeRawPointer(bitPattern: UInt(word)) else {
            preconditionFailure("a batch's word is its address")
        }
        // SAFETY: the word was made from a retained RecordBatch by `send` or `giveBack`, and each
        // word is taken once.
        return Unmanaged<RecordBatch>.fromOpaque(pointer).takeRetainedValue()
    }

    private static func release(_ word: UInt64) {
        _ = take(word)
    }
}
