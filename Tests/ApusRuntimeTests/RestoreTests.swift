import ApusCheckpoint
import ApusGraph
import ApusMemory
import ApusRuntime
import Testing

/// Goal: a job that was stopped goes on as if it had not been, or says why it cannot.
///
/// Method: jobs that are stopped at a known place, changed or not, and started again.
@Suite("Going on from a checkpoint", .serialized)
struct RestoreTests {
    private static func complete(_ running: RunningJob) -> Int {
        running.run.progress().checkpoints?.completeCount ?? 0
    }

    /// A source that gives `before`, waits, then gives `after`.
    private static func steps(
        _ before: [TestRecord],
        _ gate: Gate,
        _ after: [TestRecord]
    ) -> [ScriptedSource.Step] {
        before.map { .record($0) } + [.cut, .wait(gate)] + after.map { .record($0) }
    }

    // MARK: - Stop and go on

    @Test("stop delivers what was read, fires no timer, and the job goes on", arguments: 1...3)
    func stopDeliversWhatWasRead(parallelism: Int) throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        let target = OutboxTarget()
        let gate = Gate()
        // Alarms at time + number: some are due in the first part, most are not.
        let before = (0..<200).map { TestRecord(value: "k\($0):\($0 % 90 * 10)", time: Int64($0)) }
        let after = (200..<300).map { TestRecord(value: "k\($0):5", time: Int64($0)) }
        func make() throws -> TestJob {
            var job = try TestJob(parallelism: parallelism)
            job.addSource("in", Self.steps(before, gate, after), isTimed: true)
            try job.addOperator("alarm", "alarm", ["in"], key: .prefix)
            job.addOutbox("out", ["alarm"], target, logFolder: world.logFolder)
            return job
        }
        let first = try world.run(try make()) { running in
            try running.wait(for: "the first part") { running.node("alarm")?.recordsIn == 200 }
            try running.wait(for: "the watermark") { running.node("alarm")?.watermark == 198 }
            running.run.stop()
        }
        #expect(first.summary.end == .stopped)
        #expect(first.checkpoints.map(\.outcome) == [.complete])
        let due = before.count { $0.time + Int64((Model.number($0.value) ?? 0)) <= 198 }
        #expect(target.values.count == due)
        #expect(first.summary.armedTimers.map(\.count) == [200 - due])

        // Stopped once more without anything new: nothing changes.
        let second = try world.run(try make()) { running in
            try running.wait(for: "the watermark") { running.node("alarm")?.watermark == 198 }
            running.run.stop()
        }
        #expect(second.summary.end == .stopped)
        #expect(target.values.count == due)

        gate.open()
        let job = try make()
        let last = try world.run(job)
        #expect(last.summary.end == .finished)
        #expect(job.watches["in"]?.readCount.value == 100, "the rest, and nothing twice")
        // An alarm tells the time of the record that set it.
        #expect(target.values.sorted() == (0..<300).map { "k\($0):\($0)" }.sorted())
        #expect(target.complaints.isEmpty)
    }

    @Test("event time goes on where it was, and never back", arguments: 1...3)
    func eventTimeGoesOnWhereItWas(parallelism: Int) throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        let target = OutboxTarget()
        let gate = Gate()
        func make() throws -> TestJob {
            var job = try TestJob(parallelism: parallelism)
            job.addSource(
                "in",
                Self.steps(
                    [TestRecord(value: "a:1", time: 100)],
                    gate,
                    [TestRecord(value: "a:2", time: 50)]
                ),
                isTimed: true,
                outOfOrder: 10
            )
            // Another source holds event time back until it is heard of again.
            job.addSource(
                "other",
                [.record(TestRecord(value: "b:1", time: 95)), .cut, .wait(gate)],
                isTimed: true
            )
            try job.addOperator("w", "watermarks", ["in", "other"])
            try job.addOperator("sum", "sum", ["w"], key: .prefix)
            job.addOutbox("out", ["w"], target, logFolder: world.logFolder)
            job.addOutbox("sums", ["sum"], OutboxTarget(), logFolder: world.logFolder)
            return job
        }
        let first = try world.run(try make()) { running in
            try running.wait(for: "the watermark") { running.node("sum")?.watermark == 89 }
            running.run.stop()
        }
        #expect(first.summary.end == .stopped)
        #expect(target.values.sorted() == ["a:1", "b:1", "w:89"])
        let second = try world.run(try make()) { running in
            // Both sources say at once what they had said.
            try running.wait(for: "the watermark") { running.node("sum")?.watermark == 89 }
            gate.open()
        }
        #expect(second.summary.end == .finished)
        // The late record moves nothing, the end does.  Of two sources that end, one ends first:
        // whether event time moves in between depends on who is faster.
        #expect(
            target.values.filter { $0 != "w:94" }.sorted()
                == ["a:1", "a:2", "b:1", "w:89", "w:\(Int64.max)"]
        )
    }

    @Test("state, timers and counts survive, also without room in memory")
    func stateSurvives() throws {
        let records = Sample.numbers(6000, keyCount: 3000, seed: 8)
        let expected = Model.sum(Model.keyed(records)).map(\.value).sorted()
        for parallelism in [(1, 3), (3, 1), (2, 2), (4, 3)] {
            let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
            world.stateByteCount = 64 << 10
            let target = OutboxTarget()
            let gate = Gate()
            func make(_ parallelism: Int) throws -> TestJob {
                var job = try TestJob(parallelism: parallelism)
                job.addSource(
                    "in",
                    Self.steps(Array(records[..<3500]), gate, Array(records[3500...])),
                    isTimed: true
                )
                try job.addOperator("sum", "sum", ["in"], key: .prefix)
                job.addOutbox("out", ["sum"], target, logFolder: world.logFolder)
                return job
            }
            let first = try world.run(try make(parallelism.0)) { running in
                try running.wait(for: "the first part") {
                    running.node("sum")?.recordsIn == 3500
                }
                running.run.stop()
            }
            #expect(first.summary.end == .stopped)
            #expect(target.values.count == 3500)
            gate.open()
            #expect(try world.run(try make(parallelism.1)).summary.end == .finished)
            #expect(target.values.sorted() == expected, "parallelism \(parallelism)")
        }
    }

    @Test("every subtask of a source goes on where it was")
    func everySubtaskOfASourceGoesOn() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 3000)
        let target = OutboxTarget()
        func make() throws -> TestJob {
            var job = try TestJob(parallelism: 3)
            job.addParallelSource("in") { subtask in
                (0..<2000).flatMap { index -> [ScriptedSource.Step] in
                    let record = TestRecord(
                        key: "s\(subtask)",
                        value: "s\(subtask):\(index)",
                        time: Int64(index)
                    )
                    return index % 50 == 49 ? [.record(record), .pause(500)] : [.record(record)]
                }
            }
            try job.addOperator("tag", "tagger", ["in"])
            try job.addOperator("sum", "sum", ["tag"], key: .recordKey)
            job.addOutbox("out", ["sum"], isParallel: true, target, logFolder: world.logFolder)
            return job
        }
        for count in 1...3 {
            let end = try world.run(try make()) { running in
                try running.wait(for: "checkpoints") {
                    Self.complete(running) >= count || running.run.hasEnded
                }
                running.run.abort()
            }
            #expect([.aborted, .finished].contains(end.summary.end))
        }
        #expect(try world.run(try make()).summary.end == .finished)
        let expected = (0..<3).flatMap { subtask in
            (0..<2000).map { "s\(subtask):\((0...$0).reduce(0, +))" }
        }
        #expect(target.values.sorted() == expected.sorted())
        #expect(target.complaints.isEmpty)

        let failure = #expect(throws: JobFailure.self) {
            var job = try make()
            job.parallelism = 2
            try world.run(job)
        }
        #expect(failure?.node == "in")
        #expect(failure?.message.contains("has 2 subtasks, and 3 in checkpoint") == true)
    }

    // MARK: - Jobs that have changed

    /// A job with a checkpoint that has a position, state, and nothing undelivered.
    private func stopped() throws -> (world: CheckpointWorld, target: OutboxTarget, gate: Gate) {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        let (target, gate) = (OutboxTarget(), Gate())
        let end = try world.run(try make(world, target, gate)) { running in
            try running.wait(for: "the record") { running.node("sum")?.recordsIn == 1 }
            running.run.stop()
        }
        #expect(end.summary.end == .stopped)
        return (world, target, gate)
    }

    private func make(
        _ world: CheckpointWorld,
        _ target: OutboxTarget,
        _ gate: Gate,
        source: String = "in",
        sum: String = "sum",
        component: String = "sum",
        name: String = "job",
        maxParallelism: Int = 1024
    ) throws -> TestJob {
        var job = try TestJob(parallelism: 2, name: name, maxParallelism: maxParallelism)
        job.addSource(
            source,
            Self.steps(
                [TestRecord(value: "a:1", time: 1)],
                gate,
                [TestRecord(value: "a:2", time: 2)]
            ),
            isTimed: true
        )
        try job.addOperator(sum, component, [source], key: .prefix)
        job.addOutbox("out", [sum], target, logFolder: world.logFolder)
        return job
    }

    private func expectRefusal(
        _ world: CheckpointWorld,
        _ job: TestJob,
        node: String,
        _ parts: String...
    ) {
        let failure = #expect(throws: JobFailure.self) { try world.run(job) }
        #expect(failure?.node == node)
        for part in parts {
            #expect(failure?.message.contains(part) == true, "\(failure?.message ?? "")")
        }
    }

    @Test("a source that is missing is refused, unless its part is given up")
    func aSourceThatIsMissingIsRefused() throws {
        let (world, target, gate) = try stopped()
        let job = try make(world, target, gate, source: "input")
        expectRefusal(world, job, node: "in", "its position", "a source", "--drop-state in")
        world.droppedState = ["in"]
        gate.open()
        #expect(try world.run(job).summary.end == .finished)
        // The new source begins at its beginning, the state goes on.
        #expect(target.values == ["a:1", "a:2", "a:4"])
    }

    @Test("an operator with state that is missing is refused, unless its part is given up")
    func anOperatorThatIsMissingIsRefused() throws {
        let (world, target, gate) = try stopped()
        let job = try make(world, target, gate, sum: "total")
        expectRefusal(world, job, node: "sum", "state", "an operator", "--drop-state sum")
        world.droppedState = ["sum"]
        let end = try world.run(job) { $0.run.stop() }
        #expect(end.summary.end == .stopped)
        let first = try #require(try world.latest())
        #expect(first.operators.map(\.id) == ["total"])
        #expect(first.operators.map(\.number) == [2], "numbers are never given twice")

        // The old operator comes back: as a new one.
        world.droppedState = ["total"]
        let again = try world.run(try make(world, target, gate)) { $0.run.stop() }
        #expect(again.summary.end == .stopped)
        #expect(try world.latest()?.operators.map(\.number) == [3])
        gate.open()
        #expect(try world.run(try make(world, target, gate)).summary.end == .finished)
        #expect(target.values == ["a:1", "a:2"])
    }

    @Test("another plugin, job name or max-parallelism is refused")
    func anotherPluginIsRefused() throws {
        let (world, target, gate) = try stopped()
        expectRefusal(
            world,
            try make(world, target, gate, component: "window"),
            node: "sum",
            "expected counter 'total'",
            "the plugin declares",
            "--drop-state sum"
        )
        expectRefusal(
            world,
            try make(world, target, gate, maxParallelism: 512),
            node: "job",
            "max-parallelism is 512, and 1024 in checkpoint"
        )
        gate.open()
        #expect(try world.run(try make(world, target, gate)).summary.end == .finished)
        #expect(target.values == ["a:1", "a:3"])
    }

    @Test("undelivered output of a sink that is missing is refused, unless it is given up")
    func undeliveredOutputOfASinkThatIsMissing() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        world.deliveryPatienceMicroseconds = 1000
        let (target, gate) = (OutboxTarget(), Gate())
        target.fail(times: 1_000_000)
        _ = try world.run(try make(world, target, gate)) { running in
            try running.wait(for: "the record") { running.node("sum")?.recordsIn == 1 }
            running.run.stop()
        }
        func other() throws -> TestJob {
            var job = try TestJob(parallelism: 2)
            job.addSource("in", [.record(TestRecord(value: "a:1", time: 1))], isTimed: true)
            try job.addOperator("sum", "sum", ["in"], key: .prefix)
            job.addSink("elsewhere", ["sum"])
            return job
        }
        expectRefusal(world, try other(), node: "out", "not delivered", "--drop-state out")
        world.droppedState = ["out"]
        #expect(try world.run(try other()).summary.end == .finished)
    }
}
