import ApusStore
import ApusTestPlugins
import Foundation
import Testing

/// A folder that is damaged or somebody else's is an error: never a trap, never a new database.
@Suite("StateDatabase: damage")
struct StateDatabaseDamageTests {
    @Test("a folder in use cannot be opened again")
    func aFolderInUse() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        expectOpenFails(folder, saying: "lock")
        database.close()
        _ = try folder.open()
    }

    @Test("a folder of somebody else's is left alone")
    func aForeignFolder() throws {
        let folder = try StoreFolder()
        try FileManager.default.createDirectory(
            atPath: folder.databasePath,
            withIntermediateDirectories: false
        )
        _ = try folder.folder.write("db/notes.txt", [1, 2, 3])
        expectOpenFails(folder, saying: "notes.txt")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.databasePath)
                == ["notes.txt"]
        )
    }

    @Test("a file in the folder's place, and a folder that cannot be made")
    func noFolder() throws {
        let folder = try StoreFolder()
        _ = try folder.folder.write("db", [1])
        expectOpenFails(folder, saying: "Not a directory")
        #expect(throws: StoreError.self) {
            try StateDatabase(path: folder.folder.file("no/such/db"), options: .init())
        }
    }

    @Test("an empty folder becomes a database")
    func anEmptyFolder() throws {
        let folder = try StoreFolder()
        try FileManager.default.createDirectory(
            atPath: folder.databasePath,
            withIntermediateDirectories: false
        )
        let database = try folder.open()
        #expect(!database.hasEntries)
    }

    @Test("a file that is missing, empty, cut or overwritten", arguments: Damage.allCases)
    func aDamagedFile(damage: Damage) throws {
        for prefix in ["CURRENT", "MANIFEST", ".sst"] {
            let folder = try makeDatabase()
            let name = try #require(
                FileManager.default.contentsOfDirectory(atPath: folder.databasePath)
                    .first { $0.hasPrefix(prefix) || $0.hasSuffix(prefix) }
            )
            try damage.apply(to: folder.databasePath + "/" + name)
            expectOpenFails(folder, saying: "")
        }
    }

    @Test("a damaged block fails the lookups that need it", arguments: [true, false])
    func aDamagedBlock(mapsFiles: Bool) throws {
        let folder = try makeDatabase()
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.databasePath)
                .first { $0.hasSuffix(".sst") }
        )
        let url = URL(filePath: folder.databasePath + "/" + name)
        var bytes = try Data(contentsOf: url)
        bytes[100] ^= 1
        try bytes.write(to: url)
        let database = try folder.open(.init(mapsFiles: mapsFiles))
        let error = #expect(throws: StoreError.self) { try database.text("10000") }
        #expect(error?.operation == "look up in")
        #expect(error?.reason.contains("checksum") == true)
        #expect(throws: StoreError.self) { try database.values([[1], Array("10000".utf8)]) }
        #expect(throws: StoreError.self) { try database.entries() }
        #expect(throws: StoreError.self) { try database.compact() }
        #expect(try database.text("14999") == "4999")
    }

    /// What happens to a file.
    enum Damage: CaseIterable {
        case missing
        case empty
        case cut
        case overwritten

        func apply(to path: String) throws {
            let url = URL(filePath: path)
            let bytes = try Data(contentsOf: url)
            switch self {
            case .missing: try FileManager.default.removeItem(at: url)
            case .empty: try Data().write(to: url)
            case .cut: try bytes.prefix(bytes.count / 2).write(to: url)
            case .overwritten: try Data(repeating: 0x55, count: bytes.count).write(to: url)
            }
        }
    }

    private func makeDatabase() throws -> StoreFolder {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { buffer in
            for index in 0..<5_000 { buffer.put("\(10_000 + index)", "\(index)") }
        }
        database.close()
        return folder
    }

    private func expectOpenFails(
        _ folder: StoreFolder,
        saying text: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: StoreError.self, sourceLocation: location) {
            try folder.open()
        }
        #expect(error?.operation == "open", sourceLocation: location)
        #expect(error?.path == folder.databasePath, sourceLocation: location)
        #expect(
            text.isEmpty || error?.reason.contains(text) == true,
            "\(error.map(\.description) ?? "no error")",
            sourceLocation: location
        )
    }
}
