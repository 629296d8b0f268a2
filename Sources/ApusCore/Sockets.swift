/// The seam to sockets: streams of bytes between processes of this machine, found by path.
package protocol Sockets: Sendable {
    /// Makes a socket at a path and listens there; only the user of this process may connect.
    ///
    /// A socket that a process left when it died is replaced; one that somebody listens at is not,
    /// nor is anything else that lies there.
    ///
    /// - Parameter path: Where; of any length.
    /// - Returns: The socket, to be closed by its owner.
    /// - Throws: ``SocketError``.
    func listen(_ path: String) throws(SocketError) -> any ListeningSocket

    /// Connects to a socket that somebody listens at.
    ///
    /// - Parameter path: Where; of any length.
    /// - Returns: The connection.
    /// - Throws: ``SocketError``, of the kind `nobody` when no process listens there.
    func connect(_ path: String) throws(SocketError) -> any ConnectedSocket
}

/// A socket that others connect to.
package protocol ListeningSocket: Sendable {
    /// Where it is, as it was given.
    var path: String { get }

    /// Waits for a connection.
    ///
    /// - Parameter timeoutMilliseconds: How long at most.
    /// - Returns: The connection; nil when none came, or none can be taken just now.
    /// - Throws: ``SocketError`` when no more can ever come.
    func accept(timeoutMilliseconds: Int32) throws(SocketError) -> (any ConnectedSocket)?

    /// Stops listening and removes the socket from its path, if it still is the one there.
    ///
    /// Not while another thread is in ``accept(timeoutMilliseconds:)``.
    func close()
}

/// One end of a connection; closed when nobody refers to it any more.
package protocol ConnectedSocket: Sendable {
    /// Reads what is there, waiting for the first byte.
    ///
    /// - Parameter timeoutMilliseconds: How long to wait at most.
    /// - Returns: At most 64 KiB; none at the end; nil when nothing came in time.
    /// - Throws: ``SocketError``.
    func read(timeoutMilliseconds: Int32) throws(SocketError) -> [UInt8]?

    /// Writes all of the bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - timeoutMilliseconds: How long the other end may take to make room for them.
    /// - Throws: ``SocketError``, also when the time is up: how much was written is not known.
    func write(_ bytes: [UInt8], timeoutMilliseconds: Int32) throws(SocketError)

    /// Ends reading: who waits in ``read(timeoutMilliseconds:)`` finds the end; writing goes on.
    ///
    /// Any thread, at any time.
    func endReading()

    /// Ends both directions; who waits in ``read(timeoutMilliseconds:)`` finds the end.
    ///
    /// Any thread, at any time.
    func shutDown()
}

/// Why a socket could not do what it was asked for.
package struct SocketError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    package enum Kind: Equatable, Sendable {
        /// No process listens at the path.
        case nobody
        /// A process listens there already, or something that is no socket lies there.
        case taken
        /// The other end did not read or answer in time.
        case timedOut
        /// Anything else.
        case system
    }

    /// What kind of trouble it is.
    package let kind: Kind
    /// The path and the reason.
    package let description: String

    /// Creates an error.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
