import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusIO
import ApusRuntime
import ApusState
import ApusTestPlugins
import Glibc
import Testing

/// Goal: items that belong to subtasks are neither lost nor doubled, whatever happens to the job.
///
/// Method: `held` and `plain` keep each value for a while and emit it once; what comes out must be
/// what came in, over aborts, stops and restarts at another parallelism, with aligned and unaligned
/// checkpoints.  Beside that they count their records in items that all subtasks get back.
@Suite("Operator state in a job", .serialized)
struct OperatorStateJobTests {
    private static func inputs(
        _ count: Int
    ) -> (records: [TestRecord], steps: [ScriptedSource.Step]) {
        let records = (0..<count).map { TestRecord(value: "k\($0 % 97):\($0)", time: Int64($0)) }
        let steps = records.enumerated()
            .flatMap { index, record -> [ScriptedSource.Step] in
                [.record(record)] + (index % 300 == 0 ? [.pause(1500)] : [])
            }
        return (records, steps)
    }

    private static let completeCount = Tally()
    private static let rescaleCount = Tally()

    @Test(
        "each item is emitted once, at any parallelism",
        arguments: [1, 2, 3, 4, 5, 6] as [UInt64],
        [nil, 0] as [Int64?]
    )
    func everyItemOnce(seed: UInt64, alignmentTimeout: Int64?) throws {
        let context = "seed \(seed), alignment \(String(describing: alignmentTimeout))"
        var random = SplitMix64(seed: seed &* 1013)
        let (records, steps) = Self.inputs(6000)
        let world = try CheckpointWorld(
            intervalMicroseconds: 2000,
            alignmentTimeoutMicroseconds: alignmentTimeout
        )
        let target = OutboxTarget()
        var disturbances = 4
        var parallelism = 0
        while true {
            let old = parallelism
            parallelism = Int.random(in: 1...4, using: &random)
            if old > 0, old != parallelism { Self.rescaleCount.add(1) }
            var job = try TestJob(parallelism: parallelism)
            job.addSource("in", steps, isTimed: true)
            try job.addOperator("held", "held", ["in"], key: .prefix, from: .kinds)
            // Behind it in the same chain, so that one without keys has several subtasks, too.
            try job.addOperator("plain", "plain", ["held"], from: .kinds)
            job.addOutbox("out", ["plain"], target, logFolder: world.logFolder)
            let isDisturbed = disturbances > 0
            let isStopped = Bool.random(using: &random)
            let delay = UInt32.random(in: 2000...40_000, using: &random)
            let (summary, checkpoints, notes) = try world.run(job) { running in
                guard isDisturbed else { return }
                usleep(delay)
                if isStopped { running.run.stop() } else { running.run.abort() }
            }
            Self.completeCount.add(checkpoints.count { $0.outcome == .complete })
            if case .failed(let failure) = summary.end {
                Issue.record("\(context): \(failure) \(notes)")
                return
            }
            disturbances -= 1
            if summary.end == .finished { break }
        }
        #expect(target.values.sorted() == records.map(\.value).sorted(), "\(context)")
        #expect(target.complaints.isEmpty, "\(context)")
        for id in ["held", "plain"] {
            let (reference, subtasks) = try #require(try Self.stored(world, id), "\(context)")
            #expect(reference.lists.map(\.name) == ["held", "seen"])
            #expect(reference.lists.map(\.redistribution) == ["split", "union"])
            #expect(reference.lists.map(\.itemCount) == [0, subtasks.count], "\(context)")
            #expect(Self.sum(subtasks.map { $0[1] }) == records.count, "\(context)")
        }
    }

    @Test("checkpoints were complete, and jobs went on at another parallelism")
    func checkpointsWereComplete() {
        #expect(Self.completeCount.value > 20)
        #expect(Self.rescaleCount.value > 10)
    }

    /// What the newest checkpoint has of an operator.
    private static func stored(
        _ world: CheckpointWorld,
        _ id: String
    ) throws -> (reference: OperatorStateReference, subtasks: [[OperatorStateItems]])? {
        guard let manifest = try world.latest() else { return nil }
        let files = manifest.files.filter { $0.role == .operatorState && $0.logicalName == id }
        guard files.count == 1,
            let reference = manifest.operators.first(where: { $0.id == id })?.operatorState
        else { return nil }
        let path = world.folder.file("checkpoints") + "/files/" + files[0].contentName
        let bytes = try LinuxDisk().readAll(path, maximumByteCount: files[0].byteCount)
        return OperatorStateFile.decode(bytes).map { (reference, $0) }
    }

    private static func sum(_ subtasks: [OperatorStateItems]) -> Int {
        subtasks.flatMap { $0 }.reduce(0) { sum, item in
            sum + item.reversed().reduce(0) { $0 << 8 | Int($1) }
        }
    }

    // MARK: - Restarts

    /// A job that holds some items when it is stopped.
    private static func job(
        _ component: String?,
        parallelism: Int = 2,
        isKeyed: Bool = true
    ) throws -> TestJob {
        var job = try TestJob(parallelism: parallelism)
        let first = (0..<40).map {
            ScriptedSource.Step.record(TestRecord(value: "k\($0 % 7):\($0)", time: Int64($0)))
        }
        job.addSource("in", first + [.wait(Gate())], isTimed: true)
        if let component {
            try job.addOperator(
                "op",
                component,
                ["in"],
                key: isKeyed ? .prefix : nil,
                from: component == "sum" ? .probe : .kinds
            )
        } else {
            try job.addOperator("another", "tagger", ["in"])
        }
        job.addSink("out", [component == nil ? "another" : "op"])
        return job
    }

    private static func runToStop(_ world: CheckpointWorld, _ job: TestJob) throws {
        let (summary, _, _) = try world.run(job) { running in
            try running.wait(for: "the source") { running.node("in")?.recordsOut ?? 0 >= 40 }
            running.run.stop()
        }
        #expect(summary.end == .stopped)
    }

    @Test("the same parallelism gives back each subtask's own; others share evenly")
    func goesOn() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        try Self.runToStop(world, try Self.job("held", parallelism: 3))
        let first = try #require(try Self.stored(world, "op")).subtasks.map { $0[0] }
        #expect(first.flatMap { $0 }.count > 3, "something is held")
        func goOn(at parallelism: Int) throws -> [OperatorStateItems] {
            let job = try Self.job("held", parallelism: parallelism)
            let (summary, _, _) = try world.run(job) { $0.run.stop() }
            #expect(summary.end == .stopped)
            return try #require(try Self.stored(world, "op")).subtasks.map { $0[0] }
        }
        #expect(try goOn(at: 3) == first)
        for parallelism in [4, 1, 2] {
            let found = try goOn(at: parallelism)
            #expect(found.flatMap { $0 } == first.flatMap { $0 }, "parallelism \(parallelism)")
            let counts = found.map(\.count)
            #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "\(counts)")
        }
    }

    @Test("operator state and broadcast state count in the budget of the job")
    func budget() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        let end = Gate()
        func run(_ component: String, broadcasts: [String], atLeast byteCount: Int) throws {
            let text = String(repeating: "v", count: 2000)
            let records = (0..<12).map {
                // Odd at the end would replace others.
                ScriptedSource.Step.record(TestRecord(value: "\(text)\($0)0", time: Int64($0)))
            }
            var job = try TestJob(parallelism: 1)
            job.addSource("in", records + [.wait(end)])
            if !broadcasts.isEmpty { job.addSource("rules", records + [.wait(end)]) }
            try job.addOperator("op", component, ["in"], broadcasts: broadcasts, from: .kinds)
            job.addSink("out", ["op"])
            try world.run(job) { running in
                try running.wait(for: "what it uses") {
                    world.budget?.usedByteCount ?? 0 > byteCount
                }
                running.run.abort()
            }
        }
        try run("plain", broadcasts: [], atLeast: 12 * 2000)
        try run("passed", broadcasts: ["rules"], atLeast: 12 * 2000)
    }

    @Test("operator state that does not fit the plugin is refused, and can be given up")
    func doesNotFit() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 60_000_000)
        try Self.runToStop(world, try Self.job("plain", isKeyed: false))
        func refusal(_ component: String?, isKeyed: Bool = false) throws -> String {
            let failure = #expect(throws: JobFailure.self) {
                try world.run(try Self.job(component, isKeyed: isKeyed))
            }
            return failure?.description ?? ""
        }
        let other = try refusal("other")
        #expect(
            other.contains(
                "expected split operator state 'held' version 2, union operator state 'seen' "
                    + "version 1, the plugin declares union operator state 'held' version 2, union"
            ),
            "\(other)"
        )
        #expect(other.contains("--drop-state op"), "\(other)")
        let without = try refusal("sum", isKeyed: true)
        #expect(without.contains("the plugin declares counter 'total'"), "\(without)")
        let gone = try refusal(nil)
        #expect(gone.contains("has state for 'op', and the job has no longer an"), "\(gone)")
        world.droppedState = ["op"]
        try world.run(try Self.job("other", isKeyed: false)) { $0.run.abort() }
    }
}
