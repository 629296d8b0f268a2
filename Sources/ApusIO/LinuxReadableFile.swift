package import ApusCore
import Glibc

/// An open file, pipe or terminal that is read from start to end.
///
/// One thread at a time.
package final class LinuxReadableFile: ReadableFile {
    private let descriptor: Int32
    private let path: String
    private let ownsDescriptor: Bool
    private let isPlain: Bool
    private let device: dev_t
    private let inode: ino_t
    private var readByteCount = 0

    /// Takes over an open descriptor.
    ///
    /// - Parameters:
    ///   - descriptor: Open for reading.
    ///   - path: For messages, and for ``isStillThere()``.
    ///   - ownsDescriptor: Whether it is closed with this object.
    /// - Throws: ``DiskError`` when it is a folder or not open; it is closed then if it is owned.
    package init(
        descriptor: Int32,
        path: String,
        ownsDescriptor: Bool = true
    ) throws(DiskError) {
        var status = stat()
        var error = fstat(descriptor, &status) == 0 ? 0 : errno
        if error == 0, status.st_mode & S_IFMT == S_IFDIR { error = EISDIR }
        guard error == 0 else {
            if ownsDescriptor { Glibc.close(descriptor) }
            throw DiskError("open", path, errorNumber: error)
        }
        self.descriptor = descriptor
        self.path = path
        self.ownsDescriptor = ownsDescriptor
        isPlain = status.st_mode & S_IFMT == S_IFREG
        device = status.st_dev
        inode = status.st_ino
    }

    deinit {
        // Nothing was written, so that there is nothing to lose when closing fails.
        if ownsDescriptor { Glibc.close(descriptor) }
    }

    // doc: inherited
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        while true {
            // SAFETY: the kernel writes at most `buffer.count` bytes into the caller's buffer.
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 {
                readByteCount += count
                return count
            }
            guard errno == EINTR else { throw DiskError("read", path, errorNumber: errno) }
        }
    }

    // doc: inherited
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        atByteOffset byteOffset: Int
    ) throws(DiskError) -> Int {
        while true {
            // SAFETY: the kernel writes at most `buffer.count` bytes into the caller's buffer.
            let count = pread(descriptor, buffer.baseAddress, buffer.count, byteOffset)
            if count >= 0 { return count }
            guard errno == EINTR else { throw DiskError("read", path, errorNumber: errno) }
        }
    }

    // doc: inherited
    package func seek(toByteOffset byteOffset: Int) throws(DiskError) {
        guard lseek(descriptor, byteOffset, SEEK_SET) >= 0 else {
            throw DiskError("seek in", path, errorNumber: errno)
        }
        readByteCount = byteOffset
    }

    // doc: inherited
    package func isReady(waitingMilliseconds: Int32) -> Bool {
        if isPlain { return true }
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // An interrupted wait counts as "not ready"; errors and hang-ups as ready: read tells.
        return poll(&request, 1, waitingMilliseconds) > 0
    }

    // doc: inherited
    package func isStillThere() -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return status.st_dev == device && status.st_ino == inode
            && (!isPlain || Int(status.st_size) >= readByteCount)
    }
}
