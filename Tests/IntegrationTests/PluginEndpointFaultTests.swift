import Foundation
import Glibc
import Testing

/// Goal: what is wrong with a source, sink or codec of a plugin is said before the job runs where
/// that can be, with line and plugin, and otherwise ends it or is waited for.
@Suite("Integration: mistakes of plugins' sources and sinks", .serialized)
struct PluginEndpointFaultTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        let source = Program.file("Tests/Plugins/Endpoints/endpoints.c")
        let text = try String(contentsOfFile: source, encoding: .utf8)
        try TinyPlugin.build(text, as: "letters.so", in: workspace)
        try workspace.write("in.jsonl", (0..<100).map { "{\"n\":\($0)}\n" }.joined())
    }

    private static let checkpoint = "checkpoint: { dir: cp, interval: 100ms, min-pause: 0s }"

    private func letters(_ config: String, _ more: String = "") -> String {
        "{ id: in, plugin: ./letters.so, component: letters, \(more)config: { a: \"\(config)\" } }"
    }

    private func sink(_ component: String, _ config: String, _ more: String = "") -> String {
        "{ id: out, plugin: ./letters.so, component: \(component), input: in, \(more)"
            + "config: { a: \"\(config)\" } }"
    }

    private func run(_ job: Job, _ options: String...) throws -> Run {
        try workspace.write(job)
        return try workspace.start(["run", "job.yaml"] + options).finish(atMost: 30)
    }

    // MARK: - Sources

    @Test(
        "what a source does wrong ends the job, and names plugin and callback",
        arguments: [
            ("list-twice", 2, "list_splits: broke the contract: it named 'a' twice"),
            ("refused", 2, "create: expected something else"),
            ("open-error", 1, "open: it is locked"),
            ("poll-fatal", 1, "poll: the wire is cut"),
            ("poll-negative", 1, "poll: returned -999, which is not a result that the ABI knows"),
            ("poll-yields", 1, "poll: broke the contract: it yielded three times"),
            ("position-long", 1, "write_position: broke the contract: it wrote more than 65536"),
            ("position-error", 1, "write_position: I am nowhere"),
            ("checkpointed-error", 1, "on_checkpointed: no thanks"),
        ] as [(String, Int32, String)]
    )
    func sourcesThatMisbehave(misdeed: String, status: Int32, words: String) throws {
        var job = Job()
        job.spec = [Self.checkpoint]
        job.sources = [letters(misdeed)]
        try run(job).expect(
            status: status,
            says: "plugin test.endpoints 1.2.3, source in, subtask",
            words
        )
    }

    @Test("a source that fails for now is asked again, and both is said")
    func aSourceThatFailsForNow() throws {
        var job = Job()
        job.sources = [letters("poll-retry records=5 splits=1")]
        let run = try run(job)
        run.expect(
            status: 0,
            says: "source 'in' waits and tries again: not now",
            "source 'in' goes on"
        )
        #expect(workspace.lines("out.jsonl").count == 5)
    }

    @Test("a source is told of the last checkpoint before it is closed", arguments: [1, 2])
    func theLastCheckpointIsTold(parallelism: Int) throws {
        var job = Job()
        job.spec = [Self.checkpoint]
        job.sources = [letters("splits=2 records=500 log")]
        let run = try run(job, "-p", "\(parallelism)")
        run.expect(status: 0, says: "checkpointed a at 500", "checkpointed b at 500")
    }

    @Test("a split that vanishes is told, and goes on when it comes back, at any parallelism")
    func aSplitThatVanishes() throws {
        var job = Job()
        job.spec = [Self.checkpoint]
        for (config, records, parallelism) in [
            ("endless records=50", 150, 2), ("list-without-b endless records=80", 210, 3),
            ("endless records=90", 270, 1),
        ] {
            job.sources = [letters(config)]
            try workspace.write(job)
            let child = try workspace.start(
                ["run", "job.yaml", "--from", "latest-or-new", "-p", "\(parallelism)"]
            )
            try child.wait(until: "\(records) records are delivered") {
                workspace.lines("out.jsonl").count >= records
            }
            child.send(SIGTERM)
            let run = try child.finish()
            run.expect(status: 0)
            let isTold = run.errors.contains("splits that are no longer there: 'b'")
            #expect(isTold == config.contains("without"), "\(run)")
        }
        let expected = ["a", "b", "c"].flatMap { name in (0..<90).map { "\(name):\($0)" } }
        #expect(workspace.lines("out.jsonl").sorted() == expected.sorted())
    }

    // MARK: - Sinks

    @Test(
        "what a sink does wrong ends the job, and names plugin and callback",
        arguments: [
            ("both", "refused", 2, "create: expected something else"),
            ("both", "open-error", 2, "open: it is locked"),
            (
                "both", "epoch=7", 2,
                "the sink has committed epoch 7, and the job begins with epoch 1"
            ),
            ("both", "write-fatal", 1, "write: the table is gone"),
            ("both", "write-behind", 1, "write: broke the contract: it stopped at record"),
            ("both", "commit-fatal", 1, "commit: a constraint"),
            ("both", "commit-code", 1, "commit: returned 3, which is not a result"),
            ("at-once", "open-error", 1, "open: it is locked"),
            ("at-once", "write-yields", 1, "write: broke the contract: it yielded three times"),
            ("at-once", "flush-fatal", 1, "flush: the pipe is broken"),
        ] as [(String, String, Int32, String)]
    )
    func sinksThatMisbehave(
        component: String,
        misdeed: String,
        status: Int32,
        words: String
    ) throws {
        var job = Job()
        job.spec = [Self.checkpoint]
        job.sinks = [sink(component, misdeed)]
        try run(job).expect(status: status, says: words)
    }

    @Test("a sink that fails for now is waited for", arguments: ["both", "at-once"])
    func aSinkThatFailsForNow(component: String) throws {
        var job = Job()
        job.sinks = [sink(component, "write-retry flush-retry")]
        try run(job).expect(
            status: 0,
            says: "sink 'out' waits and tries again: not now",
            "sink 'out' goes on"
        )
        job.spec = [Self.checkpoint]
        job.sinks = [sink("both", "write-retry commit-retry")]
        try run(job).expect(status: 0)
    }

    @Test("records that a sink refuses go to the dead letters", arguments: ["both", "at-once"])
    func recordsThatASinkRefuses(component: String) throws {
        try FileManager.default.createDirectory(
            atPath: workspace.path("lines"),
            withIntermediateDirectories: true
        )
        try workspace.write("lines/1.txt", "x\nbad 1\ny\nbad 2\n")
        var job = Job()
        job.spec = [Self.checkpoint]
        job.sources = ["{ id: in, plugin: files, component: folder, config: { path: lines } }"]
        job.sinks = [sink(component, "")]
        try run(job).expect(status: 0)
        let letters = workspace.lines("test.dead-letter.jsonl")
        #expect(letters.count == 2)
        #expect(letters.allSatisfy { $0.contains("it is bad") && $0.contains("out") })
    }

    private func numbers(_ folder: String, _ prefix: String) -> [Int] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: workspace.path(folder))
        return (names ?? []).filter { $0.hasPrefix(prefix) }  // None yet.
            .compactMap { Int($0.dropFirst(prefix.count).prefix(20)) }.sorted()
    }

    @Test("a job does not go back behind what a sink has committed, and says both numbers")
    func goingBackBehindACommit() throws {
        var job = Job()
        job.spec = ["checkpoint: { dir: cp, interval: 100ms, min-pause: 0s, retain: 1000 }"]
        job.sources = ["{ id: in, plugin: file, config: { path: in.jsonl, follow: true } }"]
        job.sinks = [
            "{ id: out, plugin: files, component: epochs, input: in, config: { path: out } }"
        ]
        try workspace.write(job)
        let child = try workspace.start(["run", "job.yaml"])
        try child.wait(until: "an epoch is committed") { !numbers("out", "epoch-").isEmpty }
        let older = try #require(numbers("out", "epoch-").last)
        try workspace.append("in.jsonl", "{\"n\":100}\n")
        try child.wait(until: "another one is committed") { numbers("out", "epoch-").count > 1 }
        child.send(SIGKILL)
        _ = try child.finish()
        let newest = try #require(numbers("out", "epoch-").last)
        #expect(newest > older)
        let refused = try workspace.start(["run", "job.yaml", "--from", "\(older)"]).finish()
        refused.expect(
            status: 2,
            says:
                "the sink has committed epochs up to \(newest), and the checkpoint knows of those "
                + "up to \(older)"
        )
        let rewound = try workspace.start(
            ["run", "job.yaml", "--from", "\(older)", "--rewind-output"]
        ).finish()
        rewound.expect(status: 2, says: "a sink of a plugin cannot take back what it has committed")
        #expect(numbers("out", "epoch-").last == newest)
    }

    // MARK: - What the job file says

    @Test("a job that does not fit its plugins is refused, with its line")
    func jobsThatDoNotFit() throws {
        var job = Job()
        job.sinks = [sink("at-once", "", "delivery: exactly-once, ")]
        job.spec = [Self.checkpoint]
        try run(job).expect(
            status: 2,
            says: "job.yaml:9:7: spec.sinks[out].delivery: 'exactly-once' for a sink whose plugin "
                + "has no commit; expected 'at-least-once'"
        )
        job.spec = []
        job.sinks = [
            "{ id: out, plugin: files, component: epochs, input: in, config: { path: out } }"
        ]
        try run(job).expect(
            status: 2,
            says: "job.yaml:8:7: spec.sinks[out]: 'at-least-once' for a sink whose plugin has "
                + "commit alone; expected 'checkpoint:' in 'spec:'"
        )
        job.sinks = ["{ id: out, plugin: ./letters.so, input: in }"]
        try run(job).expect(
            status: 2,
            says: "has 2 sinks; say which with `component:`, one of both, at-once"
        )
        job.sinks = [sink("letters", "")]
        try run(job).expect(status: 2, says: "'letters' is a source, and a sink is needed")
        job.sinks = Job().sinks
        job.sources = ["{ id: in, plugin: flie, config: { path: in.jsonl } }"]
        try run(job).expect(status: 2, says: "plugin 'flie': not found", "did you mean 'file'?")
        job.sources = ["{ id: in, plugin: file, component: x, config: { path: in.jsonl } }"]
        try run(job).expect(
            status: 2,
            says: "job.yaml:6:42: spec.sources[in].component: 'component' for 'file', which is "
                + "built in"
        )
        job.sources = Job().sources
        job.operators = ["{ id: middle, plugin: ./letters.so, component: letters, input: in }"]
        try run(job).expect(status: 2, says: "'letters' is a source, and an operator is needed")
    }
}
