import Foundation
import Glibc
import Testing

/// A connection to a control socket without any of the program's own code.
final class RawSocket {
    private var descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try #require(path.utf8.count < 107, "\(path) is too long for this test")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0, "cannot connect to \(path)")
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &limit,
            socklen_t(MemoryLayout<timeval>.size)
        )
    }

    deinit { close() }

    func send(_ text: String) {
        _ = Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// Sends a line and reads lines up to the one with a result or an error.
    func ask(_ line: String) throws -> String {
        send(line + "\n")
        var bytes: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            try #require(recv(descriptor, &byte, 1, 0) == 1, "no answer to \(line)")
            guard byte == 10 else {
                bytes.append(byte)
                continue
            }
            let text = String(decoding: bytes, as: UTF8.self)
            bytes = []
            if !text.contains("\"progress\"") { return text }
        }
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}
