import ApusCore
import ApusRuntime
import Foundation

/// The connection between a job and the process of a shadow, as that process sees it: messages
/// come, reports go, a line of JSON each.
final class ShadowLink {
    private let socket: any ConnectedSocket
    private var bytes: [UInt8] = []
    /// How much of them was used.
    private var used = 0

    /// The longest message.
    private static let byteCountMax = 1 << 30
    private static let writeMilliseconds: Int32 = 10_000
    private static let patienceMilliseconds: Int32 = 50

    /// Creates a link over a connection.
    init(_ socket: any ConnectedSocket) { self.socket = socket }

    /// Sends what was found.
    ///
    /// - Throws: ``SocketError``.
    func send(_ report: ShadowReport) throws {
        let line = Array(try JSONEncoder().encode(report)) + [10]
        try socket.write(line, timeoutMilliseconds: Self.writeMilliseconds)
    }

    /// The next message, from its kind on.
    ///
    /// - Parameter whenIdle: Called each time that nothing came for 50 ms.
    /// - Returns: Nil when the job has ended the connection, or sent too much at once.
    /// - Throws: ``SocketError``.
    func next(whenIdle: () throws -> Void = {}) throws -> ArraySlice<UInt8>? {
        while true {
            let left = bytes[used...]
            if left.count >= 4 {
                let count = left.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                guard count > 0, count <= Self.byteCountMax else { return nil }
                if left.count >= 4 + count {
                    used += 4 + count
                    return left.dropFirst(4).prefix(count)
                }
            }
            bytes.removeFirst(used)
            used = 0
            let more = try socket.read(timeoutMilliseconds: Self.patienceMilliseconds)
            guard let more else {
                try whenIdle()
                continue
            }
            if more.isEmpty { return nil }
            bytes += more
        }
    }
}
