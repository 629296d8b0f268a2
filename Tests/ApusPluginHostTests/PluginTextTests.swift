import Testing

@testable import ApusPluginHost

/// What a plugin says reaches people as one line, and no terminal obeys it.
@Suite("Texts of plugins")
struct PluginTextTests {
    @Test(
        "control characters are shown, not obeyed",
        arguments: [
            ("plain text, ünïcödé 漢字 👩‍🚀", "plain text, ünïcödé 漢字 👩‍🚀"),
            ("two\nlines\tand a tab", "two\\nlines\\tand a tab"),
            ("\u{1b}[2J\u{07}", "\\u{1b}[2J\\u{7}"), ("a\r\nb", "a\\u{d}\\nb"),
            ("\u{202e}gnirts\u{2066}", "\\u{202e}gnirts\\u{2066}"), ("\u{9b}1m", "\\u{9b}1m"),
            ("nul\0nul", "nul\\u{0}nul"), ("line\u{2028}line", "line\\u{2028}line"), ("", ""),
        ]
    )
    func controlCharactersAreShown(text: String, shown: String) {
        #expect(PluginText.printable(text) == shown)
    }
}
