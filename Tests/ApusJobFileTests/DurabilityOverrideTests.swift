import ApusGraph
import Testing

@testable import ApusJobFile

/// `--set` and variables reach every key about state, checkpoints and delivery.
@Suite("Job file: overrides of state, checkpoints and delivery")
struct DurabilityOverrideTests {
    @Test("overrides replace every key")
    func overridesReplaceEveryKey() throws {
        let job = try DurableSample.read(overrides: [
            ("spec.checkpoint.dir", "7"), ("spec.checkpoint.interval", "1m"),
            ("spec.checkpoint.min-pause", "3s"), ("spec.checkpoint.timeout", "2m"),
            ("spec.checkpoint.tolerable-failures", "0"),
            ("spec.checkpoint.alignment-timeout", "never"), ("spec.checkpoint.retain", "5"),
            ("spec.checkpoint.io-limit", "2MiB/s"), ("spec.state.dir", "db"),
            ("spec.memory.budget", "25%"), ("spec.delivery", "at-least-once"),
            ("spec.operators.tickets.state.ticket.ttl", "1d"),
            ("spec.operators.tickets.state.ticket.time", "processing"),
            ("spec.operators.tickets.state.ticket.refresh", "write"),
            ("spec.operators.tickets.state.new.ttl", "2d"),
            ("spec.sinks.results.delivery", "exactly-once"),
        ]).get().job
        #expect(
            job.durability
                == Durability(
                    checkpoint: CheckpointDescription(
                        directory: "7",
                        intervalMicroseconds: 60_000_000,
                        minPauseMicroseconds: 3_000_000,
                        timeoutMicroseconds: 120_000_000,
                        tolerableFailureCount: 0,
                        alignmentTimeoutMicroseconds: nil,
                        retainedCount: 5,
                        ioLimitBytesPerSecond: 2 << 20
                    ),
                    storage: .rocksdb(directory: "db"),
                    memoryBudget: .percent(25),
                    delivery: .atLeastOnce
                )
        )
        let days: (Int64) -> Int64 = { $0 * 86_400_000_000 }
        let states = job.operators[0]
        #expect(states.expiries.map(\.stateName) == ["ticket", "reminders", "new"])
        #expect(states.expiries.map(\.ttlMicroseconds) == [days(1), days(7), days(2)])
        #expect(states.expiries.map(\.time) == [.processing, .processing, .processing])
        #expect(states.expiries.map(\.refresh) == [.write, .write, .write])
        #expect(states.expiry(ofState: "new")?.ttlMicroseconds == days(2))
        #expect(states.expiry(ofState: "old") == nil)
        #expect(job.sinks[0].delivery == .exactlyOnce)
    }

    @Test("overrides add what the file does not have")
    func overridesAddWhatTheFileDoesNotHave() throws {
        let job = try JobFileSample.read(
            JobFileSample.text,
            overrides: [
                ("spec.checkpoint.dir", "cp"), ("spec.memory.budget", "1GB"),
                ("spec.operators.aircraft.state", "{ legs: { ttl: 2d } }"),
                ("spec.sinks.results.config.path", "out/"),
            ]
        ).get().job
        #expect(job.durability.checkpoint == CheckpointDescription(directory: "cp"))
        #expect(job.durability.memoryBudget == .bytes(1_000_000_000))
        #expect(job.operators[0].expiries.map(\.stateName) == ["legs"])
        #expect(job.sinks[0].kind.isFolder)
    }

    @Test(
        "a wrong override is reported with itself as its place",
        arguments: [
            (
                "spec.checkpoint.retain", "1",
                "spec.checkpoint.retain: the number '1'; expected an integer from 2 to 1000"
            ),
            (
                "spec.checkpoint.intervall", "1s",
                "spec.checkpoint: unknown key 'intervall'; expected one of dir, interval, "
                    + "min-pause, timeout, tolerable-failures, alignment-timeout, retain, "
                    + "io-limit; did you mean 'interval'?"
            ),
            (
                "spec.memory.budget", "256",
                "spec.memory.budget: the number '256'; expected a size of at least 32MiB, such as "
                    + "256MiB, or 1% to 90% of the memory that there is; add a unit, for example "
                    + "'256MB' or '256MiB'"
            ),
            // Found after the file was read, and placed by looking it up again.
            (
                "spec.state.backend", "memory",
                "spec.state.backend: 'memory' together with 'checkpoint'; expected 'rocksdb', "
                    + "because a checkpoint is made of the files of the local database; remove "
                    + "'backend:' or 'checkpoint:'"
            ),
        ]
    )
    func aWrongOverrideIsReportedWithItselfAsItsPlace(path: String, value: String, text: String) {
        // Without its own folder for the database, which only one backend has.
        let result = DurableSample.read(overrides: [("spec.state", "{}"), (path, value)])
        #expect(result.errorLines == ["--set \(path)=\(value): \(text)"])
    }

    @Test("variables are replaced in every kind of value")
    func variablesAreReplacedInEveryKindOfValue() throws {
        let text = DurableSample.text
            .replacing("dir: data/checkpoints", with: "dir: ${DIR}/cp")
            .replacing("interval: 10s", with: "interval: ${INTERVAL}")
            .replacing("retain: 3", with: "retain: ${RETAIN:4}")
            .replacing("io-limit: 100MB/s", with: "io-limit: ${LIMIT}")
            .replacing("budget: 256MiB", with: "budget: \"${BUDGET}\"")
        let job = try JobFileSample.read(
            text,
            environment: ["DIR": "a", "INTERVAL": "1s", "LIMIT": "1MB/s", "BUDGET": "50%"]
        ).get().job
        let checkpoint = try #require(job.durability.checkpoint)
        #expect(checkpoint.directory == "a/cp")
        #expect(checkpoint.intervalMicroseconds == 1_000_000)
        #expect(checkpoint.retainedCount == 4)
        #expect(checkpoint.ioLimitBytesPerSecond == 1_000_000)
        #expect(job.durability.memoryBudget == .percent(50))
    }

    @Test(
        "what a variable holds is not shown, in remedies neither",
        arguments: [
            ("interval: 10s", "interval: ${SECRET}"), ("io-limit: 100MB/s", "io-limit: ${SECRET}"),
            ("budget: 256MiB", "budget: \"${SECRET}\""), ("retain: 3", "retain: ${SECRET}"),
            ("tolerable-failures: 10", "tolerable-failures: ${SECRET}"),
            ("  delivery: exactly-once", "  delivery: ${SECRET}"),
            ("ttl: 7d", "ttl: \"${SECRET}\""),
            ("alignment-timeout: 500ms", "alignment-timeout: ${SECRET}"),
            (
                "config: { path: events.jsonl }\n",
                "config: { path: e.jsonl, follow: \"${SECRET}\" }\n"
            ),
            ("{ field: at }", "{ field: at, out-of-order: \"${SECRET}\" }"),
        ]
    )
    func whatAVariableHoldsIsNotShown(old: String, new: String) {
        for secret in ["hunter2", "31415926", "8675309hunters", "8675309MIB", "8675309mb/s"] {
            let result = DurableSample.read(
                replacing: old,
                with: new,
                environment: ["SECRET": secret]
            )
            let text = result.errorLines.joined(separator: "\n")
            guard !text.isEmpty else { continue }  // A number of failures may be any number.
            #expect(text.contains("${SECRET}"))
            let parts = [secret, "8675309", "hunter"]
            #expect(!parts.contains(where: text.contains), "\(text)")
        }
    }
}
