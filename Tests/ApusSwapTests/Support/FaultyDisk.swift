import ApusCore
import ApusIO
import Synchronization

/// The real disk, of which one operation fails when it is asked to.
final class FaultyDisk: Disk {
    /// What fails, once.
    enum Fault: Equatable {
        /// The next write, after half of its bytes.
        case write
        /// The next synchronisation of a file that was opened for writing.
        case synchronize
    }

    private let disk = LinuxDisk()
    let fault: Mutex<Fault?> = Mutex(nil)

    /// Has one operation fail.
    func fail(_ next: Fault) { fault.withLock { $0 = next } }

    func takes(_ kind: Fault) -> Bool {
        fault.withLock { fault in
            guard fault == kind else { return false }
            fault = nil
            return true
        }
    }

    func openForWriting(_ path: String, appending: Bool) throws(DiskError) -> any WritableFile {
        FaultyFile(try disk.openForWriting(path, appending: appending), self)
    }

    func openForReading(_ path: String) throws(DiskError) -> any ReadableFile {
        try disk.openForReading(path)
    }

    func readAll(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8] {
        try disk.readAll(path, maximumByteCount: maximumByteCount)
    }

    func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32) throws(DiskError) {
        try disk.writeAtomically(bytes, to: path, mode: mode)
    }

    func exists(_ path: String) -> Bool { disk.exists(path) }

    func makeDirectory(_ path: String) throws(DiskError) { try disk.makeDirectory(path) }

    func identity(_ path: String) -> FileIdentity? { disk.identity(path) }

    func canonicalPath(_ path: String) throws(DiskError) -> String {
        try disk.canonicalPath(path)
    }

    func status(_ path: String) throws(DiskError) -> FileStatus? { try disk.status(path) }

    func list(_ path: String) throws(DiskError) -> [FolderEntry] { try disk.list(path) }

    func create(_ path: String) throws(DiskError) -> any WritableFile { try disk.create(path) }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try disk.rename(path, to: newPath)
    }

    func link(_ path: String, at newPath: String) throws(DiskError) {
        try disk.link(path, at: newPath)
    }

    func remove(_ path: String) throws(DiskError) { try disk.remove(path) }

    func removeTree(_ path: String) throws(DiskError) { try disk.removeTree(path) }

    func synchronizeFile(_ path: String) throws(DiskError) { try disk.synchronizeFile(path) }

    func synchronizeFolder(_ path: String) throws(DiskError) { try disk.synchronizeFolder(path) }

    func lock(_ path: String, _ kind: FileLockKind) throws(DiskError) -> any FileLock {
        try disk.lock(path, kind)
    }
}

/// A file on that disk.
private final class FaultyFile: WritableFile {
    private let file: any WritableFile
    private let disk: FaultyDisk

    init(_ file: any WritableFile, _ disk: FaultyDisk) {
        self.file = file
        self.disk = disk
    }

    private static func failure(_ operation: String) -> DiskError {
        DiskError(operation: operation, path: "it", reason: "as the test wishes", errorNumber: 5)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        guard disk.takes(.write) else { return try file.write(bytes) }
        // SAFETY: a part of the caller's buffer, during the call.
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]))
        throw Self.failure("write")
    }

    func truncate(to byteCount: Int) throws(DiskError) { try file.truncate(to: byteCount) }

    func synchronize() throws(DiskError) {
        if disk.takes(.synchronize) { throw Self.failure("synchronize") }
        try file.synchronize()
    }

    func close() throws(DiskError) { try file.close() }
}
