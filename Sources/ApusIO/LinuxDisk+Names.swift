package import ApusCore
import Glibc

// Links, renames, removals: what changes names and not bytes.
extension LinuxDisk {
    // doc: inherited
    package func status(_ path: String) throws(DiskError) -> FileStatus? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw DiskError("look at", path, errorNumber: errno)
        }
        let kind: FileStatus.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        return FileStatus(
            kind: kind,
            byteCount: Int(status.st_size),
            identity: FileIdentity(device: UInt64(status.st_dev), number: UInt64(status.st_ino)),
            modifiedNanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000
                + Int64(status.st_mtim.tv_nsec)
        )
    }

    // doc: inherited
    package func list(_ path: String) throws(DiskError) -> [FolderEntry] {
        guard let folder = opendir(path) else {
            throw DiskError("list", path, errorNumber: errno)
        }
        defer { closedir(folder) }
        var entries: [FolderEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                guard errno == 0 else { throw DiskError("list", path, errorNumber: errno) }
                return entries.sorted { $0.name < $1.name }
            }
            // SAFETY: the entry lasts until the next readdir; its name ends with a zero byte.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            var isFolder = entry.pointee.d_type == UInt8(DT_DIR)
            if entry.pointee.d_type == UInt8(DT_UNKNOWN) {
                isFolder = try Self.isFolder(path + "/" + name)
            }
            entries.append(FolderEntry(name: name, isFolder: isFolder))
        }
    }

    // doc: inherited
    package func create(_ path: String) throws(DiskError) -> any WritableFile {
        do throws(DiskError) {
            let flags = O_WRONLY | O_CREAT | O_EXCL
            let descriptor = try Self.open(path, flags, mode: 0o600)
            return LinuxWritableFile(descriptor: descriptor, path: path)
        } catch {
            throw DiskError("create", path, errorNumber: error.errorNumber)
        }
    }

    // doc: inherited
    package func rename(_ path: String, to newPath: String) throws(DiskError) {
        guard Glibc.rename(path, newPath) == 0 else {
            throw DiskError("rename \(path) to", newPath, errorNumber: errno)
        }
    }

    // doc: inherited
    package func link(_ path: String, at newPath: String) throws(DiskError) {
        guard Glibc.link(path, newPath) == 0 else {
            throw DiskError("link \(path) at", newPath, errorNumber: errno)
        }
    }

    // doc: inherited
    package func remove(_ path: String) throws(DiskError) {
        guard unlink(path) == 0 else { throw DiskError("remove", path, errorNumber: errno) }
    }

    // doc: inherited
    package func removeTree(_ path: String) throws(DiskError) {
        guard try Self.isFolder(path) else {
            guard unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR else {
                throw DiskError("remove", path, errorNumber: errno)
            }
            return
        }
        for entry in try list(path) { try removeTree(path + "/" + entry.name) }
        guard rmdir(path) == 0 || errno == ENOENT else {
            throw DiskError("remove", path, errorNumber: errno)
        }
    }

    // doc: inherited
    package func synchronizeFile(_ path: String) throws(DiskError) {
        // The kernel writes out all of a file whichever descriptor is asked for it, and tells a
        // descriptor that was opened later of a failure that nobody has seen yet.
        try synchronize(path, O_RDONLY)
    }

    // doc: inherited
    package func synchronizeFolder(_ path: String) throws(DiskError) {
        try synchronize(path, O_RDONLY | O_DIRECTORY)
    }

    private func synchronize(_ path: String, _ flags: Int32) throws(DiskError) {
        let file = LinuxWritableFile(descriptor: try Self.open(path, flags), path: path)
        try file.synchronize()
        try file.close()
    }

    /// Whether there is a folder, and not a link to one.
    private static func isFolder(_ path: String) throws(DiskError) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return false }
            throw DiskError("look at", path, errorNumber: errno)
        }
        return status.st_mode & S_IFMT == S_IFDIR
    }
}
