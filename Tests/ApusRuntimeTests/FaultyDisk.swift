import ApusCore
import ApusIO
import Synchronization

/// A disk on which one change fails, or all from one on.
final class FaultyDisk: Disk {
    private struct State {
        var count = 0
        var failsAt: Int?
        var isForGood = false
        var struck = 0
    }

    private let disk = LinuxDisk()
    private let state: Mutex<State> = Mutex(State())

    /// How many changes were tried since the last ``fail(at:isForGood:)``.
    var count: Int { state.withLock { $0.count } }
    /// How many of them failed.
    var struckCount: Int { state.withLock { $0.struck } }

    /// Has the n-th change from now on fail, and those behind it, too.
    func fail(at number: Int?, isForGood: Bool = false) {
        state.withLock { $0 = State(failsAt: number, isForGood: isForGood) }
    }

    private func change(_ operation: String, _ path: String) throws(DiskError) {
        let fails = state.withLock { state in
            state.count += 1
            guard let failsAt = state.failsAt else { return false }
            let fails = state.isForGood ? state.count >= failsAt : state.count == failsAt
            if fails { state.struck += 1 }
            return fails
        }
        guard fails else { return }
        throw DiskError(
            operation: operation,
            path: path,
            reason: "No space left on device",
            errorNumber: 28
        )
    }

    func openForReading(_ path: String) throws(DiskError) -> any ReadableFile {
        try disk.openForReading(path)
    }

    func openForWriting(_ path: String, appending: Bool) throws(DiskError) -> any WritableFile {
        try change("open", path)
        return try disk.openForWriting(path, appending: appending)
    }

    func readAll(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8] {
        try disk.readAll(path, maximumByteCount: maximumByteCount)
    }

    func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32) throws(DiskError) {
        try change("write", path)
        try disk.writeAtomically(bytes, to: path, mode: mode)
    }

    func exists(_ path: String) -> Bool { disk.exists(path) }

    func makeDirectory(_ path: String) throws(DiskError) {
        try change("create folder", path)
        try disk.makeDirectory(path)
    }

    func identity(_ path: String) -> FileIdentity? { disk.identity(path) }

    func canonicalPath(_ path: String) throws(DiskError) -> String {
        try disk.canonicalPath(path)
    }

    func status(_ path: String) throws(DiskError) -> FileStatus? { try disk.status(path) }

    func list(_ path: String) throws(DiskError) -> [FolderEntry] { try disk.list(path) }

    func create(_ path: String) throws(DiskError) -> any WritableFile {
        try change("create", path)
        return try disk.create(path)
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try change("rename", path)
        try disk.rename(path, to: newPath)
    }

    func link(_ path: String, at newPath: String) throws(DiskError) {
        try change("link", path)
        try disk.link(path, at: newPath)
    }

    func remove(_ path: String) throws(DiskError) {
        try change("remove", path)
        try disk.remove(path)
    }

    func removeTree(_ path: String) throws(DiskError) {
        try change("remove", path)
        try disk.removeTree(path)
    }

    func synchronizeFile(_ path: String) throws(DiskError) {
        try change("synchronise", path)
        try disk.synchronizeFile(path)
    }

    func synchronizeFolder(_ path: String) throws(DiskError) {
        try change("synchronise", path)
        try disk.synchronizeFolder(path)
    }

    func lock(_ path: String, _ kind: FileLockKind) throws(DiskError) -> any FileLock {
        try disk.lock(path, kind)
    }
}
