/// A declaration that starts a line: `package static func merge(…)`.
struct Declaration {
    /// The word that says what is declared: `func`, `struct`, `init`.
    let keyword: String

    /// The modifiers without an argument, so `package` but not `package(set)`.
    let modifiers: Set<String>

    /// What is declared; empty for initialisers, subscripts and operators.
    let name: String

    /// The line of the keyword.
    let line: Int

    /// The keyword and the name.
    var description: String { name.isEmpty ? keyword : keyword + " " + name }

    /// The words that introduce a declaration that needs documentation, and that end another.
    static let keywords: Set<String> = [
        "func", "var", "let", "struct", "enum", "class", "actor", "protocol", "typealias", "init",
        "subscript",
    ]

    /// Reads the tokens of one line.
    init?(_ tokens: ArraySlice<Token>) {
        var rest = Declaration.dropAttributes(tokens)
        var modifiers: Set<String> = []
        while let token = rest.first, token.isWord {
            rest = rest.dropFirst()
            // `class` is a modifier in `class func`, and a keyword otherwise.
            let isModifier = token.text == "class" && rest.first?.text == "func"
            if Declaration.keywords.contains(token.text), !isModifier {
                self.keyword = token.text
                self.modifiers = modifiers
                let isNamed = !["init", "subscript"].contains(token.text)
                self.name = isNamed ? rest.first { $0.isWord }?.text ?? "" : ""
                self.line = token.line
                return
            }
            if rest.first?.text == "(" {
                rest = Declaration.dropParentheses(rest)
            } else {
                modifiers.insert(token.text)
            }
        }
        return nil
    }

    /// The tokens after the attributes at the start of a line.
    static func dropAttributes(_ tokens: ArraySlice<Token>) -> ArraySlice<Token> {
        var rest = tokens
        while rest.first?.text == "@" {
            rest = rest.dropFirst(2)
            if rest.first?.text == "(" { rest = dropParentheses(rest) }
        }
        return rest
    }

    private static func dropParentheses(_ tokens: ArraySlice<Token>) -> ArraySlice<Token> {
        var depth = 0
        for (index, token) in zip(tokens.indices, tokens) {
            if token.text == "(" { depth += 1 }
            if token.text == ")" { depth -= 1 }
            if depth == 0 { return tokens[(index + 1)...] }
        }
        return []
    }
}
