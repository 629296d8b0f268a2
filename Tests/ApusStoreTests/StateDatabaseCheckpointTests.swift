import ApusStore
import ApusTestPlugins
import CApusShims
import Foundation
import Testing

@Suite("StateDatabase: checkpoints")
struct StateDatabaseCheckpointTests {
    @Test("a checkpoint stays as it was while the database goes on", arguments: [true, false])
    func aCheckpointStays(mapsFiles: Bool) throws {
        let folder = try StoreFolder()
        let options = StateDatabase.Options(mapsFiles: mapsFiles, fileByteCountMax: 16 << 10)
        let database = try folder.open(options)
        var copies: [(path: String, files: [String: UInt64], entries: [StoredEntry])] = []
        for round in 0..<25 {
            try folder.add(database) { buffer in
                for index in 0..<400 { buffer.put("\((index * 7 + round) % 1_000)", "\(round)") }
                buffer.deleteRange("5\(round % 10)", "5\(round % 10)x")
            }
            guard round % 5 == 4 else { continue }
            let path = folder.folder.file("checkpoint-\(round)")
            try database.checkpoint(to: path)
            copies.append((path, try fileHashes(path), try database.entries()))
        }
        try database.compact()
        for copy in copies { #expect(try fileHashes(copy.path) == copy.files) }
        database.close()
        for copy in copies {
            #expect(try fileHashes(copy.path) == copy.files)
            // What the checkpoint folder does: links to the sorted files, copies of the others.
            let restored = copy.path + "-restored"
            try materialize(copy.path, into: restored)
            let opened = try StateDatabase(path: restored, options: options)
            #expect(opened.hasEntries)
            #expect(try opened.entries() == copy.entries)
            try folder.add(opened) { $0.put("later", "x") }
            try opened.compact()
            #expect(try opened.text("later") == "x")
            opened.close()
            #expect(try fileHashes(copy.path) == copy.files)
        }
    }

    @Test("sorted files are linked, not copied")
    func filesAreLinked() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { $0.put("a", "1") }
        let path = folder.folder.file("checkpoint")
        try database.checkpoint(to: path)
        let name = try #require(try fileHashes(path).keys.first { $0.hasSuffix(".sst") })
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        #expect(attributes[.referenceCount] as? Int == 2)
    }

    @Test("a checkpoint of an empty database can be opened")
    func aCheckpointOfNothing() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        let path = folder.folder.file("checkpoint")
        try database.checkpoint(to: path)
        let copy = try StateDatabase(path: path, options: .init())
        #expect(!copy.hasEntries)
        #expect(try copy.entries().isEmpty)
    }

    @Test("an error leaves no folder, and a folder that exists is left alone")
    func anErrorLeavesNoFolder() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { $0.put("a", "1") }
        let missing = folder.folder.file("no/such/checkpoint")
        #expect(throws: StoreError.self) { try database.checkpoint(to: missing) }
        let path = folder.folder.file("checkpoint")
        try database.checkpoint(to: path)
        let files = try fileHashes(path)
        let error = #expect(throws: StoreError.self) { try database.checkpoint(to: path) }
        #expect(error?.operation.contains("checkpoint") == true)
        #expect(try fileHashes(path) == files)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.folder.path)
                .allSatisfy { !$0.hasSuffix(".tmp") }
        )
    }

    /// The files of a folder by their names, with hashes of what they hold.
    private func fileHashes(_ path: String) throws -> [String: UInt64] {
        var hashes: [String: UInt64] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let bytes = try Data(contentsOf: URL(filePath: path + "/" + name))
            hashes[name] = bytes.withUnsafeBytes { apus_xxh3($0.baseAddress, $0.count) }
        }
        return hashes
    }

    private func materialize(_ path: String, into directory: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: directory, withIntermediateDirectories: false)
        for name in try files.contentsOfDirectory(atPath: path) {
            let from = path + "/" + name
            let to = directory + "/" + name
            if name.hasSuffix(".sst") {
                try files.linkItem(atPath: from, toPath: to)
            } else {
                try files.copyItem(atPath: from, toPath: to)
            }
        }
    }
}
