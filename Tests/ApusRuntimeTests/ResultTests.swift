import ApusGraph
import ApusRuntime
import Testing

/// Goal: a job's output is what its operators say, however many threads share the work.
///
/// Method: jobs with real threads against a model over whole arrays.
@Suite("Results")
struct ResultTests {
    @Test("sums equal the model, in order per key", arguments: [1, 2, 3, 4, 7])
    func sumsEqualTheModel(parallelism: Int) throws {
        let records = Sample.numbers(20_000, keyCount: 500, seed: 1)
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records)
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        let expected = Model.sum(Model.keyed(records))
        #expect(Model.byKey(out.records) == Model.byKey(expected))
        #expect(summary.progress.nodes.map(\.recordsIn) == [0, 20_000, 20_000])
        #expect(summary.progress.nodes.map(\.recordsOut) == [20_000, 20_000, 20_000])
        #expect(summary.progress.sourceRecords == 20_000)
        #expect(summary.progress.nodes[1].watermark == .max)
        #expect(summary.pluginCounters.map(\.value) == [20_000])
    }

    @Test("a parallel source keeps the order per key and subtask", arguments: [1, 2, 3, 4, 7])
    func aParallelSourceKeepsTheOrder(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        // No two subtasks share a key, so that the order per key is that of one subtask.
        let parts = (0..<parallelism).map { subtask in
            Model.keyed(Sample.numbers(3000, keyCount: 40, seed: UInt64(subtask))).map {
                TestRecord(key: "\(subtask)-\($0.key ?? "")", value: $0.value, time: $0.time)
            }
        }
        job.addParallelSource("in") { parts[$0].map { .record($0) } }
        try job.addOperator("sum", "sum", ["in"], key: .recordKey)
        let out = job.addSink("out", ["sum"], isParallel: true)
        #expect(try job.finish().end == .finished)
        #expect(Model.byKey(out.records) == Model.byKey(parts.flatMap { Model.sum($0) }))
    }

    @Test("a chain of exchanges keeps the order per key", arguments: [1, 2, 3, 7])
    func aChainOfExchangesKeepsTheOrderPerKey(parallelism: Int) throws {
        let records = Sample.numbers(10_000, keyCount: 100, seed: 2)
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records)
        try job.addOperator("first", "sum", ["in"], key: .prefix)
        try job.addOperator("second", "sum", ["first"], key: .recordKey)
        try job.addOperator("tag", "tagger", ["second"], configuration: .string("!"))
        try job.addOperator("third", "maybe-keyed", ["tag"], key: .prefix)
        let out = job.addSink("out", ["third"])
        #expect(try job.finish().end == .finished)
        let expected = Model.sum(Model.sum(Model.keyed(records)))
        var counts: [String: Int] = [:]
        let last = expected.map { record in
            counts[record.key ?? "", default: 0] += 1
            return "\(record.key ?? ""):\(counts[record.key ?? ""] ?? 0)"
        }
        #expect(out.values.sorted() == last.sorted())
    }

    @Test("every reader of an output gets every record", arguments: [1, 3])
    func everyReaderOfAnOutputGetsEveryRecord(parallelism: Int) throws {
        let records = Sample.numbers(5000, keyCount: 50, seed: 3)
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records)
        let raw = job.addSink("raw", ["in"])
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        try job.addOperator("tag", "tagger", ["in"], configuration: .string(" and so on"))
        try job.addOperator("count", "maybe-keyed", ["in"], key: .field(path: ["other"]))
        let sums = job.addSink("sums", ["sum"])
        let tags = job.addSink("tags", ["tag"])
        let counts = job.addSink("counts", ["count"], isParallel: true)
        #expect(try job.finish().end == .finished)
        #expect(raw.values == records.map(\.value))
        #expect(tags.values == records.map { $0.value + " and so on" })
        #expect(sums.values.sorted() == Model.sum(Model.keyed(records)).map(\.value).sorted())
        #expect(counts.records.count == records.count)
    }

    @Test("side outputs go to their readers only", arguments: [1, 2])
    func sideOutputsGoToTheirReadersOnly(parallelism: Int) throws {
        let records = Sample.numbers(4000, keyCount: 50, seed: 4)
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records)
        try job.addOperator("split", "split", ["in"])
        try job.addOperator("sum", "sum", ["split.odd"], key: .prefix)
        let even = job.addSink("even", ["split"])
        let odd = job.addSink("odd", ["split.odd"])
        let sums = job.addSink("sums", ["sum"])
        #expect(try job.finish().end == .finished)
        let odds = records.filter { (Model.number($0.value) ?? 0) % 2 != 0 }
        #expect(odd.values == odds.map(\.value))
        #expect(even.values == records.filter { !odds.contains($0) }.map(\.value))
        #expect(sums.values.sorted() == Model.sum(Model.keyed(odds)).map(\.value).sorted())
    }

    @Test("an operator knows which input a record came in by", arguments: [1, 2, 4])
    func anOperatorKnowsWhichInputARecordCameInBy(parallelism: Int) throws {
        let left = Sample.numbers(3000, keyCount: 70, seed: 5)
        let right = Sample.numbers(2000, keyCount: 90, seed: 6)
        var job = try TestJob(parallelism: parallelism)
        job.addSource("left", records: left)
        job.addSource("right", records: right)
        try job.addOperator("union", "union", ["left", "right"])
        try job.addOperator("balance", "balance", ["left", "right"], key: .prefix)
        let both = job.addSink("both", ["union"])
        let balances = job.addSink("balances", ["balance"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        #expect(
            both.values.sorted()
                == (left.map { "0:" + $0.value } + right.map { "1:" + $0.value }).sorted()
        )
        var totals: [String: Int] = [:]
        for (records, sign) in [(left, 1), (right, -1)] {
            for record in Model.keyed(records) {
                totals[record.key ?? "", default: 0] += sign * (Model.number(record.value) ?? 0)
            }
        }
        #expect(balances.values.sorted() == totals.map { "\($0):\($1)" }.sorted())
        let balance = summary.progress.nodes.first { $0.id == "balance" }
        #expect(balance?.timersFired == totals.count)
        #expect(balance?.keyCount == 0, "what was cleared costs nothing")
    }

    @Test("chains of any length work", arguments: [1, 3, 62, 63, 64, 65, 130])
    func chainsOfAnyLengthWork(length: Int) throws {
        // Long keys and values: their bytes lie in the buffer of the batch they came with.
        let records = (0..<3000).map { index in
            TestRecord(value: "a-key-that-does-not-fit-\(index % 17):\(index)", time: 0)
        }
        var job = try TestJob(parallelism: 2)
        job.addSource("in", records: records)
        var last = "in"
        for index in 0..<length {
            // Split hands records on without copying; each link of the chain borrows from all.
            try job.addOperator("n\(index)", "watermarks", [last])
            last = "n\(index)"
        }
        try job.addOperator("count", "maybe-keyed", [last], key: .prefix)
        let out = job.addSink("out", [last])
        let counts = job.addSink("counts", ["count"])
        #expect(try job.finish().end == .finished)
        #expect(out.values.filter { !$0.hasPrefix("w:") } == records.map(\.value))
        #expect(counts.values.filter { $0.hasPrefix("a-key") }.count == records.count)
    }

    @Test("what an operator writes in open and close is delivered", arguments: [1, 2])
    func whatAnOperatorWritesInOpenAndCloseIsDelivered(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addParallelSource("in") { _ in [.record(TestRecord(key: "k", value: "x", time: 1))] }
        try job.addOperator("life", "life", ["in"])
        let out = job.addSink("out", ["life"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        #expect(
            out.values.sorted()
                == ["close", "open", "x"].flatMap { Array(repeating: $0, count: parallelism) }
        )
        #expect(summary.pluginCounters.map(\.value) == [UInt64(parallelism)])
    }

    // MARK: - Small inputs

    @Test("an empty input is a finished job", arguments: [1, 2, 7])
    func anEmptyInputIsAFinishedJob(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: [])
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"])
        #expect(try job.finish(seconds: 5).end == .finished)
        #expect(out.records.isEmpty)
        #expect(out.closeCount.value == 1)
    }

    @Test("an input of one record is a finished job", arguments: [1, 2, 7])
    func anInputOfOneRecordIsAFinishedJob(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: [TestRecord(value: "a:1", time: 5)])
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"])
        #expect(try job.finish(seconds: 5).end == .finished)
        #expect(out.records == [TestRecord(key: "a", value: "a:1", time: 5)])
    }

    @Test("a lone record of an open source arrives in time", arguments: [1, 2, 3])
    func aLoneRecordOfAnOpenSourceArrivesInTime(parallelism: Int) throws {
        let gate = Gate()
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", [.record(TestRecord(value: "a:1")), .wait(gate)])
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        try job.addOperator("again", "sum", ["sum"], key: .recordKey)
        let out = job.addSink("out", ["again"])
        let running = try job.start()
        try running.wait(for: "the record", seconds: 1) { out.records.count == 1 }
        gate.open()
        #expect(try running.wait().end == .finished)
    }
}
