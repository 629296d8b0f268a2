/// Files, functions and lines stay short enough to be read.
enum SizeRule {
    static let lineCountMax = (source: 600, test: 1_000, header: 400)
    static let functionLineCountMax = 70
    static let columnCountMax = 100

    /// Whether the file as a whole is too long.
    static func checkFile(_ file: SourceFile) -> [Finding] {
        guard !Tables.generatedFiles.contains(file.path) else { return [] }
        let isHeader = ["h", "hpp"].contains(file.fileExtension)
        let limit =
            file.isTest
            ? lineCountMax.test : isHeader ? lineCountMax.header : lineCountMax.source
        guard file.text.count > limit else { return [] }
        return [
            file.finding(
                limit + 1,
                "\(file.text.count) lines, at most \(limit)",
                fix: "split it by concept; a program's output goes to Tables.generatedFiles"
            )
        ]
    }

    /// The lines that are too wide.
    static func checkLines(_ file: SourceFile) -> [Finding] {
        guard !Tables.generatedFiles.contains(file.path) else { return [] }
        return file.text.enumerated().compactMap { index, line in
            guard line.utf8.count > columnCountMax, line.count > columnCountMax else { return nil }
            return file.finding(
                index + 1,
                "\(line.count) columns, at most \(columnCountMax)",
                fix: "break the line"
            )
        }
    }

    /// The Swift functions that are too long, save those that the ratchet still allows.
    static func checkFunctions(
        _ file: SourceFile,
        allowing ratchet: [String: Int] = Tables.longFunctions
    ) -> [Finding] {
        guard file.isSwift, !Tables.generatedFiles.contains(file.path) else { return [] }
        return functions(in: file).compactMap { function in
            let limit = ratchet["\(file.path):\(function.name)"] ?? functionLineCountMax
            guard function.lineCount > limit else { return nil }
            return file.finding(
                function.line,
                "\(function.name) has \(function.lineCount) lines, at most \(limit)",
                fix: "split it where its comments already do"
            )
        }
    }

    /// The entries of the ratchet that are looser than the code needs.
    static func checkRatchet(_ ratchet: [String: Int], against files: [SourceFile]) -> [Finding] {
        ratchet.sorted { $0.key < $1.key }.compactMap { entry, allowed in
            let parts = entry.split(separator: ":", maxSplits: 1).map(String.init)
            let file = files.first { $0.path == parts.first }
            let longest = file.map(functions(in:))?
                .filter { $0.name == parts.last }
                .map(\.lineCount).max()
            guard longest != allowed || allowed <= functionLineCountMax else { return nil }
            return Finding(
                path: parts.first ?? entry,
                line: 1,
                problem: "the ratchet allows \(entry) \(allowed) lines, it has \(longest ?? 0)",
                fix: "lower the entry in Tables.longFunctions, or remove it"
            )
        }
    }

    /// The functions of a Swift file that have a body, from keyword to closing brace.
    static func functions(in file: SourceFile) -> [(name: String, line: Int, lineCount: Int)] {
        let tokens = file.tokens
        return tokens.indices.compactMap { index in
            let token = tokens[index]
            guard functionKeywords.contains(token.text),
                index == 0 || ![".", "`"].contains(tokens[index - 1].text),
                let open = body(of: tokens[(index + 1)...]),
                let close = closingBrace(of: tokens[open...])
            else { return nil }
            let name = token.text == "func" ? tokens[index + 1].text : token.text
            return (name, token.line, tokens[close].line - token.line + 1)
        }
    }

    /// Where the body of a function starts, given the tokens after its keyword.
    private static func body(of tokens: ArraySlice<Token>) -> Int? {
        var depth = 0
        for (index, token) in zip(tokens.indices, tokens) {
            switch token.text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return index
            // A requirement of a protocol has no body: the next member or the end comes first.
            case "}" where depth == 0: return nil
            case let word where depth == 0 && Declaration.keywords.contains(word): return nil
            default: break
            }
        }
        return nil
    }

    private static func closingBrace(of tokens: ArraySlice<Token>) -> Int? {
        var depth = 0
        for (index, token) in zip(tokens.indices, tokens) {
            if token.text == "{" { depth += 1 }
            if token.text == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    private static let functionKeywords: Set<String> = ["func", "init", "deinit", "subscript"]
}
