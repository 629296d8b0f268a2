import Foundation

/// The files of the repository that this test was compiled from.
enum Repository {
    /// The root, found from where this file lies, symbolic links resolved.
    static let root: URL = {
        // Support, TidyTests, Tests, root.
        var url = URL(filePath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<4 { url.deleteLastPathComponent() }
        return url
    }()

    /// The paths of all files, from the root, sorted; without what is built, fetched or ignored.
    static let paths: [String] = {
        var paths: [String] = []
        collect("", into: &paths)
        return paths.sorted()
    }()

    /// The code files: Swift, C, C++ and headers.
    static let code: [SourceFile] =
        paths
        .filter { codeExtensions.contains(SourceFile.fileExtension(of: $0)) }
        .compactMap { path in text(path).map { SourceFile(path: path, text: $0) } }

    /// The Swift files.
    static let swift = code.filter(\.isSwift)

    private static let codeExtensions: Set<String> = ["swift", "h", "hpp", "c", "cc", "cpp"]

    /// The contents of a file, or nothing if it is not text or went away.
    static func text(_ path: String) -> String? {
        try? String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func collect(_ folder: String, into paths: inout [String]) {
        let url = folder.isEmpty ? root : root.appending(path: folder)
        let entries = try? FileManager.default.contentsOfDirectory(
            at: url,
            includingPropertiesForKeys: [.isDirectoryKey]
        )
        for entry in entries ?? [] {
            let name = entry.lastPathComponent
            let path = folder.isEmpty ? name : folder + "/" + name
            let values = try? entry.resourceValues(forKeys: [.isDirectoryKey])
            if values?.isDirectory != true {
                paths.append(path)
            } else if !Tables.ignoredFolders.contains(name), !name.hasPrefix(".build") {
                collect(path, into: &paths)
            }
        }
    }
}
