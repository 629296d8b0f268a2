import ApusGraph
import ApusRuntime
import Glibc
import Testing

/// Goal: a job that is stopped delivers what is under way, one that is aborted ends at once, and
/// memory is bounded meanwhile.
///
/// Method: endless sources, slow sinks, exploding operators.
@Suite("Stop and abort")
struct EndTests {
    /// Processor-bound tests run beside this one; the promise is 1 s on an idle machine.
    private static let abortSeconds = 1.0

    private static func endless(_ index: Int) -> TestRecord {
        TestRecord(value: "k\(index % 1000):\(index)", time: Int64(index))
    }

    @Test("a slow sink holds a fast source back, and stop delivers all", arguments: [1, 2, 3])
    func aSlowSinkHoldsAFastSourceBack(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", [], endless: Self.endless, isTimed: true)
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        try job.addOperator("tag", "tagger", ["sum"])
        let out = job.addSink(
            "out",
            ["tag"],
            Collector.Behaviour(writeMicroseconds: 5000)
        )
        let watch = try #require(job.watches["in"])
        let running = try job.start()
        var most = 0
        try? running.wait(for: "nothing", seconds: 1.5) {
            most = max(most, watch.readCount.value - out.writtenCount.value)
            return false
        }
        // Between two subtasks are at most 16 batches in the ring, one being filled and one being
        // read; a batch holds 1,024 records, but may be sent when it is not full.
        let batchCount = 18 * parallelism + 18 * parallelism + 2
        #expect(most <= batchCount * 1024)
        #expect(out.writtenCount.value > 0)
        running.run.stop()
        let summary = try running.wait()
        #expect(summary.end == .stopped)
        #expect(out.records.count == watch.readCount.value)
        let read = (0..<watch.readCount.value).map(Self.endless)
        #expect(Model.byKey(out.records) == Model.byKey(Model.sum(Model.keyed(read))))
        #expect(watch.closeCount.value == 1)
        #expect(out.closeCount.value == 1)
    }

    @Test("stop fires no timer that is not due", arguments: [1, 2])
    func stopFiresNoTimerThatIsNotDue(parallelism: Int) throws {
        let never = Gate()
        var job = try TestJob(parallelism: parallelism)
        job.addSource(
            "in",
            (0..<100).map { .record(TestRecord(value: "k\($0):1000", time: $0)) }
                + [.cut, .wait(never)],
            isTimed: true
        )
        try job.addOperator("alarm", "alarm", ["in"], key: .prefix)
        let out = job.addSink("out", ["alarm"])
        let running = try job.start()
        try running.wait(for: "the records") { running.node("alarm")?.recordsIn == 100 }
        running.run.stop()
        let summary = try running.wait(seconds: 5)
        #expect(summary.end == .stopped)
        #expect(out.records.isEmpty)
        #expect(summary.armedTimers.map(\.node) == ["alarm"])
        #expect(summary.armedTimers.map(\.count) == [100])
        #expect(out.closeCount.value == 1)
    }

    @Test("stop moves event time nowhere, also when sources stand at different times")
    func stopMovesEventTimeNowhere() throws {
        for behind in ["a", "b"] {
            let never = Gate()
            var job = try TestJob(parallelism: 2)
            for id in ["a", "b"] {
                let time: Int64 = id == behind ? 10 : 1000
                job.addSource(
                    id,
                    [.record(TestRecord(value: "\(id):100", time: time)), .cut, .wait(never)],
                    isTimed: true
                )
            }
            // Due at 110 and 1,100: event time is 9 when the job is stopped.
            try job.addOperator("alarm", "alarm", ["a", "b"], key: .prefix)
            try job.addOperator("w", "watermarks", ["alarm"])
            let out = job.addSink("out", ["w"])
            let running = try job.start()
            try running.wait(for: "watermark 9") { running.node("alarm")?.watermark == 9 }
            running.run.stop()
            let summary = try running.wait(seconds: 5)
            #expect(summary.end == .stopped)
            #expect(Set(out.values) == ["w:9"], "\(behind) is behind")
            #expect(summary.armedTimers.map(\.count) == [2])
        }
    }

    @Test("stop comes to an end although a timer of the other kind waits")
    func stopComesToAnEndAlthoughATimerWaits() throws {
        let never = Gate()
        var job = try TestJob(parallelism: 2)
        job.addSource("in", [.record(TestRecord(value: "k:100")), .cut, .wait(never)])
        try job.addOperator("clock", "clock", ["in"], key: .prefix)
        let out = job.addSink("out", ["clock"])
        let running = try job.start()
        try running.wait(for: "the record") { running.node("clock")?.recordsIn == 1 }
        running.run.stop()
        let summary = try running.wait(seconds: 5)
        #expect(summary.end == .stopped)
        #expect(out.records.isEmpty)
        #expect(summary.armedTimers.map(\.count) == [1])
    }

    // MARK: - Abort

    private func expectQuickAbort(_ running: RunningJob) throws {
        let clock = TestClock()
        let start = clock.monotonicNanoseconds()
        running.run.abort()
        let summary = try running.wait()
        let seconds = Double(clock.monotonicNanoseconds() - start) / 1e9
        #expect(summary.end == .aborted)
        #expect(seconds < Self.abortSeconds)
    }

    @Test("abort ends a job in the middle of an explosion", arguments: [true, false], [1, 2])
    func abortEndsAJobInTheMiddleOfAnExplosion(isHostile: Bool, parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: [TestRecord(value: isHostile ? "5000000" : "x:5000000")])
        // The hostile one does not look at the stop flag, the other one does.
        try job.addOperator(
            "blast",
            isHostile ? "explode" : "blow-up",
            ["in"],
            from: isHostile ? .hostile : .probe
        )
        try job.addOperator("count", "maybe-keyed", ["blast"], key: .prefix)
        let out = job.addSink(
            "out",
            ["count"],
            Collector.Behaviour(writeMicroseconds: 3000, keepsRecords: false)
        )
        let running = try job.start()
        try running.wait(for: "the explosion") { out.writtenCount.value > 0 }
        try expectQuickAbort(running)
        #expect(out.writtenCount.value < 5_000_000)
    }

    @Test("abort ends a job whose sink lets everything wait")
    func abortEndsAJobWhoseSinkLetsEverythingWait() throws {
        var job = try TestJob(parallelism: 2)
        job.addSource("in", [], endless: Self.endless)
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink(
            "out",
            ["sum"],
            Collector.Behaviour(writeMicroseconds: 300_000, keepsRecords: false)
        )
        let running = try job.start()
        try running.wait(for: "the first write") { out.writtenCount.value > 0 }
        try? running.wait(for: "full channels", seconds: 0.5) { false }
        try expectQuickAbort(running)
    }

    @Test("only the thread of a sink that hangs outlives an abort")
    func onlyTheThreadOfASinkThatHangsOutlivesAnAbort() throws {
        var job = try TestJob(parallelism: 3)
        let gate = Gate()
        job.addSource("in", [], endless: Self.endless)
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        job.addSink(
            "out",
            ["sum"],
            Collector.Behaviour(gate: gate, keepsRecords: false)
        )
        let running = try job.start()
        try? running.wait(for: "full channels", seconds: 0.3) { false }
        running.run.abort()
        try? running.wait(for: "the end", seconds: 0.5) { running.run.hasEnded }
        #expect(!running.run.hasEnded, "a call into a sink cannot be broken off")
        gate.open()
        #expect(try running.wait(seconds: Self.abortSeconds).end == .aborted)
    }

    @Test("abort ends timers that set themselves anew for ever", arguments: [1, 2])
    func abortEndsTimersThatSetThemselvesAnewForEver(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource(
            "in",
            records: [TestRecord(value: "k:1", time: 1)],
            isTimed: true
        )
        try job.addOperator(
            "again",
            "rearm-forever",
            ["in"],
            key: .prefix,
            from: .hostile
        )
        job.addSink("out", ["again"])
        let running = try job.start()
        try running.wait(for: "some timers") { (running.node("again")?.timersFired ?? 0) > 100 }
        try expectQuickAbort(running)
    }

    @Test("abort ends a callback that looks at the stop flag", arguments: [1, 2])
    func abortEndsACallbackThatLooksAtTheStopFlag(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: [TestRecord(value: "k:1")])
        try job.addOperator("hold", "hold", ["in"])
        job.addSink("out", ["hold"])
        let running = try job.start()
        try running.wait(for: "the record") { running.node("hold")?.recordsIn == 1 }
        try expectQuickAbort(running)
    }

    @Test("abort ends a job that waits for input")
    func abortEndsAJobThatWaitsForInput() throws {
        var job = try TestJob(parallelism: 3)
        job.addSource("in", [.wait(Gate())])
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        let out = job.addSink("out", ["sum"])
        let running = try job.start()
        try? running.wait(for: "sleep", seconds: 0.1) { false }
        try expectQuickAbort(running)
        #expect(job.watches["in"]?.closeCount.value == 1)
        #expect(out.closeCount.value == 1)
    }
}
