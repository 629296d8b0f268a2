import Foundation

/// Where the program under test, its plugins and the repository are.
///
/// `swift build --build-tests` puts `apus` and the plugins of this repository into the folder of
/// the test bundle; that is the first place to look.  The others are for runners that start the
/// bundle from elsewhere.
enum Program {
    /// The root of the repository, found from where this file lies, symbolic links resolved.
    static let root: URL = {
        // Support, IntegrationTests, Tests, root.
        var url = URL(filePath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<4 { url.deleteLastPathComponent() }
        return url
    }()

    /// The path of `apus`.
    static func apus() throws -> String { try built("apus") }

    /// The path of a plugin of this repository: `libaircraft.so` for `aircraft`.
    static func plugin(_ name: String) throws -> String { try built("lib\(name).so") }

    /// The path of a file of the repository, given from its root.
    static func file(_ path: String) -> String { root.appending(path: path).path }

    /// Whether a tool is on the `PATH`.
    static func hasTool(_ name: String) -> Bool {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    private struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// The folders in which the build may have put its products, the likeliest first.
    private static let folders: [URL] = {
        var source = URL(filePath: #filePath)
        for _ in 0..<4 { source.deleteLastPathComponent() }
        return [
            URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent(),
            URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent(),
            Bundle.main.bundleURL,
            source.appending(path: ".build/debug"),
        ]
    }()

    private static func built(_ name: String) throws -> String {
        let candidates = folders.map { $0.appending(path: name).path }
        if let path = candidates.first(where: FileManager.default.fileExists) { return path }
        throw Missing(
            description: "\(name) is not built: looked for \(candidates.joined(separator: ", ")). "
                + "Run `swift build --build-tests` first; it builds the products beside the tests."
        )
    }
}
