/// Nothing in the project depends on where somebody keeps it, and no stray files lie in it.
enum PathRule {
    /// The first folders of paths that exist on one machine only.
    private static let localFolders = ["work", "home", "tmp"]

    private static let checkedFolders = ["Sources/", "Plugins/", "sdk/", "samples/", "docs/"]

    /// Data, which may be large, and what is not text.
    private static let uncheckedExtensions: Set<String> = [
        "csv", "tsv", "jsonl", "ndjson", "gz", "png",
    ]

    /// Whether the text of a file is to be looked at.
    static func reads(_ path: String) -> Bool {
        checkedFolders.contains { path.hasPrefix($0) }
            && !uncheckedExtensions.contains(SourceFile.fileExtension(of: path))
    }

    /// The absolute paths in a text.
    static func checkText(path: String, text: String) -> [Finding] {
        let needles = localFolders.map { "/" + $0 + "/" }
        guard needles.contains(where: text.contains) else { return [] }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().flatMap { index, line in
            needles.filter { holdsPath(line, startingWith: $0) }.map { needle in
                Finding(
                    path: path,
                    line: index + 1,
                    problem: "absolute path \(needle)",
                    fix: "make it relative, or take it from the caller"
                )
            }
        }
    }

    /// Whether the needle occurs as the start of a path, not in the middle of one.
    private static func holdsPath(_ line: Substring, startingWith needle: String) -> Bool {
        line.ranges(of: needle).contains { range in
            let before = line[..<range.lowerBound]
            guard let last = before.last else { return true }
            if last == "/" { return before.hasSuffix("//") }
            return !last.isLetter && !last.isNumber && !"_.-~*})$>".contains(last)
        }
    }

    /// Whether a file has an ending or a name that the tables know.
    static func checkName(path: String) -> [Finding] {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let isScript =
            (path.hasPrefix("dev/") || path.hasPrefix(".ci/")) && !name.contains(".")
        guard !isScript, !Tables.fileNames.contains(name),
            !Tables.fileExtensions.contains(SourceFile.fileExtension(of: path))
        else { return [] }
        return [
            Finding(
                path: path,
                line: 1,
                problem: "a kind of file that the project does not know",
                fix: "remove it, or add it to Tables.fileExtensions or Tables.fileNames"
            )
        ]
    }
}
