import Foundation
import Glibc
import Testing

/// A temporary folder for a socket; goes with this object.
final class SocketPlace {
    let folder: String
    var path: String { folder + "/control.sock" }

    init(under parts: String = "") throws {
        let template = FileManager.default.temporaryDirectory.appending(path: "apus-sock-XXXXXX")
        var name = Array(template.path.utf8CString)
        try #require(mkdtemp(&name) != nil)
        let root = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        folder = root + parts
        self.root = root
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
    }

    private let root: String

    deinit {
        // What stays lies among temporary files and does no harm.
        try? FileManager.default.removeItem(atPath: root)  // it may be gone
    }
}
