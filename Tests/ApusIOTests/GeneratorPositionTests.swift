import ApusCore
import ApusMemory
import Testing

@testable import ApusIO

/// A generator that goes on makes what it would have made.
@Suite("Positions of generators")
struct GeneratorPositionTests {
    let clock = GeneratorSourceTests.TestClock()

    func source(
        _ kind: GeneratorSource.Kind = .keyed(keyCount: 100, valueByteCount: 20),
        count: Int? = 10_000,
        rate: Int? = nil,
        seed: UInt64 = 7,
        subtask: Int = 0,
        subtaskCount: Int = 1,
        time: GeneratorSource.Time = .perRecord(startMicroseconds: -5, stepMicroseconds: 3)
    ) -> GeneratorSource {
        GeneratorSource(
            kind: kind,
            count: count,
            recordsPerSecond: rate,
            seed: seed,
            subtask: subtask,
            subtaskCount: subtaskCount,
            time: time,
            clock: clock
        )
    }

    static func read(
        _ source: GeneratorSource,
        batchCountMax: Int,
        recordCapacity: Int
    ) throws -> [[UInt8]] {
        let batch = RecordBatch(recordCapacity: recordCapacity, arenaCapacity: 1000)
        var records: [[UInt8]] = []
        for _ in 0..<batchCountMax {
            batch.reset()
            guard try source.read(into: batch, reject: { _ in }) == .advanced else { break }
            for index in 0..<batch.count {
                let key = batch.bytes(of: batch.keys + index)
                let value = batch.bytes(of: batch.values + index)
                records.append(Array(key) + Array(value) + Array("\(batch.times[index])".utf8))
            }
        }
        return records
    }

    @Test("goes on exactly, cut anywhere", arguments: 1...50)
    func goesOnExactly(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let kind: GeneratorSource.Kind =
            Bool.random(using: &random) ? .impulse : .keyed(keyCount: 1000, valueByteCount: 9)
        let subtaskCount = Int.random(in: 1...4, using: &random)
        let subtask = Int.random(in: 0..<subtaskCount, using: &random)
        func make() -> GeneratorSource {
            source(kind, count: 3000, subtask: subtask, subtaskCount: subtaskCount)
        }
        let whole = try Self.read(make(), batchCountMax: .max, recordCapacity: 100)
        var records: [[UInt8]] = []
        var position: [UInt8]?
        while records.count < whole.count {
            let next = make()
            if let position { try next.seek(to: position) }
            records += try Self.read(
                next,
                batchCountMax: Int.random(in: 1...10, using: &random),
                recordCapacity: Int.random(in: 1...100, using: &random)
            )
            position = next.position
        }
        #expect(records == whole, "seed \(seed)")
        let ended = make()
        try ended.seek(to: try #require(position))
        #expect(try Self.read(ended, batchCountMax: 2, recordCapacity: 9).isEmpty)
    }

    @Test("does not make up for the time that it did not run")
    func doesNotMakeUpForTime() throws {
        let first = source(rate: 1000)
        #expect(try Self.read(first, batchCountMax: 9, recordCapacity: 500).count == 1)
        clock.advance(milliseconds: 100)
        #expect(try Self.read(first, batchCountMax: 9, recordCapacity: 500).count == 100)
        let second = source(rate: 1000)
        try second.seek(to: try #require(first.position as [UInt8]?))
        clock.advance(milliseconds: 3_600_000)
        // The clock of the second one starts with its first read.
        #expect(try Self.read(second, batchCountMax: 9, recordCapacity: 500).count == 1)
        clock.advance(milliseconds: 50)
        #expect(try Self.read(second, batchCountMax: 9, recordCapacity: 500).count == 50)
    }

    @Test("other settings, of which each makes other records, are refused by name")
    func otherSettingsAreRefused() throws {
        let saved = try #require(source().position as [UInt8]?)
        func message(_ other: GeneratorSource) -> String {
            #expect(throws: EndpointError.self) { try other.seek(to: saved) }?.description ?? ""
        }
        #expect(
            message(source(seed: 8))
                == "generator: seed: 7 when the checkpoint was taken, and 8 now, which makes "
                + "other records: change it back, or start the job without the checkpoint"
        )
        #expect(message(source(.impulse)).contains("records: with 100 keys"))
        #expect(
            message(source(.keyed(keyCount: 100, valueByteCount: 21))).contains("21 bytes now,")
        )
        #expect(message(source(time: .none)).contains("times: from -5 us in steps of 3 us"))
        #expect(message(source(subtaskCount: 2)).contains("subtasks: 1 when"))
        // More records, or more of them per second, are the same records.
        try source(count: nil, rate: 5).seek(to: saved)

        let second = try #require(source(subtask: 1, subtaskCount: 2).position as [UInt8]?)
        #expect(throws: EndpointError.self) {
            try source(subtask: 0, subtaskCount: 2).seek(to: second)
        }
        for count in 0..<saved.count {
            #expect(throws: EndpointError.self) {
                try source().seek(to: Array(saved.prefix(count)))
            }
        }
        #expect(throws: EndpointError.self) { try source().seek(to: saved + [0]) }
        var damaged = second
        damaged[11] = 4
        #expect {
            try source(subtask: 1, subtaskCount: 2).seek(to: damaged)
        } throws: {
            "\($0)".contains("record 4 is not one of subtask 1 of 2")
        }
    }
}
