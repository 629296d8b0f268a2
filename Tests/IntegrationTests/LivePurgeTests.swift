import Foundation
import Glibc
import Testing

/// Purge and undo of a running job, compared with what was sent.
@Suite("Integration: live purge")
struct LivePurgeTests {
    private static let old = (0..<400).map { "old-\($0)" }
    private static let new = (0..<400).map { "new-\($0)" }

    /// A job with old keys, which were written in an earlier second than any checkpoint to come.
    private func makeJob(_ job: TallyJob, parallelism: Int = 2) throws {
        try job.start(parallelism: parallelism)
        try job.send(Self.old + Self.old + Self.new)
        usleep(1_500_000)
    }

    private func purge(_ job: TallyJob, _ options: String...) throws -> [String: Any] {
        let run = try job.workspace.start(
            ["state", "purge", "--checkpoint", "cp", "--live", "--json"] + options
        )
        .finish(atMost: 120)
        run.expect(status: 0)
        return try run.jsonObject()
    }

    private func undo(_ job: TallyJob, _ file: String) throws -> [String: Any] {
        let run = try job.apus(
            "state",
            "undo",
            file,
            "--checkpoint",
            "cp",
            "--live",
            "--yes",
            "--json"
        )
        run.expect(status: 0)
        return try run.jsonObject()
    }

    @Test("what is selected goes, the rest stays, undo brings it back", arguments: [1, 3])
    func purgeAndUndo(parallelism: Int) throws {
        let job = try TallyJob()
        try makeJob(job, parallelism: parallelism)
        let before = job.sent
        let dry = try purge(job, "--where", "key like \"old-*\"", "--dry-run")
        #expect(dry["keyCount"] as? Int == 400)
        #expect(dry["isDryRun"] as? Bool == true)
        job.expectAsSent(try job.exported("--live"))

        let report = try purge(job, "--where", "key like \"old-*\"", "--yes")
        #expect(report["removedKeyCount"] as? Int == 400)
        #expect(report["scannedKeyCount"] as? Int == 800)
        #expect(report["touchedKeyCount"] as? Int == 0)
        job.forget(Self.old)
        job.expectAsSent(try job.exported("--live"))
        // The counters of the running job know of it, and so does its newest checkpoint.
        let sizes = try job.apus("state", "size", "--checkpoint", "cp", "--live", "--json")
        let running = try #require(try sizes.jsonObject()["running"] as? [String: Any])
        let operators = try #require(running["operators"] as? [[String: Any]])
        #expect(operators.first?["keyCount"] as? Int == 400)
        #expect(operators.first?["processingTimerCount"] as? Int == 400)
        #expect(try #require(report["newCheckpoint"] as? Int) > 0)
        try job.kill()
        job.expectAsSent(try job.exported())
        try job.start("--from", "latest", parallelism: parallelism)

        // A key that has something again keeps that.
        try job.send(["old-7"])
        let file = try #require(report["tombstones"] as? String)
        let back = try undo(job, file)
        #expect(back["restoredKeyCount"] as? Int == 399)
        #expect(back["occupiedKeyCount"] as? Int == 1)
        job.remember(before)
        job.expectAsSent(try job.exported("--live"))
        let again = try undo(job, file)
        #expect(again["restoredKeyCount"] as? Int == 0)
        #expect(again["occupiedKeyCount"] as? Int == 400)
        // State that is back is state: it counts on.
        try job.send(Self.old)
        try job.stop()
        job.expectAsSent(try job.exported())
    }

    @Test("under load nothing is lost and nothing doubled: a key is purged whole, or not at all")
    func underLoad() throws {
        let job = try TallyJob(interval: "100ms")
        try makeJob(job)
        let before = job.sent
        let purge = try job.workspace.start(
            ["state", "purge", "--checkpoint", "cp", "--live", "--yes", "--json"]
                + ["--where", "key like \"old-*\""]
        )
        // The first half of the old keys is written while they are purged.
        for _ in 0..<20 {
            try job.sendOnly(Array(Self.old.prefix(200)) + Self.new)
            usleep(50_000)
        }
        let run = try purge.finish(atMost: 120)
        run.expect(status: 0)
        let report = try run.jsonObject()
        try job.settle()
        let state = try job.exported("--live")
        var removedCount = 0
        for (index, key) in Self.old.enumerated() {
            let all = try #require(job.sent[key])
            let old = try #require(before[key])
            let found = state[key]
            if found == TallyJob.KeyState(lines: all) { continue }
            removedCount += 1
            guard let found else {
                #expect(index >= 200, "\(key) was written behind the purge and is gone")
                continue
            }
            // What it has is a whole tail of what was sent, and lacks all that was there before.
            #expect(found.lines.count <= all.count - old.count, "\(key): half purged")
            #expect(found == TallyJob.KeyState(lines: Array(all.suffix(found.lines.count))))
            job.forget([key])
        }
        #expect(report["removedKeyCount"] as? Int == removedCount)
        #expect(removedCount >= 200, "those that nobody writes are all gone")
        for key in Self.new {
            #expect(state[key] == TallyJob.KeyState(lines: try #require(job.sent[key])))
        }
        try job.stop()
        #expect(try job.exported() == state, "it is so on the disk, too")
    }

    @Test("rows that memory does not hold go and come back as well")
    func evicted() throws {
        let job = try TallyJob(interval: "200ms", budget: "32MiB")
        job.padding = String(repeating: "x", count: 1_500)
        try job.start()
        let many = (0..<12_000).map { "old-\($0)" }
        try job.send(many)
        usleep(1_500_000)
        let size = try job.apus("state", "size", "--checkpoint", "cp", "--live", "--json")
        let running = try #require(try size.jsonObject()["running"] as? [String: Any])
        let found = try #require((running["operators"] as? [[String: Any]])?.first)
        #expect(found["keyCount"] as? Int == 12_000)
        #expect(try #require(found["keyCountInMemory"] as? Int) < 12_000, "some are on the disk")
        let before = job.sent
        let report = try purge(job, "--where", "key like \"old-*[0-4]\" and idle > 0s", "--yes")
        #expect(report["removedKeyCount"] as? Int == 0, "there are no such patterns")
        let all = try purge(job, "--where", "key like \"old-1*\"", "--yes")
        let gone = many.filter { $0.hasPrefix("old-1") }
        #expect(all["removedKeyCount"] as? Int == gone.count)
        job.forget(gone)
        job.expectAsSent(try job.exported("--live"))
        let back = try undo(job, try #require(all["tombstones"] as? String))
        #expect(back["restoredKeyCount"] as? Int == gone.count)
        job.remember(before)
        try job.stop()
        job.expectAsSent(try job.exported())
    }

    @Test("a state alone goes and comes back, where there is none again")
    func oneState() throws {
        let job = try TallyJob()
        try makeJob(job)
        let words = "key like \"old-*\""
        let report = try purge(
            job,
            "--where",
            words,
            "--operator",
            "middle",
            "--state",
            "lines",
            "--yes"
        )
        #expect(report["removedKeyCount"] as? Int == 400)
        let without = try job.exported("--live")
        #expect(without["old-3"]?.lines == [])
        #expect(without["old-3"]?.count == 2)
        #expect(without["old-3"]?.timerCount == 1)
        #expect(without["new-3"]?.lines.count == 1)
        try job.send(["old-7"])
        let back = try undo(job, try #require(report["tombstones"] as? String))
        #expect(back["restoredKeyCount"] as? Int == 399)
        #expect(back["occupiedKeyCount"] as? Int == 1)
        let after = try job.exported("--live")
        #expect(after["old-3"] == TallyJob.KeyState(lines: try #require(job.sent["old-3"])))
        #expect(after["old-7"]?.lines.count == 1)
        #expect(after["old-7"]?.count == 3)
        try job.stop()
    }

    @Test("a row that was written since is left, by its last write")
    func touched() throws {
        let job = try TallyJob()
        try makeJob(job)
        let socket = try RawSocket(job.workspace.path("cp/control.sock"))
        let key = Data("old-1".utf8).base64EncodedString()
        let gone = Data("never".utf8).base64EncodedString()
        let keys = "[{\"key\":\"\(key)\",\"written\":5},{\"key\":\"\(gone)\",\"written\":5}]"
        let parameters = "{\"operator\":\"middle\",\"keys\":\(keys)}"
        let answer = try socket.ask(
            "{\"id\":1,\"method\":\"state.purge\",\"params\":\(parameters)}"
        )
        #expect(answer == #"{"id":1,"result":{"missing":1,"removed":0,"touched":1}}"#)
        // Just written: it could be written again in the same second.
        try job.send(["old-1"])
        let report = try purge(job, "--where", "key like \"old-1\"", "--yes")
        let inUse = try #require(report["inUseKeyCount"] as? Int)
        let removed = try #require(report["removedKeyCount"] as? Int)
        #expect(inUse + removed == 1)
        if removed == 1 { job.forget(["old-1"]) }
        job.expectAsSent(try job.exported("--live"))
        try job.stop()
    }

    @Test("errors say what is wrong, and nothing is changed")
    func errors() throws {
        let job = try TallyJob()
        try makeJob(job)
        let base = ["--checkpoint", "cp", "--live"]
        func expect(_ words: [String], status: Int32, says text: String) throws {
            try job.workspace.start(words + base).finish().expect(status: status, says: text)
        }
        let all = ["state", "purge", "--where", "key like \"*\""]
        try expect(["state", "purge", "--where", "rubbish"], status: 2, says: "rubbish")
        try expect(all + ["--operator", "midle"], status: 2, says: "did you mean 'middle'?")
        try expect(
            all + ["--operator", "middle", "--state", "x", "--yes"],
            status: 2,
            says: "there is no state 'x'"
        )
        try expect(all + ["--yes", "--dry-run"], status: 64, says: "--dry-run or --yes, not both")
        try job.workspace.write("there", "precious")
        try expect(
            all + ["--yes", "--tombstones", "there"],
            status: 2,
            says: "name another one with --tombstones"
        )
        #expect(job.workspace.text("there") == "precious")
        try expect(["state", "undo", "nothing", "--yes"], status: 2, says: "nothing")
        try expect(["state", "undo", "there", "--yes"], status: 2, says: "there:1")
        try expect(
            ["state", "undo", "there", "--existing", "replace"],
            status: 64,
            says: "--live never replaces"
        )
        let head = #"{"apusStateExport":1,"job":"other","checkpoint":1,"maxParallelism":128}"#
        try job.workspace.write("other", head + "\n{\"apusStateExportEnd\":0}\n")
        try expect(
            ["state", "undo", "other", "--yes"],
            status: 2,
            says: "has state of the job 'other', and the running job is 'test'"
        )
        let mine = #"{"apusStateExport":1,"job":"test","checkpoint":1,"maxParallelism":128}"#
        let line =
            #"{"operator":"middle","key":"a","state":"count","kind":"counter","schemaVersion":9,"#
            + #""number":3}"#
        try job.workspace.write("newer", "\(mine)\n\(line)\n{\"apusStateExportEnd\":1}\n")
        try expect(
            ["state", "undo", "newer", "--yes"],
            status: 2,
            says: "newer:2: state 'count' has schema version 9 here"
        )
        try job.workspace.write("cut", "\(mine)\n\(line.replacing("9", with: "1"))\n")
        try expect(["state", "undo", "cut", "--yes"], status: 2, says: "the file was cut off")
        job.expectAsSent(try job.exported("--live"))
        try job.stop()
    }

    @Test("a job that is killed during a purge leaves a file that brings everything back")
    func killed() throws {
        let job = try TallyJob()
        try makeJob(job)
        try job.apus("checkpoint", "create", "--checkpoint", "cp").expect(status: 0)
        let child = try #require(job.child)
        let purge = try job.workspace.start(
            ["state", "purge", "--checkpoint", "cp", "--live", "--yes", "--where"]
                + ["key like \"old-*\"", "--tombstones", "graves"]
        )
        try purge.wait(until: "the file is whole") {
            job.workspace.text("graves").contains("apusStateExportEnd")
        }
        child.send(SIGKILL)
        _ = try purge.finish()
        _ = try child.finish()
        try job.start("--from", "latest")
        _ = try undo(job, "graves")
        job.expectAsSent(try job.exported("--live"))
        try job.stop()
    }
}
