import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusRuntime
import Glibc
import Testing

/// Goal: rules that change by broadcast are the same in all subtasks, whatever happens to the job.
///
/// Method: `priced` looks a rule up when event time has reached the record's, so that its output
/// does not depend on the order in which rules and records come, but on the watermark of the
/// broadcast input; it is compared with a model, over aborts, stops and restarts at another
/// parallelism, with aligned and unaligned checkpoints.
@Suite("Broadcast in a job", .serialized)
struct BroadcastJobTests {
    struct Input {
        var rules: [TestRecord]
        var numbers: [TestRecord]

        init(seed: UInt64, ruleCount: Int = 400, numberCount: Int = 6000) {
            var random = SplitMix64(seed: seed)
            let span = Int64(numberCount)
            var times: Set<Int64> = []
            while times.count < ruleCount {
                times.insert(Int64.random(in: 1...span, using: &random))
            }
            rules = times.sorted().map { time in
                let name = Int.random(in: 0...9, using: &random)
                let factor = Int.random(in: 2...99, using: &random)
                return TestRecord(value: "\(name):\(factor)", time: time)
            }
            numbers = (0..<span).map { time in
                let key = Int.random(in: 0...299, using: &random)
                let number = Int.random(in: 0...999, using: &random)
                return TestRecord(value: "k\(key):\(number)", time: time + 1)
            }
        }

        /// What `priced` emits.
        var priced: [String] {
            numbers.map { record in
                let key = Model.prefix(record.value) ?? ""
                let rule = rules.last { rule in
                    rule.time <= record.time && Model.prefix(rule.value) == String(key.suffix(1))
                }
                let factor = rule.flatMap { Model.number($0.value) } ?? 1
                return "\(record.value):\(factor)"
            }
        }
    }

    /// Records with a rest now and then, so that checkpoints come in between.
    private static func steps(
        _ records: [TestRecord],
        restEvery count: Int
    ) -> [ScriptedSource.Step] {
        records.enumerated().flatMap { index, record in
            [.record(record)] + (index % count == 0 ? [ScriptedSource.Step.pause(1500)] : [])
        }
    }

    private static let completeCount = Tally()
    private static let unalignedCount = Tally()

    @Test(
        "rules that change by broadcast give what the model gives",
        arguments: [1, 2, 3, 4] as [UInt64],
        [nil, 0, 500] as [Int64?]
    )
    func rulesThatChange(seed: UInt64, alignmentTimeout: Int64?) throws {
        let context = "seed \(seed), alignment \(String(describing: alignmentTimeout))"
        var random = SplitMix64(seed: seed &* 977)
        let input = Input(seed: seed)
        let world = try CheckpointWorld(
            intervalMicroseconds: 2000,
            alignmentTimeoutMicroseconds: alignmentTimeout
        )
        let target = OutboxTarget()
        var disturbances = 4
        while true {
            var job = try TestJob(parallelism: Int.random(in: 1...4, using: &random))
            job.addSource("rules", Self.steps(input.rules, restEvery: 20), isTimed: true)
            job.addSource("in", Self.steps(input.numbers, restEvery: 300), isTimed: true)
            try job.addOperator(
                "priced",
                "priced",
                ["in"],
                broadcasts: seed % 2 == 0 ? ["rules"] : ["tagged"],
                key: .prefix,
                from: .kinds
            )
            // By way of an operator, so that not all barriers come straight from sources.
            try job.addOperator("tagged", "tagger", ["rules"])
            job.addOutbox("out", ["priced"], target, logFolder: world.logFolder)
            let isDisturbed = disturbances > 0
            let isStopped = Bool.random(using: &random)
            let delay = UInt32.random(in: 2000...60_000, using: &random)
            let (summary, checkpoints, notes) = try world.run(job) { running in
                guard isDisturbed else { return }
                usleep(delay)
                if isStopped { running.run.stop() } else { running.run.abort() }
            }
            Self.completeCount.add(checkpoints.count { $0.outcome == .complete })
            Self.unalignedCount.add(checkpoints.count(where: \.isUnaligned))
            if case .failed(let failure) = summary.end {
                Issue.record("\(context): \(failure) \(notes)")
                return
            }
            disturbances -= 1
            if summary.end == .finished { break }
        }
        #expect(target.values.sorted() == input.priced.sorted(), "\(context)")
        #expect(target.complaints.isEmpty, "\(context)")
        let reference = try #require(
            try world.latest()?.operators.first { $0.id == "priced" }?.broadcast
        )
        #expect(reference.maps.map(\.name) == ["rules"])
        #expect(reference.maps.map(\.entryCount) == [input.rules.count])
        let files = try #require(try world.latest()).files.filter { $0.role == .broadcast }
        #expect(files.map(\.logicalName) == ["priced"], "stored once, not once per subtask")
    }

    @Test("checkpoints were complete, and some of them unaligned")
    func checkpointsWereComplete() {
        #expect(Self.completeCount.value > 20)
        #expect(Self.unalignedCount.value > 0)
    }

    @Test("every subtask gets every record of a broadcast input", arguments: 1...4)
    func everySubtaskGetsEveryRecord(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("rules", records: (0..<50).map { TestRecord(value: "r\($0)") })
        job.addParallelSource("in") { subtask in
            (0..<10).map { .record(TestRecord(value: "\(subtask)-\($0)", time: 1)) }
        }
        try job.addOperator("passed", "passed", ["in"], broadcasts: ["rules"], from: .kinds)
        let sink = job.addSink("out", ["passed"])
        #expect(try job.finish().end == .finished)
        let values = sink.records.map(\.value)
        let rules = (0..<50).flatMap { rule in (0..<parallelism).map { "r\(rule):\($0)" } }
        #expect(values.filter { $0.hasPrefix("r") }.sorted() == rules.sorted())
        #expect(values.count == rules.count + 10 * parallelism)
    }

    @Test("a bad record of a broadcast input is set aside once")
    func badRecordOnce() throws {
        var job = try TestJob(parallelism: 3)
        job.addSource("rules", records: [TestRecord(value: "a"), TestRecord(value: "")])
        job.addParallelSource("in") { _ in [] }
        try job.addOperator("passed", "passed", ["in"], broadcasts: ["rules"], from: .kinds)
        job.addSink("out", ["passed"])
        #expect(try job.finish().end == .finished)
        #expect(job.deadLetters.letters.map(\.reason) == ["an empty rule"])
    }

    @Test("a write outside of process_broadcast is blamed on the plugin")
    func writeOutside() throws {
        var job = try TestJob(parallelism: 1)
        job.addSource("rules", records: [])
        job.addSource("in", records: [TestRecord(value: "x")])
        try job.addOperator("meddle", "meddle", ["in"], broadcasts: ["rules"], from: .kinds)
        job.addSink("out", ["meddle"])
        guard case .failed(let failure) = try job.finish().end else {
            Issue.record("expected the job to fail")
            return
        }
        #expect(
            failure.description.contains(
                "plugin test.kinds 1.0.0, operator meddle, subtask 0, process: wrote broadcast "
                    + "state outside of process_broadcast"
            ),
            "\(failure)"
        )
    }

    @Test("subtasks that come to different maps have no checkpoint")
    func differentMaps() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 2000)
        var job = try TestJob(parallelism: 2)
        let gate = Gate()
        job.addSource("rules", [.record(TestRecord(value: "a")), .wait(gate)])
        job.addParallelSource("in") { _ in [.wait(gate)] }
        try job.addOperator("diverge", "diverge", ["in"], broadcasts: ["rules"], from: .kinds)
        job.addSink("out", ["diverge"])
        let (_, checkpoints, _) = try world.run(job) { running in
            try running.wait(for: "both rules") { running.node("diverge")?.recordsIn == 2 }
            let before = running.run.checkpoints().count
            try running.wait(for: "an attempt") { running.run.checkpoints().count > before + 2 }
            running.run.abort()
        }
        let reasons = checkpoints.compactMap { checkpoint -> String? in
            if case .abandoned(let reason) = checkpoint.outcome { return reason }
            return nil
        }
        #expect(
            reasons.contains {
                $0.contains("the broadcast state 'rules' has 2 entries in subtask 0 and 2 in")
            },
            "\(reasons)"
        )
    }

    @Test("too much behind a barrier that may not overtake gives the attempt up, not the job")
    func stashOverflows() throws {
        let world = try CheckpointWorld(
            intervalMicroseconds: 20_000,
            alignmentTimeoutMicroseconds: 0
        )
        var job = try TestJob(parallelism: 2)
        let gate = Gate()
        // Blocks the first thread, so that the barrier does not come by the broadcast channel.
        job.addSource("rules", [.block(gate), .record(TestRecord(value: "a"))])
        let value = String(repeating: "v", count: 8000)
        let chunk =
            Array(repeating: ScriptedSource.Step.record(TestRecord(value: value)), count: 50)
            + [.pause(500)]
        let end = Gate()
        job.addParallelSource("in") { subtask in
            (subtask == 1 ? (0..<1500).flatMap { _ in chunk } : []) + [.wait(end)]
        }
        try job.addOperator("passed", "passed", ["in"], broadcasts: ["rules"], from: .kinds)
        let sink = job.addSink("out", ["passed"])
        let (summary, checkpoints, _) = try world.run(job) { running in
            try running.wait(for: "an attempt that is given up") {
                !running.run.checkpoints().isEmpty
            }
            gate.open()
            try running.wait(for: "a complete checkpoint", seconds: 20) {
                running.run.checkpoints().contains { $0.outcome == .complete }
            }
            end.open()
        }
        #expect(summary.end == .finished)
        guard case .abandoned(let reason)? = checkpoints.first?.outcome else {
            Issue.record("expected the first attempt to be given up: \(checkpoints)")
            return
        }
        #expect(
            reason.contains(
                "passed[1]: more than 32 MiB came behind the barrier while it was under way on a "
                    + "broadcast input, which it may not overtake"
            ),
            "\(reason)"
        )
        // Nothing that had waited is lost: all records, and the rule of each subtask.
        #expect(sink.records.count == 1500 * 50 + 2)
    }

    @Test("state that does not fit the plugin is refused")
    func stateThatDoesNotFit() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        func make(_ component: String) throws -> TestJob {
            var job = try TestJob(parallelism: 1)
            job.addSource("rules", records: [TestRecord(value: "1:2", time: 1)], isTimed: true)
            job.addSource(
                "in",
                [.pause(100_000)],
                endless: { _ in
                    TestRecord(value: "k:1", time: 5)
                },
                isTimed: true
            )
            let isKeyed = component != "passed"
            try job.addOperator(
                "op",
                component,
                ["in"],
                broadcasts: isKeyed && component == "sum" ? [] : ["rules"],
                key: isKeyed ? .prefix : nil,
                from: component == "sum" ? .probe : .kinds
            )
            job.addSink("out", ["op"])
            return job
        }
        let first = try world.run(try make("priced")) { running in
            try running.wait(for: "records") { (running.node("op")?.recordsIn ?? 0) > 10 }
            running.run.stop()
        }
        #expect(first.summary.end == .stopped)
        let failure = #expect(throws: JobFailure.self) { try world.run(try make("sum")) }
        #expect(
            failure?.description.contains("broadcast 'rules' version 1") ?? false,
            "\(String(describing: failure))"
        )
    }
}
