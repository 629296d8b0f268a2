import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusRuntime
import ApusTestPlugins
import Glibc
import Testing

/// Goal: a C function in the place of a plugin does to each record what it would do to it alone.
///
/// Method: jobs with real threads over thousands of records, against the same arithmetic in Swift.
@Suite("Functions in a job")
struct FunctionJobTests {
    private static func field(_ name: String) -> FunctionDescription.Argument {
        .place(.field([name]))
    }

    private static func place(_ name: String) -> FunctionDescription.Use { .map(.field([name])) }

    /// Adds `sum = x + y` (a loop), `half = sum / 2` (libffi), `quarter = half / 2` (columns), and
    /// keeps what has a quarter above 100 (columns).
    private static func addChain(_ job: inout TestJob, key: KeySelector? = nil) throws {
        try job.addFunction(
            "sum",
            "add",
            "f64(f64, f64)",
            [field("x"), field("y")],
            use: place("sum"),
            ["in"],
            key: key
        )
        try job.addFunction(
            "half",
            "half",
            "void(f64, out f64)",
            [field("sum")],
            use: place("half"),
            ["sum"],
            isThreadSafe: true
        )
        try job.addFunction(
            "quarter",
            "halves",
            "void(f64[], out f64[], n)",
            [field("half")],
            use: place("quarter"),
            ["half"]
        )
        try job.addFunction(
            "large",
            "is_large",
            "void(f64[], out bool[], n)",
            [field("quarter")],
            use: .filter,
            ["quarter"]
        )
    }

    /// A record's value before and after the chain; nil when it is dropped.
    private static func oracle(_ x: Int, _ y: Int) -> (before: String, after: String?) {
        let before = "{\"x\": \(x), \"y\":\(y) }"
        let sum = Double(x + y)
        guard sum / 4 > 100 else { return (before, nil) }
        let after =
            "{\"x\": \(x), \"y\":\(y),\"sum\":\(sum),\"half\":\(sum / 2),\"quarter\":\(sum / 4) }"
        return (before, after)
    }

    private static func pairs(_ count: Int, seed: UInt64) -> [(before: String, after: String?)] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            oracle(
                Int.random(in: -1000...1000, using: &random),
                Int.random(in: -1000...1000, using: &random)
            )
        }
    }

    @Test("results equal the oracle, in order", arguments: [1, 2, 4])
    func resultsEqualTheOracle(parallelism: Int) throws {
        let pairs = Self.pairs(20_000, seed: 11)
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: pairs.map { TestRecord(value: $0.before) })
        try Self.addChain(&job)
        let out = job.addSink("out", ["large"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        #expect(out.values == pairs.compactMap(\.after))
        #expect(out.values.count > 3000)
        #expect(summary.progress.nodes.map(\.recordsIn).prefix(4) == [0, 20_000, 20_000, 20_000])
        #expect(summary.progress.rejectedRecords == 0)
    }

    @Test(
        "keys, times and order per key stay, with and without a key",
        arguments: [1, 3],
        [true, false]
    )
    func keysStay(parallelism: Int, isKeyed: Bool) throws {
        let pairs = Self.pairs(6000, seed: 12)
        let parts = (0..<parallelism).map { subtask in
            pairs.enumerated().filter { $0.offset % parallelism == subtask }.map { index, pair in
                (
                    TestRecord(
                        key: "\(subtask)-\(index % 40)",
                        value: pair.before,
                        time: Int64(index)
                    ),
                    pair.after
                )
            }
        }
        var job = try TestJob(parallelism: parallelism)
        job.addParallelSource("in") { subtask in parts[subtask].map { .record($0.0) } }
        try Self.addChain(&job, key: isKeyed ? .recordKey : nil)
        let out = job.addSink("out", ["large"], isParallel: true)
        #expect(try job.finish().end == .finished)
        let expected = parts.flatMap { $0 }.compactMap { record, after in
            after.map { TestRecord(key: record.key, value: $0, time: record.time) }
        }
        #expect(Model.byKey(out.records) == Model.byKey(expected))
    }

    @Test("what is no argument becomes a dead letter that names the field")
    func deadLetters() throws {
        var job = try TestJob(parallelism: 2)
        let values = ["{\"x\":1,\"y\":2}", "{\"x\":1}", "{\"x\":\"1\",\"y\":2}", "no JSON"]
        job.addSource("in", records: values.map { TestRecord(value: $0, time: 7) })
        try job.addFunction(
            "sum",
            "add",
            "f64(f64, f64)",
            [Self.field("x"), Self.field("y")],
            use: Self.place("sum"),
            ["in"]
        )
        let out = job.addSink("out", ["sum"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        #expect(out.values == ["{\"x\":1,\"y\":2,\"sum\":3.0}"])
        let letters = job.deadLetters.letters
        #expect(letters.map(\.node) == ["sum", "sum", "sum"])
        #expect(letters.map(\.value) == Array(values[1...]))
        #expect(letters[0].reason == "field '$.y' is missing; expected f64 (a number)")
        #expect(letters[1].reason == "field '$.x' is the string '1'; expected f64 (a number)")
        #expect(letters.map(\.time) == [7, 7, 7])
        #expect(summary.progress.nodes[1].rejected == 3)
    }

    @Test("with the policy 'fail' a record without its field fails the job")
    func policyFail() throws {
        var job = try TestJob(parallelism: 1)
        job.deadLetters = TestDeadLetters(isFailing: true)
        job.addSource("in", records: [TestRecord(value: "{}")])
        try job.addFunction(
            "half",
            "half",
            "void(f64, out f64)",
            [Self.field("x")],
            use: Self.place("h"),
            ["in"]
        )
        job.addSink("out", ["half"])
        let message = "policy is fail: field '$.x' is missing; expected f64 (a number)"
        #expect(try job.finish().end == .failed(JobFailure(.data, node: "half", message)))
    }

    @Test("an exception over columns fails the job and names the function")
    func exception() throws {
        var job = try TestJob(parallelism: 1)
        job.addSource("in", records: [TestRecord(value: "{\"x\":-5}")])
        try job.addFunction(
            "fussy",
            "fussy_all",
            "void(i64[], out i64[], n)",
            [Self.field("x")],
            use: Self.place("r"),
            ["in"],
            library: try TestPlugin.throwingFunctions()
        )
        job.addSink("out", ["fussy"])
        let message = "function fussy_all of libtest.so: threw an exception: negative: -5"
        #expect(try job.finish().end == .failed(JobFailure(.plugin, node: "fussy", message)))
    }

    @Test("one operator reads several others, and a chain of many functions hands all on")
    func manyInputsAndLongChains() throws {
        var job = try TestJob(parallelism: 2)
        for source in ["a", "b"] {
            job.addSource(
                source,
                records: (0..<2000).map { TestRecord(value: "{\"\(source)\":\($0)}") }
            )
        }
        try job.addFunction(
            "f0",
            "count_zeros",
            "u64(bytes)",
            [.place(.whole)],
            use: Self.place("zeros"),
            ["a", "b"]
        )
        // More than a batch can borrow from; values are handed on without copying.
        for number in 1...70 {
            try job.addFunction(
                "f\(number)",
                "opposite",
                "bool(bool)",
                [.constant("false")],
                use: .filter,
                ["f\(number - 1)"]
            )
        }
        let out = job.addSink("out", ["f70"])
        #expect(try job.finish().end == .finished)
        let expected = ["a", "b"].flatMap { source in
            (0..<2000).map { "{\"\(source)\":\($0),\"zeros\":0}" }
        }
        #expect(out.values.sorted() == expected.sorted())
    }

    // MARK: - Checkpoints

    @Test(
        "nothing is lost or doubled over aborts, stops and other parallelisms",
        arguments: [1, 2, 3, 4] as [UInt64],
        [nil, 0] as [Int64?]
    )
    func checkpoints(seed: UInt64, alignmentTimeout: Int64?) throws {
        let context = "seed \(seed), alignment \(String(describing: alignmentTimeout))"
        var random = SplitMix64(seed: seed &* 7919)
        let records = (0..<6000).map { TestRecord(value: "k\($0 % 97):\($0)", time: Int64($0)) }
        let steps = records.enumerated().flatMap { index, record -> [ScriptedSource.Step] in
            [.record(record)] + (index % 300 == 0 ? [.pause(1500)] : [])
        }
        let world = try CheckpointWorld(
            intervalMicroseconds: 2000,
            alignmentTimeoutMicroseconds: alignmentTimeout
        )
        let target = OutboxTarget()
        for disturbancesLeft in stride(from: 4, through: 0, by: -1) {
            var job = try TestJob(parallelism: Int.random(in: 1...4, using: &random))
            job.addSource("in", steps, isTimed: true)
            // Behind an exchange, where barriers may overtake records; then in a chain.
            try job.addFunction(
                "there",
                "reversed",
                "str malloc(str)",
                [.place(.whole)],
                use: .map(.whole),
                ["in"],
                key: .prefix
            )
            try job.addFunction(
                "back",
                "reversed",
                "str malloc(str)",
                [.place(.whole)],
                use: .map(.whole),
                ["there"]
            )
            try job.addOperator("sum", "sum", ["back"], key: .prefix)
            job.addOutbox("out", ["sum"], target, logFolder: world.logFolder)
            let isStopped = Bool.random(using: &random)
            let delay = UInt32.random(in: 2000...40_000, using: &random)
            let (summary, _, notes) = try world.run(job) { running in
                guard disturbancesLeft > 0 else { return }
                usleep(delay)
                if isStopped { running.run.stop() } else { running.run.abort() }
            }
            if case .failed(let failure) = summary.end {
                Issue.record("\(context): \(failure) \(notes)")
                return
            }
            if summary.end == .finished { break }
        }
        // Sums per key: any record lost, doubled or out of order changes one.
        let expected = Model.sum(Model.keyed(records))
        #expect(target.values.sorted() == expected.map(\.value).sorted(), "\(context)")
        #expect(target.complaints.isEmpty, "\(context)")
        let stored = try world.latest()?.operators.first { $0.id == "there" }
        #expect(stored?.plugin == nil)
        #expect(stored?.subtasks.isEmpty == false, "\(context)")
    }

    @Test("event time behind a function goes on where it was", arguments: 1...2)
    func eventTime(parallelism: Int) throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        let gate = Gate()
        func make() throws -> TestJob {
            var job = try TestJob(parallelism: parallelism)
            let steps: [ScriptedSource.Step] = [
                .record(TestRecord(value: "a", time: 100)), .cut, .wait(gate),
            ]
            job.addSource("in", steps, isTimed: true)
            try job.addFunction(
                "same",
                "reversed",
                "str malloc(str)",
                [.place(.whole)],
                use: .map(.whole),
                ["in"]
            )
            job.addOutbox("out", ["same"], OutboxTarget(), logFolder: world.logFolder)
            return job
        }
        let first = try world.run(try make()) { running in
            try running.wait(for: "the watermark") { running.node("out")?.watermark == 99 }
            running.run.stop()
        }
        #expect(first.summary.end == .stopped)
        let second = try world.run(try make()) { running in
            try running.wait(for: "the watermark") { running.node("same")?.watermark == 99 }
            #expect(
                running.run.functionSummary(of: "same") == "reversed of libtest.so: str malloc(str)"
            )
            #expect(running.run.functionSummary(of: "in") == nil)
            gate.open()
        }
        #expect(second.summary.end == .finished)
    }
}
