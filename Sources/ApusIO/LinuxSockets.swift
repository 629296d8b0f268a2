package import ApusCore
import Glibc

/// Unix stream sockets.
package struct LinuxSockets: Sockets {
    /// Connections that may wait to be accepted.
    private static let backlog: Int32 = 16

    /// Creates the seam to real sockets.
    package init() {}

    // doc: inherited
    package func listen(_ path: String) throws(SocketError) -> any ListeningSocket {
        let address = try LinuxSocketAddress(path)
        try removeLeftover(address)
        let descriptor = try Self.makeSocket(path)
        // On Linux a socket gets the mode of its inode at bind(): it is never open to others.
        guard fchmod(descriptor, 0o600) == 0, address.bind(descriptor) == 0,
            Glibc.listen(descriptor, Self.backlog) == 0
        else {
            let number = errno
            Glibc.close(descriptor)
            throw Self.error("listen", path, number)
        }
        return LinuxListeningSocket(descriptor, address)
    }

    // doc: inherited
    package func connect(_ path: String) throws(SocketError) -> any ConnectedSocket {
        let address = try LinuxSocketAddress(path)
        let descriptor = try Self.makeSocket(path)
        guard address.connect(descriptor) == 0 else {
            let number = errno
            Glibc.close(descriptor)
            throw Self.error("connect", path, number)
        }
        return LinuxConnectedSocket(descriptor, path)
    }

    /// Removes a socket that nobody listens at any more.
    private func removeLeftover(_ address: LinuxSocketAddress) throws(SocketError) {
        guard let mode = address.mode() else { return }
        guard mode & S_IFMT == S_IFSOCK else {
            throw SocketError(
                .taken,
                "\(address.path): is no socket; expected a path where nothing is, or the socket "
                    + "of a process that has ended"
            )
        }
        let descriptor = try Self.makeSocket(address.path)
        defer { Glibc.close(descriptor) }
        if address.connect(descriptor) == 0 || errno == EAGAIN {
            throw SocketError(
                .taken,
                "\(address.path): another process listens there; stop it, or name another path"
            )
        }
        guard errno == ECONNREFUSED else {
            throw Self.error("connect", address.path, errno)
        }
        guard address.unlink() == 0 || errno == ENOENT else {
            throw Self.error("remove", address.path, errno)
        }
    }

    private static func makeSocket(_ path: String) throws(SocketError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw error("make a socket for", path, errno) }
        return descriptor
    }

    static func error(_ operation: String, _ path: String, _ number: Int32) -> SocketError {
        let kind: SocketError.Kind =
            switch number {
            case ECONNREFUSED, ENOENT: operation == "connect" ? .nobody : .system
            case EADDRINUSE: .taken
            default: .system
            }
        return SocketError(kind, "\(path): cannot \(operation): \(DiskError.text(of: number))")
    }

    /// Waits until a descriptor is ready.
    ///
    /// - Returns: Whether it is, or an error is to be found there; false when the time is up.
    static func wait(_ descriptor: Int32, _ events: Int32, milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        // SAFETY: one entry, for the time of the call.
        return poll(&entry, 1, milliseconds) > 0
    }
}
