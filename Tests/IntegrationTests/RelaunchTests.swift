import Foundation
import Glibc
import Testing

/// A job that goes on with another run in the same process.
@Suite("Integration: relaunch within the process")
struct RelaunchTests {
    private func ask(_ job: TallyJob, _ parameters: String = "{}") throws -> String {
        try RawSocket(job.workspace.path("cp/control.sock"))
            .ask(#"{"id":1,"method":"job.relaunch","params":\#(parameters)}"#)
    }

    private func checkpoint(_ job: TallyJob) throws {
        try job.apus("checkpoint", "create", "--checkpoint", "cp").expect(status: 0)
    }

    /// Records that an operator has taken in its present run.
    private func recordsIn(_ job: TallyJob) throws -> Int? {
        let status = try job.apus("job", "status", "cp", "--json").jsonObject()
        let nodes = status["nodes"] as? [[String: Any]] ?? []
        return nodes.first { $0["id"] as? String == "middle" }?["recordsIn"] as? Int
    }

    private static let keys = (0..<200).map { "key-\($0)" }
    private static let silent = (0..<200).map { "~\($0)" }

    @Test("from the newest checkpoint: what came after it is processed again, and seen once")
    func newest() throws {
        let job = try TallyJob(delivery: "exactly-once")
        try job.start()
        let before = try job.apus("job", "status", "cp", "--json").jsonObject()
        try job.send(Self.keys)
        try checkpoint(job)
        try job.send(Self.keys + Self.silent)
        for run in 2...4 {
            let answer = try ask(job)
            #expect(
                answer == #"{"id":1,"result":{"checkpoint":1,"job":"test","runs":\#(run)}}"#
            )
            try job.child?.wait(until: "the rest is processed again") {
                try recordsIn(job) == 400
            }
        }
        let after = try job.apus("job", "status", "cp", "--json").jsonObject()
        #expect(after["process"] as? Int == before["process"] as? Int)
        job.expectAsSent(try job.exported("--live"))
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
    }

    @Test("without a checkpoint it begins anew, at another parallelism of input as well")
    func beginning() throws {
        let job = try TallyJob(delivery: "exactly-once")
        try job.start(parallelism: 1)
        try job.send(Self.keys)
        #expect(try ask(job) == #"{"id":1,"result":{"job":"test","runs":2}}"#)
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
    }

    @Test("from an older checkpoint, when nothing was delivered since")
    func older() throws {
        let job = try TallyJob(delivery: "exactly-once")
        try job.start()
        try job.send(Self.keys)
        try checkpoint(job)
        try job.send(Self.silent)
        try checkpoint(job)
        #expect(
            try ask(job, #"{"checkpoint":1}"#)
                == #"{"id":1,"result":{"checkpoint":1,"job":"test","runs":2}}"#
        )
        try job.child?.wait(until: "they are processed again") { try recordsIn(job) == 200 }
        job.expectAsSent(try job.exported("--live"))
        try job.sendOnly(Self.keys)
        try job.child?.wait(until: "new ones are processed") { try recordsIn(job) == 400 }
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
    }

    @Test("from an older checkpoint is refused when output was delivered since; nothing is lost")
    func delivered() throws {
        let job = try TallyJob(delivery: "exactly-once")
        try job.start()
        try job.send(Self.keys)
        try checkpoint(job)
        try job.send(Self.keys)
        try checkpoint(job)
        try job.child?.wait(until: "it is delivered") {
            job.workspace.lines("out.txt").count == 400
        }
        // The answer may come too late: the job ends.
        _ = try? ask(job, #"{"checkpoint":1}"#)
        let run = try #require(job.child).finish()
        run.expect(status: 1, says: "checkpoint 1 is not the newest one")
        try job.start("--from", "latest")
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
    }

    @Test("a checkpoint that is not there ends the job, and it can be started again")
    func missing() throws {
        let job = try TallyJob(delivery: "exactly-once")
        try job.start()
        try job.send(Self.keys)
        try checkpoint(job)
        _ = try? ask(job, #"{"checkpoint":77}"#)
        try #require(job.child).finish()
            .expect(status: 1, says: "there is no checkpoint 77; expected one of: 1")
        try job.start("--from", "latest")
        try job.stop()
        job.expectOutput()
    }

    @Test("a job without checkpoints refuses, and runs on")
    func withoutCheckpoints() throws {
        let job = try TallyJob(checkpoints: false)
        try job.start("--control", "here.sock")
        let answer = try RawSocket(job.workspace.path("here.sock"))
            .ask(#"{"id":1,"method":"job.relaunch","params":{}}"#)
        #expect(answer.contains("refused"))
        #expect(answer.contains("the job takes no checkpoints to go on from"))
        try job.apus("job", "status", "--control", "here.sock").expect(status: 0)
        try job.stop()
    }
}
