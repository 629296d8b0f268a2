import ApusCore
import ApusIO
import Foundation
import Glibc
import Testing

/// Where sockets may be, and whose they are.
@Suite("Unix sockets")
struct LinuxSocketsTests {
    private let sockets = LinuxSockets()

    private func expectTalk(_ path: String) throws {
        let listener = try sockets.listen(path)
        let here = try sockets.connect(path)
        let there = try #require(try listener.accept(timeoutMilliseconds: 5_000))
        try here.write(Array("hello".utf8), timeoutMilliseconds: 1_000)
        #expect(try there.read(timeoutMilliseconds: 5_000) == Array("hello".utf8))
        #expect(try there.read(timeoutMilliseconds: 1) == nil)
        here.shutDown()
        #expect(try there.read(timeoutMilliseconds: 5_000) == [])
        listener.close()
    }

    @Test("both ends hear each other, and the socket is for its user alone")
    func talk() throws {
        let place = try SocketPlace()
        try expectTalk(place.path)
        let listener = try sockets.listen(place.path)
        var status = stat()
        #expect(lstat(place.path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        listener.close()
        #expect(lstat(place.path, &status) != 0, "closing removes it")
    }

    @Test("a path of any length will do", arguments: [90, 107, 108, 200, 1_000])
    func longPaths(length: Int) throws {
        let name = String(repeating: "x", count: 40)
        var parts = ""
        while parts.count < length { parts += "/" + name }
        let place = try SocketPlace(under: parts)
        try expectTalk(place.path)
        #expect(!FileManager.default.fileExists(atPath: place.path))
    }

    @Test("the socket of a dead process is replaced")
    func leftover() throws {
        let place = try SocketPlace()
        // Bound and closed without being removed, as by a process that was killed.
        let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: place.path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(code == 0)
        close(dead)
        let nobody = #expect(throws: SocketError.self) { try sockets.connect(place.path) }
        #expect(nobody?.kind == .nobody)
        try expectTalk(place.path)
    }

    @Test("the socket of a living process stays")
    func taken() throws {
        let place = try SocketPlace()
        let first = try sockets.listen(place.path)
        let error = #expect(throws: SocketError.self) { try sockets.listen(place.path) }
        #expect(error?.kind == .taken)
        #expect(error?.description.contains("another process listens there") == true)
        _ = try sockets.connect(place.path)
        first.close()
    }

    @Test("a file that lies there stays")
    func file() throws {
        let place = try SocketPlace()
        try "precious".write(toFile: place.path, atomically: true, encoding: .utf8)
        let error = #expect(throws: SocketError.self) { try sockets.listen(place.path) }
        #expect(error?.description.contains("is no socket") == true)
        #expect(try String(contentsOfFile: place.path, encoding: .utf8) == "precious")
    }

    @Test("closing leaves what another process has put there since")
    func replaced() throws {
        let place = try SocketPlace()
        let first = try sockets.listen(place.path)
        try FileManager.default.removeItem(atPath: place.path)
        let second = try sockets.listen(place.path)
        first.close()
        _ = try sockets.connect(place.path)
        second.close()
    }

    @Test("a folder that is missing is named", arguments: [10, 200])
    func missing(length: Int) throws {
        let place = try SocketPlace()
        let path = place.folder + "/" + String(repeating: "y", count: length) + "/control.sock"
        let error = #expect(throws: SocketError.self) { try sockets.listen(path) }
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("No such file") == true)
    }
}
