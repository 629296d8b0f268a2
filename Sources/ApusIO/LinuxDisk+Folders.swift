package import ApusCore
import Glibc

extension LinuxDisk {
    // doc: inherited
    package func identity(_ path: String) -> FileIdentity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }

    /// Makes a folder and those above it; new ones are for their owner only.
    ///
    /// - Throws: ``DiskError`` that names the path and the reason.  A folder that belongs to
    ///   another user, is a link, or may be written to by others is refused: what is kept in it
    ///   could be replaced.
    package func makeDirectory(_ path: String) throws(DiskError) {
        try Self.makeParents(of: path, mode: 0o700)
        try Self.makeFolder(path, mode: 0o700)
        var status = stat()
        // lstat: a link could lead to a folder of somebody's choice.
        guard lstat(path, &status) == 0 else {
            throw DiskError("create folder", path, errorNumber: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o022 == 0 else {
            throw DiskError(
                operation: "use folder",
                path: path,
                reason: "it is a link, or others than its owner may write to it",
                errorNumber: EPERM
            )
        }
        guard status.st_uid == geteuid() else {
            throw DiskError(
                operation: "use folder",
                path: path,
                reason: "it belongs to user \(status.st_uid), not to \(geteuid())",
                errorNumber: EPERM
            )
        }
    }

    /// Makes the folders above a file or folder, as far as they are missing.
    static func makeParents(of path: String, mode: mode_t) throws(DiskError) {
        let folder = parent(of: path)
        guard access(folder, F_OK) != 0, folder != path else { return }
        try makeParents(of: folder, mode: mode)
        try makeFolder(folder, mode: mode)
    }

    /// The folder that a path is in: "." for a bare name.
    static func parent(of path: String) -> String {
        var rest = path[...]
        while rest.count > 1, rest.last == "/" { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/") else { return "." }
        return slash == rest.startIndex ? "/" : String(rest[..<slash])
    }

    private static func makeFolder(_ path: String, mode: mode_t) throws(DiskError) {
        if mkdir(path, mode) == 0 { return }
        let error = errno
        var status = stat()
        // Somebody else may have made it in the meantime.
        if error == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
        throw DiskError("create folder", path, errorNumber: error == EEXIST ? ENOTDIR : error)
    }
}
