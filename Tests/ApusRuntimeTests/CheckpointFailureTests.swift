import ApusCheckpoint
import ApusGraph
import ApusRuntime
import Glibc
import Testing

/// Goal: whatever goes wrong with a checkpoint or a delivery, the job runs on where it can, nothing
/// is
/// lost or doubled, and the checkpoint before stays.
///
/// Method: a disk whose n-th change fails, for every n; targets that refuse; sinks that cannot
/// write.
@Suite("Checkpoints that fail", .serialized)
struct CheckpointFailureTests {
    private static let records = Sample.numbers(2000, keyCount: 20, seed: 4)
    private static var expected: [String] { Model.sum(Model.keyed(records)).map(\.value).sorted() }

    /// `sum` over 2,000 records that take their time.
    private func makeJob(
        _ target: OutboxTarget,
        _ world: CheckpointWorld,
        parallelism: Int = 2,
        steps: [ScriptedSource.Step]? = nil,
        isResumable: Bool = true
    ) throws -> TestJob {
        var job = try TestJob(parallelism: parallelism)
        var paused: [ScriptedSource.Step] = []
        for (index, record) in Self.records.enumerated() {
            paused.append(.record(record))
            if index % 100 == 99 { paused.append(.pause(2000)) }
        }
        job.addSource("in", steps ?? paused, isTimed: true, isResumable: isResumable)
        try job.addOperator("sum", "sum", ["in"], key: .prefix)
        job.addOutbox("out", ["sum"], target, logFolder: world.logFolder)
        return job
    }

    @Test("the n-th change on the disk fails, for every n")
    func theNthChangeOnTheDiskFails() throws {
        var number = 1
        var abandonedCount = 0
        // Only what the runtime and the folder do while a job runs; how often depends on the time.
        while number < 120 {
            let world = try CheckpointWorld(intervalMicroseconds: 5000)
            let disk = FaultyDisk()
            world.disk = disk
            let target = OutboxTarget()
            let job = try makeJob(target, world)
            let end = try world.run(job) { _ in disk.fail(at: number) }
            let struckCount = disk.struckCount
            disk.fail(at: nil)
            #expect(end.summary.end == .finished, "change \(number): \(end.notes)")
            #expect(target.values.sorted() == Self.expected, "change \(number)")
            #expect(target.complaints.isEmpty)
            for attempt in end.checkpoints {
                guard case .abandoned(let reason) = attempt.outcome else { continue }
                abandonedCount += 1
                #expect(reason.contains("No space left"), "change \(number)")
                let warning = "checkpoint \(attempt.number) is abandoned: \(reason)"
                #expect(end.notes.contains(warning))
            }
            if struckCount == 0 { break }
            number += number < 40 ? 1 : 7
        }
        #expect(abandonedCount > 10)
    }

    @Test("a disk that stays full fails the job as the rule says, and it goes on later")
    func aDiskThatStaysFullFailsTheJob() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        world.rule.tolerableFailureCount = 2
        let disk = FaultyDisk()
        world.disk = disk
        let target = OutboxTarget()
        let gate = Gate()
        var steps: [ScriptedSource.Step] = Self.records.map { .record($0) }
        steps.insert(contentsOf: [.cut, .wait(gate)], at: 700)
        let job = try makeJob(target, world, steps: steps)
        let end = try world.run(job) { running in
            try running.wait(for: "two checkpoints") {
                (running.run.progress().checkpoints?.completeCount ?? 0) >= 2
            }
            disk.fail(at: 1, isForGood: true)
        }
        guard case .failed(let failure) = end.summary.end else {
            Issue.record("\(end.summary.end)")
            return
        }
        #expect(failure.node == "checkpoints")
        #expect(failure.message.contains("3 checkpoints in a row failed"))
        #expect(failure.message.contains("the job continues from it"))
        disk.fail(at: nil)
        gate.open()
        #expect(try world.run(try makeJob(target, world, steps: steps)).summary.end == .finished)
        #expect(target.values.sorted() == Self.expected)
    }

    @Test("a target that is full for a while holds nobody up, and loses nothing")
    func aTargetThatIsFullForAWhile() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        let target = OutboxTarget()
        target.fail(times: 4)
        let end = try world.run(try makeJob(target, world))
        #expect(end.summary.end == .finished)
        #expect(target.values.sorted() == Self.expected)
        #expect(target.complaints.isEmpty)
        #expect(end.notes.filter { $0.contains("tried again and again: sink 'out'") }.count == 1)
        #expect(end.notes.contains("output is delivered again"))
        #expect(end.summary.progress.checkpoints?.undeliveredCount == 0)
    }

    @Test("output that is not delivered at the end is delivered at the next start")
    func outputThatIsNotDeliveredAtTheEnd() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        world.deliveryPatienceMicroseconds = 200_000
        let target = OutboxTarget()
        target.fail(times: 1_000_000)
        let end = try world.run(try makeJob(target, world))
        guard case .failed(let failure) = end.summary.end else {
            Issue.record("\(end.summary.end)")
            return
        }
        #expect(failure.message.contains("the disk is full"))
        #expect(target.values.isEmpty)
        #expect((end.summary.progress.checkpoints?.undeliveredCount ?? 0) > 0)
        #expect(try world.latest()?.isFinal == true)

        // Still full: the job does not start, and says why.
        #expect(throws: JobFailure.self) { try world.run(try makeJob(target, world)) }
        target.fail(times: 0)
        let again = try makeJob(target, world)
        let last = try world.run(again)
        #expect(last.summary.end == .finished)
        #expect(again.watches["in"]?.readCount.value == 0, "nothing is read twice")
        #expect(target.values.sorted() == Self.expected)
        #expect(target.complaints.isEmpty)
        #expect(try world.run(try makeJob(target, world)).summary.end == .finished)
        #expect(target.values.sorted() == Self.expected)
    }

    @Test("a target that is gone fails the job, whose output stays in the checkpoint")
    func aTargetThatIsGoneFailsTheJob() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        let target = OutboxTarget()
        target.breakDown()
        let end = try world.run(try makeJob(target, world))
        guard case .failed(let failure) = end.summary.end else {
            Issue.record("\(end.summary.end)")
            return
        }
        #expect(failure.message.contains("the table is gone"))
        #expect(failure.message.contains("is complete"))
    }

    @Test("a sink that cannot seal waits, and the job with it")
    func aSinkThatCannotSealWaits() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        let target = OutboxTarget()
        target.failSealing(times: 3)
        let end = try world.run(try makeJob(target, world))
        #expect(end.summary.end == .finished)
        #expect(target.values.sorted() == Self.expected)
        #expect(end.notes.contains("sink 'out' waits and tries again: no space left"))
        #expect(end.notes.contains("sink 'out' goes on"))
    }

    @Test("an attempt that takes too long is abandoned, and its output is in the next one")
    func anAttemptThatTakesTooLong() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 20_000)
        // Long enough for a busy machine: the last attempts have to be in time.
        world.rule.timeoutMicroseconds = 500_000
        let target = OutboxTarget()
        let gate = Gate()
        var job = try makeJob(target, world)
        // Another sink that blocks its thread: barriers do not get through.
        let blocked = job.addSink(
            "slow",
            ["sum"],
            Collector.Behaviour(gate: gate)
        )
        let end = try world.run(job) { running in
            try running.wait(for: "an attempt that takes too long") {
                (running.run.progress().checkpoints?.abandonedCount ?? 0) >= 2
            }
            gate.open()
        }
        #expect(end.summary.end == .finished)
        #expect(target.values.sorted() == Self.expected)
        #expect(blocked.values.sorted() == Self.expected)
        #expect(target.complaints.isEmpty)
        let reasons = end.checkpoints.compactMap { attempt -> String? in
            guard case .abandoned(let reason) = attempt.outcome else { return nil }
            return reason
        }
        #expect(reasons.allSatisfy { $0.contains("timed out: no word from") })
        #expect(end.checkpoints.last?.outcome == .complete)
    }

    @Test("a source without a way back is refused at the start")
    func aSourceWithoutAWayBackIsRefused() throws {
        let world = try CheckpointWorld()
        let target = OutboxTarget()
        let job = try makeJob(target, world, isResumable: false)
        let failure = #expect(throws: JobFailure.self) { try world.run(job) }
        #expect(failure?.node == "in")
        #expect(failure?.message.contains("cannot be read a second time") == true)
    }

    @Test("the last checkpoint of a stop that fails leaves the one before")
    func theLastCheckpointOfAStopThatFails() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 10_000)
        world.rule.tolerableFailureCount = 0
        let disk = FaultyDisk()
        world.disk = disk
        let target = OutboxTarget()
        let end = try world.run(try makeJob(target, world)) { running in
            try running.wait(for: "a checkpoint") {
                (running.run.progress().checkpoints?.completeCount ?? 0) >= 1
            }
            disk.fail(at: 1, isForGood: true)
            running.run.stop()
        }
        disk.fail(at: nil)
        guard case .failed(let failure) = end.summary.end else {
            Issue.record("\(end.summary.end)")
            return
        }
        #expect(failure.message.contains("No space left"))
        let kept = try #require(end.summary.progress.checkpoints?.lastComplete)
        #expect(failure.message.contains("checkpoint \(kept) is complete"))
        #expect(try world.run(try makeJob(target, world)).summary.end == .finished)
        #expect(target.values.sorted() == Self.expected)
        #expect(target.complaints.isEmpty)
    }
}
