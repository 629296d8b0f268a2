import ApusCore
import ApusTestSupport
import Testing

@testable import ApusCheckpoint

/// Damage is found wherever it is, and never taken for an empty folder.
@Suite("Checkpoint folder: damage")
struct DamageTests {
    private let base: DiskModel
    private let contents: [UInt64: [String: [UInt8]]]
    private static let seed: UInt64 = 21

    init() throws {
        let job = try TestJob(FakeDisk(), seed: Self.seed)
        for _ in 0..<3 { try job.takeCheckpoint() }
        job.folder.close()
        base = job.disk.model
        contents = job.contents
    }

    /// The paths of what checkpoint 3 alone needs, and of what both need.
    private func paths() throws -> (only: [String], shared: [String]) {
        let folder = try CheckpointFolder.openForReading(TestJob.path, disk: FakeDisk(base))
        let third = try folder.manifest(3)
        let second = try folder.manifest(2).contentNames.union(folder.manifest(1).contentNames)
        let only = third.contentNames.subtracting(second).sorted()
        let shared = third.contentNames.intersection(second).sorted()
        func path(_ name: String) -> String { TestJob.path + "/files/" + name }
        return (only.map(path), shared.map(path))
    }

    /// Opens a damaged folder; checks that what comes out of it is whole, and that a warning or an
    /// error names the file.
    private func expectFound(
        _ disk: FakeDisk,
        _ name: String,
        fallsBackTo numbers: Set<UInt64>,
        _ message: String
    ) throws {
        let warnings = Warnings()
        do {
            let folder = try TestJob.open(disk, warnings)
            let manifest = try folder.latest()
            guard let manifest else { throw Mismatch("\(message): taken for an empty folder") }
            try check(numbers.contains(manifest.number), "\(message): \(manifest.number)")
            try Recovery.compare(manifest, contents, folder, message)
        } catch let error as CheckpointError {
            try check(numbers.isEmpty, "\(message): \(error)")
            try check("\(error)".contains(name), "\(message): \(error)")
            return
        }
        try check(
            warnings.all.contains { $0.contains(name) && $0.contains("damaged") },
            "\(message): \(warnings.all)"
        )
    }

    @Test("every byte of the newest manifest, of CURRENT and of FOLDER that is flipped is noticed")
    func flippedBytesOfDocuments() throws {
        let cases: [(String, Set<UInt64>)] = [
            ("manifests/00000000000000000003.json", [2]), ("CURRENT", [3]), ("FOLDER", [3]),
        ]
        var random = SplitMix64(seed: Self.seed)
        for (name, numbers) in cases {
            let path = TestJob.path + "/" + name
            let byteCount = try #require(base.bytes(path)?.count)
            #expect(byteCount > 150)
            for index in 0..<byteCount {
                let disk = FakeDisk(base)
                let bit = random.number(in: 0...7)
                disk.change(path) { $0[index] ^= 1 << UInt8(bit) }
                try expectFound(
                    disk,
                    name,
                    fallsBackTo: numbers,
                    "\(name) byte \(index) bit \(bit)"
                )
            }
        }
    }

    @Test("every length at which the newest manifest, CURRENT or FOLDER is cut off is noticed")
    func truncatedDocuments() throws {
        let cases: [(String, Set<UInt64>)] = [
            ("manifests/00000000000000000003.json", [2]), ("CURRENT", [3]), ("FOLDER", [3]),
        ]
        for (name, numbers) in cases {
            let path = TestJob.path + "/" + name
            let byteCount = try #require(base.bytes(path)?.count)
            for length in 0..<byteCount {
                let disk = FakeDisk(base)
                disk.change(path) { $0.removeSubrange(length...) }
                try expectFound(disk, name, fallsBackTo: numbers, "\(name) cut at \(length)")
            }
            let disk = FakeDisk(base)
            disk.change(path) { $0.append(0x0a) }
            try expectFound(disk, name, fallsBackTo: numbers, "\(name) with a byte more")
        }
    }

    @Test("every byte of the newest checkpoint's files that is flipped or missing is noticed")
    func damagedFiles() throws {
        let (only, _) = try paths()
        #expect(only.count >= 3)
        for path in only {
            let name = try #require(path.split(separator: "/").last.map(String.init))
            for index in 0..<(base.bytes(path)?.count ?? 0) {
                let flipped = FakeDisk(base)
                flipped.change(path) { $0[index] ^= 0x10 }
                try expectFound(flipped, name, fallsBackTo: [2], "\(name) byte \(index)", path)
                let cut = FakeDisk(base)
                cut.change(path) { $0.removeSubrange(index...) }
                try expectFound(cut, name, fallsBackTo: [2], "\(name) cut at \(index)", path)
            }
        }
    }

    /// A damaged file is called missing, too long or different: the name is what matters.
    private func expectFound(
        _ disk: FakeDisk,
        _ name: String,
        fallsBackTo numbers: Set<UInt64>,
        _ message: String,
        _ path: String
    ) throws {
        let warnings = Warnings()
        let folder = try TestJob.open(disk, warnings)
        let manifest = try folder.latest()
        try check(numbers.contains(manifest?.number ?? 0), "\(message): \(manifest?.number ?? 0)")
        try check(
            warnings.all.contains { $0.contains(name) && $0.contains("GOING BACK") },
            "\(message): \(warnings.all)"
        )
        let newest = try folder.manifest(3)
        #expect { try folder.verify(newest) } throws: { "\($0)".contains(name) }
        let place = TestJob.path + "/work/place"
        #expect { try folder.materialize(newest, into: place) } throws: { "\($0)".contains(name) }
        try check(!disk.exists(place), "\(message): something was put there")
    }

    @Test("a damaged file that all checkpoints need is an error that names all that was tried")
    func sharedDamage() throws {
        let disk = FakeDisk(base)
        for path in base.files(below: TestJob.path + "/files") { disk.change(path) { $0[0] ^= 1 } }
        let folder = try TestJob.open(disk)
        #expect { _ = try folder.latest() } throws: { error in
            (error as? CheckpointError)?.kind == .noneUsable
                && ["checkpoint 1: ", "checkpoint 2: ", "checkpoint 3: ", "move this folder away"]
                    .allSatisfy("\(error)".contains)
        }
        // The lengths are right, so that who does not look at the bytes does not see it.
        #expect(try folder.latest(verifyingFiles: false)?.number == 3)
    }

    @Test("missing files are noticed, and a folder that lost its checkpoints is not an empty one")
    func missing() throws {
        let (only, _) = try paths()
        let disk = FakeDisk(base)
        try disk.remove(only[0])
        let warnings = Warnings()
        let folder = try TestJob.open(disk, warnings)
        #expect(try folder.latest(verifyingFiles: false)?.number == 2)
        #expect(warnings.all.contains { $0.contains("is missing") && $0.contains("GOING BACK") })
        #expect(try folder.list().map(\.isComplete) == [true, true, false])
        folder.close()

        for name in ["3", "2", "1"] {
            let path = TestJob.path + "/manifests/0000000000000000000\(name).json"
            try disk.remove(path)
        }
        let again = try TestJob.open(disk)
        #expect { _ = try again.latest() } throws: { "\($0)".contains("3.json is missing") }
        try disk.remove(TestJob.path + "/CURRENT")
        #expect { _ = try again.latest() } throws: { "\($0)".contains("CURRENT is missing") }
        #expect(try again.list() == [])

        // Also for the process that has just made the first one.
        let young = FakeDisk()
        let job = try TestJob(young, seed: Self.seed)
        try job.takeCheckpoint()
        try young.remove(TestJob.path + "/CURRENT")
        try young.remove(TestJob.path + "/manifests/00000000000000000001.json")
        #expect { _ = try job.folder.latest() } throws: { "\($0)".contains("CURRENT is missing") }
    }

    @Test("CURRENT that is missing or of an older checkpoint is dealt with")
    func currentGone() throws {
        let disk = FakeDisk(base)
        try disk.remove(TestJob.path + "/CURRENT")
        let warnings = Warnings()
        let folder = try TestJob.open(disk, warnings)
        #expect(try folder.latest()?.number == 3)
        #expect(warnings.all.count == 1 && warnings.all[0].contains("CURRENT is missing"))
        #expect { try folder.collectGarbage(isDryRun: false) } throws: { error in
            "\(error)".contains("nothing is deleted")
        }
    }

    @Test("a folder of another job is refused")
    func wrongJob() throws {
        #expect {
            _ = try TestJob.open(FakeDisk(base), job: "buses")
        } throws: { error in
            (error as? CheckpointError)?.kind == .wrongJob
                && "\(error)".contains("FOLDER")
                && "\(error)".contains("'flights', not of 'buses'")
        }
    }

    @Test("a FOLDER of another folder is an error that names it; removed, it is written again")
    func foreignFolderRecord() throws {
        let other = FakeDisk()
        let entropy = SequenceEntropy(seed: 77)
        _ = try CheckpointFolder.openForWriting(
            TestJob.path,
            job: "flights",
            disk: other,
            entropy: entropy,
            warn: { _ in }
        )
        let path = TestJob.path + "/FOLDER"
        let foreign = try #require(other.model.bytes(path))
        for isReader in [true, false] {
            let disk = FakeDisk(base)
            disk.change(path) { $0 = foreign }
            #expect {
                _ =
                    try isReader
                    ? CheckpointFolder.openForReading(TestJob.path, disk: disk) : TestJob.open(disk)
            } throws: { error in
                "\(error)".hasPrefix("\(path): damaged: it is of the checkpoint folder ")
                    && "\(error)".contains("; expected ") && "\(error)".contains("CURRENT, manif")
                    && "\(error)".contains("remove this one")
            }
            if isReader { continue }
            try disk.remove(path)
            let folder = try TestJob.open(disk)
            #expect(try folder.latest()?.number == 3)
        }
    }

    @Test("a FOLDER that is broken, with nothing to tell what it was, is an error that names it")
    func brokenFolderRecord() throws {
        let path = TestJob.path + "/FOLDER"
        for isReader in [true, false] {
            let disk = FakeDisk()
            try TestJob.open(disk).close()
            disk.change(path) { $0[3] ^= 1 }
            #expect {
                _ =
                    try isReader
                    ? CheckpointFolder.openForReading(TestJob.path, disk: disk) : TestJob.open(disk)
            } throws: { error in
                "\(error)".hasPrefix("\(path): damaged: its last line is not")
                    && "\(error)".contains("; expected ") && "\(error)".contains("from a copy")
            }
        }
    }

    @Test("what a newer Apus wrote is refused, and not gone back behind")
    func newerFormat() throws {
        for name in ["manifests/00000000000000000003.json", "CURRENT", "FOLDER"] {
            let disk = FakeDisk(base)
            let path = TestJob.path + "/" + name
            disk.change(path) { bytes in
                bytes = Self.resealed(bytes) {
                    $0.replacing("\"formatVersion\" : 1", with: "\"formatVersion\" : 3")
                }
            }
            #expect {
                let folder = try TestJob.open(disk)
                _ = try folder.latest()
            } throws: { error in
                (error as? CheckpointError)?.kind == .newerFormat && "\(error)".contains(path)
                    && "\(error)".contains("was written by a newer Apus: its format is 3")
            }
        }
        let disk = FakeDisk(base)
        disk.change(TestJob.path + "/manifests/00000000000000000003.json") { bytes in
            bytes = Self.resealed(bytes) {
                $0.replacing("\"formatVersion\" : 1", with: "\"formatVersion\" : 3")
            }
        }
        let folder = try CheckpointFolder.openForReading(TestJob.path, disk: disk)
        let problem = try folder.list().last?.problem
        #expect(problem == "its manifest was written by a newer Apus")
    }

    @Test("members that this version does not know are left out of account")
    func unknownMembers() throws {
        let disk = FakeDisk(base)
        let path = TestJob.path + "/FOLDER"
        disk.change(path) { bytes in
            bytes = Self.resealed(bytes) { $0.replacing("{\n", with: "{\n  \"new\" : 1,\n") }
        }
        #expect(try TestJob.open(disk).latest()?.number == 3)
    }

    /// Changes the text of a document and gives it the right hash.
    private static func resealed(_ bytes: [UInt8], _ change: (String) -> String) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let body = Array(change(lines.dropLast(2).joined(separator: "\n") + "\n").utf8)
        return body + Array("xxh3-128 \(HashStream.hash(body))\n".utf8)
    }

    @Test("a manifest of another folder, job or number is not taken for one of this folder")
    func foreignManifests() throws {
        let other = FakeDisk()
        let entropy = SequenceEntropy(seed: 99)
        let folder = try CheckpointFolder.openForWriting(
            "/other",
            job: "flights",
            disk: other,
            entropy: entropy,
            warn: { _ in }
        )
        let attempt = try folder.begin(3)
        try attempt.commit(
            Manifest(
                job: "flights",
                number: 3,
                createdMicroseconds: 1,
                writerVersion: "0.1.0",
                maxParallelism: 1,
                parallelism: 1
            )
        )
        let foreign = try #require(other.model.bytes("/other/manifests/00000000000000000003.json"))
        let third = TestJob.path + "/manifests/00000000000000000003.json"
        let second = TestJob.path + "/manifests/00000000000000000002.json"
        let own = try #require(base.bytes(second))
        let cases: [([UInt8], String)] = [
            (foreign, "of the checkpoint folder"), (own, "of the checkpoint 2"),
            (
                Self.resealed(try #require(base.bytes(third))) {
                    $0.replacing("\"job\" : \"flights\"", with: "\"job\" : \"buses\"")
                },
                "of the job 'buses'"
            ),
        ]
        for (bytes, reason) in cases {
            let disk = FakeDisk(base)
            disk.change(third) { $0 = bytes }
            let warnings = Warnings()
            let folder = try TestJob.open(disk, warnings)
            #expect(try folder.latest()?.number == 2)
            #expect(warnings.all.contains { $0.contains(reason) }, "\(warnings.all)")
            #expect { _ = try folder.manifest(3) } throws: { "\($0)".contains(reason) }
        }
        // Whole, of this folder and number, and yet not the one that CURRENT means.
        let disk = FakeDisk(base)
        disk.change(third) { bytes in
            bytes = Self.resealed(bytes) {
                $0.replacing("\"parallelism\" : 2", with: "\"parallelism\" : 3")
            }
        }
        let warnings = Warnings()
        #expect(try TestJob.open(disk, warnings).latest()?.number == 2)
        #expect(warnings.all.contains { $0.contains("and CURRENT says") })
    }

    @Test("names in a manifest that lead out of the folder are damage")
    func hostileNames() throws {
        for (from, to) in [
            ("\"contentName\" : \"", "\"contentName\" : \"../../"),
            ("\"logicalName\" : \"", "\"logicalName\" : \"../"),
            ("\"logicalName\" : \"MANIFEST\"", "\"logicalName\" : \"/etc/passwd\""),
            ("\"byteCount\" : ", "\"byteCount\" : -"),
        ] {
            let disk = FakeDisk(base)
            disk.change(TestJob.path + "/manifests/00000000000000000003.json") { bytes in
                bytes = Self.resealed(bytes) { $0.replacing(from, with: to) }
            }
            #expect(try TestJob.open(disk).latest()?.number == 2, "\(to)")
        }
    }

    @Test("swapped files are noticed")
    func swappedFiles() throws {
        let (only, _) = try paths()
        let disk = FakeDisk(base)
        let (first, second) = (base.bytes(only[0]) ?? [], base.bytes(only[1]) ?? [])
        disk.change(only[0]) { $0 = second }
        disk.change(only[1]) { $0 = first }
        let warnings = Warnings()
        #expect(try TestJob.open(disk, warnings).latest()?.number == 2)
    }

    @Test("a checkpoint replaces a damaged file that it has the right bytes of")
    func repair() throws {
        let disk = FakeDisk(base)
        let warnings = Warnings()
        let folder = try TestJob.open(disk, warnings)
        let file = try #require(try folder.manifest(3).files.first)
        let bytes = try #require(disk.model.bytes(folder.path(of: file)))
        let copy = try folder.workDirectory("copies") + "/1.sst"
        let made = try disk.create(copy)
        try bytes.withUnsafeBytes { try made.write($0) }
        disk.change(folder.path(of: file)) { $0.removeLast() }
        let attempt = try folder.begin(4)
        let entry = try attempt.add(copy, role: .state, logicalName: "1.sst")
        #expect(entry.contentName == file.contentName)
        #expect(disk.model.bytes(folder.path(of: file)) == bytes)
        #expect(warnings.all.contains { $0.contains("damaged") })
        attempt.abandon()
    }
}
