import Foundation
import Glibc
import Testing

/// Swaps in whose middle the process ends.
@Suite("Integration: crashes during a swap")
struct SwapCrashTests {
    private let job: TallyJob

    private static let keys = (0..<100).map { "key-\($0)" }

    init() throws {
        job = try TallyJob(interval: "100ms", delivery: "exactly-once")
        try TallyPlugin.buildNext(as: "libnext.so", in: job.workspace)
    }

    private func lastCheckpoint() throws -> Int {
        let status = try job.apus("job", "status", "cp", "--json").jsonObject()
        let checkpoints = try #require(status["checkpoints"] as? [String: Any])
        return checkpoints["lastComplete"] as? Int ?? 0
    }

    private func waitForCheckpoints(_ count: Int) throws {
        let first = try lastCheckpoint()
        try job.child?.wait(until: "\(count) checkpoints more") {
            try lastCheckpoint() >= first + count
        }
    }

    private func history() throws -> [[String: Any]] {
        let run = try job.apus("swap", "history", "cp", "--json")
        run.expect(status: 0)
        return try #require(try run.jsonObject()["swaps"] as? [[String: Any]])
    }

    private func waitForProbation() throws {
        try job.child?.wait(until: "it is on probation") {
            let status = try job.apus("swap", "status", "cp", "--json")
            guard status.end == .exited(0) else { return false }
            return try status.jsonObject()["phase"] as? String == "probation"
        }
    }

    @Test("a version that crashes on probation: --restart takes it back, and no reader has seen it")
    func crashOnProbation() throws {
        try TallyPlugin.buildCrashing(as: "libcrash.so", in: job.workspace)
        try job.start("--restart")
        try job.send(Self.keys)
        let swap = ["swap", "run", "cp", "middle", "--to", "libcrash.so", "--guard", "1h"]
        try job.workspace.start(swap + ["--detach"]).finish().expect(status: 0)
        try waitForProbation()
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(3)
        #expect(!job.workspace.text("out.txt").contains("!"), "it is held back")
        try job.sendOnly(["?x"])
        let child = try #require(job.child)
        try child.wait(until: "it is taken back") {
            child.errors.contains("rolled back, the old version runs from checkpoint ")
        }
        #expect(child.errors.contains("in plugin test.tally 3.0.0, operator middle"))
        #expect(child.errors.contains("by signal 6 (SIGABRT); it is started again (1 of 5)"))
        try child.wait(until: "the record is processed by the old version") {
            job.workspace.text("out.txt").contains("?x 1")
        }
        let again = try job.workspace.start(swap).finish()
        again.expect(status: 2, says: "was taken back by swap 1: the process ended during the")
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
        let found = try #require(try history().first)
        #expect(found["outcome"] as? String == "rolled-back")
        #expect(found["cause"] as? String == "crash")
    }

    @Test(
        "killed at each step of a guarded swap that nobody takes back",
        arguments: ["S1", "S3", "S6", "S7", "S11", "S12"],
        ["barrier", "boundary"]
    )
    func killedOnTheWay(failpoint: String, cut: String) throws {
        try job.start(environment: ["APUS_FAILPOINT": failpoint])
        try job.send(Self.keys)
        try waitForCheckpoints(1)
        let swap = ["swap", "run", "cp", "middle", "--to", "libnext.so", "--cut", cut]
        let command = try job.workspace.start(swap + ["--guard", "300ms"])
        try job.sendOnly(Self.keys)
        let run = try #require(job.child).finish()
        #expect(run.end == .signalled(SIGKILL), "\(run)")
        _ = try command.finish()
        try job.start("--from", "latest-or-new")
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(2)
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutputOfVersions()
        let outcomes = try history().map { $0["outcome"] as? String }
        #expect(!outcomes.contains("open"))
        if failpoint == "S12" { #expect(outcomes == ["committed"]) }
        if ["S1", "S3"].contains(failpoint) { #expect(outcomes.isEmpty) }
    }

    @Test(
        "killed at each step of the way back",
        arguments: ["B1", "B5", "B6", "X4@2", "X7@2", "C12@12"]
    )
    func killedOnTheWayBack(failpoint: String) throws {
        try job.start(environment: ["APUS_FAILPOINT": failpoint])
        try job.send(Self.keys)
        let swap = ["swap", "run", "cp", "middle", "--to", "libnext.so", "--guard", "1h"]
        try job.workspace.start(swap + ["--detach"]).finish().expect(status: 0)
        try waitForProbation()
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(2)
        _ = try job.apus("swap", "rollback", "cp")
        // It may have ended before it came to the point: then it is stopped in order.
        let child = try #require(job.child)
        child.send(SIGTERM)
        _ = try child.finish()
        try job.start("--from", "latest-or-new")
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(2)
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
        #expect(try history().map { $0["outcome"] as? String } == ["rolled-back"])
    }

    @Test(
        "rows that are laid out anew are moved with their timers, across kills as well"
    )
    func changedRows() throws {
        for number in 1...3 {
            try TallyPlugin.buildChanged(number, as: "libchanged-\(number).so", in: job.workspace)
        }
        try job.start()
        try job.send(Self.keys)
        let swap = ["swap", "run", "cp", "middle", "--to"]
        try job.workspace.start(swap + ["libchanged-1.so"]).finish().expect(status: 0)
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(2)
        try job.kill()
        try job.start("--from", "latest")
        try job.sendOnly(Array(Self.keys.prefix(50)))
        // What it drops is agreed to with the swap, whatever checkpoint the next start has.
        try job.workspace.start(swap + ["libchanged-2.so"]).finish().expect(status: 0)
        try job.kill()
        try job.start("--from", "latest")
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(2)
        try job.workspace.start(swap + ["libchanged-3.so", "--guard", "1h", "--detach"]).finish()
            .expect(status: 0)
        try waitForProbation()
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(2)
        try job.kill()
        try job.start("--from", "latest")
        #expect(job.child?.errors.contains("was on probation when the process ended") == true)
        try job.sendOnly(Self.keys)
        try waitForCheckpoints(2)
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutputOfVersions()
        let outcomes = try history().map { $0["outcome"] as? String }
        #expect(outcomes == ["committed", "committed", "rolled-back"])
    }
}
