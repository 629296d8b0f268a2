import ApusTestPlugins
import Glibc

/// A file system in memory that is soon full; unmounted with its last reference.
final class TinyDisk {
    private let folder: TestFolder

    /// Whether this process may mount one.
    static let isPermitted: Bool = (try? TinyDisk(byteCount: 1 << 20)) != nil  // No: skip.

    init(byteCount: Int) throws {
        folder = try TestFolder()
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=\(byteCount)") == 0 else {
            throw MountError(number: errno)
        }
    }

    deinit {
        umount2(folder.path, Int32(MNT_DETACH))
    }

    func file(_ name: String) -> String { folder.file(name) }

    /// Fills the disk up to so many bytes.
    func fill(leavingByteCount: Int) throws {
        var status = statvfs()
        guard statvfs(folder.path, &status) == 0 else { throw MountError(number: errno) }
        let free = Int(status.f_bavail) * Int(status.f_bsize)
        let file = open(folder.file("ballast"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        let code = posix_fallocate(file, 0, size + max(0, free - leavingByteCount))
        guard code == 0 else { throw MountError(number: code) }
    }

    /// Gives the space back.
    func clear() {
        unlink(folder.file("ballast"))
    }

    struct MountError: Error {
        let number: Int32
    }
}
