import ApusCore
import ApusMemory

/// The reading end of a stage's channels.
final class InputGate: Head {
    /// A channel, the operator's input that it belongs to, and its number at the stage.
    struct Entry {
        let channel: Channel
        let input: Int
        let number: Int
    }

    private static let messagesPerStep = 16
    /// With checkpoints a step ends after so long, in nanoseconds: batches whose keys are not in
    /// memory take milliseconds each, and barriers, snapshots and eviction wait meanwhile.
    private static let stepLimit: Int64 = 1_000_000

    private let stage: Stage
    private let entries: [Entry]
    private var next = 0
    private var openCount: Int

    init(stage: Stage, entries: [Entry]) {
        self.stage = stage
        self.entries = entries
        openCount = entries.count
    }

    var nodeIndex: Int { stage.nodeIndex }
    var isFinished: Bool { openCount == 0 }
    var isPolling: Bool { false }
    var hasInput: Bool { entries.contains { !$0.channel.isEmpty } }

    /// Takes up to 16 messages, from each channel in turn.
    func step() throws(JobFailure) -> Bool {
        guard openCount > 0 else { return false }
        let clock = stage.checkpoints?.clock
        let limit = clock.map { $0.monotonicNanoseconds() &+ Self.stepLimit } ?? .max
        var taken = 0
        var empty = 0
        while taken < Self.messagesPerStep, empty < entries.count {
            let entry = entries[next]
            next = next + 1 == entries.count ? 0 : next + 1
            guard let message = entry.channel.receive() else {
                empty += 1
                continue
            }
            empty = 0
            taken += 1
            try handle(message, of: entry)
            if let clock, clock.monotonicNanoseconds() >= limit { break }
        }
        return taken > 0
    }

    /// Holds nothing: the stage is abandoned by its thread.
    func abandon() {}

    private func handle(_ message: ChannelMessage, of entry: Entry) throws(JobFailure) {
        switch message {
        case .batch(let batch):
            try stage.receive(batch, input: entry.input, channel: entry.number)
            entry.channel.giveBack(batch)
        case .watermark(let time):
            try stage.receiveWatermark(time, channel: entry.number)
        case .idle:
            try stage.receiveIdle(channel: entry.number)
        case .barrier(let number):
            try stage.receiveBarrier(number, channel: entry.number)
        case .end:
            openCount -= 1
            try stage.receiveEnd(channel: entry.number)
        }
    }
}
