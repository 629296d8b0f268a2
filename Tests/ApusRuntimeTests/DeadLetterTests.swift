import ApusGraph
import ApusRuntime
import Testing

/// Goal: a record that cannot be processed is set aside with its reason, and nothing else is
/// lost; or the job fails, if that is the policy.
///
/// Method: bad records of every kind among good ones.
@Suite("Dead letters")
struct DeadLetterTests {
    private typealias Letter = TestDeadLetters.Letter

    @Test("malformed records of a source are set aside", arguments: [1, 2])
    func malformedRecordsOfASourceAreSetAside(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource(
            "in",
            [
                .reject("{"), .record(TestRecord(value: "a:1")), .reject(""),
                .record(TestRecord(value: "a:2")),
            ]
        )
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        #expect(out.values == ["a:1", "a:3"])
        #expect(
            job.deadLetters.letters == [
                Letter(
                    node: "in",
                    position: "line 0",
                    reason: "malformed",
                    value: "{",
                    key: nil,
                    time: .min
                ),
                Letter(
                    node: "in",
                    position: "line 2",
                    reason: "malformed",
                    value: "",
                    key: nil,
                    time: .min
                ),
            ]
        )
        #expect(summary.progress.rejectedRecords == 2)
        #expect(summary.progress.nodes.map(\.rejected) == [2, 0, 0])
    }

    @Test("a source of nothing but malformed records ends", arguments: [1, 2])
    func aSourceOfNothingButMalformedRecordsEnds(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", (0..<5000).map { .reject("\($0)") })
        let out = job.addSink("out", ["in"])
        #expect(try job.finish().end == .finished)
        #expect(out.records.isEmpty)
        #expect(job.deadLetters.letters.count == 5000)
    }

    @Test(
        "bad records of an operator are set aside, the others are not touched",
        arguments: [1, 3]
    )
    func badRecordsOfAnOperatorAreSetAside(parallelism: Int) throws {
        var records = Sample.numbers(3000, keyCount: 40, seed: 10)
        for index in stride(from: 0, to: records.count, by: 7) {
            records[index].value = (Model.prefix(records[index].value) ?? "") + ":not a number"
        }
        // The first and the last of a batch, and two in a row.
        for index in [0, 1, 1023, 1024, 2999] { records[index].value = "z:bad" }
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records)
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        let keyed = Model.keyed(records)
        #expect(Model.byKey(out.records) == Model.byKey(Model.sum(keyed)))
        let bad = keyed.filter { Model.number($0.value) == nil }
        let expected = bad.map {
            Letter(
                node: "sum",
                position: "",
                reason: "the value has no number",
                value: $0.value,
                key: $0.key,
                time: $0.time
            )
        }
        #expect(
            job.deadLetters.letters.sorted { ($0.value, $0.time) < ($1.value, $1.time) }
                == expected.sorted { ($0.value, $0.time) < ($1.value, $1.time) }
        )
        #expect(summary.progress.nodes[1].rejected == bad.count)
    }

    @Test(
        "a record without key is a dead letter of the operator that needs one",
        arguments: [1, 2]
    )
    func aRecordWithoutKeyIsADeadLetter(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        // Two readers with different keys: the exchange takes the key out, not the source.
        job.addSource(
            "in",
            records: ["a:1", "nothing", "a:2", ""].map { TestRecord(value: $0, time: 7) }
        )
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        try job.addOperator(
            "maybe",
            "maybe-keyed",
            ["in"],
            key: .field(path: ["deep", "key"])
        )
        let sums = job.addSink("sums", ["sum"])
        let counts = job.addSink("counts", ["maybe"])
        #expect(try job.finish().end == .finished)
        #expect(sums.values == ["a:1", "a:3"])
        #expect(counts.values.sorted() == ["-", "-", "a:1", "a:2"])
        #expect(
            job.deadLetters.letters
                == ["nothing", ""].map {
                    Letter(
                        node: "sum",
                        position: "",
                        reason: "no key: field 'k' has no value",
                        value: $0,
                        key: nil,
                        time: 7
                    )
                }
        )
    }

    @Test("a record without key is also found when the source takes keys out", arguments: [1, 2])
    func aRecordWithoutKeyIsAlsoFoundWhenTheSourceTakesKeysOut(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: ["a:1", "nothing"].map { TestRecord(value: $0) })
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"])
        #expect(try job.finish().end == .finished)
        #expect(out.values == ["a:1"])
        #expect(job.deadLetters.letters.map(\.node) == ["sum"])
        #expect(job.deadLetters.letters.map(\.value) == ["nothing"])
    }

    // MARK: - A full disk

    /// A record that the source, the exchange or the operator rejects, and by which node.
    private static let rejects = [
        ("in", ScriptedSource.Step.reject("{")),
        ("sum", .record(TestRecord(value: "a:x"))),
        ("sum", .record(TestRecord(value: "none"))),
    ]

    private func makeJob(_ step: ScriptedSource.Step, _ letters: TestDeadLetters) throws -> TestJob
    {
        var job = try TestJob(parallelism: 2)
        job.deadLetters = letters
        job.addSource("in", [.record(TestRecord(value: "a:1")), step])
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        return job
    }

    @Test("a job with checkpoints waits for room, and says so once", arguments: rejects)
    func aJobWithCheckpointsWaitsForRoom(node: String, step: ScriptedSource.Step) throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        let target = OutboxTarget()
        var job = try makeJob(step, TestDeadLetters(fullCount: 3))
        job.addOutbox("out", ["sum"], target, logFolder: world.logFolder)
        let end = try world.run(job)
        #expect(end.summary.end == .finished)
        #expect(job.deadLetters.letters.map(\.node) == [node])
        #expect(target.values == ["a:1"])
        let who = "a rejected record of '\(node)'"
        #expect(
            end.notes.filter { $0.hasPrefix(who) }
                == ["\(who) waits and tries again: no space left", "\(who) goes on"]
        )
    }

    @Test("a job that waits for room can be broken off")
    func aJobThatWaitsForRoomCanBeBrokenOff() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        let target = OutboxTarget()
        var job = try makeJob(.reject("{"), TestDeadLetters(fullCount: .max))
        job.addOutbox("out", ["sum"], target, logFolder: world.logFolder)
        let end = try world.run(job) { running in
            try running.wait(for: "a note") { !running.notes.all.isEmpty }
            running.run.abort()
        }
        #expect(end.summary.end == .aborted)
        #expect(job.deadLetters.letters.isEmpty)
    }

    @Test("a job without checkpoints does not wait", arguments: rejects)
    func aJobWithoutCheckpointsDoesNotWait(node: String, step: ScriptedSource.Step) throws {
        var job = try makeJob(step, TestDeadLetters(fullCount: 1))
        job.addSink("out", ["sum"])
        let end = try job.finish(seconds: 10).end
        #expect(end == .failed(JobFailure(.data, node: node, "no space left")))
    }

    // MARK: - The policy `fail`

    @Test(
        "under the policy fail each of them fails the job",
        arguments: [
            ("in", ScriptedSource.Step.reject("{"), "malformed"),
            ("sum", .record(TestRecord(value: "a:x")), "the value has no number"),
            ("sum", .record(TestRecord(value: "none")), "no key: field 'k' has no value"),
        ]
    )
    func underThePolicyFailEachFailsTheJob(
        node: String,
        step: ScriptedSource.Step,
        reason: String
    ) throws {
        var job = try TestJob(parallelism: 2)
        job.deadLetters = TestDeadLetters(isFailing: true)
        job.addSource(
            "in",
            [.record(TestRecord(value: "a:1")), step],
            endless: { TestRecord(value: "a:\($0)") }
        )
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        job.addSink("out", ["sum"])
        let end = try job.finish(seconds: 10).end
        #expect(
            end == .failed(JobFailure(.data, node: node, "policy is fail: \(reason)"))
        )
    }
}
