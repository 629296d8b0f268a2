import ApusCore
import ApusMemory

/// An edge that deals records out by key to the subtasks of the reader; or, with one channel,
/// gathers them at its only subtask.
///
/// When a channel is full the thread relieves it: it runs the work behind this edge that lies on
/// this very thread, then waits for the others.  So memory stays bounded, and nothing is dropped.
final class ExchangeOutput: Output {
    /// How a record gets its key.
    enum Keying {
        /// The reader is not keyed; everything goes to the only channel.
        case none
        /// The record has its key already; the source may have taken it out of a field.
        case recordKey(field: String?)
        /// The key is taken out of the value.
        case extracted(any KeyExtractor, field: String)
    }

    private let channels: [Channel]
    private let scatter: KeyedScatter
    private let keying: Keying
    private let acceptsNullKey: Bool
    private let reader: String
    private let writerIndex: Int
    private let rejects: RejectHandler
    private unowned let thread: TaskThread
    /// Holds records whose keys are changed or some of which are left out.
    private lazy var scratch = RecordBatch(recordCapacity: 1024, arenaCapacity: 64 << 10)

    init(
        channels: [Channel],
        groups: KeyGroups,
        keying: Keying,
        acceptsNullKey: Bool,
        reader: String,
        writerIndex: Int,
        rejects: RejectHandler,
        thread: TaskThread
    ) {
        self.channels = channels
        self.keying = keying
        self.acceptsNullKey = acceptsNullKey
        self.reader = reader
        self.writerIndex = writerIndex
        self.rejects = rejects
        self.thread = thread
        scatter = KeyedScatter(channels: channels, groups: groups)
    }

    override func send(_ batch: RecordBatch) throws(JobFailure) {
        switch keying {
        case .none:
            KeyHash.clear(batch)
            scatter.scatter(batch)
        case .recordKey(let field):
            let reason = field.map { "no key: field '\($0)' has no value" }
            try sendKeyed(batch, reason: reason ?? "the record has no key")
        case .extracted(let extractor, let field):
            prepareScratch(for: batch)
            scratch.borrow(batch)
            extractor.extract(scratch)
            try sendKeyed(scratch, reason: "no key: field '\(field)' has no value")
        }
        try relieve()
    }

    private func sendKeyed(_ batch: RecordBatch, reason: String) throws(JobFailure) {
        var keyed = batch
        if !acceptsNullKey, batch.hasNullKeys {
            if batch !== scratch {
                prepareScratch(for: batch)
                scratch.borrow(batch)
                keyed = scratch
            }
            for index in 0..<keyed.count where keyed.isNullKey(index) {
                try rejects.reject(keyed.rejected(index, reason: reason), node: reader)
            }
            keyed.removeNullKeys()
        }
        KeyHash.fill(keyed)
        scatter.scatter(keyed)
    }

    private func prepareScratch(for batch: RecordBatch) {
        guard scratch.recordCapacity < batch.count else { return }
        scratch = RecordBatch(recordCapacity: batch.recordCapacity, arenaCapacity: 64 << 10)
    }

    override func sendWatermark(_ time: Int64) throws(JobFailure) {
        try sendAll(.watermark(time))
    }

    override func sendIdle() throws(JobFailure) {
        try sendAll(.idle)
    }

    override func sendBarrier(_ number: UInt64) throws(JobFailure) {
        try sendAll(.barrier(number))
    }

    override func sendEnd() throws(JobFailure) {
        try sendAll(.end)
    }

    private func sendAll(_ message: ChannelMessage) throws(JobFailure) {
        scatter.flush()
        for channel in channels { channel.send(message) }
        try relieve()
    }

    override func flush() throws(JobFailure) -> Bool {
        guard scatter.hasPending else { return false }
        scatter.flush()
        try relieve()
        return true
    }

    /// Returns when no channel has messages that wait for room.
    private func relieve() throws(JobFailure) {
        for channel in channels where channel.hasOverflow {
            try thread.relieve(channel, writerIndex: writerIndex)
        }
    }
}
