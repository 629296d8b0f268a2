import ApusCore
import Foundation
import Testing

@testable import ApusIO

/// Links, renames, removals, locks and offsets on a real disk.
@Suite("LinuxDisk: names, locks, offsets")
struct LinuxDiskNamesTests {
    let disk = LinuxDisk()
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test("says what is at a path")
    func status() throws {
        let file = try folder.write([1, 2, 3], to: "file")
        let status = try #require(try disk.status(file))
        #expect(status.kind == .file && status.byteCount == 3)
        #expect(status.identity == disk.identity(file))
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000_000)
        #expect(abs(status.modifiedNanoseconds - now) < 60_000_000_000)
        #expect(try disk.status(folder.path)?.kind == .folder)
        #expect(try disk.status("/dev/null")?.kind == .other)
        #expect(try disk.status(folder.file("missing")) == nil)
        #expect(try disk.status(file + "/below") == nil)
        let long = folder.file(String(repeating: "x", count: 300))
        #expect(throws: DiskError("look at", long, errorNumber: ENAMETOOLONG)) {
            try disk.status(long)
        }
    }

    @Test("lists a folder in order")
    func list() throws {
        for name in ["b", "a", ".c"] { _ = try folder.write([], to: name) }
        try disk.makeDirectory(folder.file("d"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("e"),
            withDestinationPath: "d"
        )
        let entries = try disk.list(folder.path)
        #expect(entries.map(\.name) == [".c", "a", "b", "d", "e"])
        #expect(entries.filter(\.isFolder).map(\.name) == ["d"])
        let missing = folder.file("missing")
        #expect(throws: DiskError("list", missing, errorNumber: ENOENT)) { try disk.list(missing) }
    }

    @Test("creates files for the owner, and never over another one")
    func create() throws {
        let path = folder.file("new")
        let file = try disk.create(path)
        try [UInt8(7)].withUnsafeBytes { try file.write($0) }
        try file.synchronize()
        try file.close()
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(throws: DiskError("create", path, errorNumber: EEXIST)) { try disk.create(path) }
        #expect(try disk.readAll(path, maximumByteCount: 1) == [7])
        let lost = folder.file("missing/new")
        #expect(throws: DiskError("create", lost, errorNumber: ENOENT)) { try disk.create(lost) }
    }

    @Test("renames over a file, and keeps both names when it cannot")
    func rename() throws {
        let old = try folder.write([1], to: "old")
        let new = try folder.write([2], to: "new")
        try disk.rename(old, to: new)
        #expect(!disk.exists(old))
        #expect(try disk.readAll(new, maximumByteCount: 1) == [1])
        try disk.makeDirectory(folder.file("folder/inside"))
        let target = folder.file("folder")
        #expect(throws: DiskError("rename \(new) to", target, errorNumber: EISDIR)) {
            try disk.rename(new, to: target)
        }
        #expect(disk.exists(new) && disk.exists(target))
    }

    @Test("links a file under a second name, and never over another one")
    func link() throws {
        let file = try folder.write([1], to: "file")
        let second = folder.file("second")
        try disk.link(file, at: second)
        #expect(disk.identity(file) == disk.identity(second))
        #expect(throws: DiskError("link \(file) at", second, errorNumber: EEXIST)) {
            try disk.link(file, at: second)
        }
        try disk.remove(file)
        #expect(try disk.readAll(second, maximumByteCount: 1) == [1])
        #expect(throws: DiskError("remove", file, errorNumber: ENOENT)) { try disk.remove(file) }
    }

    @Test("removes a tree, and not what a link in it leads to")
    func removeTree() throws {
        try disk.makeDirectory(folder.file("tree/a/b"))
        let outside = try folder.write([1], to: "outside")
        _ = try folder.write([1], to: "tree/a/file")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("tree/a/link"),
            withDestinationPath: folder.path
        )
        try disk.removeTree(folder.file("tree"))
        #expect(!disk.exists(folder.file("tree")))
        try disk.removeTree(folder.file("tree"))
        #expect(disk.exists(outside))
        try disk.removeTree(outside)
        #expect(!disk.exists(outside))
    }

    @Test("synchronises files and folders, and says when there is none")
    func synchronize() throws {
        let file = try folder.write([1], to: "file")
        try disk.synchronizeFile(file)
        try disk.synchronizeFolder(folder.path)
        let missing = folder.file("missing")
        #expect(throws: DiskError("open", missing, errorNumber: ENOENT)) {
            try disk.synchronizeFile(missing)
        }
        #expect(throws: DiskError("open", file, errorNumber: ENOTDIR)) {
            try disk.synchronizeFolder(file)
        }
    }

    @Test("a second writer is told who the first one is")
    func writerLock() throws {
        let path = folder.file("LOCK")
        let lock = try disk.lock(path, .writer)
        #expect(lock.identity == disk.identity(path))
        #expect(try folder.read("LOCK") == "\(getpid())\n")
        #expect {
            _ = try disk.lock(path, .writer)
        } throws: { error in
            (error as? DiskError)?.errorNumber == EWOULDBLOCK
                && "\(error)" == "cannot lock \(path): it is locked by process \(getpid())"
        }
        lock.release()
        lock.release()
        // The object is dropped at once, and the lock with it.
        _ = try disk.lock(path, .writer)
        _ = try disk.lock(path, .writer)
    }

    @Test("readers share a lock, which keeps the file as it is")
    func sharedLock() throws {
        let path = try folder.write([1, 2], to: "file")
        let first = try disk.lock(path, .shared)
        let second = try disk.lock(path, .shared)
        let refusal = "cannot lock \(path): it is locked by another process"
        #expect { _ = try disk.lock(path, .exclusive) } throws: { "\($0)" == refusal }
        first.release()
        #expect { _ = try disk.lock(path, .exclusive) } throws: { "\($0)" == refusal }
        second.release()
        let alone = try disk.lock(path, .exclusive)
        #expect { _ = try disk.lock(path, .shared) } throws: { "\($0)" == refusal }
        alone.release()
        #expect(try disk.readAll(path, maximumByteCount: 2) == [1, 2])
        let missing = folder.file("missing")
        #expect(throws: DiskError("open", missing, errorNumber: ENOENT)) {
            _ = try disk.lock(missing, .shared)
        }
    }

    @Test("reads at an offset, and goes on from one")
    func offsets() throws {
        let path = try folder.write(0..<100, to: "file")
        let file = try disk.openForReading(path)
        var bytes = [UInt8](repeating: 0, count: 4)
        func read(at byteOffset: Int?) throws -> [UInt8] {
            let count = try bytes.withUnsafeMutableBytes { buffer in
                guard let byteOffset else { return try file.read(into: buffer) }
                return try file.read(into: buffer, atByteOffset: byteOffset)
            }
            return Array(bytes[..<count])
        }
        #expect(try read(at: nil) == [0, 1, 2, 3])
        #expect(try read(at: 50) == [50, 51, 52, 53])
        #expect(try read(at: 98) == [98, 99])
        #expect(try read(at: 100) == [] && read(at: 1_000) == [])
        #expect(try read(at: nil) == [4, 5, 6, 7])
        try file.seek(toByteOffset: 96)
        #expect(try read(at: nil) == [96, 97, 98, 99])
        #expect(try read(at: nil) == [] && file.isStillThere())
        try file.seek(toByteOffset: 1_000)
        #expect(try read(at: nil) == [] && !file.isStillThere())
    }

    @Test("streams have no offsets")
    func streams() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[1]) }
        let file = try LinuxReadableFile(descriptor: ends[0], path: "pipe")
        #expect(throws: DiskError("seek in", "pipe", errorNumber: ESPIPE)) {
            try file.seek(toByteOffset: 0)
        }
        var byte: UInt8 = 0
        #expect(throws: DiskError("read", "pipe", errorNumber: ESPIPE)) {
            try withUnsafeMutableBytes(of: &byte) { try file.read(into: $0, atByteOffset: 0) }
        }
        let memory = MemoryFile([1, 2, 3])
        #expect { try memory.seek(toByteOffset: 0) } throws: { error in
            (error as? DiskError)?.errorNumber == ESPIPE
        }
    }
}
