import ApusCore
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusMemory

/// What was appended can be read, at every length, through growth, borrowing and removal.
@Suite("RecordBatch")
struct RecordBatchTests {
    static func random(_ count: Int, using generator: inout SplitMix64) -> [BatchRecord] {
        (0..<count).map { _ in
            let keyLength = generator.sliceLength(upTo: 40)
            return BatchRecord(
                key: generator.isOnce(in: 6) ? nil : generator.bytes(keyLength),
                value: generator.bytes(generator.sliceLength(upTo: 300)),
                time: Int64(bitPattern: generator.next())
            )
        }
    }

    static func fill(_ batch: RecordBatch, with records: [BatchRecord]) {
        for record in records {
            #expect(batch.append(key: record.key, value: record.value, time: record.time))
        }
    }

    @Test(
        "gives back what was appended, while its arena grows",
        arguments: 1...10 as ClosedRange<UInt64>
    )
    func givesBackWhatWasAppended(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let batch = RecordBatch(recordCapacity: 200, arenaCapacity: 0)
        for _ in 0..<3 {
            let records = Self.random(200, using: &generator)
            Self.fill(batch, with: records)
            try checkEqual(batch.records, records, "seed \(seed)")
            #expect(!batch.append(key: [1], value: [2]), "a full batch takes nothing")
            try checkEqual(batch.records, records, "seed \(seed), after an append in vain")
            #expect(batch.hasNullKeys)
            #expect(batch.newestTime == records.map(\.time).max())
            batch.reset()
            #expect(batch.newestTime == .min)
            #expect(!batch.hasNullKeys)
        }
    }

    @Test("keeps slices of up to 12 bytes in place, with zeroes behind them")
    func keepsShortSlicesInPlace() {
        let batch = RecordBatch(recordCapacity: 32, arenaCapacity: 16)
        for length in 0...20 {
            let bytes = Array(repeating: UInt8(0xaa), count: length)
            // What was there before must not shine through.
            memset(batch.values + length, 0xff, 16)
            #expect(batch.append(key: bytes, value: bytes))
            let raw = Array(UnsafeRawBufferPointer(start: batch.values + length, count: 16))
            #expect(raw[0..<4].elementsEqual([UInt8(length), 0, 0, 0]))
            if length <= 12 {
                let zeroes = Array(repeating: UInt8(0), count: 12 - length)
                #expect(Array(raw[4...]) == bytes + zeroes)
            } else {
                #expect(Array(raw[4..<8]) == Array(bytes[0..<4]), "the prefix")
            }
        }
        #expect(batch.arenaUsed == 2 * (13...20).reduce(0, +))
    }

    @Test("tells an empty key from none")
    func tellsAnEmptyKeyFromNone() {
        let batch = RecordBatch(recordCapacity: 2, arenaCapacity: 16)
        #expect(batch.append(key: [], value: []))
        #expect(batch.append(key: nil, value: []))
        #expect(batch.key(0) == [])
        #expect(batch.key(1) == nil)
        #expect(batch.rejected(0, reason: "why").key == [])
        #expect(batch.rejected(1, reason: "why").key == nil)
    }

    @Test("grows its arena under views, and refuses 2 GiB")
    func growsItsArena() {
        let batch = RecordBatch(recordCapacity: 4, arenaCapacity: 16)
        let first = Array("the first value".utf8)
        #expect(batch.append(key: first, value: first))
        let old = batch.arena
        #expect(batch.reserveArena(100_000))
        #expect(batch.arena != old)
        #expect(batch.arenaCapacity >= 100_000 + batch.arenaUsed)
        #expect(batch.value(0) == first)
        #expect(batch.key(0) == first)
        #expect(batch.reserveArena(batch.arenaCapacity - batch.arenaUsed), "exactly what is left")
        #expect(!batch.reserveArena(Int(Int32.max) - batch.arenaUsed + 1))
        #expect(batch.value(0) == first)
    }

    @Test("refuses a slice that its arena cannot take, and stays as it is")
    func refusesASliceThatIsTooLong() {
        let batch = RecordBatch(recordCapacity: 4, arenaCapacity: 16)
        #expect(batch.append(key: [1], value: [2]))
        let isAppended = withUnsafeBytes(of: 0) { bytes in
            // The length is refused before any byte is read.
            batch.append(
                key: nil,
                value: UnsafeRawBufferPointer(start: bytes.baseAddress, count: 1 << 31),
                time: 0
            )
        }
        #expect(!isAppended)
        #expect(batch.count == 1)
        #expect(batch.records == [BatchRecord(key: [1], value: [2], time: 0)])
    }

    @Test("shows a part of its arena, short or long")
    func showsAPartOfItsArena() {
        let batch = RecordBatch(recordCapacity: 40, arenaCapacity: 64)
        for offset in 0..<40 { batch.arena[offset] = UInt8(offset) }
        batch.arenaUsed = 40
        for length in 0..<30 {
            batch.show(arenaOffset: 5, count: length, in: batch.values + length)
            #expect(batch.value(length) == (5..<5 + length).map(UInt8.init))
        }
    }

    @Test(
        "removes records without key and keeps the others in order",
        arguments: 1...10 as ClosedRange<UInt64>
    )
    func removesNullKeys(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let records = Self.random(100, using: &generator)
        let batch = RecordBatch(recordCapacity: 100, arenaCapacity: 16)
        Self.fill(batch, with: records)
        batch.removeNullKeys()
        try checkEqual(batch.records, records.filter { $0.key != nil }, "seed \(seed)")
        #expect(!batch.hasNullKeys)
        batch.removeNullKeys()
        #expect(batch.count == records.count { $0.key != nil })
    }

    @Test("removes all records when none has a key")
    func removesAllRecords() {
        let batch = RecordBatch(recordCapacity: 4, arenaCapacity: 16)
        for _ in 0..<4 { #expect(batch.append(key: nil, value: [1])) }
        batch.removeNullKeys()
        #expect(batch.count == 0)
    }

    @Test("borrows through a chain, each link adding bytes of its own", arguments: [2, 7, 63])
    func borrowsThroughAChain(length: Int) throws {
        var generator = SplitMix64(seed: 11)
        var records = Self.random(8, using: &generator)
        var chain = [RecordBatch(recordCapacity: 200, arenaCapacity: 16)]
        Self.fill(chain[0], with: records)
        for number in 1...length {
            let batch = RecordBatch(recordCapacity: 200, arenaCapacity: 16)
            batch.borrow(chain[number - 1])
            #expect(batch.borrowedBufferCount == number)
            let added = Self.random(2, using: &generator)
            Self.fill(batch, with: added)
            #expect(batch.reserveArena(1000))
            records += added
            chain.append(batch)
        }
        try checkEqual(chain[length].records, records, "at the end of the chain")
        try checkEqual(chain[0].records, Array(records.prefix(8)), "the lender")
        chain[length].reset()
        Self.fill(chain[length], with: records)
        try checkEqual(chain[length].records, records, "after a reset")
    }

    @Test("copies a batch whose bytes are in several arenas, marks and hashes included")
    func copiesABatch() throws {
        var generator = SplitMix64(seed: 12)
        let lender = RecordBatch(recordCapacity: 60, arenaCapacity: 16)
        let other = RecordBatch(recordCapacity: 100, arenaCapacity: 16)
        let copy = RecordBatch(recordCapacity: 100, arenaCapacity: 16)
        Self.fill(lender, with: Self.random(60, using: &generator))
        other.borrow(lender)
        Self.fill(other, with: Self.random(40, using: &generator))
        for index in stride(from: 0, to: 100, by: 9) {
            other.kinds[index] |= UInt8(APUS_KIND_NULL_VALUE)
        }
        KeyHash.fill(other)
        let records = other.records
        Self.fill(copy, with: Self.random(7, using: &generator))
        copy.copy(other)
        // What is copied does not need the others any more.
        lender.reset()
        other.reset()
        Self.fill(other, with: Self.random(100, using: &generator))
        try checkEqual(copy.records, records, "the copy")
        #expect(copy.borrowedBufferCount == 0)
        for index in 0..<100 {
            let hasMark = copy.kinds[index] & UInt8(APUS_KIND_NULL_VALUE) != 0
            #expect(hasMark == (index % 9 == 0))
            let hash = records[index].key.map { $0.withUnsafeBytes { KeyHash.of($0) } } ?? 0
            #expect(copy.hashes[index] == hash)
        }
    }

    @Test("traps when a chain has more than 63 links")
    func trapsWhenAChainIsTooLong() async {
        await #expect(processExitsWith: .failure) {
            var chain = [RecordBatch(recordCapacity: 1, arenaCapacity: 16)]
            for number in 1...64 {
                let batch = RecordBatch(recordCapacity: 1, arenaCapacity: 16)
                batch.borrow(chain[number - 1])
                chain.append(batch)
            }
        }
    }

    @Test("shows plugins its columns, and hashes only when keyed")
    func showsPluginsItsColumns() {
        let batch = RecordBatch(recordCapacity: 4, arenaCapacity: 16)
        #expect(batch.append(key: [1], value: [2], time: 3))
        let view = batch.view(input: 5, isKeyed: false)
        #expect(view.count == 1 && view.input == 5 && view.buffer_count == 1)
        #expect(view.key_hash == nil)
        #expect(batch.view(input: 0, isKeyed: true).key_hash == UnsafePointer(batch.hashes))
        #expect(view.ts[0] == 3)
    }
}
