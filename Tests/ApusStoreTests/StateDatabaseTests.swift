import ApusStore
import ApusTestPlugins
import Foundation
import Testing

@Suite("StateDatabase")
struct StateDatabaseTests {
    @Test("a new database is empty, and says so cheaply")
    func aNewDatabaseIsEmpty() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        #expect(!database.hasEntries)
        #expect(try database.value([1]) == nil)
        #expect(try database.values([]).isEmpty)
        #expect(try database.values([[], [1]]) == [nil, nil])
        #expect(try database.entries().isEmpty)
        try database.ingest([])
        #expect(!database.hasEntries)
        try folder.add(database) { $0.put("a", "1") }
        #expect(database.hasEntries)
    }

    @Test("keeps what was ingested when it is opened again", arguments: [true, false])
    func keepsWhatWasIngested(mapsFiles: Bool) throws {
        let folder = try StoreFolder()
        var database = try folder.open(.init(mapsFiles: mapsFiles))
        try folder.add(database) { buffer in
            buffer.put("", "of the empty key")
            buffer.put("a", "")
            buffer.put("b", "1")
        }
        database.close()
        database.close()
        database = try folder.open(.init(mapsFiles: mapsFiles))
        #expect(database.hasEntries)
        #expect(try database.text("") == "of the empty key")
        #expect(try database.text("a") == "")
        #expect(try database.text("b") == "1")
        #expect(try database.text("c") == nil)
        #expect(
            try database.values([[98], [99], [97], [98], []])
                == [Array("1".utf8), nil, [], Array("1".utf8), Array("of the empty key".utf8)]
        )
    }

    @Test("later files count, in one ingestion and over several")
    func laterFilesCount() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        let buffers = ["1", "2", "3"].map { value in
            let buffer = EntryBuffer()
            buffer.put("a", value)
            buffer.put("a" + value, value)
            return buffer
        }
        let paths = try buffers.flatMap { try folder.write([$0]).paths }
        try database.ingest([paths[0], paths[2]])
        #expect(try database.text("a") == "3")
        try database.ingest([paths[1]])
        #expect(try database.text("a") == "2")
        #expect(try database.keys() == ["a", "a1", "a2", "a3"])
        for path in paths { #expect(!FileManager.default.fileExists(atPath: path)) }
    }

    @Test("a scan begins and ends where it should, and stops when told")
    func aScanBeginsAndEnds() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { buffer in
            for index in 0..<1_000 { buffer.put([UInt8(index >> 8), UInt8(index & 0xff)], [7]) }
        }
        let some = try database.entries(from: [1], to: [2, 5]).map(\.key)
        #expect(some.count == 261)
        #expect(some.first == [1, 0])
        #expect(some.last == [2, 4])
        #expect(try database.entries(from: [1], to: [2, 5], limit: 3).count == 3)
        #expect(try database.entries(from: [3], to: [2]).isEmpty)
        #expect(try database.entries(from: [3], to: [3]).isEmpty)
        #expect(try database.entries(readAheadByteCount: 64 << 10).count == 1_000)
    }

    @Test("a file that is missing, or not sorted entries, is not ingested")
    func aBadFileIsNotIngested() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        let good = EntryBuffer()
        good.put("a", "1")
        let path = try folder.write([good]).paths[0]
        let missing = folder.folder.file("missing.sst")
        let bad = try folder.folder.write("bad.sst", [UInt8](repeating: 7, count: 5_000))
        for other in [missing, bad] {
            let error = #expect(throws: StoreError.self) { try database.ingest([path, other]) }
            #expect(error?.operation == "ingest into")
            #expect(error?.path == folder.databasePath)
            #expect(error?.isOutOfSpace == false)
            #expect(try database.value([97]) == nil)
            #expect(FileManager.default.fileExists(atPath: path))
        }
        #expect(!database.hasEntries)
        try database.ingest([path])
        #expect(try database.text("a") == "1")
    }

    @Test("destroys a folder, and does nothing when there is none")
    func destroysAFolder() throws {
        let folder = try StoreFolder()
        try StateDatabase.destroy(path: folder.databasePath)
        let database = try folder.open()
        try folder.add(database) { $0.put("a", "1") }
        let error = #expect(throws: StoreError.self) {
            try StateDatabase.destroy(path: folder.databasePath)
        }
        #expect(error?.operation == "destroy")
        database.close()
        try StateDatabase.destroy(path: folder.databasePath)
        #expect(!FileManager.default.fileExists(atPath: folder.databasePath))
    }

    @Test("usage counts runs and bytes; compaction merges them")
    func usageCountsRuns() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        for round in 0..<3 {
            try folder.add(database) { buffer in
                for index in 0..<1_000 { buffer.put("\(index)", "\(round)") }
            }
        }
        let before = database.usage()
        #expect(before.runCount == 3)
        #expect(before.liveFileCount == 3)
        #expect(before.liveFileByteCount > 3_000 * 6)
        #expect(before.entryCountEstimate == 3_000)
        #expect(before.memTableByteCount < 64 << 10)
        #expect(before.tableReaderByteCount > 0)
        try database.compact()
        let after = database.usage()
        #expect(after.runCount == 1)
        #expect(after.entryCountEstimate == 1_000)
        #expect(after.backgroundErrorCount == 0)
        #expect(database.backgroundError == nil)
    }

    @Test("the block cache keeps to its size when files are not mapped")
    func theBlockCacheKeepsToItsSize() throws {
        let folder = try StoreFolder()
        let limit = 1 << 20
        let database = try folder.open(.init(blockCacheByteCount: limit, mapsFiles: false))
        try folder.add(database) { buffer in
            for index in 0..<50_000 { buffer.put("\(index)", String(repeating: "v", count: 100)) }
        }
        for index in 0..<2_000 {
            let key = "\(index * 25)"
            #expect(try database.text(key)?.count == 100)
        }
        let usage = database.usage()
        #expect(usage.blockCacheByteCount > limit / 2)
        #expect(usage.blockCacheByteCount <= limit)
    }
}
