import ApusCore
import Glibc

/// The address of a Unix socket: its path, or a short way to it.
///
/// An address has room for 107 bytes.  A longer path is reached by way of the folder's open
/// descriptor, as `/proc/self/fd/N/NAME`.
final class LinuxSocketAddress: Sendable {
    /// The path, as it was given.
    let path: String
    /// The path, or the short way.
    private let short: String
    private let folder: Int32

    /// The bytes of `sun_path`, less the one for the end.
    private static let byteCountMax = 107

    /// Finds the way.
    ///
    /// - Throws: ``SocketError`` when the folder of a long path cannot be opened, or the name of
    ///   the socket alone is too long.
    init(_ path: String) throws(SocketError) {
        self.path = path
        guard path.utf8.count > Self.byteCountMax else {
            short = path
            folder = -1
            return
        }
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let name = path[path.index(after: slash)...]
        let parent = slash == path.startIndex ? "/" : String(path[..<slash])
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LinuxSockets.error("connect", path, errno) }
        let short = "/proc/self/fd/\(descriptor)/\(name)"
        guard short.utf8.count <= Self.byteCountMax else {
            Glibc.close(descriptor)
            throw SocketError(
                .system,
                "\(path): its last part is too long for a socket; expected at most 70 bytes"
            )
        }
        self.short = short
        folder = descriptor
    }

    deinit {
        if folder >= 0 { Glibc.close(folder) }
    }

    func bind(_ descriptor: Int32) -> Int32 { withAddress { Glibc.bind(descriptor, $0, $1) } }

    func connect(_ descriptor: Int32) -> Int32 {
        withAddress { Glibc.connect(descriptor, $0, $1) }
    }

    func unlink() -> Int32 { Glibc.unlink(short) }

    /// What lies at the path, by the kind and mode of its inode; nil for nothing.
    func mode() -> mode_t? { status()?.st_mode }

    /// Which inode lies at the path.
    func identity() -> FileIdentity? {
        status().map {
            FileIdentity(device: UInt64($0.st_dev), number: UInt64($0.st_ino))
        }
    }

    private func status() -> stat? {
        var status = stat()
        return lstat(short, &status) == 0 ? status : nil
    }

    private func withAddress(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // SAFETY: `short` was checked to fit with the zero behind it; the address is all zeros
        // before, and is used during the call only, with its own length.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: short.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
