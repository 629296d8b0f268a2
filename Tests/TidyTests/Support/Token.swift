/// A word or a single sign of code.
struct Token: Equatable {
    /// The word (letters, digits, underscores) or the sign.
    let text: String

    /// The line, counted from 1.
    let line: Int

    /// Whether the token is a word or a number.
    var isWord: Bool { text.utf8.first.map(TidyTests.isWord) ?? false }

    /// Splits one line of code into tokens.
    static func split(_ code: String, line: Int) -> [Token] {
        var tokens: [Token] = []
        var rest = code.utf8[...]
        while let byte = rest.first {
            let count = TidyTests.isWord(byte) ? rest.prefix(while: TidyTests.isWord).count : 1
            if byte > UInt8(ascii: " ") {
                tokens.append(
                    Token(text: String(decoding: rest.prefix(count), as: UTF8.self), line: line)
                )
            }
            rest = rest.dropFirst(count)
        }
        return tokens
    }
}

/// A short piece of code to look for, regardless of spaces: `Task.sleep`, `try!`, `pthread_`.
///
/// Words match whole, except that a last word with a trailing underscore matches any word that
/// starts with it.
struct Pattern {
    /// The piece of code as it is written.
    let text: String

    private let words: [String]

    init(_ text: String) {
        self.text = text
        self.words = Token.split(text, line: 1).map(\.text)
    }

    /// Whether the pattern occurs at the start of `tokens`.
    func matches(_ tokens: ArraySlice<Token>) -> Bool {
        guard tokens.count >= words.count else { return false }
        for (word, token) in zip(words, tokens) where word != token.text {
            let isPrefix = word.hasSuffix("_") && word == words.last && token.text.hasPrefix(word)
            guard isPrefix else { return false }
        }
        return true
    }

    /// The lines on which the pattern starts.
    func lines(in file: SourceFile) -> [Int] {
        file.tokens.indices.filter { matches(file.tokens[$0...]) }.map { file.tokens[$0].line }
    }
}
