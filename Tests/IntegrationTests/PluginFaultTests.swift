import Foundation
import Testing

/// A plugin that misbehaves while the job runs is named, with operator and callback.
@Suite("Integration: plugins that misbehave")
struct PluginFaultTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{\"n\":1}\n{\"n\":2}\n")
        try workspace.write(Job.through("plugin: ./libtiny.so"))
    }

    private static let culprit = "plugin test.tiny 1.2.3, operator middle, subtask 0"

    /// Runs the job with a plugin.
    private func run(_ plugin: TinyPlugin) throws -> Run {
        try plugin.build(in: workspace)
        return try workspace.apus("run", "job.yaml", "-p", "1")
    }

    @Test("one that behaves, for comparison")
    func good() throws {
        try run(TinyPlugin()).expect(status: 0, says: "middle: 2 in, 2 out")
        #expect(workspace.lines("out.jsonl") == ["{\"n\":1}", "{\"n\":2}"])
    }

    @Test("throws an exception")
    func exception() throws {
        let run = try run(
            TinyPlugin(
                prelude: "#include <stdexcept>",
                process: "throw std::runtime_error(\"out of ideas\");",
                language: .cxx
            )
        )
        run.expect(
            status: 1,
            says: "error: 'middle': ",
            "\(Self.culprit), process: ",
            "threw an exception: out of ideas",
            "The output so far is not complete."
        )
    }

    @Test("throws when it is created: nothing runs")
    func exceptionInCreate() throws {
        try workspace.write("out.jsonl", "from yesterday\n")
        let run = try run(TinyPlugin(create: "throw 42;", language: .cxx))
        run.expect(
            status: 2,
            says: "error: 'middle': ",
            "\(Self.culprit), create: ",
            "threw an exception: something that is not a std::exception"
        )
        #expect(workspace.text("out.jsonl") == "from yesterday\n")
    }

    @Test("calls exit(0): the job has not succeeded")
    func exit() throws {
        let run = try run(TinyPlugin(process: "exit(0);"))
        run.expect(status: 3, says: "apus: crash: exit() was called in \(Self.culprit)", "process")
    }

    @Test("crashes on all threads at once: one whole line says whose fault it is")
    func crashOnManyThreads() throws {
        try TinyPlugin(process: "raise(SIGSEGV); return APUS_OK;").build(in: workspace)
        var job = Job.through("plugin: ./libtiny.so")
        job.sources = ["{ id: in, plugin: generator, config: { kind: impulse } }"]
        try workspace.write(job)
        for _ in 0..<5 {
            let run = try workspace.apus("run", "job.yaml", "-p", "8")
            run.expect(signal: SIGSEGV, says: "callback process\n")
            #expect(run.errors.components(separatedBy: "apus: crash: SIGSEGV").count == 2)
        }
    }

    @Test("returns a code that does not exist")
    func unknownCode() throws {
        let run = try run(TinyPlugin(process: "return 77;"))
        run.expect(status: 1, says: "\(Self.culprit), process: ", "returned 77", "not a result")
    }

    @Test("fails with a message")
    func failure() throws {
        let run = try run(
            TinyPlugin(process: "return apus_fail(ctx->error, APUS_FATAL, \"lost the thread\");")
        )
        run.expect(status: 1, says: "\(Self.culprit), process: lost the thread")
    }

    @Test("makes no progress")
    func noProgress() throws {
        let run = try run(TinyPlugin(process: "return apus_at(ctx, ctx->at, APUS_YIELD);"))
        run.expect(status: 1, says: "\(Self.culprit), process: ", "without progress")
    }

    @Test("writes behind the end of an output")
    func overrun() throws {
        let run = try run(TinyPlugin(process: "ctx->outs[0]->count = 4000000000u; return 0;"))
        run.expect(status: 1, says: "\(Self.culprit), process: ", "behind the end of output 0")
    }

    @Test("writes to memory that is not there: the process ends by the signal")
    func segmentationFault() throws {
        let run = try run(TinyPlugin(process: "*(volatile int *)16 = 1; return 0;"))
        run.expect(
            signal: SIGSEGV,
            says: "apus: crash: SIGSEGV",
            "\(Self.culprit), callback process"
        )
    }

    @Test("overflows its stack: the process ends by the signal")
    func stackOverflow() throws {
        let run = try run(
            TinyPlugin(
                prelude: """
                    static int deep(volatile int *at) {
                        volatile int frame[4096];
                        frame[0] = *at + 1;
                        return deep(frame) + frame[0];
                    }
                    """,
                process: "volatile int start = 0; return deep(&start);"
            )
        )
        run.expect(signal: SIGSEGV, says: "apus: crash: ", "\(Self.culprit), callback process")
    }

    @Test("aborts: the process ends by the signal")
    func abortion() throws {
        let run = try run(TinyPlugin(create: "abort();"))
        run.expect(
            signal: SIGABRT,
            says: "apus: crash: SIGABRT",
            "\(Self.culprit), callback create"
        )
    }

    @Test("never returns: a second Ctrl-C ends the job all the same")
    func neverReturns() throws {
        let plugin = TinyPlugin(process: "write(2, \"stuck\\n\", 6); for (;;) pause();")
        try plugin.build(in: workspace)
        let child = try workspace.start(["run", "job.yaml", "-p", "1"])
        try child.wait(until: "it is stuck") { child.errors.contains("stuck\n") }
        child.send(SIGINT)
        try child.wait(until: "it was told to stop") { child.errors.contains("Ctrl-C again") }
        child.send(SIGINT)
        let run = try child.finish(atMost: 5)
        run.expect(status: 130, says: "ending at once")
    }
}
