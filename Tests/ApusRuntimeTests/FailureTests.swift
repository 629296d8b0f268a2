import ApusGraph
import ApusMemory
import ApusRuntime
import Testing

/// Goal: a failure anywhere ends the job, all of its threads, and names the node; what was opened
/// is closed.
///
/// Method: one thing fails in each test, the rest of the job is busy and endless.
@Suite("Failures")
struct FailureTests {
    /// An endless source, `sum`, and a sink, with one place for trouble.
    private func endlessJob(
        parallelism: Int = 2,
        sink: Collector.Behaviour = Collector.Behaviour(keepsRecords: false)
    ) throws -> (job: TestJob, out: Collector) {
        var job = try TestJob(parallelism: parallelism)
        job.addSource(
            "in",
            [],
            endless: { TestRecord(value: "k\($0 % 100):\($0)", time: Int64($0)) },
            isTimed: true
        )
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"], sink)
        return (job, out)
    }

    private func expectFailure(
        _ job: TestJob,
        _ fault: JobFailure.Fault,
        _ node: String,
        _ message: String,
        _ location: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let summary = try job.finish(seconds: 10)
        #expect(
            summary.end == .failed(JobFailure(fault, node: node, message)),
            sourceLocation: location
        )
    }

    private static func blame(_ node: String, _ subtask: Int, _ callback: String) -> String {
        "plugin test.hostile 6.6.6, operator \(node), subtask \(subtask), \(callback): "
    }

    // MARK: - Sources and sinks

    @Test("a source that breaks")
    func aSourceThatBreaks() throws {
        var (job, out) = try endlessJob()
        job.addSource(
            "bad",
            [.record(TestRecord(value: "k:1")), .cut, .fail("the cable is cut")]
        )
        let other = job.addSink("other", ["bad"])
        try expectFailure(job, .environment, "bad", "the cable is cut")
        #expect(job.watches["in"]?.closeCount.value == 1)
        #expect(job.watches["bad"]?.closeCount.value == 1)
        #expect(out.closeCount.value == 1)
        #expect(other.closeCount.value == 1)
    }

    @Test("a sink whose write fails")
    func aSinkWhoseWriteFails() throws {
        let (job, out) = try endlessJob(sink: Collector.Behaviour(failsAtRecord: 5000))
        try expectFailure(job, .environment, "out", "the disk is full")
        #expect(job.watches["in"]?.closeCount.value == 1)
        #expect(out.closeCount.value == 1)
    }

    @Test("a sink whose flush fails")
    func aSinkWhoseFlushFails() throws {
        let (job, _) = try endlessJob(sink: Collector.Behaviour(failsInFlush: true))
        try expectFailure(job, .environment, "out", "cannot flush")
    }

    @Test("a sink whose close fails")
    func aSinkWhoseCloseFails() throws {
        var job = try TestJob(parallelism: 2)
        job.addSource("in", records: [TestRecord(value: "k:1")])
        job.addSink("out", ["in"], Collector.Behaviour(failsInClose: true))
        try expectFailure(job, .environment, "out", "cannot close")
    }

    @Test("a source or sink that cannot be opened keeps the job from starting")
    func aSourceOrSinkThatCannotBeOpenedKeepsTheJobFromStarting() throws {
        var (job, _) = try endlessJob()
        job.endpoints.brokenSinks = ["out"]
        #expect(throws: JobFailure(.environment, node: "out", "cannot open the sink")) {
            try job.start()
        }
        job.endpoints.brokenSinks = []
        job.endpoints.sources["in"] = nil
        #expect(throws: JobFailure(.environment, node: "in", "no source")) { try job.start() }
    }

    // MARK: - Plugins

    @Test("an operator that refuses its configuration keeps the job from starting")
    func anOperatorThatRefusesItsConfiguration() throws {
        var (job, _) = try endlessJob()
        try job.addOperator(
            "bad",
            "refuse-configuration",
            ["in"],
            configuration: .map([.init("limit", .integer(3))]),
            from: .hostile
        )
        #expect(
            throws: JobFailure(
                .plugin,
                node: "bad",
                Self.blame("bad", 0, "create") + "expected a map, found {\"limit\":3}"
            )
        ) { try job.start() }
    }

    @Test("an operator that gives up in process", arguments: [1, 3])
    func anOperatorThatGivesUpInProcess(parallelism: Int) throws {
        var (job, out) = try endlessJob(parallelism: parallelism)
        try job.addOperator("bad", "fatal", ["sum"], from: .hostile)
        job.addSink("nothing", ["bad"])
        let end = try job.finish(seconds: 10).end
        guard case .failed(let failure) = end else {
            Issue.record("\(end)")
            return
        }
        #expect(failure.fault == .plugin)
        #expect(failure.node == "bad")
        #expect(
            (0..<parallelism).map {
                Self.blame("bad", $0, "process") + "I give up: 3 of 4 engines are gone"
            }.contains(failure.message)
        )
        #expect(job.watches["in"]?.closeCount.value == 1)
        #expect(out.closeCount.value == 1)
    }

    @Test("an operator that throws in open")
    func anOperatorThatThrowsInOpen() throws {
        var (job, out) = try endlessJob()
        job.addSource("one", records: [TestRecord(value: "x", time: 1)], isTimed: true)
        try job.addOperator("bad", "throw-in-open", ["one"], from: .hostile)
        try expectFailure(
            job,
            .plugin,
            "bad",
            Self.blame("bad", 0, "open") + "threw an exception: the door is stuck"
        )
        #expect(out.closeCount.value == 1)
        #expect(job.watches["one"]?.closeCount.value == 1)
    }

    @Test(
        "an operator that fails at the end of its input",
        arguments: [
            ("throw-in-close", "close", "threw an exception: the door does not shut"),
            ("throw-in-watermark", "on_watermark", "threw an exception: time flies"),
        ]
    )
    func anOperatorThatFailsAtTheEndOfItsInput(
        component: String,
        callback: String,
        message: String
    ) throws {
        var (job, _) = try endlessJob()
        job.addSource("one", records: [TestRecord(value: "x", time: 1)], isTimed: true)
        try job.addOperator("bad", component, ["one"], from: .hostile)
        try expectFailure(job, .plugin, "bad", Self.blame("bad", 0, callback) + message)
    }

    @Test("an operator that throws in on_timers")
    func anOperatorThatThrowsInOnTimers() throws {
        var job = try TestJob(parallelism: 1)
        job.addSource("in", records: [TestRecord(value: "k:1", time: 1)], isTimed: true)
        try job.addOperator(
            "bad",
            "throw-in-timers",
            ["in"],
            key: .prefix,
            from: .hostile
        )
        try expectFailure(
            job,
            .plugin,
            "bad",
            Self.blame("bad", 0, "on_timers") + "threw an exception: the bell is broken"
        )
    }

    @Test("a failure breaks off a callback that looks at the stop flag")
    func aFailureBreaksOffACallbackThatLooksAtTheStopFlag() throws {
        var job = try TestJob(parallelism: 2)
        // Thread 1 hangs in a callback; then the sink on thread 0 fails.
        let gate = Gate()
        job.addParallelSource("in") { subtask in
            let record = TestRecord(key: "k", value: "k:\(subtask)", time: 1)
            return subtask == 0 ? [.wait(gate), .record(record)] : [.record(record)]
        }
        try job.addOperator("hold", "hold", ["in"])
        job.addSink("out", ["hold"], isParallel: true, Collector.Behaviour(failsAtRecord: 1))
        let running = try job.start()
        try running.wait(for: "the callback") { running.node("hold")?.recordsIn == 1 }
        gate.open()
        #expect(
            try running.wait(seconds: 10).end
                == .failed(JobFailure(.environment, node: "out", "the disk is full"))
        )
    }

    @Test("close is called once for what was opened, whatever happened", arguments: [1, 2])
    func closeIsCalledOnceForWhatWasOpened(parallelism: Int) throws {
        for how in ["abort", "fail"] {
            var job = try TestJob(parallelism: parallelism)
            job.addParallelSource(
                "in",
                { _ in [] },
                endless: { TestRecord(key: "k", value: "k:\($0)", time: 1) }
            )
            try job.addOperator("life", "life", ["in"])
            let out = job.addSink(
                "out",
                ["life"],
                isParallel: true,
                Collector.Behaviour(
                    failsAtRecord: how == "fail" ? 20_000 : .max,
                    keepsRecords: false
                )
            )
            let running = try job.start()
            if how == "abort" {
                try running.wait(for: "records") { out.writtenCount.value > 20_000 }
                running.run.abort()
            }
            let summary = try running.wait(seconds: 10)
            #expect(summary.end != .finished)
            #expect(summary.pluginCounters.map(\.value) == [UInt64(parallelism)], "\(how)")
            #expect(out.closeCount.value == parallelism, "\(how)")
            #expect(job.watches["in"]?.closeCount.value == parallelism, "\(how)")
        }
    }
}
