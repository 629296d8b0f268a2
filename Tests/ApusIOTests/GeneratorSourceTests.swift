import ApusCore
import ApusMemory
import CApusPlugin
import Synchronization
import Testing

@testable import ApusIO

/// All subtasks together must make the same records however many they are.
@Suite("GeneratorSource")
struct GeneratorSourceTests {
    /// A clock that a test moves.
    final class TestClock: Clock {
        private let now = Atomic<Int64>(5_000_000_000)

        func advance(milliseconds: Int64) {
            now.add(milliseconds * 1_000_000, ordering: .relaxed)
        }

        func monotonicNanoseconds() -> Int64 { now.load(ordering: .relaxed) }

        func wallMicroseconds() -> Int64 { 0 }
    }

    let clock = TestClock()

    /// The number, key and time of each record, in order.
    struct Generated: Hashable, Comparable {
        let number: UInt64
        let key: UInt64?
        let time: Int64

        static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    }

    static func word(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.loadUnaligned(as: UInt64.self)
    }

    func generate(_ source: GeneratorSource, valueByteCount: Int) throws -> [Generated] {
        let batch = RecordBatch(recordCapacity: 100, arenaCapacity: 1000)
        var all: [Generated] = []
        while try source.read(into: batch, reject: { _ in }) == .advanced {
            for index in 0..<batch.count {
                let value = batch.bytes(of: batch.values + index)
                #expect(value.count == valueByteCount)
                #expect(value.dropFirst(8).allSatisfy { $0 == 0 })
                // Views must be just as the inline function of the plugin ABI makes them.
                var copy = apus_view()
                let key = batch.bytes(of: batch.keys + index)
                apus_view_inline(&copy, key.baseAddress, 8)
                #expect(copy.u.bytes.8 == batch.keys[index].u.bytes.8)
                #expect(batch.keys[index].len == 8)
                #expect(batch.kinds[index] == 0)
                all.append(
                    Generated(
                        number: Self.word(value),
                        key: Self.word(key),
                        time: batch.times[index]
                    )
                )
            }
            batch.reset()
        }
        return all
    }

    @Test(
        "subtasks share the records, whatever their number",
        arguments: [1, 2, 3, 4],
        [8, 12, 13, 100]
    )
    func subtasksShareTheRecords(subtaskCount: Int, valueByteCount: Int) throws {
        var random = SplitMix64(seed: 42)
        let expected = (0..<1001).map { number in
            Generated(
                number: UInt64(number),
                key: random.next() % 17,
                time: 1000 + Int64(number) * 10
            )
        }
        var all: [Generated] = []
        for subtask in 0..<subtaskCount {
            let source = GeneratorSource(
                kind: .keyed(keyCount: 17, valueByteCount: valueByteCount),
                count: 1001,
                seed: 42,
                subtask: subtask,
                subtaskCount: subtaskCount,
                time: .perRecord(startMicroseconds: 1000, stepMicroseconds: 10),
                clock: clock
            )
            let part = try generate(source, valueByteCount: valueByteCount)
            #expect(part == part.sorted())
            #expect(part.allSatisfy { Int($0.number) % subtaskCount == subtask })
            all += part
        }
        #expect(all.sorted() == expected)
    }

    @Test(
        "keys are the remainder for every number of keys",
        arguments: [1, 2, 3, 7, 64, 1000, 1_000_000, 1 << 32, (1 << 32) + 1, Int.max]
    )
    func keysAreTheRemainder(keyCount: Int) throws {
        let seed = LinuxEntropy().seed()
        var random = SplitMix64(seed: seed)
        let source = GeneratorSource(
            kind: .keyed(keyCount: keyCount, valueByteCount: 8),
            count: 10_000,
            seed: seed,
            clock: clock
        )
        let keys = try generate(source, valueByteCount: 8).map(\.key)
        let expected = (0..<10_000).map { _ in random.next() % UInt64(keyCount) }
        #expect(keys == expected, "seed \(seed)")
    }

    @Test("a value of the largest size fits any batch")
    func aValueOfTheLargestSizeFits() throws {
        let source = GeneratorSource(
            kind: .keyed(keyCount: 1, valueByteCount: 256 << 10),
            count: 3,
            clock: clock
        )
        #expect(try generate(source, valueByteCount: 256 << 10).map(\.number) == [0, 1, 2])
    }

    @Test("impulses are numbered and have no key", arguments: [1, 2, 3, 4])
    func impulsesAreNumbered(subtaskCount: Int) throws {
        var all: [ReadRecord] = []
        for subtask in 0..<subtaskCount {
            let source = GeneratorSource(
                kind: .impulse,
                count: 1000,
                subtask: subtask,
                subtaskCount: subtaskCount,
                clock: clock
            )
            all += try ReadRecords(source, recordCapacity: 64).records
        }
        let expected = (0..<1000).map { ReadRecord(#"{"sequence":\#($0)}"#) }
        #expect(all.sorted { $0.value < $1.value } == expected.sorted { $0.value < $1.value })
    }

    @Test("a rate holds over all subtasks, in small slices")
    func aRateHoldsOverAllSubtasks() throws {
        let sources = (0..<2).map { subtask in
            GeneratorSource(
                kind: .impulse,
                count: 2000,
                recordsPerSecond: 1000,
                subtask: subtask,
                subtaskCount: 2,
                clock: clock
            )
        }
        func counts() throws -> [Int] { try sources.map { try ReadRecords($0).records.count } }
        #expect(try counts() == [1, 0])
        #expect(try counts() == [0, 0])
        clock.advance(milliseconds: 1)
        #expect(try counts() == [0, 1])
        clock.advance(milliseconds: 10)
        #expect(try counts() == [5, 5])
        clock.advance(milliseconds: 100_000)
        #expect(try counts() == [994, 994])
        #expect(try ReadRecords(sources[0]).last == .ended)
    }
}
