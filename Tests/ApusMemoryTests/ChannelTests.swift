import ApusCore
import ApusTestSupport
import Testing

@testable import ApusMemory

/// Messages arrive in order and once, however small the ring is, and batches go round without
/// leaking.
@Suite("Channel", .timeLimit(.minutes(5)))
struct ChannelTests {
    static func make(
        _ messageCapacity: Int,
        bells: [Doorbell] = [Doorbell(), Doorbell()]
    ) -> Channel {
        Channel(
            messageCapacity: messageCapacity,
            recordCapacity: 8,
            arenaCapacity: 64,
            readerBell: bells[0],
            writerBell: bells[1]
        )
    }

    /// A message as something that can be compared: a batch by the number in its only record.
    enum Note: Equatable {
        case batch(Int64)
        case watermark(Int64)
        case idle
        case end
        case barrier(UInt64)

        static func random(_ step: Int, using generator: inout SplitMix64) -> Note {
            switch generator.number(in: 0...8) {
            case 0: .idle
            case 1: .end
            // Up to the largest number that the word has room for.
            case 8: .barrier(generator.next() >> 3)
            case 2...4: .watermark(Int64(bitPattern: generator.next()))
            default: .batch(Int64(step))
            }
        }
    }

    /// Weak references to all batches ever seen.
    final class Census {
        private struct Weak {
            weak var batch: RecordBatch?
        }
        private var members: [ObjectIdentifier: Weak] = [:]
        var seenCount: Int { members.count }
        var liveCount: Int { members.values.count { $0.batch != nil } }

        func note(_ batch: RecordBatch) {
            // An address may be used again after its batch was freed.
            members[ObjectIdentifier(batch)] = Weak(batch: batch)
        }
    }

    static func send(_ note: Note, to channel: Channel, _ census: Census? = nil) throws {
        switch note {
        case .batch(let number):
            let batch = channel.takeEmpty()
            census?.note(batch)
            try check(batch.count == 0 && batch.arenaUsed == 0, "an empty batch is empty")
            try check(batch.append(key: nil, value: [1], time: number), "a batch has room")
            channel.send(.batch(batch))
        case .watermark(let time): channel.send(.watermark(time))
        case .idle: channel.send(.idle)
        case .end: channel.send(.end)
        case .barrier(let number): channel.send(.barrier(number))
        }
    }

    static func receive(from channel: Channel) -> Note? {
        switch channel.receive() {
        case .none: return nil
        case .batch(let batch):
            let number = batch.times[0]
            channel.giveBack(batch)
            return .batch(number)
        case .watermark(let time): return .watermark(time)
        case .idle: return .idle
        case .end: return .end
        case .barrier(let number): return .barrier(number)
        }
    }

    @Test("keeps the order of all kinds of messages", arguments: [1, 2, 4, 64])
    func keepsTheOrder(capacity: Int) throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let channel = Self.make(capacity)
            var expected: [Note] = []
            for step in 0..<500 {
                let context = "capacity \(capacity), seed \(seed), step \(step)"
                switch generator.number(in: 0...4) {
                case 0...1:
                    let note = Note.random(step, using: &generator)
                    expected.append(note)
                    try Self.send(note, to: channel)
                case 2:
                    let isDone = channel.flushOverflow()
                    try check(isDone == !channel.hasOverflow, "\(context): flush")
                default:
                    if let note = Self.receive(from: channel) {
                        try check(note == expected.first, "\(context): \(note)")
                        expected.removeFirst()
                    } else {
                        try check(expected.isEmpty || channel.hasOverflow, "\(context): lost")
                    }
                }
            }
            while !expected.isEmpty {
                _ = channel.flushOverflow()
                let note = Self.receive(from: channel)
                try check(note == expected.removeFirst(), "capacity \(capacity), seed \(seed)")
            }
            #expect(channel.receive() == nil)
            #expect(channel.flushOverflow())
            #expect(channel.isEmpty)
        }
    }

    @Test("frees every batch, whatever it holds when it goes", arguments: [1, 2, 8])
    func freesEveryBatch(capacity: Int) throws {
        for seed in 1...200 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let census = Census()
            do {
                let channel = Self.make(capacity)
                for step in 0..<generator.number(in: 0...30) {
                    switch generator.number(in: 0...3) {
                    case 0: _ = channel.flushOverflow()
                    case 1: _ = Self.receive(from: channel)
                    default:
                        let note = Note.random(step, using: &generator)
                        try Self.send(note, to: channel, census)
                    }
                }
            }
            try check(census.liveCount == 0, "capacity \(capacity), seed \(seed): a leak")
        }
    }

    @Test("can be freed between the two words of a watermark")
    func canBeFreedInTheMiddleOfAWatermark() throws {
        let census = Census()
        do {
            let channel = Self.make(1)
            try Self.send(.batch(1), to: channel, census)
            // Only the first word of this fits; the reader takes it before the second one comes.
            channel.send(.watermark(4096))
            #expect(channel.hasOverflow)
            #expect(Self.receive(from: channel) == .batch(1))
            #expect(channel.receive() == nil)
            #expect(channel.flushOverflow())
            try Self.send(.batch(2), to: channel, census)
            // Now the ring holds a number that must not be taken for a batch.
        }
        #expect(census.liveCount == 0)
    }

    @Test("a barrier never passes a batch or a watermark that waits for room")
    func aBarrierPassesNothing() throws {
        let channel = Self.make(1)
        // Two words fit: a batch and the first word of the watermark; all else waits.
        let notes: [Note] = [
            .batch(1), .watermark(9), .barrier(1), .batch(2), .barrier(2), .watermark(-1),
            .barrier(3), .end,
        ]
        for note in notes { try Self.send(note, to: channel) }
        #expect(channel.hasOverflow)
        var received: [Note] = []
        while received.count < notes.count {
            _ = channel.flushOverflow()
            if let note = Self.receive(from: channel) { received.append(note) }
        }
        #expect(received == notes)
        #expect(channel.receive() == nil)
    }

    @Test("uses the same few batches again and again")
    func usesTheSameBatchesAgain() throws {
        let channel = Self.make(4)
        let census = Census()
        for number in 0..<1_000 as Range<Int64> {
            try Self.send(.batch(number), to: channel, census)
            try Self.send(.batch(-number), to: channel, census)
            #expect(Self.receive(from: channel) == .batch(number))
            #expect(Self.receive(from: channel) == .batch(-number))
        }
        #expect(census.seenCount == 2)
    }

    @Test("frees what does not fit into the ring of empty batches")
    func freesWhatDoesNotFit() {
        let channel = Self.make(1)
        let census = Census()
        for _ in 0..<20 {
            let batch = RecordBatch(recordCapacity: 8, arenaCapacity: 64)
            census.note(batch)
            channel.giveBack(batch)
        }
        #expect(census.liveCount == 4)
    }

    @Test("gives back batches that hold nothing of their old records")
    func givesBackEmptyBatches() throws {
        let channel = Self.make(1)
        let lender = RecordBatch(recordCapacity: 8, arenaCapacity: 64)
        let batch = channel.takeEmpty()
        batch.borrow(lender)
        _ = batch.append(key: [1, 2, 3], value: Array(repeating: 7, count: 1000))
        channel.giveBack(batch)
        let again = channel.takeEmpty()
        #expect(again === batch)
        #expect(again.count == 0)
        #expect(again.borrowedBufferCount == 0)
        #expect(again.append(key: nil, value: Array(repeating: 9, count: 100)))
        #expect(again.value(0) == Array(repeating: 9, count: 100))
    }

    @Test(
        "carries messages between two threads, in order and complete",
        arguments: [(1, 20_000), (4, 50_000), (32, 50_000)]
    )
    func carriesMessagesBetweenTwoThreads(capacity: Int, messageCount: Int) throws {
        let channel = Self.make(capacity)
        let writer = TestThread {
            var generator = SplitMix64(seed: 1)
            for step in 0..<messageCount {
                let note = Note.random(step, using: &generator)
                do {
                    try Self.send(note, to: channel)
                } catch {
                    // A fresh batch was not empty: the reader gets something else instead.
                    channel.send(.watermark(.min))
                }
                while !channel.flushOverflow() { TestThread.yield() }
            }
        }
        var generator = SplitMix64(seed: 1)
        var wrong: [Int] = []
        for step in 0..<messageCount {
            let expected = Note.random(step, using: &generator)
            var note = Self.receive(from: channel)
            while note == nil {
                TestThread.yield()
                note = Self.receive(from: channel)
            }
            if note != expected, wrong.count < 5 { wrong.append(step) }
        }
        writer.join()
        #expect(wrong.isEmpty)
        #expect(channel.receive() == nil)
    }

    @Test("wakes a writer that waits for room, also when no batch comes back")
    func wakesAWriterThatWaitsForRoom() {
        let bells = [Doorbell(), Doorbell()]
        let channel = Self.make(1, bells: bells)
        let messageCount: Int64 = 200
        let oversleptCount = Counter()
        let writer = TestThread {
            for number in 0..<messageCount {
                channel.send(number % 3 == 0 ? .idle : .watermark(number))
                while !channel.flushOverflow() {
                    // Asleep for so long only when nobody rings; then one proof is enough.
                    if oversleptCount.value > 0 { continue }
                    let start = ContinuousClock.now
                    bells[1].sleep(nanoseconds: 3_000_000_000) { channel.flushOverflow() }
                    if ContinuousClock.now - start > .seconds(2) { oversleptCount.add() }
                }
            }
        }
        var received: Int64 = 0
        while received < messageCount {
            if channel.receive() != nil {
                received += 1
            } else {
                bells[0].sleep(nanoseconds: 1_000_000) { !channel.isEmpty }
            }
        }
        writer.join()
        #expect(oversleptCount.value == 0)
        #expect(channel.isEmpty)
    }
}
