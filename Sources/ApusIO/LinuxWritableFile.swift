package import ApusCore
import Glibc

/// An open file, pipe or terminal that is written from start to end.
///
/// One thread at a time.
package final class LinuxWritableFile: WritableFile {
    private var descriptor: Int32
    private let path: String
    private let ownsDescriptor: Bool

    /// Takes over an open descriptor.
    ///
    /// - Parameters:
    ///   - descriptor: Open for writing.
    ///   - path: For messages.
    ///   - ownsDescriptor: Whether it is closed with this object.
    package init(descriptor: Int32, path: String, ownsDescriptor: Bool = true) {
        self.descriptor = descriptor
        self.path = path
        self.ownsDescriptor = ownsDescriptor
    }

    deinit {
        // Who cares whether the file is complete has called close().
        if ownsDescriptor, descriptor >= 0 { Glibc.close(descriptor) }
    }

    // doc: inherited
    package func write(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        var rest = bytes
        while !rest.isEmpty {
            // SAFETY: the kernel reads at most `rest.count` bytes of the caller's buffer.
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: waitForRoom()
            default: throw DiskError("write", path, errorNumber: errno)
            }
        }
    }

    // doc: inherited
    package func truncate(to byteCount: Int) throws(DiskError) {
        while ftruncate(descriptor, byteCount) != 0 {
            switch errno {
            case EINTR: continue
            // Pipes, terminals and devices have no content to lose.
            case EINVAL: return
            default: throw DiskError("truncate", path, errorNumber: errno)
            }
        }
    }

    // doc: inherited
    package func synchronize() throws(DiskError) {
        while fsync(descriptor) != 0 {
            switch errno {
            case EINTR: continue
            // Pipes, terminals and devices have nothing to wait for.  Of a plain file the same
            // numbers are bad news: ext4 says EROFS when it has given up its journal.
            case EINVAL, ENOTSUP, EROFS:
                if !isPlain { return }
                throw DiskError("synchronize", path, errorNumber: errno)
            default: throw DiskError("synchronize", path, errorNumber: errno)
            }
        }
    }

    // doc: inherited
    package func close() throws(DiskError) {
        guard descriptor >= 0 else { return }
        let closing = descriptor
        descriptor = -1
        // After EINTR Linux has closed the descriptor all the same.
        guard !ownsDescriptor || Glibc.close(closing) == 0 || errno == EINTR else {
            throw DiskError("close", path, errorNumber: errno)
        }
    }

    /// Whether it is a file or folder on a disk; when in doubt it is.
    private var isPlain: Bool {
        let error = errno
        defer { errno = error }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return true }
        return [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
    }

    /// Sleeps until a pipe that was set not to wait has room, or its reader is gone.
    private func waitForRoom() {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&request, 1, -1)
    }
}
