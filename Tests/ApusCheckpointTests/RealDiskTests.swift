import ApusCore
import ApusIO
import Foundation
import Testing

@testable import ApusCheckpoint

/// The same on the files of the kernel.
@Suite("Checkpoint folder: real disk")
struct RealDiskTests {
    private let root: Root
    private let disk = LinuxDisk()

    /// A folder that vanishes with the test that made it.
    private final class Root: Sendable {
        let path = NSTemporaryDirectory() + "apus-checkpoint-" + UUID().uuidString

        deinit {
            // The folder is in the system's folder for temporary files, which is emptied some day.
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    init() {
        root = Root()
    }

    private func open() throws -> CheckpointFolder {
        try CheckpointFolder.openForWriting(
            root.path + "/a/b",
            job: "flights",
            disk: disk,
            entropy: LinuxEntropy(),
            threads: LinuxThreads(),
            warn: { Issue.record("warning: \($0)") }
        )
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws {
        let file = try disk.create(path)
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.close()
    }

    private func manifest(_ number: UInt64, _ files: [FileEntry]) -> Manifest {
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

    @Test("checkpoints are written, found, restored, collected")
    func lifeOfAFolder() throws {
        let folder = try open()
        let database = try folder.workDirectory("database")
        var expected: [String: [UInt8]] = [:]
        for number: UInt64 in 1...4 {
            // Around the length that is read at once.
            let bytes = (0..<(262_143 + Int(number))).map { UInt8(truncatingIfNeeded: $0 * 7) }
            expected["\(number).sst"] = bytes
            try write(database + "/\(number).sst", bytes)
            let attempt = try folder.begin(number)
            try disk.makeDirectory(attempt.directory)
            var files: [FileEntry] = []
            for name in expected.keys.sorted() {
                let path = attempt.directory + "/" + name
                try disk.link(database + "/" + name, at: path)
                files.append(try attempt.add(path, role: .state, logicalName: name))
            }
            expected["MANIFEST"] = [UInt8(number)]
            try write(attempt.directory + "/MANIFEST", [UInt8(number)])
            files.append(
                try attempt.add(
                    attempt.directory + "/MANIFEST",
                    role: .state,
                    logicalName: "sub/MANIFEST"
                )
            )
            expected["MANIFEST"] = nil
            #expect(attempt.newByteCount == bytes.count + 1)
            try attempt.commit(manifest(number, files))
            try folder.collectGarbage(isDryRun: false)
        }
        expected["sub/MANIFEST"] = [4]
        #expect(try folder.list().map(\.number) == [3, 4])
        folder.close()

        let again = try open()
        #expect(again.nextNumber == 5)
        let latest = try #require(try again.latest())
        let place = try again.workDirectory("restored") + "/here"
        try again.materialize(latest, into: place)
        for (name, bytes) in expected {
            #expect(try disk.readAll(place + "/" + name, maximumByteCount: 1 << 20) == bytes)
        }
        let first = try #require(latest.files.first)
        #expect(disk.identity(place + "/1.sst") == disk.identity(again.path(of: first)))
        let copied = try #require(latest.files.last)
        #expect(disk.identity(place + "/sub/MANIFEST") != disk.identity(again.path(of: copied)))
        #expect { try again.materialize(latest, into: place) } throws: {
            "\($0)".contains("exists")
        }
        #expect {
            _ = try open()
        } throws: { error in
            (error as? CheckpointError)?.kind == .locked && "\(error)".contains("\(getpid())")
        }
    }

    @Test("a reader looks while a writer writes, and its lease is respected")
    func readers() throws {
        let folder = try open()
        for number: UInt64 in 1...2 { try folder.begin(number).commit(manifest(number, [])) }
        let reader = try CheckpointFolder.openForReading(folder.path, disk: disk)
        let lease = try reader.lease(1)
        for number: UInt64 in 3...4 { try folder.begin(number).commit(manifest(number, [])) }
        #expect(try folder.collectGarbage(isDryRun: false).removed == [2])
        try reader.verify(reader.manifest(1))
        #expect(try reader.latest()?.number == 4)
        lease.release()
        #expect(try folder.collectGarbage(isDryRun: false).removed == [1])
    }

    @Test("files on another file system are copied", .enabled(if: Self.hasOtherFileSystem))
    func otherFileSystem() throws {
        let folder = try open()
        let path = "/dev/shm/apus-checkpoint-" + UUID().uuidString
        try write(path, [1, 2, 3])
        defer { #expect(throws: Never.self) { try disk.remove(path) } }
        let attempt = try folder.begin(1)
        let entry = try attempt.add(path, role: .outbox, logicalName: "log")
        try attempt.commit(manifest(1, [entry]))
        let bytes = try disk.readAll(folder.path(of: entry), maximumByteCount: 3)
        #expect(bytes == [1, 2, 3])
        #expect(disk.identity(folder.path(of: entry)) != disk.identity(path))
    }

    private static var hasOtherFileSystem: Bool {
        let disk = LinuxDisk()
        guard let shared = disk.identity("/dev/shm"),
            let temporary = disk.identity(NSTemporaryDirectory())
        else { return false }
        return shared.device != temporary.device
    }
}
