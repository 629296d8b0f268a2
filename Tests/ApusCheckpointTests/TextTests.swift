import ApusCore
import Testing

@testable import ApusCheckpoint

/// What people read of checkpoints.
@Suite("Checkpoint texts")
struct TextTests {
    private let disk = FakeDisk()
    private let folder: CheckpointFolder

    init() throws {
        folder = try TestJob.open(disk)
        let first = try folder.begin(1)
        let shared = try Self.add(
            disk,
            folder,
            first,
            "000001.sst",
            [UInt8](repeating: 7, count: 3_000)
        )
        try first.commit(Self.manifest(1, [shared]))
        let second = try folder.begin(2)
        try second.carry(shared)
        let log = try Self.add(disk, folder, second, "log", [1, 2, 3], role: .outbox)
        try second.commit(Self.fullManifest([shared, log]))
    }

    private static func fullManifest(_ files: [FileEntry]) -> Manifest {
        var manifest = manifest(2, files)
        manifest.isFinal = true
        manifest.operators = [
            OperatorState(
                id: "aircraft",
                number: 1,
                plugin: PluginReference(
                    component: "com.example.aircraft",
                    fileName: "./libaircraft.so",
                    contentHash: "0123456789abcdef0123456789abcdef"
                ),
                states: [
                    StateDeclaration(
                        name: "seen",
                        kind: "counter",
                        schemaVersion: 1,
                        fixedByteCount: 8
                    ),
                    StateDeclaration(
                        name: "legs",
                        kind: "list",
                        schemaVersion: 2,
                        schema: "leg v2"
                    ),
                ],
                timers: [TimerDeclaration(name: "grounded", domain: "event")],
                subtasks: [
                    SubtaskState(
                        subtask: 0,
                        watermarkMicroseconds: 1_357_000_000_000_000,
                        keyCount: 3_000,
                        byteCount: 100_000
                    ),
                    SubtaskState(
                        subtask: 1,
                        watermarkMicroseconds: .max,
                        keyCount: 43,
                        byteCount: 1_000
                    ),
                ]
            )
        ]
        manifest.sources = [
            SourceState(
                id: "departures",
                kind: "file",
                subtask: 0,
                subtaskCount: 1,
                position: [1, 2],
                newestMicroseconds: 1_357_000_100_000_000,
                watermarkMicroseconds: .min
            )
        ]
        manifest.sinks = [
            SinkState(
                id: "results",
                subtask: 0,
                undelivered: [UndeliveredLog(epoch: 2, contentName: files[1].contentName)]
            ),
            SinkState(id: "results", subtask: 1, position: [1]),
        ]
        manifest.inFlight = [
            InFlight(node: "aircraft", subtask: 1, contentName: files[1].contentName)
        ]
        return manifest
    }

    private static func add(
        _ disk: FakeDisk,
        _ folder: CheckpointFolder,
        _ attempt: CheckpointAttempt,
        _ name: String,
        _ bytes: [UInt8],
        role: FileRole = .state
    ) throws -> FileEntry {
        let path = try folder.workDirectory("database") + "/" + name
        let file = try disk.create(path)
        try bytes.withUnsafeBytes { try file.write($0) }
        return try attempt.add(path, role: role, logicalName: name)
    }

    private static func manifest(_ number: UInt64, _ files: [FileEntry]) -> Manifest {
        Manifest(
            job: "flights",
            number: number,
            createdMicroseconds: 1_795_449_600_123_456,
            writerVersion: "0.1.0",
            maxParallelism: 1_024,
            parallelism: 2,
            files: files
        )
    }

    @Test("the list has a line per checkpoint")
    func list() throws {
        #expect(
            try CheckpointListing(folder).text == """
                job 'flights', /store/job
                NUMBER  KIND        CREATED                  SIZE  FILES  STATE
                     1  checkpoint  2026-11-23T16:00:00Z  2.9 KiB      1  complete
                     2  checkpoint  2026-11-23T16:00:00Z  2.9 KiB      2  current, final: the \
                input had ended
                """
        )
        disk.change(TestJob.path + "/manifests/00000000000000000001.json") { $0 = [] }
        let lines = try CheckpointListing(folder).text.split(separator: "\n")
        #expect(
            lines[2] == "     1  ?           ?                           ?      ?  DAMAGED: its "
                + "manifest: it has 0 bytes and so no line with its hash"
        )
        let empty = try TestJob.open(FakeDisk())
        #expect(try CheckpointListing(empty).text == "job 'flights': no checkpoints in /store/job")
    }

    @Test("a checkpoint is shown with all that it holds")
    func details() throws {
        let details = try CheckpointDetails(nil, in: folder)
        #expect(details.manifest.number == 2)
        #expect((details.newByteCount, details.sharedByteCount) == (3, 3_000))
        let files = details.manifest.files.map(\.contentName)
        #expect(
            details.text == """
                checkpoint 2 of job 'flights', /store/job
                created   2026-11-23T16:00:00Z by Apus 0.1.0
                history   goes on from 1; final: the input had ended
                layout    1024 key groups, parallelism 2
                size      2.9 KiB in 2 files: 3 B new, 2.9 KiB shared

                OPERATORS
                  aircraft (number 1): com.example.aircraft of ./libaircraft.so
                    plugin hash 0123456789abcdef0123456789abcdef
                    state seen: counter, schema version 1, 8 bytes each
                    state legs: list, schema version 2, leg v2
                    timer grounded: event time
                    2 subtasks, 3043 keys, 98 KiB, watermark 2013-01-01T00:26:40Z

                SOURCES
                  departures[0 of 1]: file, position of 2 bytes, newest 2013-01-01T00:28:20Z, \
                watermark before all

                SINKS
                  results[0]: position of 0 bytes, to deliver: epochs 2
                  results[1]: position of 1 bytes, all delivered

                IN FLIGHT
                  aircraft[1]: \(files[1])

                FILES
                  ROLE    NAME        BYTES  FILE
                  state   000001.sst   3000  \(files[0])
                  outbox  log             3  \(files[1])
                """
        )
        try disk.remove(TestJob.path + "/manifests/00000000000000000001.json")
        try disk.remove(TestJob.path + "/files/" + files[1])
        let again = try CheckpointDetails(2, in: folder)
        #expect(!again.isPreviousKnown && again.problems.count == 1)
        #expect(again.text.contains("what is new cannot be told, the one before is gone"))
        #expect(again.text.contains("\nDAMAGED   files/\(files[1]) (log) is missing"))
    }

    @Test("a verification says what is damaged")
    func verification() throws {
        let whole = try CheckpointVerification(nil, in: folder)
        #expect(whole.isIntact)
        #expect(whole.text == "checkpoint 2: intact: 2 files, 2.9 KiB read")
        let name = try #require(
            whole.number == 2 ? folder.manifest(2).files.last?.contentName : nil
        )
        disk.change(TestJob.path + "/files/" + name) { $0[0] = 9 }
        let damaged = try CheckpointVerification(2, in: folder)
        #expect(
            damaged.text.hasPrefix(
                "checkpoint 2: DAMAGED: files/\(name) (log) does not hold what was written: "
            )
        )
        disk.change(TestJob.path + "/manifests/00000000000000000002.json") { $0[3] = 9 }
        let unreadable = try CheckpointVerification(2, in: folder)
        #expect(unreadable.text.contains("DAMAGED: /store/job/manifests/"))
        #expect { _ = try CheckpointVerification(7, in: folder) } throws: {
            "\($0)".contains("there is no checkpoint 7")
        }
    }

    @Test("a collection says what it did, and a dry run what it would do")
    func garbage() throws {
        for number: UInt64 in 3...4 {
            try folder.begin(number).commit(Self.manifest(number, []))
        }
        let dry = try folder.collectGarbage(isDryRun: true)
        #expect(
            dry.text == """
                kept: 3 (retained), 4 (current)
                would remove checkpoints: 1, 2
                would move to the trash: 2 files, 2.9 KiB
                would delete from the trash: 0 files, 0 B
                """
        )
        #expect(
            try folder.collectGarbage(isDryRun: false).text == """
                kept: 3 (retained), 4 (current)
                removed checkpoints: 1, 2
                moved to the trash: 2 files, 2.9 KiB
                deleted from the trash: 0 files, 0 B
                what is in the trash is deleted by the next collection
                """
        )
    }

    @Test(
        "lengths are short",
        arguments: [
            (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"),
            (10_239, "9.9 KiB"), (10_240, "10 KiB"), (1_048_575, "1023 KiB"),
            (1_048_576, "1.0 MiB"), (Int.max, "819 PiB"),
        ]
    )
    func lengths(byteCount: Int, text: String) {
        #expect(ByteText.format(byteCount) == text)
    }

    @Test("times and sums that nobody can have meant do not end the program")
    func absurdNumbers() {
        #expect(CheckpointListing.time(.min) == "0000-01-01T00:00:00Z")
        #expect(CheckpointListing.time(.max) == "9999-12-31T23:59:59Z")
        #expect(CheckpointListing.time(-1) == "1969-12-31T23:59:59Z")
        #expect([Int.max, Int.max, -5].cappedSum == Int.max && [1, -5, 2].cappedSum == 3)
    }
}
