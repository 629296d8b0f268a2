/// What other modules see is documented, unless a protocol or a superclass documents it.
enum DocumentationRule {
    /// The public and package declarations without a `///` comment.
    static func check(_ file: SourceFile) -> [Finding] {
        guard file.module != nil else { return [] }
        return file.tokensByLine.compactMap { line, tokens in
            guard let declaration = Declaration(tokens),
                !declaration.modifiers.isDisjoint(with: ["public", "package", "open"]),
                !declaration.modifiers.contains("override"),
                !isDocumented(line, in: file)
            else { return nil }
            return file.finding(
                line,
                "\(declaration.description) has no documentation",
                fix: "write a /// comment, or '// doc: inherited' if it satisfies a protocol"
            )
        }
    }

    private static func isDocumented(_ line: Int, in file: SourceFile) -> Bool {
        let above = lineAboveAttributes(line, in: file)
        return file.comment(above).hasPrefix("///")
            || file.comment(above).contains("doc: inherited")
            || file.comment(line).contains("doc: inherited")
    }

    /// The nearest line above `line` that is not part of an attribute.
    private static func lineAboveAttributes(_ line: Int, in file: SourceFile) -> Int {
        var above = line - 1
        while above >= 1, !file.lines[above - 1].code.isEmpty {
            // An attribute may span lines; its first one balances the parentheses.
            var first = above
            var open = openParentheses(first, in: file)
            while open < 0, first > 1 {
                first -= 1
                open += openParentheses(first, in: file)
            }
            guard file.lines[first - 1].code.drop(while: \.isWhitespace).hasPrefix("@") else {
                break
            }
            above = first - 1
        }
        return above
    }

    private static func openParentheses(_ line: Int, in file: SourceFile) -> Int {
        file.lines[line - 1].code.utf8.reduce(0) { count, byte in
            switch byte {
            case UInt8(ascii: "("): count + 1
            case UInt8(ascii: ")"): count - 1
            default: count
            }
        }
    }
}
