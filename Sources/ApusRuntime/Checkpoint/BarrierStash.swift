import ApusMemory

/// What came from channels behind their barriers, in order, until the barriers of the others are
/// there.
///
/// The stage goes on reading: a writer that waits for room runs the readers on its own thread, and
/// would wait for ever for one that has stopped.
struct BarrierStash {
    /// Something that waits.
    enum Entry {
        case batch(RecordBatch, input: Int, channel: Int)
        case watermark(Int64, channel: Int)
        case idle(channel: Int)
        case end(channel: Int)
    }

    private var entries: [Entry] = []
    /// The bytes of all batches that wait.
    private(set) var byteCount = 0

    /// Bytes of the columns for one record: two views, time, hash, kind.
    private static let columnByteCount = 16 + 16 + 8 + 8 + 1

    /// Copies a batch to the end.
    mutating func add(_ batch: RecordBatch, input: Int, channel: Int) {
        guard batch.count > 0 else { return }
        let copy = RecordBatch(recordCapacity: batch.count, arenaCapacity: batch.arenaUsed)
        copy.copy(batch)
        byteCount += batch.count * Self.columnByteCount + copy.arenaUsed
        entries.append(.batch(copy, input: input, channel: channel))
    }

    /// Adds a message that has no records to the end.
    mutating func add(_ entry: Entry) { entries.append(entry) }

    /// Takes everything.
    mutating func take() -> [Entry] {
        defer {
            entries = []
            byteCount = 0
        }
        return entries
    }
}
