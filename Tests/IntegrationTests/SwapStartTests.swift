import ApusCore
import ApusIO
import ApusSwap
import Foundation
import Glibc
import Testing

/// Jobs that start with the swap journal of a process that has ended.
@Suite("Integration: starts behind a swap")
struct SwapStartTests {
    private let job: TallyJob
    private let old: PluginVersion
    private let new: PluginVersion

    private static let keys = (0..<100).map { "key-\($0)" }
    private static let silent = (0..<100).map { "~\($0)" }

    /// A job that has run with the old version and has delivered the output of checkpoint 1; then
    /// with the new one, which has taken checkpoint 2, without output, and was killed.
    init() throws {
        let job = try TallyJob(delivery: "exactly-once")
        try TallyPlugin.buildNext(as: "libnext.so", in: job.workspace)
        try job.start()
        try job.send(Self.keys)
        try job.apus("checkpoint", "create", "--checkpoint", "cp").expect(status: 0)
        try job.child?.wait(until: "it is delivered") {
            job.workspace.lines("out.txt").count == 100
        }
        try job.kill()
        let old = job.workspace.text("job.yaml")
        try job.workspace.write("job.yaml", old.replacing("libtally.so", with: "libnext.so"))
        try job.start("--from", "latest")
        try job.send(Self.silent)
        try job.apus("checkpoint", "create", "--checkpoint", "cp").expect(status: 0)
        try job.kill()
        try job.workspace.write("job.yaml", old)
        let store = SwapStore(inFolder: job.workspace.path("cp"), disk: LinuxDisk())
        func stored(_ file: String, _ version: String) throws -> PluginVersion {
            PluginVersion(
                sha256: try store.put(job.workspace.path(file)),
                file: file,
                plugin: "test.tally",
                version: version,
                component: "tally"
            )
        }
        self.job = job
        self.old = try stored("libtally.so", "1.0.0")
        new = try stored("libnext.so", "2.0.0")
    }

    private func note(_ events: SwapEntry.Event...) throws {
        let folder = job.workspace.path("cp")
        let journal = try SwapJournal(inFolder: folder, disk: LinuxDisk()) { _ in }
        for event in events { try journal.add(event, atMicroseconds: 1_800_000_000_000_000) }
    }

    private func intent(guarded: Bool = true) -> SwapEntry.Event {
        var intent = SwapIntent(
            .swap,
            operators: [
                SwapIntent.Operator(id: "middle", from: old, to: new, isCodeOnly: true)
            ],
            cut: .barrier
        )
        if guarded { intent.guard = SwapIntent.Guard(durationMicroseconds: 30_000_000) }
        return .intent(intent)
    }

    /// The plugins that the running job has: version and use.
    private func version() throws -> String? {
        let list = try job.apus("plugin", "ls", "cp", "--json").jsonObject()
        let plugins = try #require(list["plugins"] as? [[String: Any]])
        return plugins.first?["version"] as? String
    }

    private func history() throws -> [[String: Any]] {
        let run = try job.apus("swap", "history", "cp", "--json")
        run.expect(status: 0)
        return try #require(try run.jsonObject()["swaps"] as? [[String: Any]])
    }

    @Test("a committed swap: the new version runs although the job file names the old one")
    func committed() throws {
        try note(intent(), .cut(swap: 1, checkpoint: 1), .committed(swap: 1))
        try job.start("--from", "latest")
        #expect(
            job.child?.errors.contains(
                "note: operator 'middle': test.tally 2.0.0 (\(new.sha256.prefix(12))) runs, which "
                    + "has replaced the version that the job file names"
            ) == true
        )
        #expect(try version() == "2.0.0")
        try job.send(Self.keys)
        try job.stop()
        job.expectAsSent(try job.exported())
        let lines = job.workspace.lines("out.txt")
        #expect(lines.count { $0.hasSuffix(" 1") } == 100)
        #expect(lines.count { $0.hasSuffix(" 2!") } == 100)
        #expect(lines.count == 200)
        // The checkpoint says so, and the next start as well.
        try job.start("--from", "latest")
        #expect(try version() == "2.0.0")
        try job.stop()
    }

    @Test("a swap on probation: the old version, from the checkpoint of the cut, and quarantine")
    func probation() throws {
        try note(intent(), .cut(swap: 1, checkpoint: 1))
        try job.start("--from", "latest")
        let errors = try #require(job.child).errors
        #expect(
            errors.contains(
                "note: swap 1 of middle was on probation when the process ended: rolled back, the "
                    + "old version runs from checkpoint 1\n"
            ),
            "\(errors)"
        )
        #expect(errors.contains("started, parallelism 2, from checkpoint 1\n"))
        #expect(try version() == "1.0.0")
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
        let swap = try #require(try history().first)
        #expect(swap["outcome"] as? String == "rolled-back")
        #expect(swap["cause"] as? String == "crash")
        #expect(swap["checkpoint"] as? Int == 1)
        #expect(swap["reason"] as? String == "the process ended during the probation")
        let text = try job.apus("swap", "history", "cp").output
        let line = "  1  2027-01-15T08:00:00Z  swap: rolled back to checkpoint 1 (crash)"
        #expect(text.contains(line), "\(text)")
        #expect(text.contains("quarantined: \(new.sha256.prefix(12)), by swap 1"))
        // Nothing is left to decide: it goes on from its own last checkpoint.
        try job.start("--from", "latest")
        #expect(job.child?.errors.contains("note: swap") == false)
        try job.stop()
    }

    @Test(
        "killed at each step of such a start, the next one does the same",
        arguments: ["B1", "B6", "X4", "X7", "X8"]
    )
    func killedWhileGoingBack(failpoint: String) throws {
        try note(intent(), .cut(swap: 1, checkpoint: 1))
        let run = try job.workspace.start(
            ["run", "job.yaml", "-p", "2", "--from", "latest"],
            environment: ["APUS_FAILPOINT": failpoint]
        )
        .finish()
        #expect(run.end == .signalled(SIGKILL), "\(run)")
        try job.start("--from", "latest")
        try job.stop()
        job.expectAsSent(try job.exported())
        job.expectOutput()
        #expect(try history().map { $0["outcome"] as? String } == ["rolled-back"])
    }

    @Test("a swap that had only begun: nothing was done, and nothing happens")
    func begun() throws {
        try job.start("--from", "1")
        try job.stop()
        try note(intent())
        try job.start("--from", "latest")
        let errors = try #require(job.child).errors
        #expect(errors.contains("nothing of it was done: the old version runs\n"))
        #expect(errors.contains("started, parallelism 2, from checkpoint 3\n"))
        try job.stop()
        job.expectOutput()
        #expect(try history().map { $0["outcome"] as? String } == ["abandoned"])
    }

    @Test("one without a guard that is in a checkpoint was made, and stays")
    func unguarded() throws {
        try note(intent(guarded: false))
        try job.start("--from", "latest")
        let errors = try #require(job.child).errors
        #expect(errors.contains("was made before checkpoint 2, which the new version wrote"))
        #expect(try version() == "2.0.0")
        try job.stop()
        #expect(try history().map { $0["outcome"] as? String } == ["committed"])
    }

    @Test("as long as a start has something to end, nobody changes its checkpoints")
    func offlineChanges() throws {
        try note(intent(), .cut(swap: 1, checkpoint: 1))
        let refusal = "swap 1 of middle is not at its end; expected none: start the job with"
        try job.apus("checkpoint", "gc", "cp", "--yes").expect(status: 2, says: refusal)
        let purge = ["state", "purge", "--checkpoint", "cp", "--operator", "middle"]
        try job.workspace.start(purge + ["--where", "idle > 100d", "--yes"]).finish()
            .expect(status: 2, says: refusal)
        try job.start("--from", "latest")
        try job.stop()
        try job.apus("checkpoint", "gc", "cp", "--yes").expect(status: 0)
        job.expectOutput()
    }

    @Test("a checkpoint of the version on probation is refused, with the way back")
    func checkpointOfProbation() throws {
        try note(intent(), .cut(swap: 1, checkpoint: 1))
        try job.apus("run", "job.yaml", "--from", "2").expect(
            status: 2,
            says: "--from: checkpoint 2 was written by a version on probation",
            "expected --from latest, which goes back to checkpoint 1"
        )
        #expect(try history().map { $0["outcome"] as? String } == ["open"])
    }

    @Test("an end of the journal that was not written is cut off, with a warning")
    func torn() throws {
        try note(intent(), .cut(swap: 1, checkpoint: 1), .committed(swap: 1))
        let bytes = try Data(contentsOf: URL(filePath: job.workspace.path("cp/swap/journal")))
        try job.workspace.write("cp/swap/journal", bytes.dropLast(3))
        #expect(try history().map { $0["outcome"] as? String } == ["open"])
        try job.start("--from", "latest")
        let errors = try #require(job.child).errors
        #expect(errors.contains("warning: \(job.workspace.path("cp/swap/journal")): the last"))
        #expect(errors.contains("rolled back, the old version runs from checkpoint 1\n"))
        try job.stop()
        job.expectOutput()
    }

    @Test("what cannot be decided is refused, with the file and what to do; nothing is changed")
    func refusals() throws {
        try note(intent(), .cut(swap: 1, checkpoint: 1), .committed(swap: 1))
        let path = job.workspace.path("cp/swap/journal")
        let whole = try Data(contentsOf: URL(filePath: path))
        var damaged = whole
        damaged[40] ^= 1
        try job.workspace.write("cp/swap/journal", damaged)
        try job.apus("run", "job.yaml", "--from", "latest")
            .expect(status: 2, says: "swap/journal: offset 16: damaged")
        try job.apus("swap", "history", "cp")
            .expect(status: 2, says: "swap/journal: offset 16: damaged")
        try job.workspace.write("cp/swap/journal", whole)
        let copy = "cp/swap/plugins/\(new.sha256).so"
        try FileManager.default.removeItem(atPath: job.workspace.path(copy))
        try job.apus("run", "job.yaml", "--from", "latest")
            .expect(status: 2, says: copy, "put the file with the SHA-256 \(new.sha256) there")
        #expect(try Data(contentsOf: URL(filePath: path)) == whole)
    }

    @Test("history tells of a job that was never swapped, and refuses what is no job's folder")
    func emptyHistory() throws {
        let never = try job.apus("swap", "history", "cp")
        #expect(never.output == "job 'test': nothing of it was ever swapped\n")
        try job.apus("swap", "history", "nowhere").expect(status: 2, says: "no such folder")
    }
}
