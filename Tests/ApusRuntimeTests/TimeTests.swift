import ApusGraph
import ApusRuntime
import Testing

/// Goal: event time is the least of what the inputs say, timers fire once, in order, and when
/// they are due.
///
/// Method: scripted sources that stop at gates; a clock on the wall set by hand.
@Suite("Time")
struct TimeTests {
    /// A record of the key `k` that sets an alarm so long after its time.
    private static func alarm(_ time: Int64, after delay: Int64, key: String = "k") -> TestRecord {
        TestRecord(value: "\(key):\(delay)", time: time)
    }

    // MARK: - Watermarks

    @Test("a reader's event time is the least of its inputs")
    func aReadersEventTimeIsTheLeastOfItsInputs() throws {
        let (more, end) = (Gate(), Gate())
        var job = try TestJob(parallelism: 1)
        job.addSource(
            "a",
            [
                .record(TestRecord(value: "1", time: 10)), .cut, .wait(more),
                .record(TestRecord(value: "2", time: 50)), .cut, .wait(end),
            ],
            isTimed: true
        )
        job.addSource(
            "b",
            [.record(TestRecord(value: "3", time: 100)), .cut, .wait(end)],
            isTimed: true,
            outOfOrder: 5
        )
        try job.addOperator("w", "watermarks", ["a", "b"])
        let out = job.addSink("out", ["w"])
        let running = try job.start()
        func watermarks() -> [String] { out.values.filter { $0.hasPrefix("w:") } }
        try running.wait(for: "the first watermark") { watermarks() == ["w:9"] }
        more.open()
        try running.wait(for: "the second watermark") { watermarks() == ["w:9", "w:49"] }
        #expect(running.node("a")?.watermark == 49)
        #expect(running.node("b")?.watermark == 94)
        #expect(running.node("w")?.watermark == 49)
        end.open()
        #expect(try running.wait().end == .finished)
        #expect(watermarks().last == "w:\(Int64.max)")
        #expect(Set(watermarks()).count == watermarks().count, "none comes twice")
    }

    @Test("a source without times holds event time back until it ends")
    func aSourceWithoutTimesHoldsEventTimeBack() throws {
        let end = Gate()
        var job = try TestJob(parallelism: 1)
        job.addSource("a", [.record(TestRecord(value: "1")), .cut, .wait(end)])
        job.addSource("b", records: [TestRecord(value: "2", time: 100)], isTimed: true)
        try job.addOperator("w", "watermarks", ["a", "b"])
        let out = job.addSink("out", ["w"])
        let running = try job.start()
        try running.wait(for: "the records") { out.records.count == 2 }
        try running.wait(for: "the end of b") { running.node("b")?.watermark == .max }
        #expect(out.values.sorted() == ["1", "2"])
        end.open()
        #expect(try running.wait().end == .finished)
        #expect(out.values.last == "w:\(Int64.max)")
    }

    @Test("an idle source is left out, is told, and comes back", arguments: [1, 2])
    func anIdleSourceIsLeftOut(parallelism: Int) throws {
        let (back, end) = (Gate(), Gate())
        var job = try TestJob(parallelism: parallelism)
        job.addSource(
            "quiet",
            [
                .record(TestRecord(value: "q:1", time: 10)), .cut, .wait(back),
                .record(TestRecord(value: "q:2", time: 20)), .cut, .wait(end),
            ],
            isTimed: true,
            idleAfter: 50_000
        )
        job.addSource(
            "busy",
            [.record(TestRecord(value: "b:1", time: 1000)), .cut, .wait(end)],
            isTimed: true
        )
        try job.addOperator("alarm", "alarm", ["quiet", "busy"], key: .prefix)
        let out = job.addSink("out", ["alarm"])
        let running = try job.start()
        try running.wait(for: "event time without the quiet source") {
            out.values == ["q:10"]
        }
        #expect(
            running.notes.all == [
                "source 'quiet' is idle: no record for 50ms; event time goes on without it "
                    + "(watermark.idle-after)"
            ]
        )
        // Its records are late now, but they count; a timer that is due fires at once.
        back.open()
        try running.wait(for: "the late record") { out.values == ["q:10", "q:20"] }
        try running.wait(for: "the second silence") { running.notes.all.count == 2 }
        end.open()
        #expect(try running.wait().end == .finished)
        #expect(out.values == ["q:10", "q:20", "b:1000"])
    }

    // MARK: - Timers in event time

    @Test("windows equal the model", arguments: [1, 2, 3, 4, 7])
    func windowsEqualTheModel(parallelism: Int) throws {
        let records = Sample.disordered(
            Sample.numbers(10_000, keyCount: 60, seed: 7),
            distance: 50,
            seed: 8
        )
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records, isTimed: true, outOfOrder: 50)
        try job.addOperator("window", "window", ["in"], key: .prefix)
        let out = job.addSink("out", ["window"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        let expected = Model.window(Model.keyed(records))
        #expect(out.records.sorted() == expected.sorted())
        let window = summary.progress.nodes.first { $0.id == "window" }
        #expect(window?.timersFired == expected.count)
        #expect(window?.keyCount == 0)
        #expect(summary.armedTimers.isEmpty)
    }

    @Test("each timer fires once, in the order of time, and all at the end", arguments: [1, 2, 7])
    func eachTimerFiresOnceInTheOrderOfTime(parallelism: Int) throws {
        let records = Sample.numbers(5000, keyCount: 90, seed: 9, step: 3).map { record in
            Self.alarm(
                record.time,
                after: Int64(record.value.utf8.count) * 7919 % 10_000,
                key: Model.prefix(record.value) ?? ""
            )
        }
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records, isTimed: true)
        try job.addOperator("alarm", "alarm", ["in"], key: .prefix)
        let out = job.addSink("out", ["alarm"])
        #expect(try job.finish().end == .finished)
        let expected = Model.keyed(records).map { record in
            TestRecord(
                key: record.key,
                value: "\(record.key ?? ""):\(record.time)",
                time: record.time + Int64(Model.number(record.value) ?? 0)
            )
        }
        #expect(out.records.sorted() == expected.sorted())
        for (key, fired) in Model.byKey(out.records) {
            #expect(fired.map(\.time) == fired.map(\.time).sorted(), "key \(key ?? "-")")
        }
        if parallelism == 1 {
            #expect(out.records.map(\.time) == out.records.map(\.time).sorted())
        }
    }

    @Test("a timer fires when the watermark reaches it, not before")
    func aTimerFiresWhenTheWatermarkReachesIt() throws {
        let (before, at) = (Gate(), Gate())
        var job = try TestJob(parallelism: 2)
        job.addSource(
            "in",
            [
                .record(Self.alarm(100, after: 50)), .cut,
                .record(Self.alarm(150, after: 1_000_000, key: "other")), .cut, .wait(before),
                .record(Self.alarm(151, after: 1_000_000, key: "other")), .cut, .wait(at),
            ],
            isTimed: true
        )
        try job.addOperator("alarm", "alarm", ["in"], key: .prefix)
        let out = job.addSink("out", ["alarm"])
        let running = try job.start()
        try running.wait(for: "watermark 149") { running.node("alarm")?.watermark == 149 }
        #expect(running.node("alarm")?.timersFired == 0)
        before.open()
        try running.wait(for: "the timer") { out.records.count == 1 }
        #expect(out.records == [TestRecord(key: "k", value: "k:100", time: 150)])
        at.open()
        #expect(try running.wait().end == .finished)
        #expect(out.records.count == 3)
    }

    @Test("a timer set for a time that has passed fires at once", arguments: [1, 2])
    func aTimerSetForATimeThatHasPassedFiresAtOnce(parallelism: Int) throws {
        let (late, end) = (Gate(), Gate())
        var job = try TestJob(parallelism: parallelism)
        job.addSource(
            "in",
            [
                .record(Self.alarm(100, after: 1000)), .cut, .wait(late),
                // Event time is 99, and these records do not move it.
                .record(Self.alarm(10, after: 5)), .record(Self.alarm(11, after: -11)), .cut,
                .wait(end),
            ],
            isTimed: true
        )
        try job.addOperator("alarm", "alarm", ["in"], key: .prefix)
        let out = job.addSink("out", ["alarm"])
        let running = try job.start()
        try running.wait(for: "watermark 99") { running.node("alarm")?.watermark == 99 }
        late.open()
        try running.wait(for: "the late timers", seconds: 5) { out.records.count == 2 }
        #expect(out.records.map(\.time).sorted() == [0, 15])
        end.open()
        #expect(try running.wait().end == .finished)
        #expect(out.records.count == 3)
    }

    // MARK: - Timers in processing time

    @Test("timers in processing time fire by the clock on the wall", arguments: [1, 2])
    func timersInProcessingTimeFireByTheClockOnTheWall(parallelism: Int) throws {
        let end = Gate()
        var job = try TestJob(parallelism: parallelism)
        job.clock.setWall(1_000_000)
        job.addSource(
            "in",
            [100, 300, 200, 9_000_000].map { .record(TestRecord(value: "k:\($0)")) }
                + [.cut, .wait(end)]
        )
        try job.addOperator("clock", "clock", ["in"], key: .prefix)
        let out = job.addSink("out", ["clock"])
        let running = try job.start()
        try running.wait(for: "the records") { running.node("clock")?.recordsIn == 4 }
        #expect(out.records.isEmpty)
        job.clock.setWall(1_000_099)
        #expect(throws: RunningJob.Late.self) {
            try running.wait(for: "nothing", seconds: 0.1) { !out.records.isEmpty }
        }
        job.clock.setWall(1_000_250)
        try running.wait(for: "two timers") { out.records.count == 2 }
        #expect(out.values == ["100@1000250", "200@1000250"])
        #expect(out.records.map(\.time) == [1_000_100, 1_000_200])
        job.clock.setWall(2_000_000)
        try running.wait(for: "the third timer") { out.records.count == 3 }
        end.open()
        let summary = try running.wait()
        #expect(summary.end == .finished)
        #expect(out.records.count == 3, "the end of the input is not the end of time")
        #expect(summary.armedTimers.map(\.node) == ["clock"])
        #expect(summary.armedTimers.map(\.count) == [1])
    }

    @Test("timers in processing time that are due when the input ends fire", arguments: [1, 2])
    func dueTimersInProcessingTimeFireAtTheEnd(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        job.clock.setWall(1_000_000)
        job.addSource(
            "in",
            ["a:0", "b:0", "c:0", "d:50"].map { .record(TestRecord(value: $0)) }
        )
        try job.addOperator("clock", "clock", ["in"], key: .prefix)
        let out = job.addSink("out", ["clock"])
        let summary = try job.finish(seconds: 10)
        #expect(summary.end == .finished)
        #expect(out.values.sorted() == ["0@1000000", "0@1000000", "0@1000000"])
        #expect(summary.armedTimers.map(\.count) == [1], "the one that is not due")
    }

    @Test("a timer in the far future keeps no thread awake")
    func aTimerInTheFarFutureKeepsNoThreadAwake() throws {
        let end = Gate()
        var job = try TestJob(parallelism: 1)
        // So far that its distance in nanoseconds does not fit 64 bits.
        job.addSource("in", [.record(TestRecord(value: "k:900000000000000000")), .wait(end)])
        try job.addOperator("clock", "clock", ["in"], key: .prefix)
        job.addSink("out", ["clock"])
        let running = try job.start()
        try running.wait(for: "the record") { running.node("clock")?.recordsIn == 1 }
        let before = running.run.cpuNanoseconds()
        try? running.wait(for: "nothing", seconds: 0.5) { false }
        let used = running.run.cpuNanoseconds() - before
        #expect(used < 250_000_000, "\(used) ns in half a second")
        end.open()
        #expect(try running.wait().end == .finished)
    }
}
