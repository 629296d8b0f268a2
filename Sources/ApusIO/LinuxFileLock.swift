package import ApusCore
import Glibc
import Synchronization

/// A lock of the kernel (`flock`) on an open file.
///
/// Any thread.  It ends with the process at the latest, however that ends.
package final class LinuxFileLock: FileLock {
    // doc: inherited
    package let identity: FileIdentity
    private let descriptor: Mutex<Int32>

    fileprivate init(_ descriptor: Int32, _ identity: FileIdentity) {
        self.identity = identity
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    // doc: inherited
    package func release() {
        descriptor.withLock { descriptor in
            // Closing gives the lock back; there is nothing to lose when it fails.
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}

extension LinuxDisk {
    // doc: inherited
    package func lock(_ path: String, _ kind: FileLockKind) throws(DiskError) -> any FileLock {
        let isWriter = kind == .writer
        let descriptor = try Self.open(path, isWriter ? O_RDWR | O_CREAT : O_RDONLY, mode: 0o600)
        do throws(DiskError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else {
                throw DiskError("lock", path, errorNumber: errno)
            }
            let operation = (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
            while flock(descriptor, operation) != 0 {
                switch errno {
                case EINTR: continue
                case EWOULDBLOCK: throw Self.heldByAnother(path, descriptor, kind)
                default: throw DiskError("lock", path, errorNumber: errno)
                }
            }
            if isWriter { try Self.write(processNumber: getpid(), to: descriptor, path) }
            return LinuxFileLock(
                descriptor,
                FileIdentity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
            )
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func write(
        processNumber: pid_t,
        to descriptor: Int32,
        _ path: String
    ) throws(DiskError) {
        let text = "\(processNumber)\n"
        // SAFETY: the string's bytes are passed for the time of the call, with their length.
        guard ftruncate(descriptor, 0) == 0,
            pwrite(descriptor, text, text.utf8.count, 0) == text.utf8.count
        else { throw DiskError("write", path, errorNumber: errno) }
    }

    private static func heldByAnother(
        _ path: String,
        _ descriptor: Int32,
        _ kind: FileLockKind
    ) -> DiskError {
        var holder = "another process"
        if kind == .writer {
            // SAFETY: at most 20 bytes are read into an array of 20, and only those are looked at.
            var bytes = [UInt8](repeating: 0, count: 20)
            let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
            let digits = bytes.prefix(count).prefix { (0x30...0x39).contains($0) }
            if !digits.isEmpty { holder = "process \(String(decoding: digits, as: UTF8.self))" }
        }
        return DiskError(
            operation: "lock",
            path: path,
            reason: "it is locked by \(holder)",
            errorNumber: EWOULDBLOCK
        )
    }
}
