import Foundation
import Testing

/// Input that comes while the job runs.
@Suite("Integration: input that comes in pieces")
struct InputTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private static let stdin = Job(sources: ["{ id: in, plugin: stdin }"])

    @Test("standard input in pieces: lines pass as soon as they are whole")
    func pieces() throws {
        try workspace.write(Self.stdin)
        let child = try workspace.start(["run", "job.yaml", "--json"], input: .pipe)
        try child.write("{\"n\":1}\n{\"n\"")
        try child.wait(until: "the first line is out") { workspace.lines("out.jsonl").count == 1 }
        try child.write(":2")
        try child.write("}\n{\"n\":3}")
        try child.wait(until: "the second line is out") { workspace.lines("out.jsonl").count == 2 }
        child.closeInput()
        let run = try child.finish()
        run.expect(status: 0)
        #expect(workspace.lines("out.jsonl") == ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"])
        #expect(try run.summary().end == "finished")
    }

    @Test("empty standard input is an input like any other")
    func emptyInput() throws {
        try workspace.write(Self.stdin)
        try workspace.apus("run", "job.yaml").expect(status: 0, says: "finished, 0 records")
        #expect(workspace.has("out.jsonl"))
    }

    @Test("a megabyte in one line through a pipe")
    func longLine() throws {
        try workspace.write(Self.stdin)
        let child = try workspace.start(["run", "job.yaml"], input: .pipe)
        let line = "{\"text\":\"\(String(repeating: "0123456789", count: 100_000))\"}"
        try child.write(line + "\n{}\n")
        child.closeInput()
        try child.finish().expect(status: 0, says: "2 records")
        #expect(workspace.lines("out.jsonl") == [line, "{}"])
    }

    @Test("a followed file: what is appended comes out within a second, until Ctrl-C")
    func follow() throws {
        try workspace.write("in.jsonl", "{\"n\":1}\n")
        try workspace.write(
            Job(sources: ["{ id: in, plugin: file, config: { path: in.jsonl, follow: true } }"])
        )
        let child = try workspace.start(["run", "job.yaml", "--json"])
        try child.wait(until: "the first line is out") { workspace.lines("out.jsonl").count == 1 }
        for count in 2...4 {
            try workspace.append("in.jsonl", "{\"n\":\(count)}\n")
            try child.wait(until: "line \(count) is out", atMost: 1) {
                workspace.lines("out.jsonl").count == count
            }
        }
        // A line that is not whole is none yet.
        try workspace.append("in.jsonl", "{\"n\"")
        usleep(50_000)
        #expect(workspace.lines("out.jsonl").count == 4)
        child.send(SIGINT)
        let run = try child.finish(atMost: 5)
        run.expect(status: 0)
        let summary = try run.summary()
        #expect(summary.end == "stopped")
        #expect(workspace.lines("out.jsonl") == (1...4).map { "{\"n\":\($0)}" })
    }

    @Test("append: true keeps what the output holds; without it the output starts anew")
    func appending() throws {
        try workspace.write("in.jsonl", "{}\n")
        try workspace.write(Job())
        for (append, count) in [("false", 1), ("true", 2), ("true", 3), ("false", 1)] {
            let setting = "spec.sinks.out.config.append=\(append)"
            try workspace.apus("run", "job.yaml", "--set", setting).expect(status: 0)
            #expect(workspace.lines("out.jsonl").count == count)
        }
    }

    @Test("a plugin's file is overwritten while a job runs with it: no harm")
    func overwrittenPlugin() throws {
        let plugin = try Data(contentsOf: URL(filePath: Program.plugin("benchmark")))
        try workspace.write("libours.so", plugin)
        var job = Job.through("plugin: ./libours.so, component: passthrough")
        job.sources = ["{ id: in, plugin: stdin }"]
        try workspace.write(job)
        let child = try workspace.start(["run", "job.yaml", "-p", "2"], input: .pipe)
        try child.write("{\"n\":1}\n")
        try child.wait(until: "it runs") { workspace.lines("out.jsonl").count == 1 }
        // In place, as compilers and `cp` do: first shorter, then as long, with nonsense in it.
        for bytes in [Data(), Data(repeating: 0xcc, count: plugin.count)] {
            let file = try FileHandle(forWritingTo: URL(filePath: workspace.path("libours.so")))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: bytes)
            try file.close()
            for _ in 0..<100 { try child.write("{\"n\":2}\n") }
        }
        child.closeInput()
        try child.finish().expect(status: 0, says: "middle: 201 in, 201 out")
        #expect(workspace.lines("out.jsonl").count == 201)
        try workspace.apus("run", "job.yaml").expect(status: 2, says: "not an ELF file")
    }

    @Test("results do not depend on the parallelism")
    func parallelism() throws {
        let made = try workspace.shell("\"$0\" gen keyed --count 5000 --keys 50 > in.jsonl")
        made.expect(status: 0)
        #expect(workspace.lines("in.jsonl").count == 5_000)
        try workspace.write(Job.through("plugin: benchmark, component: passthrough"))
        for count in [1, 2, 3, 8] {
            let run = try workspace.apus("run", "job.yaml", "-p", "\(count)")
            run.expect(status: 0, says: "parallelism \(count)", "5000 records")
            #expect(workspace.lines("out.jsonl").sorted() == workspace.lines("in.jsonl").sorted())
        }
    }
}
