import ApusCore
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusMemory

/// What a plugin writes through the inline functions of `apus/out.h` comes out of the builder,
/// in order, whole, and once.
@Suite("OutputBuilder")
struct OutputBuilderTests {
    static func emit(_ record: BatchRecord, to out: UnsafeMutablePointer<apus_out>) -> Int32 {
        record.value.withUnsafeBytes { value in
            guard let key = record.key else {
                return apus_emit(
                    out,
                    nil,
                    0,
                    value.baseAddress,
                    UInt32(value.count),
                    record.time
                )
            }
            // An empty key is a key: its pointer is not NULL.
            return (key + [0]).withUnsafeBytes {
                apus_emit(
                    out,
                    $0.baseAddress,
                    UInt32(key.count),
                    value.baseAddress,
                    UInt32(value.count),
                    record.time
                )
            }
        }
    }

    static func drain(_ builder: OutputBuilder) -> [BatchRecord] {
        var records: [BatchRecord] = []
        builder.drain { (batch: RecordBatch) in records += batch.records }
        return records
    }

    /// A record with `count` bytes of value that tell which one it is.
    static func record(_ number: Int, _ count: Int, key: [UInt8]? = nil) -> BatchRecord {
        BatchRecord(
            key: key,
            value: Array(repeating: UInt8(truncatingIfNeeded: number), count: count),
            time: Int64(number)
        )
    }

    @Test("hands over what was emitted, batch by batch", arguments: 1...10 as ClosedRange<UInt64>)
    func handsOverWhatWasEmitted(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let builder = OutputBuilder(
            port: 3,
            recordCapacity: generator.number(in: 1...40),
            arenaCapacity: generator.number(in: 0...2_000)
        )
        #expect(builder.out.pointee.port == 3)
        for round in 0..<10 {
            builder.begin(input: nil)
            #expect(builder.isEmpty)
            let records = RecordBatchTests.random(generator.number(in: 0...300), using: &generator)
            for record in records {
                try check(Self.emit(record, to: builder.out) == APUS_OK, "seed \(seed): emit")
            }
            #expect(builder.isEmpty == records.isEmpty)
            try checkEqual(Self.drain(builder), records, "seed \(seed), round \(round)")
            #expect(builder.isEmpty)
            #expect(Self.drain(builder).isEmpty, "drained twice")
        }
    }

    @Test("uses the same few batches again and again")
    func usesTheSameBatchesAgain() {
        let builder = OutputBuilder(port: 0, recordCapacity: 4, arenaCapacity: 128)
        var seen: Set<ObjectIdentifier> = []
        for _ in 0..<200 {
            builder.begin(input: nil)
            for number in 0..<12 { _ = Self.emit(Self.record(number, 20), to: builder.out) }
            builder.drain { (batch: RecordBatch) in _ = seen.insert(ObjectIdentifier(batch)) }
        }
        #expect(seen.count == 3)
    }

    @Test("forgets what was written when it is discarded")
    func forgetsWhatWasWritten() {
        let builder = OutputBuilder(port: 0, recordCapacity: 4, arenaCapacity: 64)
        builder.begin(input: nil)
        for number in 0..<10 { _ = Self.emit(Self.record(number, 30), to: builder.out) }
        builder.discard()
        #expect(builder.isEmpty)
        #expect(Self.emit(Self.record(77, 30), to: builder.out) == APUS_OK)
        #expect(Self.drain(builder) == [Self.record(77, 30)])
    }

    @Test("takes records larger than its arena, at the start of a batch and in the middle")
    func takesRecordsLargerThanItsArena() throws {
        let sizes = [100_000, 5, 70, 300_000, 13, 64, 65, 1_000_000, 0]
        let builder = OutputBuilder(port: 0, recordCapacity: 4, arenaCapacity: 64)
        for _ in 0..<3 {
            builder.begin(input: nil)
            let records = sizes.enumerated().map { number, size in
                Self.record(number, size, key: Array(repeating: 9, count: size % 40))
            }
            for record in records { #expect(Self.emit(record, to: builder.out) == APUS_OK) }
            try checkEqual(Self.drain(builder), records, "drained")
        }
    }

    @Test("says LIMIT at 64 MiB of bytes, keeps what fitted, and goes on after a drain")
    func saysLimitAt64MiB() throws {
        let builder = OutputBuilder(port: 0, recordCapacity: 1024, arenaCapacity: 64 << 10)
        let value = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 0..<2 {
            builder.begin(input: nil)
            var writtenCount = 0
            while apus_emit(builder.out, nil, 0, value, UInt32(value.count), 1) == APUS_OK {
                writtenCount += 1
                try check(writtenCount <= 66, "there is no limit")
            }
            #expect((62...65).contains(writtenCount))
            #expect(
                apus_emit(builder.out, nil, 0, value, UInt32(value.count), 1) == APUS_LIMIT,
                "the answer is the same the second time"
            )
            var drainedCount = 0
            builder.drain { (batch: RecordBatch) in drainedCount += batch.count }
            #expect(drainedCount == writtenCount)
        }
    }

    @Test("says LIMIT also when records have no bytes but are too many")
    func saysLimitWhenRecordsAreTooMany() throws {
        let builder = OutputBuilder(port: 0, recordCapacity: 1024, arenaCapacity: 16)
        builder.begin(input: nil)
        var writtenCount = 0
        while apus_emit(builder.out, nil, 0, nil, 0, 1) == APUS_OK {
            writtenCount += 1
            try check(writtenCount <= (64 << 20) / 48 + 2048, "there is no limit")
        }
        var drainedCount = 0
        builder.drain { (batch: RecordBatch) in drainedCount += batch.count }
        #expect(drainedCount == writtenCount)
    }

    @Test("refuses a record of 2 GiB, and is as it was")
    func refusesARecordOf2GiB() {
        let builder = OutputBuilder(port: 0, recordCapacity: 4, arenaCapacity: 64)
        builder.begin(input: nil)
        #expect(apus_out_room(builder.out, 1 << 31) == APUS_LIMIT)
        #expect(apus_out_room(builder.out, .max) == APUS_LIMIT)
        #expect(Self.emit(Self.record(1, 20), to: builder.out) == APUS_OK)
        #expect(apus_out_room(builder.out, 1 << 31) == APUS_LIMIT)
        #expect(Self.emit(Self.record(2, 20), to: builder.out) == APUS_OK)
        #expect(Self.drain(builder) == [Self.record(1, 20), Self.record(2, 20)])
    }

    @Test("makes room on request, and writes nothing for it")
    func makesRoomOnRequest() {
        let builder = OutputBuilder(port: 0, recordCapacity: 2, arenaCapacity: 64)
        builder.begin(input: nil)
        for number in 0..<5 {
            #expect(apus_out_room(builder.out, UInt64(number * 1000)) == APUS_OK)
            #expect(builder.out.pointee.room - builder.out.pointee.used >= number * 1000)
            #expect(builder.out.pointee.count < builder.out.pointee.capacity)
            #expect(Self.emit(Self.record(number, number * 1000), to: builder.out) == APUS_OK)
        }
        #expect(Self.drain(builder).map(\.value.count) == [0, 1000, 2000, 3000, 4000])
    }

    // MARK: - Rollback

    @Test("takes back what was written since a mark")
    func takesBackWhatWasWritten() {
        let builder = OutputBuilder(port: 0, recordCapacity: 100, arenaCapacity: 4096)
        builder.begin(input: nil)
        var kept: [BatchRecord] = []
        for number in 0..<30 {
            var mark = apus_out_mark(builder.out)
            for extra in 0..<3 {
                #expect(Self.emit(Self.record(200 + extra, 40), to: builder.out) == APUS_OK)
            }
            if number % 3 != 0 {
                #expect(apus_rollback(builder.out, &mark) == APUS_OK)
                #expect(builder.out.pointee.count == mark.count)
                #expect(builder.out.pointee.used == mark.used)
            } else {
                kept += (0..<3).map { Self.record(200 + $0, 40) }
            }
            #expect(Self.emit(Self.record(number, 25), to: builder.out) == APUS_OK)
            kept.append(Self.record(number, 25))
        }
        #expect(Self.drain(builder) == kept)
    }

    @Test("says LIMIT to a rollback across batches, and loses nothing")
    func refusesARollbackAcrossBatches() {
        let builder = OutputBuilder(port: 0, recordCapacity: 4, arenaCapacity: 4096)
        builder.begin(input: nil)
        var records: [BatchRecord] = []
        for number in 0..<4 {
            records.append(Self.record(number, 20))
            #expect(Self.emit(records[number], to: builder.out) == APUS_OK)
        }
        var mark = apus_out_mark(builder.out)
        #expect(apus_rollback(builder.out, &mark) == APUS_OK, "still the same batch")
        for number in 4..<14 {
            records.append(Self.record(number, 20))
            #expect(Self.emit(records[number], to: builder.out) == APUS_OK)
            #expect(apus_rollback(builder.out, &mark) == APUS_LIMIT)
        }
        #expect(Self.drain(builder) == records)
    }

    @Test("takes back a record for which the arena had to grow")
    func takesBackARecordForWhichTheArenaGrew() throws {
        let builder = OutputBuilder(port: 0, recordCapacity: 4, arenaCapacity: 64)
        builder.begin(input: nil)
        var mark = apus_out_mark(builder.out)
        #expect(Self.emit(Self.record(1, 5_000), to: builder.out) == APUS_OK)
        #expect(apus_rollback(builder.out, &mark) == APUS_OK)
        #expect(builder.isEmpty)
        #expect(Self.emit(Self.record(2, 6_000), to: builder.out) == APUS_OK)
        try checkEqual(Self.drain(builder), [Self.record(2, 6_000)], "drained")
    }

    // MARK: - Forwarding

    /// What a stage of a chain does with a record: forward, new value, new record, or drop.
    static func pass(
        _ index: Int,
        of input: UnsafePointer<apus_batch>,
        _ record: BatchRecord,
        to out: UnsafeMutablePointer<apus_out>,
        using generator: inout SplitMix64
    ) throws -> BatchRecord? {
        let number = UInt32(index)
        switch generator.number(in: 0...4) {
        case 0:
            return nil
        case 1:
            let value = generator.bytes(generator.sliceLength(upTo: 300))
            let code = apus_emit_keyed(out, input, number, value, UInt32(value.count))
            try check(code == APUS_OK, "emit_keyed")
            return BatchRecord(key: record.key, value: value, time: record.time)
        case 2:
            let new = RecordBatchTests.random(1, using: &generator)[0]
            try check(emit(new, to: out) == APUS_OK, "emit")
            return new
        default:
            try check(apus_forward(out, input, number) == APUS_OK, "forward")
            return record
        }
    }

    /// Runs a batch through the builders from `stage` on; what the last one writes is returned.
    static func run(
        _ batch: RecordBatch,
        _ builders: [OutputBuilder],
        from stage: Int,
        using generator: inout SplitMix64
    ) throws -> [BatchRecord] {
        guard stage < builders.count else { return batch.records }
        let before = batch.records
        let builder = builders[stage]
        var expected: [BatchRecord] = []
        var view = batch.view(input: 0, isKeyed: stage % 2 == 0)
        try withUnsafePointer(to: &view) { view in
            builder.begin(input: view)
            for (index, record) in before.enumerated() {
                let out = builder.out
                if let new = try pass(index, of: view, record, to: out, using: &generator) {
                    expected.append(new)
                }
            }
        }
        var found: [BatchRecord] = []
        var last: [BatchRecord] = []
        try builder.drain { (batch: RecordBatch) in
            found += batch.records
            last += try run(batch, builders, from: stage + 1, using: &generator)
        }
        try checkEqual(found, expected, "written by stage \(stage)")
        try checkEqual(batch.records, before, "the input of stage \(stage) afterwards")
        return last
    }

    @Test("passes records on through a chain of builders", arguments: 1...20 as ClosedRange<UInt64>)
    func passesRecordsOnThroughAChain(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let builders = (0..<generator.number(in: 1...7)).map { _ in
            OutputBuilder(
                port: 0,
                recordCapacity: generator.number(in: 1...60),
                arenaCapacity: generator.number(in: 0...1_000)
            )
        }
        let source = RecordBatch(recordCapacity: 100, arenaCapacity: 16)
        for _ in 0..<5 {
            source.reset()
            RecordBatchTests.fill(source, with: RecordBatchTests.random(100, using: &generator))
            do {
                _ = try Self.run(source, builders, from: 0, using: &generator)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }

    @Test("forwards the mark of a missing value")
    func forwardsTheMarkOfAMissingValue() {
        let source = RecordBatch(recordCapacity: 2, arenaCapacity: 16)
        _ = source.append(key: [1], value: [])
        _ = source.append(key: nil, value: [])
        for index in 0..<2 { source.kinds[index] |= UInt8(APUS_KIND_NULL_VALUE) }
        let builder = OutputBuilder(port: 0, recordCapacity: 2, arenaCapacity: 16)
        var view = source.view(input: 0, isKeyed: false)
        withUnsafePointer(to: &view) { view in
            builder.begin(input: view)
            #expect(apus_forward(builder.out, view, 0) == APUS_OK)
            #expect(apus_forward(builder.out, view, 1) == APUS_OK)
        }
        let kinds = builder.out.pointee.kind
        #expect(kinds?[0] == UInt8(APUS_KIND_NULL_VALUE))
        #expect(kinds?[1] == UInt8(APUS_KIND_NULL_VALUE | APUS_KIND_NULL_KEY))
    }

    @Test("does not look at the input's view after the callback")
    func doesNotLookAtTheViewAfterTheCallback() {
        let source = RecordBatch(recordCapacity: 8, arenaCapacity: 16)
        let record = BatchRecord(
            key: Array("a key of some length".utf8),
            value: Array("and its value".utf8),
            time: 5
        )
        RecordBatchTests.fill(source, with: [record])
        let builder = OutputBuilder(port: 0, recordCapacity: 2, arenaCapacity: 16)
        // As the host does it: the view lives on the stack, the drain comes later.
        let view = UnsafeMutablePointer<apus_batch>.allocate(capacity: 1)
        view.initialize(to: source.view(input: 0, isKeyed: false))
        builder.begin(input: view)
        for _ in 0..<5 { #expect(apus_forward(builder.out, view, 0) == APUS_OK) }
        memset(view, 0x7f, MemoryLayout<apus_batch>.size)
        view.deallocate()
        #expect(Self.drain(builder) == Array(repeating: record, count: 5))
        builder.discard()
        #expect(builder.isEmpty)
    }

    @Test("sees what was written directly behind its arena, also when that has grown")
    func seesWhatWasWrittenBehindItsArena() {
        for isGrown in [false, true] {
            let builder = OutputBuilder(port: 0, recordCapacity: 4, arenaCapacity: 64)
            builder.begin(input: nil)
            if isGrown { #expect(apus_out_room(builder.out, 1000) == APUS_OK) }
            #expect(builder.isIntact)
            let out = builder.out.pointee
            let behind = out.arena + Int(out.room)
            let before = behind.pointee
            behind.pointee = ~before
            #expect(!builder.isIntact)
            behind.pointee = before
            #expect(builder.isIntact)
        }
    }
}
