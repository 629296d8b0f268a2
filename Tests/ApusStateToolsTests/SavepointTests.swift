import ApusCore
import ApusIO
import ApusTestSupport
import Foundation
import Testing

@testable import ApusCheckpoint
@testable import ApusState
@testable import ApusStateTools

/// A savepoint holds all of a checkpoint, says when it is damaged, and can be read by anybody.
@Suite("Savepoints")
struct SavepointTests {
    private func save(
        _ world: StateWorld,
        to name: String = "savepoint",
        blockByteCount: Int? = nil,
        partByteCount: Int? = nil
    ) throws -> SavepointExport.Result {
        let folder = try world.openForReading()
        guard let latest = try folder.latest() else { throw Mismatch("no checkpoint") }
        return try SavepointExport(
            disk: world.disk,
            entropy: world.entropy,
            blockByteCount: blockByteCount,
            partByteCount: partByteCount,
            progress: { _ in }
        )
        .run(folder, latest, to: world.root + "/" + name)
    }

    private func open(
        _ world: StateWorld,
        _ name: String = "savepoint",
        into folder: CheckpointFolder
    ) throws -> Manifest {
        try SavepointImport.openSavepoint(
            world.root + "/" + name,
            into: folder,
            disk: world.disk,
            nowMicroseconds: StateWorld.now + 1,
            writerVersion: "0.2",
            sliceByteCount: 16 << 10
        )
    }

    @Test("comes back as a checkpoint with the same entries", arguments: [1, 2])
    func roundTrip(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 10)
        let original = try world.makeCheckpoint(seed: seed + 10, keyCount: 200)
        let expected = try StateEditTests.entries(world)
        let result = try save(world, blockByteCount: 1000, partByteCount: 4000)
        #expect(result.fileCount > 12, "there are several parts")
        let retired = expected.filter { StoredKey($0.key)?.operatorNumber == 7 }
        #expect(result.retiredEntryCount == retired.count)

        let folder = try world.openForWriting(world.root + "/new")
        defer { folder.close() }
        let manifest = try open(world, into: folder)
        #expect(try folder.latest() == manifest)
        #expect(manifest.number == original.number && manifest.kind == .checkpoint)
        #expect(manifest.sources == original.sources && manifest.sinks == original.sinks)
        #expect(manifest.operators == original.operators)
        #expect(manifest.inFlight == original.inFlight)
        #expect(manifest.writerVersion == "0.2" && manifest.previousNumber == nil)
        try folder.verify(manifest)
        let reader = try StateSnapshotReader(
            folder,
            manifest,
            disk: world.disk,
            entropy: world.entropy
        )
        var found: [StateEntry] = []
        try reader.forEachEntry { _, entry in
            found.append(entry)
            return true
        }
        try reader.close()
        #expect(found == expected.filter { StoredKey($0.key)?.operatorNumber != 7 })
        try world.checkRestored(folder, manifest, holds: world.model)
        for file in manifest.files where file.role != .state {
            let bytes = try world.disk.readAll(folder.path(of: file), maximumByteCount: 100)
            let text = file.role == .outbox ? "a log of output" : "records in flight"
            #expect(bytes == Array(text.utf8))
        }
    }

    @Test("inspection counts what is in it")
    func inspect() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 3, keyCount: 60)
        _ = try save(world)
        let report = try SavepointReport(
            try Savepoint(world.root + "/savepoint", disk: world.disk)
        )
        for found in report.operators {
            let keys = world.model.keys[found.number] ?? [:]
            #expect(found.keyCount == keys.count)
            #expect(found.timerCount == keys.values.reduce(0) { $0 + $1.timers.count })
            for (slot, state) in found.states.enumerated() {
                #expect(state.keyCount == keys.values.filter { $0.slots[slot] != nil }.count)
            }
        }
        #expect(report.operators.map(\.id) == ["tickets", "aircraft"])
        #expect(report.undeliveredLogCounts == ["results": 1] && report.inFlightLogCount == 1)
        #expect(report.text.contains("source events (file) subtask 0: position 0x010203"))
    }

    /// Reads all of a savepoint as an inspection and an import do.
    private func read(_ world: StateWorld, _ path: String) throws {
        _ = try SavepointReport(try Savepoint(path, disk: world.disk))
    }

    @Test("each byte that is flipped and each length that is wrong is found")
    func damage() throws {
        let world = try StateWorld(groupCount: 2)
        try world.makeCheckpoint(seed: 4, keyCount: 2)
        _ = try save(world, blockByteCount: 200, partByteCount: 1000)
        let path = world.root + "/savepoint"
        try read(world, path)
        var count = 0
        for entry in try world.disk.list(path) {
            let name = path + "/" + entry.name
            let bytes = try world.disk.readAll(name, maximumByteCount: 1 << 20)
            func expectDamage(_ changed: [UInt8], _ what: String) throws {
                let file = try world.disk.openForWriting(name, appending: false)
                try file.writeBytes(changed)
                try file.close()
                count += 1
                #expect(throws: StateToolError.self, "\(entry.name) \(what)") {
                    try read(world, path)
                }
            }
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= 1 << UInt8(index % 8)
                try expectDamage(changed, "with byte \(index) changed")
            }
            let step = max(1, bytes.count / 300)
            for length in stride(from: 0, to: bytes.count, by: step) {
                try expectDamage(Array(bytes[..<length]), "cut off at \(length)")
            }
            try expectDamage(bytes + [0], "with a byte more")
            try world.disk.remove(name)
            #expect(throws: StateToolError.self, "without \(entry.name)") {
                try read(world, path)
            }
            let file = try world.disk.create(name)
            try file.writeBytes(bytes)
            try file.close()
        }
        try read(world, path)
        #expect(count > 3000)
    }

    @Test("a damaged savepoint makes no checkpoint")
    func damagedImport() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 5, keyCount: 40)
        _ = try save(world)
        let name = world.root + "/savepoint/state-300-0.apus"
        var bytes = try world.disk.readAll(name, maximumByteCount: 1 << 20)
        bytes[bytes.count / 2] ^= 4
        let file = try world.disk.openForWriting(name, appending: false)
        try file.writeBytes(bytes)
        try file.close()
        let folder = try world.openForWriting(world.root + "/new")
        defer { folder.close() }
        #expect { try open(world, into: folder) } throws: { error in
            "\(error)".contains("state-300-0.apus: damaged at byte")
        }
        #expect(try folder.list().isEmpty)
        #expect(try folder.latest() == nil)
    }

    @Test("is refused by a folder with checkpoints, by another job's, and where something is")
    func refusals() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 6, keyCount: 10)
        _ = try save(world)
        #expect { _ = try save(world) } throws: { "\($0)".contains("savepoint: exists") }
        do {
            let folder = try world.openForWriting()
            defer { folder.close() }
            #expect { try open(world, into: folder) } throws: {
                "\($0)".contains("holds checkpoints (the newest is 1)")
            }
        }
        let other = try CheckpointFolder.openForWriting(
            world.root + "/other",
            job: "other",
            disk: world.disk,
            entropy: world.entropy,
            warn: { Issue.note($0) }
        )
        defer { other.close() }
        #expect { try open(world, into: other) } throws: {
            "\($0)".contains("is of the job 'demo'") && "\($0)".contains("'other'")
        }
        #expect { _ = try Savepoint(world.root, disk: world.disk) } throws: {
            "\($0)".contains("there is no savepoint")
        }
    }

    @Test("its document has the form of a checkpoint folder's documents")
    func sealedForm() throws {
        let world = try StateWorld()
        var manifest = try world.makeCheckpoint(seed: 7, keyCount: 10)
        manifest.kind = .savepoint
        #expect(SavepointDocument.encode(manifest) == SealedDocument.encode(manifest))
        let bytes = SealedDocument.encode(manifest)
        #expect(try SavepointDocument.decode(bytes, "x") == manifest)
        #expect(try SealedDocument.decode(Manifest.self, from: bytes) == manifest)
        manifest.kind = .checkpoint
        #expect { _ = try SavepointDocument.decode(SealedDocument.encode(manifest), "x") } throws: {
            "\($0)".contains("expected a manifest of the kind 'savepoint'")
        }
    }

    @Test("a program of 30 lines reads it")
    func readByPython() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 8, keyCount: 60)
        _ = try save(world, blockByteCount: 500, partByteCount: 3000)
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let script = root.appending(path: "docs/formats/read_savepoint.py").path
        let lines = try String(contentsOfFile: script, encoding: .utf8)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count <= 40)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, world.root + "/savepoint"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let found = Set(String(decoding: data, as: UTF8.self).split(separator: "\n"))
        var expected: Set<Substring> = []
        for entry in try StateEditTests.entries(world) {
            guard let key = StoredKey(entry.key), key.operatorNumber != 7 else { continue }
            let name = key.operatorNumber == 1 ? "tickets" : "aircraft"
            let bytes = ByteText.hexadecimal(entry.key) + " " + ByteText.hexadecimal(entry.value)
            expected.insert("\(name) \(bytes)"[...])
        }
        #expect(found == expected)
    }

    @Test("the sum of blocks is CRC-32C")
    func sums() {
        // RFC 3720, B.4.
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.of([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.of(Array(0..<32)) == 0x46dd_794e)
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.of([]) == 0)
    }
}
