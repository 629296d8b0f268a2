import ApusCore
import ApusTestSupport
import Testing

@testable import ApusCheckpoint

/// Files of one content that several attempts and checkpoints have: none takes one from another,
/// and none relies on one that may not be on the disk.
@Suite("Checkpoint folder: files that attempts share")
struct AbandonTests {
    private let disk = FakeDisk()
    private let warnings = Warnings()
    private let folder: CheckpointFolder
    private static let bytes: [UInt8] = [1, 2, 3, 4]

    init() throws { folder = try TestJob.open(disk, warnings) }

    /// Adds a new file of the job with the bytes.
    private func add(_ attempt: CheckpointAttempt, _ name: String) throws -> FileEntry {
        let path = try folder.workDirectory("state") + "/\(attempt.number)-\(name)"
        let file = try disk.create(path)
        try Self.bytes.withUnsafeBytes { try file.write($0) }
        try file.close()
        return try attempt.add(path, role: .state, logicalName: name)
    }

    private func manifest(_ attempt: CheckpointAttempt, _ file: FileEntry) -> Manifest {
        Manifest(
            job: "flights",
            number: attempt.number,
            kind: .checkpoint,
            createdMicroseconds: 1,
            writerVersion: "0.1.0",
            maxParallelism: 1_024,
            parallelism: 1,
            files: [file]
        )
    }

    private func commit(_ attempt: CheckpointAttempt, _ file: FileEntry) throws {
        try attempt.commit(manifest(attempt, file))
    }

    /// Expects checkpoints to be whole, now and for who opens the folder after a power cut.
    private func expectWhole(_ numbers: [UInt64], isPowerCut: Bool = true) throws {
        var random = SplitMix64(seed: 5)
        var models = [disk.model]
        if isPowerCut { models.append(disk.model.afterPowerCut(&random, keepsNothing: true)) }
        for model in models {
            let left = try CheckpointFolder.openForReading(TestJob.path, disk: FakeDisk(model))
            for number in numbers { try left.verify(try left.manifest(number)) }
        }
    }

    @Test("an attempt that is given up leaves a file that another attempt has added since")
    func anotherAttempt() throws {
        let first = try folder.begin(1)
        _ = try add(first, "a.sst")
        let second = try folder.begin(2)
        let file = try add(second, "b.sst")
        first.abandon()
        try commit(second, file)
        try expectWhole([2])
    }

    @Test("an attempt that fails with its manifest leaves a file that another has committed")
    func anotherCommit() throws {
        let first = try folder.begin(1)
        let early = try add(first, "a.sst")
        // The files are on the disk; the manifest cannot be made.
        disk.inject(FakeDisk.Fault(errorNumber: 28, step: 1))
        #expect(throws: CheckpointError.self) { try commit(first, early) }
        #expect(disk.hasFailed)
        disk.inject(nil)
        let second = try folder.begin(2)
        let file = try add(second, "b.sst")
        try commit(second, file)
        first.abandon()
        try expectWhole([2])
    }

    @Test("a file that is put into the place of a damaged one stays when the attempt is given up")
    func mendedFile() throws {
        let first = try folder.begin(1)
        let file = try add(first, "a.sst")
        try commit(first, file)
        // The same length: only its bytes tell.
        disk.change(folder.path(of: file)) { $0[2] ^= 1 }
        let reopened = try reopen()
        let second = try reopened.begin(2)
        let path = try reopened.workDirectory("state") + "/again.sst"
        let again = try disk.create(path)
        try Self.bytes.withUnsafeBytes { try again.write($0) }
        let entry = try second.add(path, role: .state, logicalName: "a.sst")
        #expect(entry.contentName == file.contentName && second.newByteCount == 4)
        #expect(warnings.all.contains { $0.contains(file.contentName) && $0.contains("replaced") })
        second.abandon()
        // Its name is not on the disk yet; who takes it over synchronises the folder.
        try expectWhole([1], isPowerCut: false)
    }

    @Test("a file that a manifest may need stays, although nobody can read the manifest")
    func illegibleManifest() throws {
        let first = try folder.begin(1)
        let file = try add(first, "a.sst")
        try commit(first, file)
        let manifest = folder.layout.manifest(1)
        let whole = try #require(disk.model.bytes(manifest))
        disk.change(manifest) { $0 = [0] }
        let reopened = try reopen()
        let second = try reopened.begin(2)
        let path = try reopened.workDirectory("state") + "/again.sst"
        let again = try disk.create(path)
        try Self.bytes.withUnsafeBytes { try again.write($0) }
        _ = try second.add(path, role: .state, logicalName: "a.sst")
        second.abandon()
        #expect(warnings.all.contains { $0.contains(manifest) && $0.contains("may need any file") })
        disk.change(manifest) { $0 = whole }
        try expectWhole([1])
    }

    @Test("a file that an attempt has left behind is not relied on: its bytes are brought anew")
    func leftBehind() throws {
        let first = try folder.begin(1)
        let file = try add(first, "a.sst")
        let old = disk.identity(folder.path(of: file))
        // The process ends: neither the file's name nor that of the attempt is given up.
        folder.close()
        let reopened = try reopen()
        #expect(disk.identity(folder.path(of: file)) == old)
        let second = try reopened.begin(2)
        let path = try reopened.workDirectory("state") + "/again.sst"
        let again = try disk.create(path)
        try Self.bytes.withUnsafeBytes { try again.write($0) }
        let entry = try second.add(path, role: .state, logicalName: "a.sst")
        #expect(entry.contentName == file.contentName)
        #expect(disk.identity(folder.path(of: file)) == disk.identity(path))
        try second.commit(manifest(second, entry))
        #expect(disk.model.files(below: TestJob.path + "/files").count == 1)
        try expectWhole([2])
    }

    @Test("a file whose link was left behind is taken again without a rename that does nothing")
    func sameFile() throws {
        let first = try folder.begin(1)
        let file = try add(first, "a.sst")
        let path = try folder.workDirectory("state") + "/1-a.sst"
        // Removing fails: the file stays in `files/`.
        disk.inject(FakeDisk.Fault(step: 1, isLasting: true))
        first.abandon()
        disk.inject(nil)
        let second = try folder.begin(2)
        let entry = try second.add(path, role: .state, logicalName: "a.sst")
        #expect(entry == file)
        try commit(second, entry)
        #expect(disk.model.files(below: TestJob.path + "/files").count == 1)
        try expectWhole([2])
    }

    @Test("an older checkpoint, and one that goes on from an older one, may not know of all output")
    func outdated() throws {
        let job = try TestJob(FakeDisk(), seed: 41)
        for _ in 0..<3 { try job.takeCheckpoint() }
        #expect(try !job.folder.isOutdated(job.folder.manifest(3)))
        #expect(try job.folder.isOutdated(job.folder.manifest(2)))
        // An attempt that is given up leaves a gap, and nothing was delivered of it.
        job.disk.inject(FakeDisk.Fault(step: 1))
        #expect(throws: (any Error).self) { try job.takeCheckpoint() }
        job.disk.inject(nil)
        let next = try job.takeCheckpoint()
        #expect(try !job.folder.isOutdated(job.folder.manifest(next)))
        job.folder.goOn(from: try job.folder.manifest(2))
        let branch = try job.takeCheckpoint()
        #expect(try job.folder.isOutdated(job.folder.manifest(branch)))
        job.folder.goOn(from: nil)
        let anew = try job.takeCheckpoint()
        #expect(try !job.folder.isOutdated(job.folder.manifest(anew)))
        job.disk.change(TestJob.path + "/CURRENT") { $0[3] ^= 1 }
        #expect(try job.folder.isOutdated(job.folder.manifest(anew)))
    }

    /// Opens the folder anew, as the next process does.
    private func reopen() throws -> CheckpointFolder {
        folder.close()
        return try TestJob.open(disk, warnings)
    }
}
