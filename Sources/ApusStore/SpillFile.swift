import Glibc

/// A file for what memory has no room for, as long as the process lives.
///
/// It has no name once it is open, so nothing of it is left when the process ends, in whatever
/// way.  Written and read at offsets; nothing is ever synced.  One thread.
package final class SpillFile {
    private let path: String
    // SAFETY: opened in `init`, closed in `deinit`, used by nobody else.
    private let descriptor: Int32

    /// Creates an empty file.
    ///
    /// - Parameters:
    ///   - directory: A folder that is there.
    ///   - name: For messages, and for the moment before the name goes; no file may have it.
    /// - Throws: ``StoreError`` with the system's reason.
    package init(directory: String, name: String) throws(StoreError) {
        path = directory + "/" + name
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.error("create the spill file of", path) }
        guard unlink(path) == 0 else {
            let error = Self.error("take the name from the spill file of", path)
            close(descriptor)
            throw error
        }
    }

    deinit {
        close(descriptor)
    }

    /// Writes bytes at an offset.
    ///
    /// - Throws: ``StoreError``, for example when the disk is full; a part may have been written.
    package func write(
        _ bytes: UnsafeRawBufferPointer,
        atByteOffset byteOffset: Int
    ) throws(StoreError) {
        // SAFETY: `done` never passes the count, so each call stays within the caller's bytes.
        guard let start = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor,
                start + done,
                bytes.count - done,
                off_t(byteOffset + done)
            )
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error("write the spill file of", path) }
            done += count
        }
    }

    /// Reads bytes at an offset, up to the end of what was written.
    ///
    /// - Returns: How many were read; fewer than the buffer takes only at the end of the file.
    /// - Throws: ``StoreError`` with the system's reason.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        atByteOffset byteOffset: Int
    ) throws(StoreError) -> Int {
        // SAFETY: `done` never passes the count, so each call stays within the caller's buffer.
        guard let start = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor,
                start + done,
                buffer.count - done,
                off_t(byteOffset + done)
            )
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.error("read the spill file of", path) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    private static func error(_ operation: String, _ path: String) -> StoreError {
        StoreError(operation: operation, path: path, reason: String(cString: strerror(errno)))
    }
}
