import ApusIO
import Foundation

/// A new folder for the files of one test; removed with its last reference.
final class TemporaryFolder {
    let path: String
    private let disk = LinuxDisk()

    init() throws {
        path = NSTemporaryDirectory() + "apus-swap-" + UUID().uuidString
        try disk.makeDirectory(path)
    }

    deinit {
        try? disk.removeTree(path)  // Best effort: it is a temporary folder.
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try disk.readAll("\(path)/\(name)", maximumByteCount: 1 << 20)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try disk.writeAtomically(bytes, to: "\(path)/\(name)", mode: 0o600)
    }
}
