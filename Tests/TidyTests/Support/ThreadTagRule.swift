/// Every function of the plugin ABI says on which thread it may be called.
enum ThreadTagRule {
    static let tags: Set<String> = ["ctl", "op", "any", "pure"]

    /// The function pointers in structs of a public C header whose comment has no thread tag.
    static func check(_ file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("sdk/c/include/apus/"), file.fileExtension == "h" else {
            return []
        }
        return functionPointers(in: file).compactMap { name, first, last in
            guard !hasTag(comments(first, last, in: file)) else { return nil }
            return file.finding(
                last,
                "\(name) has no thread tag",
                fix: "add [ctl], [op], [any] or [pure] to the comment above or beside it"
            )
        }
    }

    /// Whether a comment holds a tag in brackets, alone or first among others: `[op, not hot]`.
    private static func hasTag(_ comment: String) -> Bool {
        comment.split(separator: "[").dropFirst().contains { part in
            part.contains("]") && tags.contains(String(part.prefix(while: \.isLetter)))
        }
    }

    /// The comments on the lines of a declaration, and on the comment lines right above it.
    private static func comments(_ first: Int, _ last: Int, in file: SourceFile) -> String {
        var start = first
        while start > 1, !file.comment(start - 1).isEmpty,
            file.lines[start - 2].code.allSatisfy(\.isWhitespace)
        {
            start -= 1
        }
        return (start...last).map(file.comment).joined(separator: "\n")
    }

    /// The members `type (*name)(…);`, with the first and last line of each.
    private static func functionPointers(
        in file: SourceFile
    ) -> [(name: String, first: Int, last: Int)] {
        var found: [(name: String, first: Int, last: Int)] = []
        var braces = 0
        let statements = file.tokens.split(omittingEmptySubsequences: false) { token in
            ["{", "}", ";"].contains(token.text)
        }
        for statement in statements {
            if let name = functionPointer(statement), braces > 0,
                statement.first?.text != "typedef",
                let first = statement.first?.line, let last = statement.last?.line
            {
                found.append((name, first, last))
            }
            guard statement.endIndex < file.tokens.endIndex else { break }
            switch file.tokens[statement.endIndex].text {
            case "{": braces += 1
            case "}": braces -= 1
            default: break
            }
        }
        return found
    }

    /// The name in `( * name ) (`, when no other parenthesis is open.
    private static func functionPointer(_ statement: ArraySlice<Token>) -> String? {
        guard let open = statement.firstIndex(where: { $0.text == "(" }) else { return nil }
        let shape = statement[open...].prefix(5).map(\.text)
        guard shape.count == 5, shape[1] == "*", shape[3] == ")", shape[4] == "(" else {
            return nil
        }
        return shape[2]
    }
}
