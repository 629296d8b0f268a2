import ApusGraph
import Testing

@testable import ApusJobFile

/// State, checkpoints and delivery become exactly what the file says.
@Suite("Job file: state, checkpoints and delivery")
struct DurabilityTests {
    static func durability(_ old: String, _ new: String) throws -> Durability {
        try DurableSample.read(replacing: old, with: new).get().job.durability
    }

    /// The sample with these settings of the job, and sinks that go with any.
    static func job(_ settings: String) throws -> JobDescription {
        let text = DurableSample.text.replacing(DurableSample.settings, with: settings)
            .replacing("out/results/", with: "out/results.jsonl")
        return try JobFileSample.read(text).get().job
    }

    @Test("reads every key of the sample")
    func readsEveryKeyOfTheSample() throws {
        let file = try JobFileSample.read(DurableSample.text).get()
        #expect(file.warnings.isEmpty)
        #expect(
            file.job.durability
                == Durability(
                    checkpoint: CheckpointDescription(
                        directory: "data/checkpoints",
                        intervalMicroseconds: 10_000_000,
                        minPauseMicroseconds: 2_000_000,
                        timeoutMicroseconds: 300_000_000,
                        tolerableFailureCount: 10,
                        alignmentTimeoutMicroseconds: 500_000,
                        retainedCount: 3,
                        ioLimitBytesPerSecond: 100_000_000
                    ),
                    storage: .rocksdb(directory: "data/database"),
                    memoryBudget: .bytes(256 << 20),
                    delivery: .exactlyOnce
                )
        )
        #expect(
            file.job.operators[0].expiries == [
                ExpiryDescription(
                    stateName: "ticket",
                    ttlMicroseconds: 90 * 86_400_000_000,
                    refresh: .readAndWrite,
                    time: .event,
                    location: SourceLocation(line: 29, column: 9)
                ),
                ExpiryDescription(
                    stateName: "reminders",
                    ttlMicroseconds: 7 * 86_400_000_000,
                    location: SourceLocation(line: 30, column: 9)
                ),
            ]
        )
        #expect(file.job.sinks.map(\.delivery) == [nil, .atLeastOnce])
        #expect(file.job.sinks.map(\.kind.isFolder) == [true, false])
    }

    @Test("a job that says nothing keeps its state in memory and takes no checkpoints")
    func aJobThatSaysNothing() throws {
        let durability = try Self.job("  parallelism: 1").durability
        #expect(durability == Durability())
        #expect(durability.checkpoint == nil)
        #expect(durability.storage == .memory)
        #expect(durability.memoryBudget == nil)
        #expect(durability.jobDelivery == .atLeastOnce)
    }

    @Test("a folder is all that checkpoints need")
    func aFolderIsAllThatCheckpointsNeed() throws {
        let durability = try Self.job("  checkpoint: { dir: cp }").durability
        let checkpoint = try #require(durability.checkpoint)
        #expect(checkpoint.directory == "cp")
        #expect(checkpoint.intervalMicroseconds == 10_000_000)
        #expect(checkpoint.minPauseMicroseconds == 0)
        #expect(checkpoint.timeoutMicroseconds == 600_000_000)
        #expect(checkpoint.tolerableFailureCount == nil)
        #expect(checkpoint.alignmentTimeoutMicroseconds == 1_000_000)
        #expect(checkpoint.retainedCount == 2)
        #expect(checkpoint.ioLimitBytesPerSecond == nil)
        #expect(durability.storage == .rocksdb(directory: nil))
        #expect(durability.jobDelivery == .exactlyOnce)
    }

    @Test("words stand for no limit")
    func wordsStandForNoLimit() throws {
        let checkpoint = try Self.job(
            """
              checkpoint:
                dir: cp
                tolerable-failures: unlimited
                alignment-timeout: never
                io-limit: unlimited
            """
        ).durability.checkpoint
        #expect(checkpoint?.tolerableFailureCount == nil)
        #expect(checkpoint?.alignmentTimeoutMicroseconds == nil)
        #expect(checkpoint?.ioLimitBytesPerSecond == nil)
    }

    @Test(
        "the ends of every range are good",
        arguments: [
            ("interval: 10s", "interval: 100ms"), ("interval: 10s", "interval: 24h"),
            ("min-pause: 2s", "min-pause: 0s"), ("min-pause: 2s", "min-pause: 1d"),
            ("timeout: 5m", "timeout: 501ms"), ("timeout: 5m", "timeout: 24h"),
            ("tolerable-failures: 10", "tolerable-failures: 0"),
            ("alignment-timeout: 500ms", "alignment-timeout: 0s"),
            ("alignment-timeout: 500ms", "alignment-timeout: 299s"),
            ("retain: 3", "retain: 2"), ("retain: 3", "retain: 1000"),
            ("io-limit: 100MB/s", "io-limit: 1KB/s"), ("io-limit: 100MB/s", "io-limit: 9GiB/s"),
            ("budget: 256MiB", "budget: 32MiB"), ("budget: 256MiB", "budget: 1%"),
            ("budget: 256MiB", "budget: 90%"), ("ttl: 7d", "ttl: 1s"), ("ttl: 7d", "ttl: 36500d"),
        ]
    )
    func theEndsOfEveryRangeAreGood(old: String, new: String) {
        #expect(DurableSample.read(replacing: old, with: new).errorLines.isEmpty)
    }

    @Test("a default that is longer than the attempt's time is no contradiction")
    func aDefaultIsNoContradiction() throws {
        #expect(
            try Self.job("  checkpoint: { dir: cp, timeout: 500ms }").durability != Durability()
        )
    }

    @Test(
        "a database beside the checkpoints is good",
        arguments: ["data/checkpoints2", "/data/checkpoints/db", "data/check", "db"]
    )
    func aDatabaseBesideTheCheckpointsIsGood(directory: String) throws {
        let durability = try Self.durability("dir: data/database", "dir: \(directory)")
        #expect(durability.storage == .rocksdb(directory: directory))
    }

    @Test("a budget without a database is a warning at its line")
    func aBudgetWithoutADatabaseIsAWarning() throws {
        let text = JobFileSample.text.replacing(
            "  parallelism: 2\n",
            with: "  memory: { budget: 50% }\n"
        )
        #expect(
            try JobFileSample.read(text).get().warningText == """
                warning: job.yaml:5:21: spec.memory.budget: a budget for state that is in memory \
                alone; it cannot be kept, because there is no place to move state to; set \
                'checkpoint:'
                """
        )
    }

    @Test("exactly-once for standard output is a warning when the author says it")
    func exactlyOnceForStandardOutputIsAWarning() throws {
        func warnings(_ delivery: String) throws -> String {
            try DurableSample.read(replacing: ", delivery: at-least-once", with: delivery).get()
                .warningText
        }
        let text =
            "'exactly-once' for standard output, which cannot be asked what reached it; "
            + "after a failure the output of one checkpoint may be printed again"
        #expect(
            try warnings(", delivery: exactly-once")
                == "warning: job.yaml:33:64: spec.sinks[log].delivery: \(text)"
        )
        #expect(try warnings("") == "warning: job.yaml:33:7: spec.sinks[log]: \(text)")
        let unsaid = DurableSample.text.replacing("  delivery: exactly-once\n", with: "")
            .replacing(", delivery: at-least-once", with: "")
        #expect(try JobFileSample.read(unsaid).get().warnings.isEmpty)
    }

    @Test("a folder of part files may keep what it holds")
    func aFolderMayKeepWhatItHolds() throws {
        let job = try DurableSample.read(
            replacing: "path: out/results/",
            with: "path: out/results/, append: true"
        ).get().job
        #expect(job.sinks[0].kind == .file(path: "out/results/", appends: true))
    }

    @Test("a sink says what it promises, else the job does")
    func aSinkSaysWhatItPromises() throws {
        func deliveries(_ settings: String, log: String) throws -> [DeliveryGuarantee] {
            let text = DurableSample.text.replacing(DurableSample.settings, with: settings)
                .replacing("out/results/", with: "out/results.jsonl")
                .replacing(", delivery: at-least-once", with: log)
            let job = try JobFileSample.read(text).get().job
            return job.sinks.map { job.durability.delivery(of: $0) }
        }
        let checkpoint = "  checkpoint: { dir: cp }"
        #expect(try deliveries(checkpoint, log: "") == [.exactlyOnce, .exactlyOnce])
        #expect(try deliveries("  parallelism: 1", log: "") == [.atLeastOnce, .atLeastOnce])
        #expect(
            try deliveries(checkpoint + "\n  delivery: at-least-once", log: "")
                == [.atLeastOnce, .atLeastOnce]
        )
        #expect(
            try deliveries(
                checkpoint + "\n  delivery: exactly-once",
                log: ", delivery: at-least-once"
            ) == [.exactlyOnce, .atLeastOnce]
        )
    }

    @Test("one sink may be a folder of part files when the job delivers at least once")
    func oneSinkMayBeAFolder() throws {
        let text = DurableSample.text
            .replacing("  delivery: exactly-once", with: "  delivery: at-least-once")
            .replacing(
                "input: tickets, config",
                with: "input: tickets, delivery: exactly-once, config"
            )
        #expect(try JobFileSample.read(text).get().job.sinks[0].delivery == .exactlyOnce)
    }

    @Test("exactly-once of one sink needs checkpoints")
    func exactlyOnceOfOneSinkNeedsCheckpoints() {
        let text = JobFileSample.text.replacing(
            "id: results,",
            with: "id: results, delivery: exactly-once,"
        )
        #expect(
            JobFileSample.read(text).errorLines == [
                "job.yaml:30:32: spec.sinks[results].delivery: 'exactly-once' without "
                    + "'checkpoint'; expected 'at-least-once', because output is delivered "
                    + "exactly once only with the checkpoint that holds it; or add 'checkpoint:' "
                    + "to 'spec:'"
            ]
        )
    }

    @Test("settings are judged even when nodes have no ids")
    func settingsAreJudgedEvenWhenNodesHaveNoIDs() {
        let text = DurableSample.text.replacing("id: results,", with: "")
            .replacing("backend: rocksdb, dir: data/database", with: "backend: memory")
        let lines = JobFileSample.read(text).errorLines
        #expect(lines.count == 2)
        #expect(lines.first?.contains("spec.state.backend: 'memory' together with") == true)
        #expect(lines.last?.contains("spec.sinks[0]: no 'id'") == true)
    }
}
