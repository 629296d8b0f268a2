package import ApusCore
import Glibc
import Synchronization

/// The files of the kernel.
package struct LinuxDisk: Disk {
    /// Makes the temporary names of one process differ.
    private static let temporaryCount = Atomic<Int>(0)

    /// Creates the seam to the real files.
    package init() {}

    // doc: inherited
    package func openForReading(_ path: String) throws(DiskError) -> any ReadableFile {
        try LinuxReadableFile(descriptor: Self.open(path, O_RDONLY), path: path)
    }

    // doc: inherited
    package func openForWriting(
        _ path: String,
        appending: Bool
    ) throws(DiskError) -> any WritableFile {
        try Self.makeParents(of: path, mode: 0o777)
        let flags = O_WRONLY | O_CREAT | (appending ? O_APPEND : O_TRUNC)
        return try LinuxWritableFile(descriptor: Self.open(path, flags, mode: 0o666), path: path)
    }

    // doc: inherited
    package func readAll(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8] {
        try Self.readToEnd(try openForReading(path), path, maximumByteCount)
    }

    // doc: inherited
    package func readPlainFile(
        _ path: String,
        maximumByteCount: Int
    ) throws(DiskError) -> [UInt8] {
        // Without the flag, opening a pipe waits for its other end.
        let descriptor = try Self.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let file = try LinuxReadableFile(descriptor: descriptor, path: path)
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw DiskError("read", path, errorNumber: errno)
        }
        let kind = information.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFDIR else { throw .notPlain(path) }
        return try Self.readToEnd(file, path, maximumByteCount)
    }

    // doc: inherited
    package func readPrivateFile(
        _ path: String,
        maximumByteCount: Int
    ) throws(DiskError) -> [UInt8] {
        let descriptor: Int32
        do {
            descriptor = try Self.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
        } catch {
            guard error.errorNumber == ELOOP else { throw error }
            throw DiskError(
                operation: "read",
                path: path,
                reason: "a link; expected a file of its own: remove it"
            )
        }
        let file = try LinuxReadableFile(descriptor: descriptor, path: path)
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw DiskError("read", path, errorNumber: errno)
        }
        guard information.st_mode & S_IFMT == S_IFREG else { throw .notPlain(path) }
        let mode = information.st_mode & 0o777
        guard information.st_uid == geteuid(), mode & 0o022 == 0 else {
            throw DiskError(
                operation: "read",
                path: path,
                reason: "user \(information.st_uid) owns it and its mode is "
                    + "\(String(mode, radix: 8)); expected user \(geteuid()), and nobody else "
                    + "who can write to it: remove it"
            )
        }
        return try Self.readToEnd(file, path, maximumByteCount)
    }

    private static func readToEnd(
        _ file: any ReadableFile,
        _ path: String,
        _ maximumByteCount: Int
    ) throws(DiskError) -> [UInt8] {
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let count = try file.read(into: piece)
            if count == 0 { return bytes }
            guard bytes.count + count <= maximumByteCount else {
                throw DiskError(
                    operation: "read",
                    path: path,
                    reason: "more than \(maximumByteCount) bytes",
                    errorNumber: EFBIG
                )
            }
            // SAFETY: read has filled `count` bytes of the piece, which lives until return.
            bytes.append(contentsOf: piece[..<count])
        }
    }

    // doc: inherited
    package func writeAtomically(
        _ bytes: [UInt8],
        to path: String,
        mode: UInt32
    ) throws(DiskError) {
        try Self.makeParents(of: path, mode: 0o777)
        let folder = Self.parent(of: path)
        let number = Self.temporaryCount.add(1, ordering: .relaxed).newValue
        let temporary = "\(path).\(getpid()).\(number).tmp"
        do throws(DiskError) {
            try Self.write(bytes, toNew: temporary, mode: mode)
            guard Glibc.rename(temporary, path) == 0 else {
                throw DiskError("replace", path, errorNumber: errno)
            }
        } catch {
            unlink(temporary)
            throw error
        }
        // Only then does the new name survive a crash.
        let descriptor = try Self.open(folder, O_RDONLY | O_DIRECTORY)
        let file = LinuxWritableFile(descriptor: descriptor, path: folder)
        try file.synchronize()
        try file.close()
    }

    private static func write(
        _ bytes: [UInt8],
        toNew path: String,
        mode: UInt32
    ) throws(DiskError) {
        let descriptor = try open(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode_t(mode))
        let file = LinuxWritableFile(descriptor: descriptor, path: path)
        // SAFETY: the span ends with this scope, before the array does.
        try bytes.span.bytes.withUnsafeBytes { all throws(DiskError) in try file.write(all) }
        try file.synchronize()
        try file.close()
    }

    // doc: inherited
    package func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    // doc: inherited
    package func canonicalPath(_ path: String) throws(DiskError) -> String {
        guard let resolved = realpath(path, nil) else {
            throw DiskError("resolve", path, errorNumber: errno)
        }
        // SAFETY: realpath allocated the string for us, and it is copied before it is freed.
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func open(
        _ path: String,
        _ flags: Int32,
        mode: mode_t = 0
    ) throws(DiskError) -> Int32 {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
            if descriptor >= 0 { return descriptor }
            guard errno == EINTR else { throw DiskError("open", path, errorNumber: errno) }
        }
    }
}
