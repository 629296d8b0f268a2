import ApusCore
import ApusTestSupport
import Testing

@testable import ApusCheckpoint

/// One writer, numbers that are given once, attempts, leases; what readers may do.
@Suite("Checkpoint folder")
struct CheckpointFolderTests {
    private func manifest(_ number: UInt64, _ files: [FileEntry] = []) -> Manifest {
        Manifest(
            job: "flights",
            number: number,
            createdMicroseconds: 1,
            writerVersion: "0.1.0",
            maxParallelism: 8,
            parallelism: 1,
            files: files
        )
    }

    private func write(_ disk: FakeDisk, _ path: String, _ bytes: [UInt8]) throws {
        let file = try disk.create(path)
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.close()
    }

    @Test("a new folder has no checkpoint, and begins with number 1")
    func newFolder() throws {
        let folder = try TestJob.open(FakeDisk())
        #expect(try folder.latest() == nil)
        #expect(try folder.list() == [])
        #expect(folder.nextNumber == 1 && folder.job == "flights" && folder.path == TestJob.path)
        #expect(try folder.collectGarbage(isDryRun: false).kept.isEmpty)
    }

    @Test("a second writer is told who the first one is; readers are let in")
    func oneWriter() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        #expect {
            _ = try TestJob.open(disk)
        } throws: { error in
            (error as? CheckpointError)?.kind == .locked && "\(error)".contains("process 4711")
        }
        _ = try CheckpointFolder.openForReading(TestJob.path, disk: disk)
        folder.close()
        folder.close()
        _ = try TestJob.open(disk)
    }

    @Test("a folder that holds something else is refused, and nothing in it is touched")
    func foreignFolder() throws {
        let disk = FakeDisk()
        try disk.makeDirectory(TestJob.path + "/work")
        try write(disk, TestJob.path + "/work/thesis.txt", [1])
        let before = disk.model.files(below: "/store")
        #expect {
            _ = try TestJob.open(disk)
        } throws: { error in
            (error as? CheckpointError)?.kind == .notAFolder && "\(error)".contains("'work'")
        }
        #expect(disk.model.files(below: "/store") == before)
        for path in [TestJob.path, "/store/missing", TestJob.path + "/work/thesis.txt"] {
            #expect {
                _ = try CheckpointFolder.openForReading(path, disk: disk)
            } throws: { error in
                (error as? CheckpointError)?.kind == .notAFolder && "\(error)".contains(path)
            }
        }
    }

    @Test("numbers are given once: also of attempts that were given up or broken off")
    func numbers() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        try folder.begin(1).commit(manifest(1))
        let second = try folder.begin(2)
        second.abandon()
        #expect(folder.nextNumber == 3)
        let third = try folder.begin(7)
        #expect(third.number == 7 && folder.nextNumber == 8)
        for model in [disk.model, Self.nothingUnsynchronised(disk.model)] {
            let again = try TestJob.open(FakeDisk(model))
            #expect(again.nextNumber == 8)
            // Twice: opening removes the folders of attempts.
            again.close()
            #expect(try TestJob.open(FakeDisk(model)).nextNumber == 8)
        }
    }

    private static func nothingUnsynchronised(_ model: DiskModel) -> DiskModel {
        var random = SplitMix64(seed: 1)
        return model.afterPowerCut(&random, keepsNothing: true)
    }

    @Test("a hash of digits in the trash is not taken for a number")
    func digitsInTheTrash() throws {
        let disk = FakeDisk()
        _ = try TestJob.open(disk)
        let name = "00123456789012345678901234567890-1"
        #expect(FileEntry.isContentName(name) && FolderLayout.attemptNumber(name) != nil)
        try write(disk, TestJob.path + "/trash/" + name, [1])
        try write(disk, TestJob.path + "/trash/00000000000000000041.json", [1])
        try write(disk, TestJob.path + "/manifests/99999999999999999999.json", [1])
        let again = try TestJob.open(FakeDisk(disk.model))
        #expect(again.nextNumber == 42)
    }

    @Test("a file is read once, linked, and found again by its identity")
    func knownFiles() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        let work = try folder.workDirectory("database")
        try write(disk, work + "/1.sst", [1, 2, 3])
        let first = try folder.begin(1)
        let entry = try first.add(work + "/1.sst", role: .state, logicalName: "1.sst")
        #expect(entry.byteCount == 3 && first.newByteCount == 3)
        #expect(entry.contentName == "\(entry.hash)-3")
        #expect(disk.identity(folder.path(of: entry)) == disk.identity(work + "/1.sst"))
        try first.commit(manifest(1, [entry]))

        let reads = disk.operations.filter { $0 == .read }.count
        let second = try folder.begin(2)
        try disk.link(work + "/1.sst", at: work + "/other.sst")
        let again = try second.add(work + "/other.sst", role: .state, logicalName: "2.sst")
        #expect(again.contentName == entry.contentName && again.logicalName == "2.sst")
        #expect(second.newByteCount == 0)
        #expect(disk.operations.filter { $0 == .read }.count == reads)
        // Other bytes of the same length: a new time, so it is read.
        disk.change(work + "/1.sst") { $0 = [] }
        let file = try disk.openForWriting(work + "/1.sst", appending: true)
        try [UInt8(3), 2, 1].withUnsafeBytes { try file.write($0) }
        let changed = try second.add(work + "/1.sst", role: .state, logicalName: "3.sst")
        #expect(changed.contentName != entry.contentName)
    }

    @Test("what is not a plain file, or changes while it is read, is refused")
    func badFiles() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        let work = try folder.workDirectory("database")
        for path in [work, work + "/missing"] {
            let attempt = try folder.begin(folder.nextNumber)
            #expect {
                _ = try attempt.add(path, role: .state, logicalName: "a")
            } throws: { error in
                "\(error)".contains(path) && "\(error)".contains("expected a plain file")
            }
            attempt.abandon()
        }
    }

    @Test("a manifest may only name files of its attempt")
    func manifestFiles() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        let work = try folder.workDirectory("database")
        try write(disk, work + "/1.sst", [1, 2, 3])
        let first = try folder.begin(1)
        let entry = try first.add(work + "/1.sst", role: .state, logicalName: "1.sst")
        try first.commit(manifest(1, [entry]))
        let second = try folder.begin(2)
        #expect { try second.commit(manifest(2, [entry])) } throws: {
            "\($0)".contains("'1.sst' was neither added nor carried")
        }
        second.abandon()
        let third = try folder.begin(3)
        try third.carry(entry)
        try third.commit(manifest(3, [entry]))
        #expect(try folder.latest()?.previousNumber == 1)
        let fourth = try folder.begin(4)
        #expect { try fourth.commit(manifest(4, [entry, entry])) } throws: {
            "\($0)".contains("two of its files have the same name")
        }
        fourth.abandon()
        let fifth = try folder.begin(5)
        let stranger = FileEntry(
            role: .state,
            logicalName: "x",
            hash: ContentHash(high: 1, low: 2),
            byteCount: 3
        )
        #expect { try fifth.carry(stranger) } throws: { "\($0)".contains("is missing") }
        fifth.abandon()
        var broken = manifest(6)
        broken.inFlight = [InFlight(node: "a", subtask: 0, contentName: "b-1")]
        let sixth = try folder.begin(6)
        #expect { try sixth.commit(broken) } throws: { "\($0)".contains("not among its files") }
        sixth.abandon()
        #expect(try folder.list().map(\.number) == [1, 3])
    }

    @Test("checkpoints of which the last step was not confirmed are whole whichever way it went")
    func inDoubt() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        try folder.begin(1).commit(manifest(1))
        let attempt = try folder.begin(2)
        let steps = disk.operations.count
        try folder.begin(3).commit(manifest(3))
        let last = disk.operations[steps...].lastIndex(of: .synchronizeFolder) ?? 0
        #expect(last > steps)
        let third = try folder.begin(4)
        // The steps of the commit up to the synchronisation of the folder, as before, less begin's.
        let begun = disk.operations[steps...].firstIndex(of: .synchronizeFolder) ?? 0
        let commitSteps = last - begun - 1
        disk.inject(FakeDisk.Fault(step: commitSteps))
        #expect { try third.commit(manifest(4)) } throws: {
            "\($0)".contains("cannot synchronizeFolder /store/job:")
        }
        disk.inject(nil)
        third.abandon()
        attempt.abandon()
        #expect(try folder.latest()?.number == 4)
        #expect(
            try TestJob.open(FakeDisk(Self.nothingUnsynchronised(disk.model))).latest()?.number == 3
        )
    }

    @Test("opening empties work and removes what was being written")
    func leftovers() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        let work = try folder.workDirectory("database")
        try write(disk, work + "/LOG", [1])
        let attempt = try folder.begin(1)
        try disk.makeDirectory(attempt.directory)
        try write(disk, attempt.directory + "/1.sst", [1])
        for name in ["CURRENT.x.tmp", "files/1-1.tmp", "manifests/1.json.tmp"] {
            try write(disk, TestJob.path + "/" + name, [1])
        }
        let again = FakeDisk(disk.model)
        _ = try TestJob.open(again)
        #expect(
            again.model.files(below: TestJob.path)
                == [TestJob.path + "/FOLDER", TestJob.path + "/LOCK"]
        )
    }

    @Test("a checkpoint that is not there is an error that lists those that are")
    func noSuchCheckpoint() throws {
        let folder = try TestJob.open(FakeDisk())
        #expect { _ = try folder.manifest(5) } throws: { "\($0)".contains("expected one of: none") }
        try folder.begin(1).commit(manifest(1))
        try folder.begin(2).commit(manifest(2))
        #expect { _ = try folder.manifest(5) } throws: { "\($0)".contains("expected one of: 1, 2") }
    }

    @Test("a manifest comes back as it was written")
    func roundTrip() throws {
        let disk = FakeDisk()
        let folder = try TestJob.open(disk)
        var full = manifest(1)
        full.kind = .savepoint
        full.isFinal = true
        full.operators = [
            OperatorState(
                id: "aircraft",
                number: 65_535,
                plugin: PluginReference(component: "a", fileName: "./b.so", contentHash: "c"),
                states: [
                    StateDeclaration(name: "s", kind: "value", schemaVersion: 3, fixedByteCount: 8),
                    StateDeclaration(
                        name: "t/\"\\\u{1}é",
                        kind: "map",
                        schemaVersion: 1,
                        schema: "x",
                        timeToLiveMicroseconds: 5
                    ),
                ],
                timers: [TimerDeclaration(name: "due", domain: "event")],
                subtasks: [
                    SubtaskState(
                        subtask: 1,
                        watermarkMicroseconds: .min,
                        keyCount: .max,
                        byteCount: 9_007_199_254_740_993
                    )
                ]
            )
        ]
        full.sources = [
            SourceState(
                id: "s",
                kind: "file",
                subtask: 0,
                subtaskCount: 2,
                position: Array(0...255),
                newestMicroseconds: .max,
                watermarkMicroseconds: -1
            )
        ]
        full.sinks = [SinkState(id: "k", subtask: 0, position: [])]
        try folder.begin(1).commit(full)
        full.folder = folder.record.folder
        #expect(try folder.latest() == full)
        let text = String(
            decoding: disk.model.bytes(TestJob.path + "/manifests/00000000000000000001.json") ?? [],
            as: UTF8.self
        )
        #expect(text.hasPrefix("{\n  \"createdMicroseconds\" : 1,\n"))
        #expect(text.contains("\"fileName\" : \"./b.so\""))
        let hash = try Regex("\n}\nxxh3-128 [0-9a-f]{32}\n$")
        #expect(text.contains(hash), "\(text.suffix(60))")
    }

    @Test("hashes are those of xxh128sum")
    func hashes() {
        // xxhash's own test vectors for XXH3-128 with seed 0: of nothing, and of "a" from its CLI.
        #expect("\(HashStream.hash([]))" == "99aa06d3014798d86001c324468d497f")
        #expect("\(HashStream.hash(Array("a".utf8)))" == "a96faf705af16834e6c632b61e964e1f")
        #expect(ContentHash("99aa06d3014798d86001c324468d497f") == HashStream.hash([]))
        for text in ["", "99AA06d3014798d86001c324468d497f", "99aa06d3014798d86001c324468d497"] {
            #expect(ContentHash(text) == nil)
        }
    }
}
