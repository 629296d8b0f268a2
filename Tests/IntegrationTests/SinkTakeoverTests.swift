import Foundation
import Testing

/// Goal: a job that goes on never empties a sink's target that its checkpoint knows nothing of.
@Suite("Integration: targets that a checkpoint does not know")
struct SinkTakeoverTests {
    private static let exactly = ["--set", "spec.sinks.out.delivery=exactly-once"]

    /// A job that has delivered at once, and stopped.
    private func stopped() throws -> TallyJob {
        let job = try TallyJob()
        try job.start()
        try job.send((0..<50).map { "k-\($0)" })
        try job.stop()
        return job
    }

    private func goOn(_ job: TallyJob, _ options: [String]) throws -> Child {
        try job.workspace.start(
            ["run", "job.yaml", "-p", "1", "--from", "latest"] + Self.exactly + options
        )
    }

    @Test("output of another delivery is not dropped; moved away, it is there beside the target")
    func otherDelivery() throws {
        let job = try stopped()
        let before = job.workspace.text("out.txt")
        try #require(!before.isEmpty)
        let refused = try goOn(job, []).finish(atMost: 30)
        #expect(refused.end != .exited(0))
        for word in ["knows of no output", "out.txt", "append: true", "--rewind-output"] {
            #expect(refused.errors.contains(word), "no '\(word)' in \(refused)")
        }
        #expect(job.workspace.text("out.txt") == before)
        let moved = try goOn(job, ["--rewind-output"])
        try moved.wait(until: "it runs") { moved.errors.contains("started, parallelism") }
        moved.send(SIGTERM)
        try moved.finish(atMost: 60).expect(status: 0)
        let aside = try FileManager.default.contentsOfDirectory(atPath: job.workspace.path)
            .filter { $0.hasPrefix("out.txt.rewound-") }
        #expect(aside.count == 1 && job.workspace.text(aside.first ?? "") == before)
    }

    @Test("with append: true it goes on behind what is there")
    func appending() throws {
        let job = try stopped()
        let before = job.workspace.text("out.txt")
        let child = try goOn(job, ["--set", "spec.sinks.out.config.append=true"])
        try child.wait(until: "it runs") { child.errors.contains("started, parallelism") }
        child.send(SIGTERM)
        try child.finish(atMost: 60).expect(status: 0)
        #expect(job.workspace.text("out.txt").hasPrefix(before))
    }

    @Test("two jobs do not share a folder for the local database")
    func sharedStateFolder() throws {
        let (one, two) = (try TallyJob(), try TallyJob())
        let shared = ["--set", "spec.state.dir=\(one.workspace.path("db"))"]
        try one.start(shared[0], shared[1])
        let other = try two.workspace.start(["run", "job.yaml"] + shared).finish(atMost: 30)
        other.expect(status: 2, says: "another job uses the folder")
        try one.send(["a", "b"])
        try one.stop()
    }
}
