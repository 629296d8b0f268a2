package import ApusCore
import Glibc
import Synchronization

/// A Unix socket that others connect to.
package final class LinuxListeningSocket: ListeningSocket {
    private let address: LinuxSocketAddress
    private let identity: FileIdentity?
    private let descriptor: Mutex<Int32>

    /// How long a thread rests that cannot take a connection, in microseconds.
    private static let rest: UInt32 = 50_000

    init(_ descriptor: Int32, _ address: LinuxSocketAddress) {
        self.address = address
        identity = address.identity()
        self.descriptor = Mutex(descriptor)
    }

    deinit { close() }

    // doc: inherited
    package var path: String { address.path }

    // doc: inherited
    package func accept(
        timeoutMilliseconds: Int32
    ) throws(SocketError) -> (any ConnectedSocket)? {
        let descriptor = descriptor.withLock { $0 }
        guard descriptor >= 0 else {
            throw SocketError(.system, "\(path): is closed")
        }
        guard LinuxSockets.wait(descriptor, POLLIN, milliseconds: timeoutMilliseconds) else {
            return nil
        }
        let connection = Glibc.accept(descriptor, nil, nil)
        guard connection >= 0 else {
            switch errno {
            case EAGAIN, EINTR, ECONNABORTED: return nil
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // It stays in the queue: without a rest the caller would turn in circles.
                usleep(Self.rest)
                return nil
            default: throw LinuxSockets.error("accept", path, errno)
            }
        }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        _ = fcntl(connection, F_SETFL, O_NONBLOCK)
        return LinuxConnectedSocket(connection, path)
    }

    // doc: inherited
    package func close() {
        descriptor.withLock { descriptor in
            guard descriptor >= 0 else { return }
            // Somebody else's by now?  Then it stays.
            if identity != nil, address.identity() == identity { _ = address.unlink() }
            Glibc.close(descriptor)
            descriptor = -1
        }
    }
}
