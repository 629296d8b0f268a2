import Foundation
import Testing

/// The commands about state on the checkpoints of a job that does not run.
@Suite("Integration: offline state tools")
struct OfflineStateTests {
    private let job: TallyJob

    private static let keys = (0..<200).map { "k-\($0)" }

    /// A job that has run: two records for each key, and a third for the first ten.
    init() throws {
        job = try TallyJob()
        try job.start()
        try job.send(Self.keys + Self.keys + Array(Self.keys.prefix(10)))
        try job.stop()
    }

    private func run(_ words: String...) throws -> Run {
        try job.workspace.start(words + ["--checkpoint", "cp"]).finish(atMost: 60)
    }

    private func json(_ words: [String]) throws -> Any {
        let run = try job.workspace.start(words + ["--checkpoint", "cp", "--json"]).finish()
        run.expect(status: 0)
        return try JSONSerialization.jsonObject(with: Data(run.output.utf8))
    }

    @Test("what reads prints what the job has, as text and as JSON")
    func reading() throws {
        job.expectAsSent(try job.exported())
        let list = try run("state", "ls")
        list.expect(status: 0)
        for word in ["middle", "count", "lines", "last", "200"] {
            #expect(list.output.contains(word), "no '\(word)' in \(list)")
        }
        #expect(try run("state", "size", "--groups", "3").output.contains("middle"))
        let found = try #require(try json(["state", "get", "k-3"]) as? [[String: Any]])
        #expect(found.count == 1)
        let scan = try json(["state", "scan", "--prefix", "k-1", "--limit", "5"])
        #expect((scan as? [Any])?.count == 5)
        let top = try run("state", "top", "--by", "bytes", "--limit", "3")
        top.expect(status: 0)
        // The ten with three records are the largest.
        let largest = Self.keys.prefix(10).filter { top.output.contains($0) }
        #expect(largest.count >= 3, "\(top)")
        let timers = try run("timer", "ls", "--limit", "5")
        timers.expect(status: 0)
        #expect(timers.output.contains("far"))
        #expect(timers.output.contains("2100-01-01"))
        #expect(try run("timer", "top").output.contains("200"))
        _ = try json(["timer", "ls"])
        _ = try json(["timer", "top"])
        _ = try json(["state", "ls"])
        _ = try json(["state", "size"])
        _ = try json(["state", "top"])
    }

    @Test("growth compares counters of two checkpoints, and says when there is only one")
    func growth() throws {
        try job.start("--from", "latest")
        try job.send(["another", "and-another"])
        try job.stop()
        let text = try run("state", "growth")
        text.expect(status: 0)
        #expect(text.output.contains("middle") && text.output.contains("202"), "\(text)")
        let found = try #require(try json(["state", "growth"]) as? [String: Any])
        let operators = try #require(found["operators"] as? [[String: Any]])
        let keys = try #require(operators.first?["keys"] as? [String: Any])
        #expect(keys["after"] as? Int == 202)
        let missing = try run("state", "growth", "--from", "999999")
        missing.expect(status: 2)
        #expect(missing.errors.contains("999999"), "\(missing)")
        try run("state", "growth", "--from", "5", "--to", "5").expect(status: 64)
    }

    @Test("savepoints in the checkpoint folder and timers that nobody declares are refused")
    func refusals() throws {
        let inside = try run("savepoint", "create", "--to", "cp/work/saved")
        inside.expect(status: 2, says: "lies in the checkpoint folder")
        #expect(!job.workspace.has("cp/work/saved"))
        let timer =
            #""kind":"timer","timer":"timer 40","domain":"event","id":1,"timeMicroseconds":1"#
        try job.apus("state", "export", "--checkpoint", "cp", "-o", "all.jsonl").expect(status: 0)
        let head = try #require(job.workspace.lines("all.jsonl").first)
        try job.workspace.write(
            "wrong.jsonl",
            head + "\n" + #"{"operator":"middle","key":"k-1",\#(timer)}"# + "\n"
        )
        try run("state", "import", "wrong.jsonl", "--yes")
            .expect(status: 2, says: "there is no timer 'timer 40'")
    }

    @Test("export, purge, undo and import change state by whole keys, and the job goes on from it")
    func changing() throws {
        let before = job.sent
        try job.apus("state", "export", "--checkpoint", "cp", "-o", "all.jsonl").expect(status: 0)
        let dry = try run("state", "purge", "--where", "key like \"k-1*\"")
        dry.expect(status: 0)
        #expect(dry.output.contains("nothing was changed: this is a dry run; --yes does it"))
        job.expectAsSent(try job.exported())
        let purged = try run(
            "state",
            "purge",
            "--where",
            "key like \"k-1*\"",
            "--tombstones",
            "graves",
            "--yes"
        )
        purged.expect(status: 0)
        let gone = Self.keys.filter { $0.hasPrefix("k-1") }
        #expect(purged.output.contains("removed \(gone.count) of 200 keys"), "\(purged)")
        job.forget(gone)
        job.expectAsSent(try job.exported())

        // The job goes on with what is left.
        try job.start("--from", "latest")
        try job.send(["k-1"])
        try job.stop()
        job.expectAsSent(try job.exported())
        let undone = try run("state", "undo", "graves", "--yes")
        undone.expect(status: 0)
        // Line by line, offline: what a key has got since stays beside what comes back.
        job.remember(before)
        let after = try job.exported()
        for key in Self.keys where key != "k-1" {
            #expect(after[key] == TallyJob.KeyState(lines: try #require(before[key])))
        }
        #expect(after["k-1"]?.count == 1)
        try run("state", "purge", "--where", "key like \"*\"", "--tombstones", "g2", "--yes")
            .expect(status: 0)
        #expect(try job.exported().isEmpty)
        try run("state", "import", "all.jsonl", "--yes").expect(status: 0)
        #expect(try job.exported() == before.mapValues(TallyJob.KeyState.init(lines:)))
    }

    @Test("a savepoint is whole, and a job goes on from it")
    func savepoints() throws {
        try run("savepoint", "create", "--to", "saved").expect(status: 0)
        let inspected = try job.apus("savepoint", "inspect", "saved")
        inspected.expect(status: 0)
        #expect(inspected.output.contains("middle"))
        try run("savepoint", "create", "--to", "saved").expect(status: 2, says: "saved")
        try run("state", "purge", "--where", "key like \"*\"", "--yes").expect(status: 0)
        try job.start("--from", "saved", "--set", "spec.checkpoint.dir=cp2")
        try job.stop()
        job.expectAsSent(try job.exported("--checkpoint", "cp2"))
    }

    @Test("errors name what is wrong and what there is")
    func errors() throws {
        try run("state", "get", "nobody").expect(status: 2, says: "`apus state scan` lists keys")
        try run("state", "get", "0x123").expect(status: 2, says: "0x123")
        try run("state", "scan", "--operator", "midle")
            .expect(status: 2, says: "did you mean 'middle'?")
        try run("state", "ls", "--number", "99").expect(status: 2, says: "no checkpoint 99")
        try run("state", "purge", "--where", "idle > soon").expect(status: 2, says: "soon")
        try run("state", "purge", "--where", "size > 1B", "--state", "nope")
            .expect(status: 2, says: "there is no state 'nope'")
        try run("state", "import", "missing.jsonl").expect(status: 2, says: "missing.jsonl")
        try job.workspace.write("bad.jsonl", "{\"operator\":\"middle\"}\n")
        try run("state", "import", "bad.jsonl").expect(status: 2, says: "bad.jsonl:1")
        try run("timer", "ls", "--domain", "lunch").expect(status: 64, says: "event or processing")
        try run("timer", "ls", "--operator", "middle", "--name", "near")
            .expect(status: 2, says: "there is no timer 'near'")
        try job.apus("state", "ls", "--checkpoint", "nowhere")
            .expect(status: 2, says: "nowhere: there is no such folder")
        try job.apus("savepoint", "inspect", "nowhere").expect(status: 2, says: "nowhere")
        try job.start("--from", "latest")
        try run("state", "purge", "--where", "key like \"*\"", "--yes")
            .expect(status: 2, says: "another process writes checkpoints there")
        try job.stop()
    }
}
