import Testing

@testable import ApusGraph

/// Plugins get JSON that any parser reads back to the same value.
@Suite("ConfigurationValue")
struct ConfigurationValueTests {
    @Test(
        "is written as compact JSON",
        arguments: [
            (.null, "null"), (.bool(true), "true"), (.integer(.min), "-9223372036854775808"),
            (.number(0.1), "0.1"), (.number(1e300), "1e+300"), (.number(.infinity), "null"),
            (.string(""), "\"\""), (.string("a\"b\\c/d"), #""a\"b\\c/d""#),
            (
                .string("\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}"),
                "\"\\n\\r\\t\\b\\f\\u0000\\u001f\u{7F}\""
            ),
            (.string("\r\n"), #""\r\n""#), (.string("\u{1F985}e\u{301}"), "\"\u{1F985}e\u{301}\""),
            (.string("\"\u{301}"), "\"\\\"\u{301}\""), (.list([]), "[]"), (.map([]), "{}"),
            (.list([.null, .list([.integer(1)])]), "[null,[1]]"),
            (.map([.init("b", .integer(1)), .init("a\"", .map([]))]), #"{"b":1,"a\"":{}}"#),
        ] as [(ConfigurationValue, String)]
    )
    func isWrittenAsCompactJSON(value: ConfigurationValue, json: String) {
        #expect(value.json() == json)
    }

    @Test(
        "durations are written in the largest unit that divides them",
        arguments: [
            (0, "0s"), (1, "1us"), (5_000, "5ms"), (1_500_000, "1500ms"), (86_400_000_000, "1d"),
            (5_400_000_000, "90m"),
        ] as [(Int64, String)]
    )
    func durationsAreWrittenInTheLargestUnit(microseconds: Int64, text: String) {
        #expect(DurationText.format(microseconds: microseconds) == text)
    }
}
