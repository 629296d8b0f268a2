import ApusCore
import ApusTestSupport
import Testing

@testable import ApusCheckpoint

/// Whatever step of a checkpoint fails, and however: the attempt is given up, the checkpoint before
/// stays, and the next attempt succeeds.
@Suite("Checkpoint folder: faults")
struct FaultTests {
    /// How a step fails.
    enum Kind: CaseIterable, Sendable {
        case errorOnce
        case errorOnceThatTakesEffect
        case errorForGood
        case diskFullOnce
        case diskFullAfterHalfAWrite
        case diskFullForGood

        func fault(at step: Int) -> FakeDisk.Fault {
            switch self {
            case .errorOnce: FakeDisk.Fault(step: step)
            case .errorOnceThatTakesEffect: FakeDisk.Fault(step: step, takesEffect: true)
            case .errorForGood: FakeDisk.Fault(step: step, isLasting: true)
            case .diskFullOnce: FakeDisk.Fault(errorNumber: 28, step: step)
            case .diskFullAfterHalfAWrite:
                FakeDisk.Fault(errorNumber: 28, step: step, takesEffect: true)
            case .diskFullForGood: FakeDisk.Fault(errorNumber: 28, step: step, isLasting: true)
            }
        }
    }

    /// A disk with so many checkpoints on it.
    private static func base(
        _ checkpointCount: Int,
        seed: UInt64
    ) throws -> (model: DiskModel, contents: [UInt64: [String: [UInt8]]]) {
        let job = try TestJob(FakeDisk(), seed: seed)
        for _ in 0..<checkpointCount {
            try job.takeCheckpoint()
            try job.folder.collectGarbage(isDryRun: false)
        }
        return (job.disk.model, job.contents)
    }

    @Test(
        "a checkpoint of which a step fails leaves the one before it, and the next one succeeds",
        arguments: Kind.allCases,
        [0, 3]
    )
    func aStepFails(kind: Kind, checkpointCount: Int) throws {
        let seed: UInt64 = 11
        let base = try Self.base(checkpointCount, seed: seed)
        var random = SplitMix64(seed: seed)
        var failureCount = 0
        for step in 1..<10_000 {
            let message = "\(kind), \(checkpointCount) checkpoints, seed \(seed), step \(step)"
            let disk = FakeDisk(base.model)
            let job = try TestJob(disk, seed: seed, contents: base.contents)
            disk.inject(kind.fault(at: step))
            let before = UInt64(checkpointCount)
            var newest: Set<UInt64> = [before]
            do {
                try job.takeCheckpoint { newest = [before, $0] }
                newest = [before + 1]
                try job.folder.collectGarbage(isDryRun: false)
            } catch let error as CheckpointError {
                failureCount += 1
                try check("\(error)".contains("/store/job"), "\(message): \(error)")
                try check(error.isOutOfSpace == (error.cause?.errorNumber == 28), message)
            } catch let error as DiskError {
                // The database's own step failed.
                try check(error.path.hasPrefix("/store/job"), message)
            }
            guard disk.hasFailed else {
                #expect(failureCount > 10)
                return
            }
            try Self.afterwards(disk.model, job, newest, &random, message)
            disk.inject(nil)
            let last = try job.takeCheckpoint()
            try Self.afterwards(disk.model, job, [last], &random, message + ", next one")
        }
        Issue.record("the loop did not end")
    }

    /// The process ends here, or the power does.
    private static func afterwards(
        _ model: DiskModel,
        _ job: TestJob,
        _ newest: Set<UInt64>,
        _ random: inout SplitMix64,
        _ message: String
    ) throws {
        for cut in 0..<3 {
            let left =
                cut == 0 ? model : model.afterPowerCut(&random, keepsNothing: cut == 1)
            let isThorough = random.isOnce(in: 10)
            let message = message + (cut == 0 ? ", process ends" : ", power cut \(cut)")
            try Recovery.check(
                left,
                job.contents,
                newestIn: newest,
                isThorough: isThorough,
                message
            )
        }
    }

    @Test("opening that fails at any step can be tried again", arguments: [0, 2])
    func openingFails(checkpointCount: Int) throws {
        let seed: UInt64 = 12
        let base = try Self.base(checkpointCount, seed: seed)
        var random = SplitMix64(seed: seed)
        for step in 1..<10_000 {
            let message = "\(checkpointCount) checkpoints, seed \(seed), step \(step)"
            let start = checkpointCount == 0 ? DiskModel() : base.model
            let disk = FakeDisk(start)
            disk.inject(FakeDisk.Fault(step: step))
            do {
                let folder = try TestJob.open(disk)
                _ = try folder.latest()
                folder.close()
            } catch {}
            guard disk.hasFailed else {
                #expect(step > 20)
                return
            }
            for cut in 0..<3 {
                let left = cut == 0 ? disk.model : disk.model.afterPowerCut(&random)
                try Recovery.check(
                    left,
                    base.contents,
                    newestIn: [UInt64(checkpointCount)],
                    isThorough: random.isOnce(in: 4),
                    "\(message), cut \(cut)"
                )
            }
        }
        Issue.record("the loop did not end")
    }

    @Test("an attempt that has failed accepts nothing more, and leaves no file behind")
    func aFailedAttemptIsOver() throws {
        let base = try Self.base(2, seed: 13)
        let disk = FakeDisk(base.model)
        let job = try TestJob(disk, seed: 13, contents: base.contents)
        let before = job.files
        let attempt = try job.folder.begin(7)
        let made = try job.fill(attempt, .checkpoint)
        #expect(attempt.newByteCount > 0 && job.files != before)
        disk.inject(FakeDisk.Fault(step: 1, isLasting: true))
        #expect(throws: CheckpointError.self) { try attempt.commit(made.manifest) }
        disk.inject(nil)
        let ended = "the attempt has ended; begin a new one"
        #expect { try attempt.commit(made.manifest) } throws: { "\($0)".contains(ended) }
        #expect {
            _ = try attempt.add(TestJob.path + "/FOLDER", role: .state, logicalName: "a")
        } throws: {
            "\($0)".contains(ended)
        }
        attempt.abandon()
        attempt.abandon()
        #expect(job.files == before && job.folder.nextNumber == 8)
        #expect(disk.model.files(below: TestJob.path + "/attempts").isEmpty)
    }

    @Test("a file whose bytes could not be brought onto the disk is copied the next time")
    func failedSynchronisation() throws {
        let job = try TestJob(FakeDisk(), seed: 14)
        let path = TestJob.path + "/work/database/1.sst"
        let file = try job.disk.create(path)
        try [UInt8(1), 2, 3].withUnsafeBytes { try file.write($0) }
        let first = try job.folder.begin(1)
        // Steps before: status, open, two reads, link; then open and the synchronisation.
        let steps = job.disk.operations.count
        job.disk.inject(FakeDisk.Fault(step: 8))
        #expect(throws: CheckpointError.self) {
            _ = try first.add(path, role: .state, logicalName: "1.sst")
        }
        #expect(job.disk.operations.count == steps + 8)
        #expect(job.disk.operations.last == .synchronize)
        first.abandon()
        job.disk.inject(nil)
        let second = try job.folder.begin(2)
        let entry = try second.add(path, role: .state, logicalName: "1.sst")
        let identity = job.disk.identity(job.folder.path(of: entry))
        #expect(identity != nil && identity != job.disk.identity(path))
        second.abandon()
        // Other bytes than then: nobody knows what was on the disk in between.
        let third = try job.folder.begin(3)
        job.disk.change(path) { $0[1] ^= 1 }
        #expect {
            _ = try third.add(path, role: .state, logicalName: "1.sst")
        } throws: { error in
            (error as? CheckpointError)?.kind == .damaged && "\(error)".contains(path)
        }
        third.abandon()
    }
}
