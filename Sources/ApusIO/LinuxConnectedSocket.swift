package import ApusCore
import Glibc

/// One end of a connection over a Unix socket.
package final class LinuxConnectedSocket: ConnectedSocket {
    private let descriptor: Int32
    private let path: String

    /// The most bytes of one read.
    private static let readByteCount = 64 << 10

    init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { Glibc.close(descriptor) }

    // doc: inherited
    package func read(timeoutMilliseconds: Int32) throws(SocketError) -> [UInt8]? {
        guard LinuxSockets.wait(descriptor, POLLIN, milliseconds: timeoutMilliseconds) else {
            return nil
        }
        var count = 0
        // SAFETY: at most as many bytes are read as there is room; those are the array's count.
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.readByteCount) { buffer, used in
            count = recv(descriptor, buffer.baseAddress, Self.readByteCount, 0)
            used = max(0, count)
        }
        guard count < 0 else { return bytes }
        switch errno {
        case EAGAIN, EINTR: return nil
        // The other end is gone without a word: an end as well.
        case ECONNRESET: return []
        default: throw LinuxSockets.error("read", path, errno)
        }
    }

    // doc: inherited
    package func write(
        _ bytes: [UInt8],
        timeoutMilliseconds: Int32
    ) throws(SocketError) {
        let deadline = Self.milliseconds() + Int64(timeoutMilliseconds)
        var at = 0
        while at < bytes.count {
            // SAFETY: the array's bytes from `at` to its end, during the call.  No SIGPIPE.
            let count = bytes.withUnsafeBytes { all in
                send(
                    descriptor,
                    all.baseAddress.map { $0 + at },
                    all.count - at,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count > 0 {
                at += count
                continue
            }
            let number = errno
            guard number == EAGAIN || number == EINTR else {
                throw LinuxSockets.error("write", path, number)
            }
            let left = deadline - Self.milliseconds()
            guard left > 0 else {
                throw SocketError(
                    .timedOut,
                    "\(path): the other end has not read for \(timeoutMilliseconds) ms"
                )
            }
            _ = LinuxSockets.wait(descriptor, POLLOUT, milliseconds: Int32(clamping: left))
        }
    }

    // doc: inherited
    package func endReading() {
        // An end that is gone already needs no more.
        _ = shutdown(descriptor, Int32(SHUT_RD))
    }

    // doc: inherited
    package func shutDown() {
        // An end that is gone already needs no more.
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private static func milliseconds() -> Int64 {
        LinuxClock().monotonicNanoseconds() / 1_000_000
    }
}
