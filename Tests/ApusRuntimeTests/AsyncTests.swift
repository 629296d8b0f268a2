import ApusGraph
import ApusRuntime
import Glibc
import Testing

/// Goal: answers of asynchronous calls leave in the right order, and once.
///
/// Method: a plugin whose calls are answered out of order by another thread; what comes out is
/// compared with what went in.
@Suite("Asynchronous calls", .serialized)
struct AsyncTests {
    private static func records(_ count: Int) -> [TestRecord] {
        (0..<count).map { TestRecord(value: "k\($0 % 13):\($0)", time: Int64($0)) }
    }

    private static func settings(
        capacity: Int = 64,
        order: AsyncDescription.Order = .unordered,
        change: (inout AsyncDescription) -> Void = { _ in }
    ) -> AsyncDescription {
        var settings = AsyncDescription()
        settings.capacity = capacity
        settings.order = order
        settings.retryDelayMicroseconds = 2000
        change(&settings)
        return settings
    }

    private static func mode(_ mode: String) -> ConfigurationValue {
        .map([.init("mode", .string(mode))])
    }

    /// Runs `calls` over records, and gives what came out.
    private static func run(
        _ mode: String,
        _ count: Int,
        parallelism: Int = 1,
        _ settings: AsyncDescription = settings()
    ) throws -> (job: TestJob, output: Collector, summary: JobRun.Summary) {
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records(count), isTimed: true)
        try job.addOperator(
            "ask",
            "calls",
            ["in"],
            configuration: Self.mode(mode),
            async: settings,
            from: .async
        )
        let output = job.addSink("out", ["ask"])
        let running = try job.start()
        // The clock goes on, so that time-outs and delays come to their ends.
        var now = job.clock.wallMicroseconds()
        while !running.run.hasEnded {
            usleep(500)
            now += 1000
            job.clock.setWall(now)
        }
        return (job, output, try running.wait(seconds: 1))
    }

    @Test("every record is answered once", arguments: ["echo", "inside", "twice"], [1, 7, 5000])
    func everyRecordIsAnsweredOnce(mode: String, capacity: Int) throws {
        let (_, output, summary) = try Self.run(mode, 3000, Self.settings(capacity: capacity))
        #expect(summary.end == .finished)
        #expect(output.values.sorted() == Self.records(3000).map(\.value).sorted())
        let wrong = summary.pluginCounters.first { $0.name == "wrong" }
        #expect(wrong?.value == 0, "a completion was accepted twice")
    }

    @Test("in order, answers leave in the order of the records", arguments: [1, 7, 5000])
    func inOrder(capacity: Int) throws {
        let settings = Self.settings(capacity: capacity, order: .ordered)
        let (_, output, _) = try Self.run("echo", 3000, settings)
        #expect(output.values == Self.records(3000).map(\.value))
    }

    @Test("out of order they do not wait for each other")
    func outOfOrder() throws {
        let (_, output, _) = try Self.run("echo", 3000, Self.settings(capacity: 5000))
        #expect(output.values != Self.records(3000).map(\.value))
    }

    @Test(
        "a call that fails is begun again, in its place",
        arguments: AsyncDescription.Order.allCases
    )
    func again(order: AsyncDescription.Order) throws {
        let settings = Self.settings(order: order) { $0.retryCount = 1 }
        let (_, output, summary) = try Self.run("flaky", 1000, settings)
        #expect(summary.end == .finished)
        let values = order == .ordered ? output.values : output.values.sorted()
        let records = Self.records(1000).map(\.value)
        #expect(values == (order == .ordered ? records : records.sorted()))
    }

    @Test("a call that fails for good fails the job, with the reason of the service")
    func failsTheJob() throws {
        let (_, _, summary) = try Self.run("failing", 10, Self.settings { $0.retryCount = 2 })
        guard case .failed(let failure) = summary.end else {
            Issue.record("the job ended with \(summary.end)")
            return
        }
        #expect(
            failure.description.contains(
                "the call failed with code -3: no luck (3 attempts); set its record aside with "
                    + "`async: {on-failure: dead-letter}`"
            ),
            "\(failure)"
        )
    }

    @Test("or its record is set aside", arguments: ["failing", "never"])
    func setAside(mode: String) throws {
        let settings = Self.settings {
            $0.failurePolicy = .deadLetter
            $0.timeoutMicroseconds = mode == "never" ? 20_000 : 30_000_000
        }
        let (job, output, summary) = try Self.run(mode, 100, settings)
        #expect(summary.end == .finished)
        #expect(output.values.isEmpty)
        let reasons = job.deadLetters.letters.map(\.reason)
        #expect(reasons.count == 100)
        let expected =
            mode == "never"
            ? "the call was not completed in time (1 attempt)"
            : "the call failed with code -3: no luck (1 attempt)"
        #expect(reasons.allSatisfy { $0 == expected }, "\(Set(reasons))")
    }

    @Test("an answer without results is an answer")
    func nothing() throws {
        let (_, output, summary) = try Self.run("nothing", 500)
        #expect(summary.end == .finished)
        #expect(output.values.isEmpty)
    }

    @Test("several calls for a record need as many places")
    func greedy() throws {
        let (_, output, summary) = try Self.run("greedy", 300, Self.settings(capacity: 3))
        #expect(summary.end == .finished)
        let thrice = Self.records(300).map(\.value).flatMap { [$0, $0, $0] }
        #expect(output.values.sorted() == thrice.sorted())
        let (_, _, refused) = try Self.run("greedy", 300, Self.settings(capacity: 2))
        guard case .failed(let failure) = refused.end else {
            Issue.record("the job ended with \(refused.end)")
            return
        }
        #expect(failure.description.contains("more calls for one record than the capacity of 2"))
    }

    @Test("answers that come when the instance is closed are refused")
    func late() throws {
        var job = try TestJob(parallelism: 1)
        job.addSource("in", Self.records(50).map { .record($0) } + [.wait(Gate())], isTimed: true)
        try job.addOperator(
            "ask",
            "calls",
            ["in"],
            configuration: Self.mode("late"),
            async: Self.settings(),
            from: .async
        )
        job.addSink("out", ["ask"])
        let running = try job.start()
        try running.wait(for: "the records") { running.node("ask")?.recordsIn == 50 }
        running.run.abort()
        #expect(try running.wait(seconds: 30).end == .aborted)
        // The plugin aborts the process when one of its late answers is accepted.
        usleep(60_000)
    }

    @Test("posted events come, once for all of the same number")
    func events() throws {
        let (_, output, summary) = try Self.run("event", 3000)
        #expect(summary.end == .finished)
        #expect(Set(output.values) == ["0", "1", "2"])
        #expect(output.values.count < 3000)
    }

    @Test("state is counted when an answer comes, and event time waits", arguments: 1...3)
    func tally(parallelism: Int) throws {
        var job = try TestJob(parallelism: parallelism)
        let records = Self.records(3000)
        job.addSource("in", records: records, isTimed: true)
        try job.addOperator(
            "ask",
            "tally",
            ["in"],
            key: .prefix,
            configuration: Self.mode("echo"),
            async: Self.settings(capacity: 200),
            from: .async
        )
        let output = job.addSink("out", ["ask"])
        let summary = try job.finish()
        #expect(summary.end == .finished)
        func counter(_ name: String) -> UInt64? {
            summary.pluginCounters.first { $0.name == name }?.value
        }
        #expect(counter("answer_bytes_count") == 3000)
        let byteCount = records.reduce(0) { $0 + $1.value.utf8.count }
        #expect(counter("answer_bytes_sum") == UInt64(byteCount))
        let expected = (0..<3000).map { "k\($0 % 13):\($0 / 13 + 1)" }
        #expect(output.values.sorted() == expected.sorted())
    }
}
