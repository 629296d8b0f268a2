import ApusGraph
import ApusMemory
import ApusRuntime
import CAllocationCounter
import Testing

/// Goal: on the way of a record nothing is allocated, once batches and state are there.
///
/// Method: the test process counts what task threads allocate; see `CAllocationCounter`.
@Suite("Allocations", .serialized)
struct AllocationTests {
    private static let keyCount = 512

    /// Makes records of a few keys without allocating, and notes the count of allocations.
    private final class Source: RecordSource {
        private let recordCount: Int
        private let marks: [Int]
        private let totals: Totals
        private let text: UnsafeMutablePointer<UInt8>
        private var next = 0

        init(recordCount: Int, marks: [Int], totals: Totals) {
            self.recordCount = recordCount
            self.marks = marks
            self.totals = totals
            text = .allocate(capacity: 64)
            text.initialize(repeating: UInt8(ascii: "x"), count: 64)
        }

        deinit { text.deallocate() }

        func read(
            into batch: RecordBatch,
            reject: (RejectedRecord) throws(EndpointError) -> Void
        ) throws(EndpointError) -> SourceProgress {
            for index in marks.indices where next == marks[index] { totals.note(index) }
            guard next < recordCount else { return .ended }
            while batch.count < batch.recordCapacity, next < recordCount {
                // "xx..x17:3": keys of 20 and values of 22 bytes, which do not fit a view.
                let key = next % AllocationTests.keyCount
                for digit in 0..<3 {
                    text[17 + digit] = UInt8(ascii: "0") + UInt8(key >> (3 * digit) & 7)
                }
                text[20] = UInt8(ascii: ":")
                text[21] = UInt8(ascii: "3")
                let all = UnsafeRawBufferPointer(start: text, count: 22)
                _ = batch.append(
                    key: UnsafeRawBufferPointer(rebasing: all[..<20]),
                    value: all,
                    time: Int64(next)
                )
                next += 1
            }
            return .advanced
        }

        func close() {}
    }

    /// The counts of allocations at some points of the input.
    private final class Totals: Sendable {
        private let tallies: [Tally]
        init(count: Int) { tallies = (0..<count).map { _ in Tally() } }
        func note(_ index: Int) { tallies[index].add(Int(allocation_counter_total())) }
        subscript(_ index: Int) -> Int { tallies[index].value }
    }

    /// What the second half may allocate.
    ///
    /// Batches come into being now and then, when the rings are fuller than ever before: up to 40
    /// allocations.  Without optimisation the standard library allocates for each element of a
    /// `for` loop, many times per batch, also while a thread looks for work; so all that can be
    /// said is that it is less than one for two records.
    private static func allocationCountMax(recordCount: Int) -> Int {
        #if DEBUG
        recordCount / 2
        #else
        40
        #endif
    }

    /// Runs `sum` on two threads, and tells what each half of the input allocated.
    private func count(
        half: Int,
        keepsRecords: Bool,
        callsFunctions: Bool = false
    ) throws -> (before: Int, first: Int, second: Int) {
        let totals = Totals(count: 3)
        var job = try TestJob(parallelism: 2)
        job.threads.countsAllocations = true
        let format = RecordFormat(encoding: .jsonLines)
        job.addSource("in", .file(FileSourceDescription(path: "in", format: format))) { _, _ in
            Source(recordCount: 2 * half, marks: [0, half, 2 * half], totals: totals)
        }
        if callsFunctions {
            // A compiled loop that makes strings, and libffi.
            try job.addFunction(
                "greet",
                "same",
                "str borrowed(str)",
                [.place(.whole)],
                use: .map(.whole),
                ["in"]
            )
            try job.addFunction(
                "tag",
                "opposite",
                "bool(bool)",
                [.constant("false")],
                use: .filter,
                ["greet"]
            )
        } else {
            try job.addOperator("tag", "tagger", ["in"])
        }
        try job.addOperator("sum", "sum", ["tag"], key: .recordKey)
        let out = job.addSink(
            "out",
            ["sum"],
            Collector.Behaviour(keepsRecords: keepsRecords)
        )
        #expect(try job.finish(seconds: 60).end == .finished)
        #expect(out.writtenCount.value == 2 * half)
        return (totals[0], totals[1] - totals[0], totals[2] - totals[1])
    }

    @Test(
        "the second half of the input allocates nothing per record",
        .enabled(if: allocation_counter_works() != 0)
    )
    func theSecondHalfOfTheInputAllocatesNothingPerRecord() throws {
        let half = 500 * 1024
        let counts = try count(half: half, keepsRecords: false)
        #expect(
            counts.second <= Self.allocationCountMax(recordCount: half),
            "\(counts) for \(half) records each"
        )
    }

    @Test(
        "calls of C functions allocate nothing per record",
        .enabled(if: allocation_counter_works() != 0)
    )
    func callsOfFunctionsAllocateNothingPerRecord() throws {
        let half = 200 * 1024
        let counts = try count(half: half, keepsRecords: false, callsFunctions: true)
        // Without optimisation the evaluator's loops over arguments and places allocate as well,
        // some 20 times a record; the bound only tells that it does not become more.
        #if DEBUG
        let most = 30 * half
        #else
        let most = Self.allocationCountMax(recordCount: half)
        #endif
        #expect(counts.second <= most, "\(counts) for \(half) records each")
    }

    @Test(
        "what is allocated per record is noticed",
        .enabled(if: allocation_counter_works() != 0)
    )
    func whatIsAllocatedPerRecordIsNoticed() throws {
        let half = 50 * 1024
        // A sink that keeps records makes a long string of each value.
        let counts = try count(half: half, keepsRecords: true)
        #expect(counts.before > 0)
        #expect(counts.second >= half / 2, "\(counts) for \(half) records each")
    }
}
