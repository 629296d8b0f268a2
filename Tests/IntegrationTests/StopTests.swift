import Foundation
import Testing

/// Jobs that are asked to end before their input does.
@Suite("Integration: stopping")
struct StopTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// Starts a job without end and waits for its first lines.
    private func startEndless(_ job: Job = .endless(), parallelism: Int = 2) throws -> Child {
        try workspace.write(job)
        let child = try workspace.start(["run", "job.yaml", "-p", "\(parallelism)", "--json"])
        try child.wait(until: "lines come out") { workspace.text("out.jsonl").contains("\n") }
        return child
    }

    /// Expects that the job ended in order, with as many whole lines as the summary says.
    private func expectStopped(
        _ run: Run,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        run.expect(status: 0, says: "stopped on request", sourceLocation: sourceLocation)
        let summary = try run.summary()
        let output = workspace.text("out.jsonl")
        let lines = output.lineList
        #expect(summary.end == "stopped", sourceLocation: sourceLocation)
        #expect(summary.failure == nil, sourceLocation: sourceLocation)
        #expect(output.hasSuffix("}\n"), sourceLocation: sourceLocation)
        let written = try summary.node("out").recordsOut
        #expect(lines.count == written, sourceLocation: sourceLocation)
        #expect(lines.count == summary.sourceRecords, sourceLocation: sourceLocation)
        #expect(Set(lines).count == lines.count, sourceLocation: sourceLocation)
    }

    @Test("Ctrl-C delivers what is under way", arguments: [1, 2, 4])
    func interrupt(parallelism: Int) throws {
        let child = try startEndless(parallelism: parallelism)
        child.send(SIGINT)
        let run = try child.finish(atMost: 10)
        try expectStopped(run)
        #expect(run.errors.contains("Ctrl-C again ends at once"))
    }

    @Test("SIGTERM does the same")
    func terminate() throws {
        let child = try startEndless()
        child.send(SIGTERM)
        let run = try child.finish(atMost: 10)
        try expectStopped(run)
        #expect(!run.errors.contains("Ctrl-C"))
    }

    @Test("Ctrl-C while a job goes at full speed through an operator")
    func interruptAtFullSpeed() throws {
        var job = Job.through("plugin: benchmark, component: passthrough")
        job.sources = ["{ id: in, plugin: generator, config: { kind: impulse } }"]
        let child = try startEndless(job)
        child.send(SIGINT)
        try expectStopped(try child.finish(atMost: 20))
    }

    @Test("Ctrl-C leaves timers that are not due, and counts them")
    func armedTimers() throws {
        try workspace.write(
            "in.csv",
            "year,month,day,hour,minute,tailnum,a,b\n2013,1,1,5,0,N1,,\n2013,1,1,5,0,N2,,\n"
        )
        let source = "config: { path: in.csv, format: csv, emit: line, follow: true }"
        let watermark = "watermark: { fields: [year, month, day, hour, minute] }"
        let columns = "config: { dep-delay-column: 6, arr-delay-column: 7 }"
        try workspace.write(
            Job(
                sources: ["{ id: in, plugin: file, \(source), \(watermark) }"],
                operators: [
                    "{ id: middle, plugin: aircraft, input: in, key: tailnum, \(columns) }"
                ],
                sinks: ["{ id: out, plugin: file, input: middle, config: { path: out.jsonl } }"]
            )
        )
        let child = try workspace.start(["run", "job.yaml", "--json"])
        // The row is under way once a watermark has followed it; nothing comes out of it.
        usleep(300_000)
        child.send(SIGINT)
        let run = try child.finish(atMost: 10)
        run.expect(status: 0, says: "2 timers not due")
        #expect(try run.summary().node("middle").armedTimers == 2)
        #expect(workspace.lines("out.jsonl").isEmpty)
    }

    @Test("a second Ctrl-C ends at once")
    func interruptTwice() throws {
        // Every line takes a tenth of a second, so that delivering takes long.
        try TinyPlugin(
            process: """
                for (uint32_t i = ctx->at; i < batch->count; i++) {
                    usleep(100000);
                    if (*ctx->stop) return apus_at(ctx, i, APUS_YIELD);
                    if (apus_forward(ctx->outs[0], batch, i)) return apus_at(ctx, i, APUS_YIELD);
                    if (i % 2) return apus_at(ctx, i + 1, APUS_YIELD);
                }
                return APUS_OK;
                """
        ).build(in: workspace)
        var job = Job.through("plugin: ./libtiny.so")
        job.sources = ["{ id: in, plugin: generator, config: { kind: impulse } }"]
        try workspace.write(job)
        let child = try workspace.start(["run", "job.yaml", "-p", "1"])
        try child.wait(until: "it runs") { child.errors.contains("started") }
        usleep(200_000)
        child.send(SIGINT)
        try child.wait(until: "the first was heard") { child.errors.contains("Ctrl-C again") }
        usleep(200_000)
        child.send(SIGINT)
        let run = try child.finish(atMost: 2)
        run.expect(status: 130, says: "ending at once", "what was under way is lost")
    }

    @Test("Ctrl-C while an input cannot even be opened: a named pipe that nobody writes to")
    func interruptBeforeStart() throws {
        try workspace.write(Job(sources: ["{ id: in, plugin: file, config: { path: pipe } }"]))
        try workspace.tool(["mkfifo", "pipe"])
        let child = try workspace.start(["run", "job.yaml"])
        usleep(300_000)
        child.send(SIGINT)
        let run = try child.finish(atMost: 5)
        // Before the program has got as far as taking signals, the default action is right too.
        if run.end != .signalled(SIGINT) {
            run.expect(status: 130, says: "ended before the job started")
        }
        #expect(!workspace.has("out.jsonl"))
    }

    @Test("a reader that goes away ends a job quickly and without a crash", arguments: [1, 2])
    func closedOutput(parallelism: Int) throws {
        var job = Job.endless(rate: 1_000_000)
        job.sinks = ["{ id: out, plugin: stdout, input: in }"]
        try workspace.write(job)
        let run = try workspace.shell(
            "\"$0\" run job.yaml -p \(parallelism) | head -n 1; echo \"${PIPESTATUS[0]}\""
        )
        // Subtask p of the generator makes the numbers p, p + parallelism, ...
        let first = (0..<parallelism).map { "{\"sequence\":\($0)}" }
        let lines = run.output.lineList
        #expect(lines.count == 2 && first.contains(lines[0]) && lines[1] == "1", "\(run)")
        run.expect(status: 0, says: "'out'", "standard output", "Broken pipe")
        #expect(!run.errors.contains("crash"), "\(run)")
        #expect(run.seconds < 10)
    }

    @Test("a reader that goes away ends the commands that print", arguments: ["impulse", "keyed"])
    func closedGenerator(kind: String) throws {
        let run = try workspace.shell(
            "\"$0\" gen \(kind) --count 100000000 | head -n 1 | wc -l; exit ${PIPESTATUS[0]}"
        )
        #expect(run.output.contains("1"))
        // SIGPIPE, as for any filter, or a status of our own; but nothing that looks like a crash.
        #expect([.exited(1), .exited(141)].contains(run.end), "\(run)")
        run.expect(status: run.end == .exited(1) ? 1 : 141)
        #expect(run.seconds < 10)
    }
}
