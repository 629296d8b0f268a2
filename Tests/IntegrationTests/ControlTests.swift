import Foundation
import Glibc
import Testing

/// The control socket of the real `apus run`, and the commands that ask it.
@Suite("Integration: control socket")
struct ControlTests {
    private static let keys = (0..<500).map { "key-\($0)" }

    @Test("a running job tells its status, as text and as JSON")
    func status() throws {
        let job = try TallyJob()
        try job.start()
        try job.send(Self.keys)
        let text = try job.apus("job", "status", "cp")
        text.expect(status: 0)
        #expect(text.output.contains("job 'test': running for "))
        #expect(text.output.contains("500 records read, 0 rejected"))
        #expect(text.output.contains("middle: 500 in, 500 out"))
        #expect(text.output.contains("no checkpoint yet; 0 complete, 0 abandoned"))
        #expect(try job.apus("checkpoint", "create", "--checkpoint", "cp").end == .exited(0))
        let status = try job.apus("job", "status", "cp", "--json").jsonObject()
        #expect(status["job"] as? String == "test")
        #expect(status["sourceRecords"] as? Int == 500)
        let checkpoints = try #require(status["checkpoints"] as? [String: Any])
        #expect(checkpoints["lastComplete"] as? Int == 1)
        let attempts = try #require(checkpoints["attempts"] as? [[String: Any]])
        #expect(attempts.map { $0["number"] as? Int } == [1])
        try job.stop()
        #expect(!job.workspace.has("cp/control.sock"), "it goes with the job")
    }

    @Test("checkpoint create takes one now, and the job goes on from it after kill -9")
    func create() throws {
        let job = try TallyJob()
        try job.start()
        try job.send(Self.keys)
        let created = try job.apus("checkpoint", "create", "--checkpoint", "cp")
        created.expect(status: 0)
        #expect(created.output == "job 'test': checkpoint 1 is complete\n")
        let again = try job.apus("checkpoint", "create", "--checkpoint", "cp", "--json")
        #expect(try again.jsonObject()["checkpoint"] as? Int == 2)
        try job.kill()
        #expect(job.workspace.has("cp/control.sock"), "a dead process leaves it")
        job.expectAsSent(try job.exported())
        try job.start("--from", "latest")
        try job.stop()
        job.expectAsSent(try job.exported())
    }

    @Test("everything that reads state reads one moment of the running job with --live")
    func live() throws {
        let job = try TallyJob()
        try job.start()
        try job.send(Self.keys + Self.keys)
        // Nothing is on the disk yet: it can only come from the job.
        #expect(try job.apus("state", "ls", "--checkpoint", "cp").end == .exited(2))
        job.expectAsSent(try job.exported("--live"))
        let expected: [([String], String)] = [
            (["state", "ls"], "500"), (["state", "size"], "in the running job:"),
            (["state", "get", "key-7"], "key-7"), (["state", "scan", "--limit", "3"], "key-"),
            (["state", "top", "--limit", "3"], "key-"), (["timer", "ls"], "far"),
            (["timer", "top"], "far"),
        ]
        for (words, found) in expected {
            let run = try job.workspace.start(words + ["--checkpoint", "cp", "--live"]).finish()
            run.expect(status: 0)
            #expect(run.output.contains(found), "\(run)")
            let command = words + ["--checkpoint", "cp", "--live", "--json"]
            let json = try job.workspace.start(command).finish()
            _ = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        }
        let size = try job.apus("state", "size", "--checkpoint", "cp", "--live", "--json")
        let running = try #require(try size.jsonObject()["running"] as? [String: Any])
        let operators = try #require(running["operators"] as? [[String: Any]])
        #expect(operators.first?["id"] as? String == "middle")
        #expect(operators.first?["keyCount"] as? Int == 500)
        #expect(try #require(operators.first?["byteCountInMemory"] as? Int) > 500 * 40)
        let saved = try job.apus(
            "savepoint",
            "create",
            "--checkpoint",
            "cp",
            "--live",
            "--to",
            "saved"
        )
        saved.expect(status: 0)
        try job.apus("savepoint", "inspect", "saved").expect(status: 0)
        try job.stop()
    }

    @Test("--live reads under load are exact: a count is as long as its list")
    func liveUnderLoad() throws {
        let job = try TallyJob(interval: "100ms", budget: "64MiB")
        try job.start()
        var wasBetween = false
        for _ in 0..<5 {
            for _ in 0..<10 { try job.sendOnly(Self.keys) }
            let state = try job.exported("--live")
            for (key, found) in state {
                #expect(found.count == found.lines.count, "\(key): half a change")
                #expect(Array(job.sent[key]?.prefix(found.lines.count) ?? []) == found.lines)
            }
            wasBetween = wasBetween || !state.isEmpty
        }
        #expect(wasBetween)
        try job.settle()
        job.expectAsSent(try job.exported("--live"))
        try job.stop()
    }

    @Test("a checkpoint that a tool reads is not collected, and goes afterwards")
    func lease() throws {
        let job = try TallyJob()
        try job.start()
        try job.send(Self.keys)
        let socket = try RawSocket(job.workspace.path("cp/control.sock"))
        let answer = try socket.ask(#"{"id":1,"method":"checkpoint.create","params":{}}"#)
        #expect(answer == #"{"id":1,"result":{"checkpoint":1,"job":"test"}}"#)
        for _ in 0..<6 {
            try job.apus("checkpoint", "create", "--checkpoint", "cp").expect(status: 0)
        }
        try job.apus("checkpoint", "verify", "cp", "1").expect(status: 0)
        socket.close()
        try job.child?.wait(until: "the lease ends, and 1 is collected") {
            _ = try job.apus("checkpoint", "create", "--checkpoint", "cp")
            return try job.apus("checkpoint", "verify", "cp", "1").end == .exited(2)
        }
        try job.stop()
    }

    @Test("job stop ends it with a checkpoint that has everything")
    func stop() throws {
        let job = try TallyJob()
        try job.start()
        try job.send(Self.keys)
        let stopped = try job.apus("job", "stop", "cp", "--json")
        stopped.expect(status: 0)
        let last = try #require(try stopped.jsonObject()["checkpoint"] as? Int)
        let run = try #require(job.child).finish(atMost: 20)
        run.expect(status: 0, says: "stopped on request")
        job.expectAsSent(try job.exported("--number", "\(last)"))
    }

    @Test("a job without checkpoints listens only where it is told to")
    func withoutCheckpoints() throws {
        let job = try TallyJob(checkpoints: false)
        try job.start("--control", "here.sock")
        let status = try job.apus("job", "status", "--control", "here.sock")
        status.expect(status: 0)
        #expect(status.output.contains("it takes no checkpoints"))
        let create = try job.apus(
            "checkpoint",
            "create",
            "--checkpoint",
            "cp",
            "--control",
            "here.sock"
        )
        create.expect(status: 2, says: "job 'test' takes no checkpoints; give it a `checkpoint:`")
        let second = try job.apus("run", "job.yaml", "--control", "here.sock")
        second.expect(status: 2, says: "--control: here.sock: another process listens there")
        let stop = try job.apus("job", "stop", "--control", "here.sock")
        #expect(stop.output == "job 'test': stopped\n", "\(stop)")
    }

    @Test("--control moves the socket of a job with checkpoints")
    func elsewhere() throws {
        let job = try TallyJob()
        try job.start("--control", "here.sock")
        #expect(!job.workspace.has("cp/control.sock"))
        try job.apus("state", "ls", "--checkpoint", "cp")
            .expect(status: 2)
        try job.apus("state", "ls", "--checkpoint", "cp", "--live", "--control", "here.sock")
            .expect(status: 0)
        try job.stop()
    }

    @Test("errors say what is wrong and what to do")
    func errors() throws {
        let job = try TallyJob()
        try job.apus("job", "status", "cp")
            .expect(status: 2, says: "cp/control.sock: no job listens there: is it running?")
        try job.apus("job", "status").expect(status: 64, says: "expected the job's checkpoint")
        try job.apus("checkpoint", "create", "--checkpoint", "nowhere")
            .expect(status: 2, says: "nowhere/control.sock: no job listens there")
        try job.apus("state", "ls", "--checkpoint", "nowhere", "--live")
            .expect(status: 2, says: "nowhere: there is no such folder")
        try job.apus("state", "ls", "--checkpoint", "cp", "--live", "--number", "3")
            .expect(status: 64, says: "--live takes a new checkpoint; leave --number out")
        try job.apus("state", "ls", "--checkpoint", "cp", "--control", "x")
            .expect(status: 64, says: "--control needs --live")
        try job.start()
        try job.kill()
        try job.apus("state", "ls", "--checkpoint", "cp", "--live")
            .expect(status: 2, says: "cp/control.sock: no job listens there: is it running?")
        try job.workspace.write("file", "precious")
        try job.apus("run", "job.yaml", "--control", "file", "--from", "latest-or-new")
            .expect(status: 2, says: "--control: file: is no socket")
        #expect(job.workspace.text("file") == "precious")
    }

    @Test("a job that is killed while it is asked is said to have ended")
    func killedMeanwhile() throws {
        let job = try TallyJob()
        try job.start()
        // Stopped, it accepts by way of the kernel and answers nothing.
        let child = try #require(job.child)
        child.send(SIGSTOP)
        let asking = try job.workspace.start(["state", "ls", "--checkpoint", "cp", "--live"])
        let path = job.workspace.path("cp/control.sock")
        try asking.wait(until: "it is connected") {
            let sockets = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8)
            // The one that listens, and one for each connection.
            return sockets.lineList.count { $0.hasSuffix(path) } > 1
        }
        child.send(SIGKILL)
        try asking.finish().expect(status: 1, says: "has ended before it answered")
        _ = try child.finish()
    }

    @Test("rubbish on the socket does not disturb the job")
    func rubbish() throws {
        let job = try TallyJob(interval: "100ms")
        try job.start()
        var others: [RawSocket] = []
        for text in ["\u{0}\u{1}{{{", "{\"id\":1", "\n\n\n", "{\"id\":1,\"method\":\"job.fly\"}\n"]
        {
            let socket = try RawSocket(job.workspace.path("cp/control.sock"))
            socket.send(text)
            others.append(socket)
            try job.sendOnly(Self.keys)
        }
        others.removeFirst().close()
        try job.settle()
        job.expectAsSent(try job.exported("--live"))
        try job.stop()
        job.expectAsSent(try job.exported())
    }

    @Test("a checkpoint folder with a long path has its socket all the same")
    func longPath() throws {
        let job = try TallyJob()
        let long = (0..<8).map { _ in String(repeating: "x", count: 40) }.joined(separator: "/")
        try job.start("--set", "spec.checkpoint.dir=\(long)/cp")
        let status = try job.apus("job", "status", "\(long)/cp")
        status.expect(status: 0)
        #expect(status.output.contains("job 'test'"))
        try job.stop()
    }
}
