import ApusStore
import Testing

/// A full disk: lookups go on, errors say what it is, and space lets everything go on.
@Suite("StateDatabase: full disk", .enabled(if: TinyDisk.isPermitted))
struct StateDatabaseSpaceTests {
    private let disk: TinyDisk
    private let database: StateDatabase

    init() throws {
        disk = try TinyDisk(byteCount: 40 << 20)
        database = try StateDatabase(path: disk.file("db"), options: .init(runCountMax: 8))
    }

    @Test("writing a run fails, and goes on when there is space")
    func writingARunFails() throws {
        try add(0)
        try disk.fill(leavingByteCount: 200 << 10)
        let error = #expect(throws: StoreError.self) { try add(1) }
        #expect(error?.isOutOfSpace == true)
        #expect(error?.operation == "write")
        try expectAll(0)
        disk.clear()
        try add(2)
        try expectAll(2)
    }

    @Test("an ingestion that cannot be noted fails, and later ones go on")
    func ingestingFails() throws {
        try add(0)
        let paths = try (1...40).map { try write($0, rowCount: 10) }
        try disk.fill(leavingByteCount: 0)
        var ingested = 0
        var failure: StoreError?
        for path in paths {
            do throws(StoreError) {
                try database.ingest(path)
                ingested += 1
            } catch {
                failure = error
                break
            }
        }
        // The manifest may have room in a page that it has already.
        #expect(failure?.isOutOfSpace ?? true, "\(String(describing: failure))")
        try expectAll(ingested, rowCount: 10)
        disk.clear()
        try database.ingest(write(50, rowCount: 10))
        try expectAll(50, rowCount: 10)
        try add(51)
        try database.compact()
        try expectAll(51)
        #expect(database.backgroundError == nil)
        database.close()
        let reopened = try StateDatabase(path: disk.file("db"), options: .init())
        #expect(try reopened.text("123") == "\(51)" + Self.filler)
    }

    @Test("a compaction fails, and goes on when there is space")
    func compactingFails() throws {
        for round in 0..<3 { try add(round) }
        try disk.fill(leavingByteCount: 300 << 10)
        let error = #expect(throws: StoreError.self) { try database.compact() }
        #expect(error?.isOutOfSpace == true, "\(String(describing: error))")
        try expectAll(2)
        disk.clear()
        try add(3)
        try expectAll(3)
        try database.compact()
        #expect(database.usage().runCount == 1)
        try expectAll(3)
    }

    @Test("a compaction in the background fails, and ingestions go on when there is space")
    func compactingInTheBackgroundFails() throws {
        let rowCount = 4_000
        let paths = try (0..<9).map { try write($0, rowCount: rowCount) }
        try disk.fill(leavingByteCount: 300 << 10)
        for path in paths { try database.ingest(path) }
        database.settle()
        #expect(
            database.backgroundError?.isOutOfSpace == true,
            "\(String(describing: database.backgroundError)), \(database.usage())"
        )
        try expectAll(8, rowCount: rowCount)
        disk.clear()
        try database.ingest(write(9, rowCount: rowCount))
        #expect(database.backgroundError == nil)
        database.settle()
        #expect(database.usage().runCount < 9)
        try expectAll(9, rowCount: rowCount)
    }

    @Test("a checkpoint fails, and leaves nothing behind")
    func aCheckpointFails() throws {
        try add(0)
        try disk.fill(leavingByteCount: 0)
        let error = #expect(throws: StoreError.self) {
            try database.checkpoint(to: disk.file("checkpoint"))
        }
        #expect(error?.isOutOfSpace == true, "\(String(describing: error))")
        disk.clear()
        try database.checkpoint(to: disk.file("checkpoint"))
        try add(1)
        let copy = try StateDatabase(path: disk.file("checkpoint"), options: .init())
        #expect(try copy.text("7") == "0" + Self.filler)
    }

    private static let filler = String(repeating: "x", count: 90)

    private func write(_ round: Int, rowCount: Int = 20_000) throws -> [String] {
        let buffer = EntryBuffer()
        for row in 0..<rowCount { buffer.put("\(row)", "\(round)" + Self.filler) }
        return try SortedRun.write([buffer], directory: disk.file(""), name: "run-\(round)").paths
    }

    private func add(_ round: Int) throws {
        try database.ingest(write(round))
    }

    private func expectAll(_ round: Int, rowCount: Int = 20_000) throws {
        let keys = (0..<rowCount).map { Array("\($0)".utf8) }
        #expect(try Set(database.values(keys)) == [Array(("\(round)" + Self.filler).utf8)])
    }
}
