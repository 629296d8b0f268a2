import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusRuntime
import Glibc
import Testing

/// Goal: barriers get through whatever sources do and however full the channels are, and without
/// checkpoints there are none.
///
/// Method: sources that wait, end or race; slow sinks; many short runs that hunt for lock-ups.
@Suite("Barriers", .serialized)
struct BarrierTests {
    private static func complete(_ running: RunningJob) -> Int {
        running.run.progress().checkpoints?.completeCount ?? 0
    }

    @Test("checkpoints go on while one source waits and another one has ended", arguments: 1...3)
    func checkpointsGoOnWhileSourcesWait(parallelism: Int) throws {
        let world = try CheckpointWorld(intervalMicroseconds: 2000)
        let (early, late) = (OutboxTarget(), OutboxTarget())
        let gate = Gate()
        func make() throws -> TestJob {
            var job = try TestJob(parallelism: parallelism)
            let ended = Sample.numbers(500, keyCount: 9, seed: 1)
            job.addSource("ended", records: ended, isTimed: true)
            job.addSource(
                "waiting",
                [.record(TestRecord(value: "w:1", time: 5)), .cut, .wait(gate)]
                    + [.record(TestRecord(value: "w:2", time: 6))],
                isTimed: true,
                idleAfter: 10_000
            )
            // One whole pipeline ends early; what it holds stays in the checkpoints.
            try job.addOperator("gone", "sum", ["ended"], key: .prefix)
            job.addOutbox("early", ["gone"], early, logFolder: world.logFolder)
            try job.addOperator("both", "union", ["ended", "waiting"])
            try job.addOperator("sum", "balance", ["both"], key: .prefix)
            job.addOutbox("late", ["sum"], late, logFolder: world.logFolder)
            return job
        }
        let first = try world.run(try make()) { running in
            try running.wait(for: "the end of one source") {
                running.node("gone")?.watermark == .max && running.node("both")?.recordsIn == 501
            }
            let before = Self.complete(running)
            try running.wait(for: "more checkpoints") { Self.complete(running) >= before + 4 }
            running.run.abort()
        }
        #expect(first.summary.end == .aborted)
        #expect(early.values.count == 500)
        #expect(late.values.isEmpty)
        gate.open()
        let second = try world.run(try make())
        #expect(second.summary.end == .finished)
        #expect(early.values.count == 500)
        // "0:k…" and "1:w:…": two keys, whose balances come at the end.
        #expect(late.values.count == 2)
        #expect(late.values.contains("1:3"))
    }

    @Test("sources of different speeds on one thread never lock up", arguments: 1...3, [nil, 0])
    func sourcesOfDifferentSpeedsNeverLockUp(parallelism: Int, timeout: Int64?) throws {
        let rounds = Int(getenv("APUS_FUZZ").flatMap { String(cString: $0) } ?? "") ?? 3
        for round in 0..<rounds {
            let world = try CheckpointWorld(
                intervalMicroseconds: 1000,
                alignmentTimeoutMicroseconds: timeout
            )
            var random = SplitMix64(seed: UInt64(round))
            let targets = [OutboxTarget(), OutboxTarget()]
            var job = try TestJob(parallelism: parallelism, bufferTimeoutMicroseconds: 1)
            let slow = (0..<300).flatMap { index -> [ScriptedSource.Step] in
                [
                    .record(
                        TestRecord(value: "slow\(index % 7):\(index)", time: Int64(index) * 100)
                    ),
                    .pause(UInt32.random(in: 1...300, using: &random)),
                ]
            }
            let fast = (0..<60_000).map { index in
                TestRecord(value: "fast\(index % 300):\(index)", time: Int64(index) / 2)
            }
            job.addSource("slow", slow, isTimed: true)
            job.addSource("fast", records: fast, isTimed: true)
            // Forward and exchanged edges into one node, twice over.
            try job.addOperator("first", "sum", ["slow", "fast"], key: .prefix)
            try job.addOperator("tag", "tagger", ["first"])
            try job.addOperator("second", "sum", ["tag", "fast"], key: .prefix)
            job.addOutbox("a", ["second"], isParallel: true, targets[0], logFolder: world.logFolder)
            job.addOutbox("b", ["first"], targets[1], logFolder: world.logFolder)
            let brake = job.addSink(
                "brake",
                ["second"],
                Collector.Behaviour(writeMicroseconds: 100, keepsRecords: false)
            )
            let end = try world.run(job, seconds: 60)
            #expect(end.summary.end == .finished, "round \(round): \(end.notes)")
            #expect(brake.writtenCount.value == 120_300)
            #expect(targets[0].records.count == 120_300)
            #expect(targets[1].records.count == 60_300)
            #expect(end.checkpoints.contains { $0.outcome == .complete && !$0.isFinal })
            if timeout == 0 { #expect(end.checkpoints.contains { $0.isUnaligned }) }
            #expect(targets.flatMap(\.complaints).isEmpty)
        }
    }

    /// A key that a subtask owns.
    private static func key(ofSubtask subtask: Int, parallelism: Int) -> String {
        let groups = KeyGroups(count: 1024)
        let batch = RecordBatch(recordCapacity: 1, arenaCapacity: 16)
        for number in 0..<1000 {
            batch.reset()
            batch.append(TestRecord(key: "k\(number)", value: ""))
            KeyHash.fill(batch)
            let group = groups.group(ofHash: batch.hashes[0])
            if groups.subtask(ofGroup: group, parallelism: parallelism) == subtask {
                return "k\(number)"
            }
        }
        preconditionFailure("one of a thousand keys belongs to each of two subtasks")
    }

    @Test("what a barrier has overtaken is in the checkpoint, when too much waits behind it")
    func whatABarrierHasOvertakenIsInTheCheckpoint() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 5000)
        let (started, gate, last) = (Gate(), Gate(), Gate())
        let (target, signal) = (OutboxTarget(), OutboxTarget())
        let key = Self.key(ofSubtask: 0, parallelism: 2)
        let long = String(repeating: "x", count: 4000)
        func make() throws -> TestJob {
            var job = try TestJob(parallelism: 2)
            job.addParallelSource("in") { subtask in
                func record(_ value: String) -> ScriptedSource.Step {
                    .record(TestRecord(key: key, value: value, time: 0))
                }
                guard subtask == 0 else {
                    // Its thread sends no barrier as long as it is in the middle of a read; what
                    // that read brings is in front of the barrier.
                    return [record("1:1"), .cut, .block(gate)]
                        + (0..<500).map { record("1:\($0)") } + [.cut, .wait(last), record("1:7")]
                }
                return [record("0:1"), .cut, .wait(started)]
                    + (0..<12_000).map { record("\(long):\($0)") } + [.cut, .wait(last)]
            }
            try job.addOperator("sum", "sum", ["in"], key: .recordKey)
            job.addOutbox("out", ["sum"], target, logFolder: world.logFolder)
            // Tells when the first thread has sent the barrier.
            job.addSource("signal", [.wait(last)])
            job.addOutbox("sent", ["signal"], signal, logFolder: world.logFolder)
            return job
        }
        let job = try make()
        let watch = try #require(job.watches["in"])
        let first = try world.run(job, seconds: 60) { running in
            try running.wait(for: "the barrier of one thread") { signal.sealCount.value > 0 }
            started.open()
            try running.wait(for: "more than may be kept", seconds: 30) {
                watch.readCount.value > 11_500
            }
            gate.open()
            try running.wait(for: "the checkpoint", seconds: 30) { Self.complete(running) > 0 }
            running.run.abort()
        }
        #expect(first.summary.end == .aborted)
        #expect(first.checkpoints.first?.isUnaligned == true)
        let manifest = try #require(try world.latest())
        // A later one may have been complete before the abort.
        if manifest.number == first.checkpoints.first?.number {
            #expect(manifest.inFlight.map(\.node) == ["sum"])
            #expect(manifest.inFlight.map(\.subtask) == [0])
        }
        last.open()
        #expect(try world.run(try make(), seconds: 60).summary.end == .finished)
        let total = 1 + 1 + (0..<500).reduce(0, +) + (0..<12_000).reduce(0, +) + 7
        #expect(target.records.count == 12_503)
        // Not the sums in between: the order of the two subtasks is nobody's promise.
        #expect(target.values.last == "\(key):\(total)")
        #expect(target.complaints.isEmpty)
    }

    @Test("what an operator says at its end it says once, although others go on")
    func whatAnOperatorSaysAtItsEndItSaysOnce() throws {
        let world = try CheckpointWorld(intervalMicroseconds: 2000)
        let target = OutboxTarget()
        let gate = Gate()
        func make() throws -> TestJob {
            var job = try TestJob(parallelism: 2)
            job.addSource("short", records: [TestRecord(value: "a:1", time: 1)], isTimed: true)
            job.addSource("long", [.wait(gate)])
            try job.addOperator("life", "life", ["short"])
            job.addOutbox("out", ["life"], target, logFolder: world.logFolder)
            job.addOutbox("other", ["long"], OutboxTarget(), logFolder: world.logFolder)
            return job
        }
        for _ in 0..<2 {
            try world.run(try make()) { running in
                try running.wait(for: "the end of one source") {
                    running.node("life")?.watermark == .max
                }
                let before = Self.complete(running)
                try running.wait(for: "checkpoints") { Self.complete(running) >= before + 2 }
                running.run.abort()
            }
        }
        gate.open()
        #expect(try world.run(try make()).summary.end == .finished)
        #expect(target.values == ["open", "a:1", "close"])
    }

    @Test("without checkpoints there is no thread for them, and none is told of")
    func withoutCheckpointsThereAreNone() throws {
        var job = try TestJob(parallelism: 2)
        job.addSource("in", records: Sample.numbers(100, keyCount: 3, seed: 1))
        let out = job.addSink("out", ["in"])
        let running = try job.start()
        let summary = try running.wait()
        #expect(summary.end == .finished)
        #expect(summary.progress.checkpoints == nil)
        #expect(running.run.checkpoints().isEmpty)
        #expect(out.values.count == 100)
    }
}
