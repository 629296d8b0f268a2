import Foundation
import Glibc
import Testing

/// `apus run --restart`: what ends the job ends a child, and the parent starts it again.
@Suite("Integration: restart after an unclean end")
struct RestartTests {
    private let workspace: Workspace

    /// A job whose operator crashes once when there is a file `crash`, and each time while there is
    /// one called `broken`; it refuses all records, which fails the job, while there is `refuse`.
    init() throws {
        workspace = try Workspace()
        var plugin = TinyPlugin()
        plugin.process = """
            if (!unlink("crash")) abort();
            if (!access("broken", F_OK)) abort();
            if (!access("refuse", F_OK)) return APUS_FATAL;
            \(plugin.process)
            """
        try plugin.build(in: workspace)
        try workspace.write("in.jsonl", "")
        try write(interval: "100ms")
    }

    private func write(interval: String?) throws {
        var job = Job.through("plugin: ./libtiny.so")
        job.sources = ["{ id: in, plugin: file, config: { path: in.jsonl, follow: true } }"]
        if let interval { job.spec = ["checkpoint: { dir: cp, interval: \(interval) }"] }
        try workspace.write(job)
    }

    private func start(_ options: String...) throws -> Child {
        try workspace.start(["run", "job.yaml"] + options)
    }

    private func count(_ word: String, in child: Child) -> Int {
        child.errors.ranges(of: word).count
    }

    private func seen(_ lines: [String], by child: Child) throws {
        try child.wait(until: "\(lines) are seen") { workspace.lines("out.jsonl") == lines }
    }

    @Test("a crash: it goes on from its newest checkpoint, and output is seen once")
    func crash() throws {
        let child = try start("--from", "new", "--restart")
        try workspace.append("in.jsonl", "{\"a\":1}\n")
        try seen(["{\"a\":1}"], by: child)
        for number in 2...3 {
            try workspace.write("crash", "")
            try workspace.append("in.jsonl", "{\"a\":\(number)}\n")
            try seen((1...number).map { "{\"a\":\($0)}" }, by: child)
        }
        #expect(count("note: the job has ended by signal 6 (SIGABRT); ", in: child) == 2)
        #expect(count("(1 of 5)", in: child) == 2, "there were checkpoints in between")
        #expect(count(", from checkpoint ", in: child) == 2)
        child.send(SIGTERM)
        try child.finish().expect(status: 0, says: "stopped on request")
    }

    @Test("a crash before the first checkpoint: the same command again, earlier ones stay given up")
    func crashBeforeTheFirst() throws {
        try workspace.append("in.jsonl", "{\"a\":1}\n")
        let first = try start()
        try seen(["{\"a\":1}"], by: first)
        first.send(SIGTERM)
        try first.finish().expect(status: 0)
        try write(interval: "1h")
        try workspace.write("crash", "")
        let child = try start("--from", "new", "--restart=3")
        // The first one may crash before it says that it has started.
        try child.wait(until: "it runs again") {
            let parts = child.errors.components(separatedBy: "it is started again (1 of 3)")
            return parts.count == 2 && parts[1].contains("started, parallelism")
        }
        #expect(count("from checkpoint", in: child) == 0)
        child.send(SIGTERM)
        try child.finish().expect(status: 0)
    }

    @Test("without a complete checkpoint in between it gives up, with the status of the last end")
    func givesUp() throws {
        try write(interval: "1h")
        try workspace.write("broken", "")
        try workspace.append("in.jsonl", "{\"a\":1}\n")
        let run = try start("--from", "latest-or-new", "--restart=2").finish()
        run.expect(
            status: 128 + SIGABRT,
            says: "(1 of 2)",
            "(2 of 2)",
            "error: the job has ended by signal 6 (SIGABRT), and was started again 2 times without "
                + "a complete checkpoint in between; it is not started again"
        )
        #expect(!run.errors.contains("(3 of 2)"))
    }

    @Test("kill -9 of the child is an unclean end as well")
    func killed() throws {
        let child = try start("--restart")
        func process() throws -> Int32? {
            let run = try workspace.apus("job", "status", "cp", "--json")
            guard run.end == .exited(0) else { return nil }
            return (try run.jsonObject()["process"] as? Int).map(Int32.init)
        }
        try child.wait(until: "it runs") { try process() != nil }
        let first = try #require(try process())
        try workspace.append("in.jsonl", "{\"a\":1}\n")
        try seen(["{\"a\":1}"], by: child)
        kill(first, SIGKILL)
        try child.wait(until: "another one runs") { try process().map { $0 != first } ?? false }
        try workspace.apus("job", "stop", "cp").expect(status: 0)
        try child.finish().expect(status: 0, says: "by signal 9 (SIGKILL)")
    }

    @Test("a parent that is gone takes the job along, in order")
    func orphan() throws {
        let child = try start("--restart")
        try child.wait(until: "it runs") { count("started, parallelism", in: child) == 1 }
        try workspace.append("in.jsonl", "{\"a\":1}\n")
        try seen(["{\"a\":1}"], by: child)
        child.send(SIGKILL)
        _ = try child.finish()
        try child.wait(until: "the job has stopped") { child.errors.contains("stopped on request") }
        try child.wait(until: "its folder is free") { !workspace.has("cp/control.sock") }
    }

    @Test("ends as they should be, and those that a restart cannot mend, are passed on")
    func passedOn() throws {
        try workspace.append("in.jsonl", "{\"a\":1}\n")
        let ended = try start("--restart", "--set", "spec.sources.in.config.follow=false").finish()
        ended.expect(status: 0, says: "finished")
        #expect(!ended.errors.contains("started again"))
        // There are checkpoints, and nobody says what to do with them.
        try start("--restart").finish().expect(status: 2, says: "holds checkpoints of this job")
        try workspace.write("refuse", "")
        try workspace.append("in.jsonl", "{\"a\":2}\n")
        let failed = try start("--from", "new", "--restart").finish()
        failed.expect(status: 1, says: "FAILED")
        #expect(!failed.errors.contains("started again"))
    }

    @Test("Ctrl-C while it waits to start the job again ends it")
    func endedWhileWaiting() throws {
        try write(interval: "1h")
        try workspace.write("broken", "")
        try workspace.append("in.jsonl", "{\"a\":1}\n")
        let child = try start("--restart=1000")
        // By then the pause is as long as it takes.
        try child.wait(until: "it waits") { count("(4 of 1000)", in: child) == 1 }
        child.send(SIGINT)
        try child.finish().expect(status: 128 + SIGABRT)
        #expect(count("(5 of 1000)", in: child) == 0)
    }

    @Test("errors say what is wrong and what to do")
    func errors() throws {
        try start("--restart=0").finish().expect(status: 64, says: "--restart=0: expected 1 to")
        try write(interval: nil)
        try start("--restart").finish()
            .expect(status: 2, says: "--restart: the job takes no checkpoints to go on from")
    }
}
