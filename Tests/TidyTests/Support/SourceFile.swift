import Foundation

/// A file as the rules see it: its path, its lines, and the tokens of its code.
struct SourceFile {
    /// The path from the root of the repository.
    let path: String

    /// The lines as they are written.
    let text: [Substring]

    /// The lines, with code and comments apart.
    let lines: [CodeScanner.Line]

    /// The words and signs of the code, in order.
    let tokens: [Token]

    init(path: String, text: String) {
        self.path = path
        var text = text.split(separator: "\n", omittingEmptySubsequences: false)
        if text.last == "" { text.removeLast() }
        self.text = text
        let language: CodeScanner.Language = path.hasSuffix(".swift") ? .swift : .c
        self.lines = CodeScanner.scan(text.joined(separator: "\n") + "\n", as: language)
        self.tokens = lines.enumerated().flatMap { Token.split($1.code, line: $0 + 1) }
    }

    /// The name without folders: `Foo.swift`.
    var name: String { String(path.split(separator: "/").last ?? "") }

    /// What follows the last dot of the name, or nothing.
    var fileExtension: String { SourceFile.fileExtension(of: path) }

    /// Whether the file is Swift.
    var isSwift: Bool { fileExtension == "swift" }

    /// Whether the file is a test, wherever it lies.
    var isTest: Bool { path.split(separator: "/").contains("Tests") }

    /// The module that a Swift file of the product belongs to, as the layer table calls it.
    ///
    /// Nothing for tests, manifests and everything that is not the product.
    var module: String? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count > 2, !isTest, isSwift, name != "Package.swift" else { return nil }
        switch (parts[0], parts[1]) {
        case ("Sources", let module): return module
        case ("sdk", "swift"): return parts[2]
        case ("Plugins", _), ("samples", _): return parts[0] + "/*"
        default: return nil
        }
    }

    /// The tokens of each line that has some, in order.
    var tokensByLine: [(line: Int, tokens: ArraySlice<Token>)] {
        var result: [(line: Int, tokens: ArraySlice<Token>)] = []
        var start = tokens.startIndex
        while start < tokens.endIndex {
            let line = tokens[start].line
            let end = tokens[start...].firstIndex { $0.line != line } ?? tokens.endIndex
            result.append((line, tokens[start..<end]))
            start = end
        }
        return result
    }

    /// The comment on a line, or nothing when there is no such line.
    func comment(_ line: Int) -> String {
        lines.indices.contains(line - 1) ? lines[line - 1].comment : ""
    }

    /// A finding in this file.
    func finding(_ line: Int, _ problem: String, fix: String) -> Finding {
        Finding(path: path, line: line, problem: problem, fix: fix)
    }

    /// What follows the last dot of a path's last part; ".gitignore" has no extension.
    static func fileExtension(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[name.index(after: dot)...])
    }
}
