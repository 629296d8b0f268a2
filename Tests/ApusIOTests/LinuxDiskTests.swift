import ApusCore
import Foundation
import Testing

@testable import ApusIO

/// Files are written whole or not at all, and every failure names path and reason.
@Suite("LinuxDisk")
struct LinuxDiskTests {
    let disk = LinuxDisk()
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("writes files atomically, and leaves nothing else behind")
    func writesFilesAtomically() throws {
        let path = folder.file("a/b/c")
        try disk.writeAtomically([1, 2, 3], to: path, mode: 0o600)
        #expect(try disk.readAll(path, maximumByteCount: 3) == [1, 2, 3])
        #expect(try mode(path) == 0o600)
        try disk.writeAtomically([], to: path, mode: 0o600)
        #expect(try disk.readAll(path, maximumByteCount: 0) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("a/b")) == ["c"])
    }

    @Test("a write that fails leaves the old file, and nothing else behind")
    func aWriteThatFailsLeavesTheOldFile() throws {
        let path = folder.file("target")
        try disk.makeDirectory(path + "/inside")
        #expect(throws: DiskError("replace", path, errorNumber: EISDIR)) {
            try disk.writeAtomically([1], to: path, mode: 0o600)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names == ["target"])
    }

    @Test("reads no more than allowed")
    func readsNoMoreThanAllowed() throws {
        let path = try folder.write([UInt8](repeating: 1, count: 100_000), to: "a")
        #expect(try disk.readAll(path, maximumByteCount: 100_000).count == 100_000)
        #expect { try disk.readAll(path, maximumByteCount: 99_999) } throws: { error in
            "\(error)" == "cannot read \(path): more than 99999 bytes"
        }
    }

    @Test("makes folders for the owner only, and refuses those of others")
    func makesFoldersForTheOwnerOnly() throws {
        let path = folder.file("a/b/c/")
        try disk.makeDirectory(path)
        try disk.makeDirectory(path)
        for name in ["a", "a/b", "a/b/c"] { #expect(try mode(folder.file(name)) == 0o700) }
        let file = try folder.write([], to: "file")
        #expect(throws: DiskError("create folder", file, errorNumber: ENOTDIR)) {
            try disk.makeDirectory(file)
        }
        // Root may give a folder away; another user has the root's folder to try it with.
        var other = "/"
        if geteuid() == 0 {
            other = folder.file("other")
            try disk.makeDirectory(other)
            #expect(chown(other, 12_345, 12_345) == 0)
        }
        #expect { try disk.makeDirectory(other) } throws: { error in
            "\(error)".hasPrefix("cannot use folder \(other): it belongs to user ")
        }
    }

    @Test("resolves paths")
    func resolvesPaths() throws {
        let file = try folder.write([], to: "file")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"),
            withDestinationPath: "file"
        )
        let resolved = try disk.canonicalPath(file)
        #expect(resolved.hasPrefix("/") && resolved.hasSuffix("/file"))
        #expect(try disk.canonicalPath(folder.file("link")) == resolved)
        let missing = folder.file("missing")
        #expect(throws: DiskError("resolve", missing, errorNumber: ENOENT)) {
            try disk.canonicalPath(missing)
        }
        #expect(disk.exists(file) && !disk.exists(missing))
    }

    @Test(
        "finds the folder of a path",
        arguments: [
            ("a", "."), ("a/b", "a"), ("/a", "/"), ("/", "/"), ("a/", "."), ("a/b//", "a"),
            ("", "."),
        ]
    )
    func findsTheFolderOfAPath(path: String, parent: String) {
        // The root is its own parent, which ends the climb.
        #expect(LinuxDisk.parent(of: path) == (path == "/" ? "/" : parent))
    }
}
