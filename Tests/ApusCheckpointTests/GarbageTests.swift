import ApusCore
import ApusTestSupport
import Testing

@testable import ApusCheckpoint

/// Garbage collection removes what nothing needs, in two steps, and nothing else.
@Suite("Checkpoint folder: garbage")
struct GarbageTests {
    private func names(_ disk: FakeDisk, _ folder: String) throws -> [String] {
        try disk.list(TestJob.path + "/" + folder).map(\.name)
    }

    private func numbers(_ folder: CheckpointFolder) throws -> [UInt64] {
        try folder.list().map(\.number)
    }

    @Test("what goes is marked first, and deleted by the next collection")
    func twoSteps() throws {
        let job = try TestJob(FakeDisk(), seed: 31)
        for _ in 0..<4 { try job.takeCheckpoint() }
        let before = try names(job.disk, "files")

        let dry = try job.folder.collectGarbage(isDryRun: true)
        #expect(dry.removed == [1, 2] && !dry.marked.isEmpty && dry.deleted.isEmpty)
        #expect(try names(job.disk, "files") == before && numbers(job.folder) == [1, 2, 3, 4])

        var done = try job.folder.collectGarbage(isDryRun: false)
        #expect(done.isDryRun == false && dry.isDryRun)
        done.isDryRun = true
        #expect(done == dry)
        #expect(done.kept.map(\.number) == [3, 4])
        #expect(done.kept.map(\.reason) == [.retained, .current])
        #expect(try numbers(job.folder) == [3, 4])
        let marked = done.marked.map(\.name)
        #expect(try names(job.disk, "files") == before.filter { !marked.contains($0) })
        let manifests = ["00000000000000000001.json", "00000000000000000002.json"]
        #expect(try names(job.disk, "trash") == (manifests + marked).sorted())
        #expect(done.markedByteCount == done.marked.reduce(0) { $0 + $1.byteCount })

        let next = try job.folder.collectGarbage(isDryRun: false)
        #expect(next.deleted.map(\.name).sorted() == (manifests + marked).sorted())
        #expect(next.deletedByteCount > done.markedByteCount)
        #expect(next.removed.isEmpty && next.marked.isEmpty)
        #expect(try names(job.disk, "trash") == [])
        // The numbers of what is gone are not given again.
        #expect(job.folder.nextNumber == 5)
    }

    @Test("at least two checkpoints stay, more when asked for, and savepoints always")
    func retention() throws {
        let job = try TestJob(FakeDisk(), seed: 32)
        for index in 0..<6 { try job.takeCheckpoint(kind: index == 1 ? .savepoint : .checkpoint) }
        #expect(try job.folder.collectGarbage(retaining: 4, isDryRun: true).removed == [1])
        #expect(try job.folder.collectGarbage(retaining: 0, isDryRun: true).removed == [1, 3, 4])
        try job.folder.collectGarbage(retaining: 2, isDryRun: false)
        try job.folder.collectGarbage(retaining: 2, isDryRun: false)
        #expect(try numbers(job.folder) == [2, 5, 6])
        for number: UInt64 in [2, 5, 6] { try job.folder.verify(job.folder.manifest(number)) }
    }

    @Test("what another process reads stays until it has been read")
    func leases() throws {
        let job = try TestJob(FakeDisk(), seed: 33)
        for _ in 0..<2 { try job.takeCheckpoint() }
        let reader = try CheckpointFolder.openForReading(TestJob.path, disk: job.disk)
        let lease = try reader.lease(1)
        let second = try reader.lease(1)
        for _ in 0..<2 { try job.takeCheckpoint() }
        let report = try job.folder.collectGarbage(isDryRun: false)
        #expect(report.kept.first == GarbageReport.Kept(number: 1, reason: .leased))
        #expect(report.removed == [2])
        try job.folder.collectGarbage(isDryRun: false)
        try reader.verify(reader.manifest(1))
        lease.release()
        #expect(try job.folder.collectGarbage(isDryRun: false).removed == [])
        second.release()
        #expect(try job.folder.collectGarbage(isDryRun: true).removed == [1])
        #expect(try job.folder.collectGarbage(isDryRun: false).removed == [1])
        #expect { _ = try reader.lease(1) } throws: { "\($0)".contains("no checkpoint 1") }
    }

    @Test("files of an attempt that is under way stay")
    func attempts() throws {
        let job = try TestJob(FakeDisk(), seed: 34)
        for _ in 0..<2 { try job.takeCheckpoint() }
        let attempt = try job.folder.begin(9)
        let made = try job.fill(attempt, .checkpoint)
        let report = try job.folder.collectGarbage(isDryRun: false)
        #expect(report.marked.isEmpty)
        try job.folder.collectGarbage(isDryRun: false)
        try attempt.commit(made.manifest)
        try job.folder.verify(job.folder.manifest(9))
        #expect(try job.folder.latest()?.number == 9)
    }

    @Test("what was left by an attempt that nobody gave up goes")
    func orphans() throws {
        let disk = FakeDisk()
        let job = try TestJob(disk, seed: 35)
        try job.takeCheckpoint()
        let before = try names(disk, "files")
        let attempt = try job.folder.begin(2)
        _ = try job.fill(attempt, .checkpoint)
        let orphans = Set(try names(disk, "files")).subtracting(before)
        #expect(!orphans.isEmpty)
        let again = try TestJob.open(FakeDisk(disk.model))
        let report = try again.collectGarbage(isDryRun: false)
        #expect(Set(report.marked.map(\.name)) == orphans)
    }

    @Test("a checkpoint that the job was set back behind goes, and is not gone back to")
    func abandonedHistory() throws {
        let disk = FakeDisk()
        let job = try TestJob(disk, seed: 36)
        for _ in 0..<3 { try job.takeCheckpoint() }
        job.folder.goOn(from: try job.folder.manifest(2))
        try job.takeCheckpoint()
        #expect(try job.folder.manifest(4).previousNumber == 2)
        #expect(try job.folder.list().map(\.isAbandoned) == [false, false, true, false])
        // Whatever happens to 4: the way back leads to 2.
        let damaged = FakeDisk(disk.model)
        damaged.change(TestJob.path + "/CURRENT") { $0[0] = 0 }
        try damaged.remove(TestJob.path + "/manifests/00000000000000000004.json")
        let report = try job.folder.collectGarbage(isDryRun: false)
        #expect(report.removed == [1, 3] || report.removed == [3])
        #expect(try job.folder.list().map(\.number).suffix(2) == [2, 4])
        disk.change(TestJob.path + "/CURRENT") { $0[0] = 0 }
        #expect(try job.folder.latest()?.number == 4)
    }

    @Test("going back from a damaged checkpoint is written down in the next one")
    func goingBack() throws {
        let disk = FakeDisk()
        let first = try TestJob(disk, seed: 37)
        for _ in 0..<3 { try first.takeCheckpoint() }
        first.folder.close()
        disk.change(TestJob.path + "/manifests/00000000000000000003.json") { $0[100] ^= 1 }
        let job = try TestJob(disk, seed: 38, contents: first.contents)
        #expect(job.warnings.all.contains { $0.contains("GOING BACK to checkpoint 2") })
        #expect(job.folder.nextNumber == 4)
        // CURRENT still names 3: it may be mended, and nothing that it needs goes.
        let report = try job.folder.collectGarbage(isDryRun: true)
        #expect(report.kept.map(\.number) == [1, 2, 3] && report.marked.isEmpty)
        try job.takeCheckpoint()
        #expect(try job.folder.manifest(4).previousNumber == 2)
    }

    @Test("as long as a manifest cannot be read to the end, no file goes")
    func illegibleManifests() throws {
        let disk = FakeDisk()
        let job = try TestJob(disk, seed: 39)
        for _ in 0..<4 { try job.takeCheckpoint() }
        let path = TestJob.path + "/manifests/00000000000000000003.json"
        let whole = try #require(disk.model.bytes(path))
        disk.change(path) { $0.removeSubrange(($0.count / 2)...) }
        var report = try job.folder.collectGarbage(isDryRun: false)
        #expect(report.marked.isEmpty && report.notes.contains { $0.contains("may need any") })
        // 1 and 2 are the only complete ones besides 4; then 5 takes the place of 1.
        #expect(report.kept.map(\.number) == [2, 3, 4] && report.removed == [1])
        try job.takeCheckpoint()
        report = try job.folder.collectGarbage(isDryRun: false)
        // Two newer ones are complete: were it whole, it would go too.
        #expect(report.kept.map(\.number) == [4, 5] && !report.marked.isEmpty)
        #expect(report.removed == [2, 3])

        // Damaged where all names can be told: its files stay, others go.
        disk.change(TestJob.path + "/trash/00000000000000000003.json") { $0 = whole }
        let legible = TestJob.path + "/manifests/00000000000000000004.json"
        disk.change(legible) { $0[$0.count - 2] ^= 1 }
        let needed = try #require(
            SealedDocument.salvage(Manifest.self, from: disk.model.bytes(legible) ?? [])
        ).contentNames
        for _ in 0..<2 { try job.folder.collectGarbage(isDryRun: false) }
        #expect(needed.isSubset(of: try names(disk, "files")))
    }

    @Test("a damaged savepoint stays, and so does a manifest that somebody put there")
    func damagedSavepoint() throws {
        let disk = FakeDisk()
        let job = try TestJob(disk, seed: 40)
        try job.takeCheckpoint(kind: .savepoint)
        for _ in 0..<5 { try job.takeCheckpoint() }
        let path = TestJob.path + "/manifests/00000000000000000001.json"
        disk.change(path) { $0[$0.count - 2] ^= 1 }
        var report = try job.folder.collectGarbage(isDryRun: true)
        #expect(report.kept.first == GarbageReport.Kept(number: 1, reason: .savepoint))
        let third = TestJob.path + "/manifests/00000000000000000003.json"
        let fourth = try #require(
            disk.model.bytes(TestJob.path + "/manifests/00000000000000000004.json")
        )
        disk.change(third) { $0 = fourth }
        report = try job.folder.collectGarbage(isDryRun: true)
        #expect(report.kept.contains(GarbageReport.Kept(number: 3, reason: .foreign)))
    }

    @Test("files of somebody else are left alone")
    func foreignFiles() throws {
        let disk = FakeDisk()
        let job = try TestJob(disk, seed: 41)
        try job.takeCheckpoint()
        for name in ["notes.txt", "0123-1", "0123456789ABCDEF0123456789ABCDEF-1"] {
            try disk.create(TestJob.path + "/files/" + name).close()
        }
        let report = try job.folder.collectGarbage(isDryRun: false)
        #expect(report.marked.isEmpty)
        #expect(report.notes.filter { $0.contains("left alone") }.count == 3)
    }

    @Test("a file in the trash that is needed again is put back")
    func resurrection() throws {
        let disk = FakeDisk()
        let job = try TestJob(disk, seed: 42)
        for _ in 0..<4 { try job.takeCheckpoint() }
        let contents = job.contents
        try job.folder.collectGarbage(isDryRun: false)
        for name in ["1", "2"] {
            let name = "0000000000000000000\(name).json"
            try disk.rename(
                TestJob.path + "/trash/" + name,
                to: TestJob.path + "/manifests/" + name
            )
        }
        let report = try job.folder.collectGarbage(retaining: 4, isDryRun: false)
        #expect(!report.notes.isEmpty && report.notes.allSatisfy { $0.contains("put back") })
        for number: UInt64 in 1...4 {
            let manifest = try job.folder.manifest(number)
            try Recovery.compare(manifest, contents, job.folder, "\(number)")
        }
    }

    @Test("in random histories, what is reachable stays and what is not goes", arguments: 1...6)
    func randomHistories(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let disk = FakeDisk()
        var job = try TestJob(disk, seed: seed)
        var saved: Set<UInt64> = []
        var leases: [UInt64: CheckpointLease] = [:]
        for step in 0..<60 {
            let message = "seed \(seed), step \(step)"
            switch random.number(in: 0...9) {
            case 0...3: try job.takeCheckpoint()
            case 4: saved.insert(try job.takeCheckpoint(kind: .savepoint))
            case 5:
                disk.inject(FakeDisk.Fault(step: random.number(in: 1...60)))
                _ = try? job.takeCheckpoint()
                disk.inject(nil)
            case 6:
                if let number = try numbers(job.folder).randomElement(using: &random) {
                    leases[number] = try job.folder.lease(number)
                }
            case 7: leases = [:]
            case 8:
                job.folder.close()
                job = try TestJob(disk, seed: random.next(), contents: job.contents)
            default: break
            }
            let listed = try job.folder.list()
            let retained = listed.filter { $0.kind == .checkpoint && !$0.isAbandoned }
                .filter { element in element.number <= listed.first(where: \.isCurrent)?.number ?? 0
                }
                .suffix(3).map(\.number)
            let report = try job.folder.collectGarbage(retaining: 3, isDryRun: false)
            let kept = report.kept.map(\.number)
            for number in retained {
                try check(kept.contains(number), "\(message): \(number)")
            }
            for number in saved { try check(kept.contains(number), "\(message): \(number)") }
            for number in leases.keys { try check(kept.contains(number), "\(message): \(number)") }
            var reachable: Set<String> = []
            for number in try numbers(job.folder) {
                let manifest = try job.folder.manifest(number)
                try job.folder.verify(manifest)
                try Recovery.compare(manifest, job.contents, job.folder, "\(message): \(number)")
                try disk.removeTree(TestJob.path + "/work/compare")
                reachable.formUnion(manifest.contentNames)
            }
            try checkEqual(try names(disk, "files"), reachable.sorted(), "\(message): files")
        }
    }
}
