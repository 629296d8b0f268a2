import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusRuntime
import Glibc
import Testing

/// Goal: records whose calls are under way are neither lost nor doubled, whatever happens to the
/// job.
///
/// Method: jobs that are stopped and aborted at random while answers are under way, and go on at
/// another parallelism, with aligned and unaligned checkpoints; the sink, whose output is visible
/// with checkpoints alone, must have every answer once.
@Suite("Asynchronous calls over checkpoints", .serialized)
struct AsyncCheckpointTests {
    private static let undoneCount = Tally()

    private static func job(
        _ component: String,
        _ steps: [ScriptedSource.Step],
        parallelism: Int,
        isOrdered: Bool,
        _ target: OutboxTarget,
        _ world: CheckpointWorld
    ) throws -> TestJob {
        var settings = AsyncDescription()
        settings.capacity = 40
        settings.order = isOrdered ? .ordered : .unordered
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", steps, isTimed: true)
        try job.addOperator(
            "ask",
            component,
            ["in"],
            key: component == "tally" ? .prefix : nil,
            configuration: .map([.init("mode", .string("echo"))]),
            async: settings,
            from: .async
        )
        job.addOutbox("out", ["ask"], target, logFolder: world.logFolder)
        return job
    }

    @Test(
        "each answer is emitted once",
        arguments: [1, 2, 3, 4, 5, 6] as [UInt64],
        [nil, 0] as [Int64?]
    )
    func everyAnswerOnce(seed: UInt64, alignmentTimeout: Int64?) throws {
        var random = SplitMix64(seed: seed &* 7919)
        let component = seed % 2 == 0 ? "tally" : "calls"
        let isOrdered = seed % 3 == 0
        let context = "seed \(seed), alignment \(String(describing: alignmentTimeout))"
        let records = (0..<4000).map { TestRecord(value: "k\($0 % 97):\($0)", time: Int64($0)) }
        let steps = records.enumerated()
            .flatMap { index, record -> [ScriptedSource.Step] in
                [.record(record)] + (index % 200 == 0 ? [.pause(1000)] : [])
            }
        let world = try CheckpointWorld(
            intervalMicroseconds: 2000,
            alignmentTimeoutMicroseconds: alignmentTimeout
        )
        let target = OutboxTarget()
        var disturbances = 4
        while true {
            let parallelism = Int.random(in: 1...3, using: &random)
            let job = try Self.job(
                component,
                steps,
                parallelism: parallelism,
                isOrdered: isOrdered,
                target,
                world
            )
            let isDisturbed = disturbances > 0
            let isStopped = Bool.random(using: &random)
            let delay = UInt32.random(in: 2000...30_000, using: &random)
            let (summary, _, notes) = try world.run(job) { running in
                guard isDisturbed else { return }
                usleep(delay)
                if isStopped { running.run.stop() } else { running.run.abort() }
            }
            if case .failed(let failure) = summary.end {
                Issue.record("\(context): \(failure) \(notes)")
                return
            }
            if let manifest = try world.latest() {
                Self.undoneCount.add(manifest.inFlight.count { $0.node == "ask" })
            }
            disturbances -= 1
            if summary.end == .finished { break }
        }
        let expected =
            component == "tally"
            ? records.indices.map { "k\($0 % 97):\($0 / 97 + 1)" } : records.map(\.value)
        #expect(target.values.sorted() == expected.sorted(), "\(context)")
        #expect(target.complaints.isEmpty, "\(context)")
    }

    @Test("there were checkpoints with calls under way")
    func thereWereCalls() { #expect(Self.undoneCount.value > 5) }
}
