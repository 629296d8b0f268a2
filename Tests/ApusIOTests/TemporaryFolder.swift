import ApusCore
import Foundation

@testable import ApusIO

/// A folder that vanishes with the test that made it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "apus-io-" + UUID().uuidString
        try LinuxDisk().makeDirectory(path)
    }

    deinit {
        // The folder is in the system's folder for temporary files, which is emptied some day.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a file in the folder.
    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns its path.
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        let file = try LinuxDisk().openForWriting(file(name), appending: false)
        try Array(bytes).withUnsafeBytes { try file.write($0) }
        try file.close()
        return self.file(name)
    }

    /// Extends a file.
    func append(_ text: String, to name: String) throws {
        let file = try LinuxDisk().openForWriting(file(name), appending: true)
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
        try file.close()
    }

    /// The content of a file.
    func read(_ name: String) throws -> String {
        let bytes = try LinuxDisk().readAll(file(name), maximumByteCount: 64 << 20)
        return String(decoding: bytes, as: UTF8.self)
    }
}
