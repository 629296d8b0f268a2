/// Imports stay within the layer table, and every module has a row in it.
enum LayerRule {
    /// The imports of a product file that its module may not have.
    static func check(_ file: SourceFile) -> [Finding] {
        guard let module = file.module,
            let layer = Tables.layers.first(where: { $0.module == module })
        else { return [] }
        return imports(in: file)
            .filter { !layer.imports.contains($0.module) && $0.module != "Swift" }
            .map { name, line in
                file.finding(
                    line,
                    "\(module) imports \(name)",
                    fix: "move the code, or the row of \(module) in Tables.layers, with a decision"
                )
            }
    }

    /// The modules among `paths` that no table names.
    static func unknownModules(in paths: [String]) -> [Finding] {
        let known = Tables.shims.union(Tables.layers.map(\.module))
        var seen: Set<String> = []
        return paths.compactMap { path in
            let parts = path.split(separator: "/").map(String.init)
            let depth = parts.first == "Sources" ? 1 : parts.starts(with: ["sdk", "swift"]) ? 2 : 0
            guard depth > 0, parts.count > depth + 1, !parts.contains("Tests"),
                !known.contains(parts[depth]), seen.insert(parts[depth]).inserted
            else { return nil }
            return Finding(
                path: path,
                line: 1,
                problem: "module \(parts[depth]) is not in the layer table",
                fix: "add a row to Tables.layers, or to Tables.shims if it is C"
            )
        }
    }

    /// The modules that a file imports, with their lines.
    static func imports(in file: SourceFile) -> [(module: String, line: Int)] {
        file.tokensByLine.compactMap { line, tokens in
            var rest = Declaration.dropAttributes(tokens)
            while let word = rest.first?.text, accessLevels.contains(word) {
                rest = rest.dropFirst()
            }
            guard rest.first?.text == "import" else { return nil }
            rest = rest.dropFirst()
            if let kind = rest.first?.text, kinds.contains(kind) { rest = rest.dropFirst() }
            return rest.first.map { ($0.text, line) }
        }
    }

    private static let accessLevels: Set<String> = [
        "public", "package", "internal", "private", "fileprivate",
    ]

    private static let kinds: Set<String> = [
        "struct", "enum", "class", "protocol", "func", "var", "let", "typealias",
    ]
}
