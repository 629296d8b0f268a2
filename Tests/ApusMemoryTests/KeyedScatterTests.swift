import ApusCore
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusMemory

/// Every record reaches the owner of its key, unchanged and in the order of its key.
@Suite("KeyedScatter")
struct KeyedScatterTests {
    /// An exchange whose readers are asked by hand.
    struct Exchange {
        let channels: [Channel]
        let groups: KeyGroups
        let scatter: KeyedScatter

        init(
            parallelism: Int,
            groupCount: Int,
            recordCapacity: Int = 16,
            messageCapacity: Int = 2,
            arenaByteCountMax: Int = 256 << 10
        ) {
            channels = (0..<parallelism).map { _ in
                Channel(
                    messageCapacity: messageCapacity,
                    recordCapacity: recordCapacity,
                    arenaCapacity: 64,
                    readerBell: Doorbell(),
                    writerBell: Doorbell()
                )
            }
            groups = KeyGroups(count: groupCount)
            scatter = KeyedScatter(
                channels: channels,
                groups: groups,
                arenaByteCountMax: arenaByteCountMax
            )
        }

        /// Takes all batches that a reader gets.
        func receive(_ reader: Int, _ body: (RecordBatch) throws -> Void) rethrows {
            while true {
                guard case .batch(let batch) = channels[reader].receive() else {
                    if channels[reader].flushOverflow(), channels[reader].isEmpty { return }
                    continue
                }
                try body(batch)
                channels[reader].giveBack(batch)
            }
        }
    }

    /// The owner of a key, computed from the definitions.
    static func owner(of key: [UInt8]?, groupCount: Int, parallelism: Int) -> Int {
        guard let key else { return 0 }
        let hash = key.withUnsafeBytes { KeyHash.of($0) }
        let group = Int(((hash >> 32) * UInt64(groupCount)) >> 32)
        return group * parallelism / groupCount
    }

    @Test(
        "sends every record to the owner of its key, once, in order",
        arguments: [(1, 1), (1, 128), (2, 2), (3, 7), (4, 128), (7, 1024), (16, 4), (64, 32_768)]
    )
    func sendsEveryRecordToItsOwner(parallelism: Int, groupCount: Int) throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let exchange = Exchange(
                parallelism: parallelism,
                groupCount: groupCount,
                recordCapacity: generator.number(in: 1...40)
            )
            var expected: [[BatchRecord]] = Array(repeating: [], count: parallelism)
            var found = expected
            for _ in 0..<20 {
                let records = Self.random(generator.number(in: 0...100), using: &generator)
                for record in records {
                    let owner = Self.owner(
                        of: record.key,
                        groupCount: groupCount,
                        parallelism: parallelism
                    )
                    expected[owner].append(record)
                }
                let batch = RecordBatch(recordCapacity: 100, arenaCapacity: 16)
                RecordBatchTests.fill(batch, with: records)
                KeyHash.fill(batch)
                exchange.scatter.scatter(batch)
                if generator.isOnce(in: 3) { exchange.scatter.flush() }
                for reader in 0..<parallelism where generator.isOnce(in: 2) {
                    try exchange.receive(reader) { try Self.take($0, to: &found[reader]) }
                }
            }
            exchange.scatter.flush()
            for reader in 0..<parallelism {
                try exchange.receive(reader) { try Self.take($0, to: &found[reader]) }
                // Equal sequences: the order is kept for each key, and even for each reader.
                try checkEqual(
                    found[reader],
                    expected[reader],
                    "seed \(seed), reader \(reader)"
                )
            }
        }
    }

    /// Records of few keys, so that each has many.
    static func random(_ count: Int, using generator: inout SplitMix64) -> [BatchRecord] {
        var records = RecordBatchTests.random(count, using: &generator)
        for index in records.indices where records[index].key != nil {
            let number = generator.number(in: 0...30)
            records[index].key = Array(repeating: UInt8(number), count: number)
        }
        return records
    }

    static func take(_ batch: RecordBatch, to records: inout [BatchRecord]) throws {
        try check(batch.count > 0, "an empty batch was sent")
        for index in 0..<batch.count {
            let hash = batch.key(index).map { $0.withUnsafeBytes { KeyHash.of($0) } } ?? 0
            try check(batch.hashes[index] == hash, "the hash travels with the record")
        }
        records += batch.records
    }

    @Test("sends a batch early when its bytes reach the limit")
    func sendsABatchEarly() {
        let exchange = Exchange(
            parallelism: 1,
            groupCount: 1,
            recordCapacity: 1000,
            messageCapacity: 64,
            arenaByteCountMax: 1000
        )
        let batch = RecordBatch(recordCapacity: 100, arenaCapacity: 16)
        for number in 0..<95 {
            let value = Array(repeating: UInt8(number), count: 100)
            #expect(batch.append(key: [1], value: value))
        }
        KeyHash.fill(batch)
        exchange.scatter.scatter(batch)
        var counts: [Int] = []
        exchange.receive(0) { counts.append($0.count) }
        #expect(counts == Array(repeating: 10, count: 9))
        exchange.scatter.flush()
        exchange.receive(0) { counts.append($0.count) }
        #expect(counts.last == 5)
    }

    @Test("carries a record that alone is larger than the limit")
    func carriesALargeRecord() {
        let exchange = Exchange(
            parallelism: 2,
            groupCount: 2,
            messageCapacity: 64,
            arenaByteCountMax: 1000
        )
        let batch = RecordBatch(recordCapacity: 100, arenaCapacity: 16)
        let records = (0..<20).map { number in
            BatchRecord(
                key: Array(repeating: UInt8(number), count: number * 777),
                value: Array(repeating: UInt8(number), count: 50_000 / (number + 1)),
                time: 1
            )
        }
        RecordBatchTests.fill(batch, with: records)
        KeyHash.fill(batch)
        exchange.scatter.scatter(batch)
        exchange.scatter.flush()
        var found: [BatchRecord] = []
        for reader in 0..<2 { exchange.receive(reader) { found += $0.records } }
        #expect(found.count == 20)
        #expect(records.allSatisfy { found.contains($0) })
    }

    @Test("keeps the marks of missing keys and values")
    func keepsTheMarks() {
        let exchange = Exchange(parallelism: 1, groupCount: 1)
        let batch = RecordBatch(recordCapacity: 4, arenaCapacity: 16)
        for _ in 0..<4 { _ = batch.append(key: [1], value: []) }
        for index in 0..<4 { batch.kinds[index] = UInt8(index) << 2 }
        KeyHash.fill(batch)
        exchange.scatter.scatter(batch)
        exchange.scatter.flush()
        var kinds: [UInt8] = []
        exchange.receive(0) { batch in kinds += (0..<batch.count).map { batch.kinds[$0] } }
        #expect(kinds == [0, 4, 8, 12])
    }

    @Test("has something pending exactly while records wait")
    func hasSomethingPendingWhileRecordsWait() {
        // A thread that is told of pending records when there are none never sleeps, nor ends.
        let exchange = Exchange(parallelism: 4, groupCount: 128, recordCapacity: 2)
        #expect(!exchange.scatter.hasPending)
        let batch = RecordBatch(recordCapacity: 4, arenaCapacity: 16)
        exchange.scatter.scatter(batch)
        #expect(!exchange.scatter.hasPending, "an empty batch was scattered")
        #expect(batch.append(key: [1], value: [1]))
        KeyHash.fill(batch)
        exchange.scatter.scatter(batch)
        #expect(exchange.scatter.hasPending)
        exchange.scatter.flush()
        #expect(!exchange.scatter.hasPending, "it was sent, and the others have none")
        #expect(batch.append(key: [1], value: [2]))
        KeyHash.fill(batch)
        exchange.scatter.scatter(batch)
        #expect(!exchange.scatter.hasPending, "the batch was full, and sent")
        var found = 0
        for reader in 0..<4 { exchange.receive(reader) { found += $0.count } }
        #expect(found == 3)
    }
}
