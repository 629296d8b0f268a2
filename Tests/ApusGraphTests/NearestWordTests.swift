import Testing

@testable import ApusGraph

/// A suggestion is made when, and only when, a person would make it.
@Suite("NearestWord")
struct NearestWordTests {
    @Test(
        "finds what was likely meant",
        arguments: [
            ("paralelism", "parallelism"), ("imput", "input"), ("kye", "key"), ("Plugin", "plugin"),
            ("max-paralelism", "max-parallelism"), ("sink", "sinks"),
        ]
    )
    func findsWhatWasLikelyMeant(word: String, meant: String) {
        let words = ["parallelism", "max-parallelism", "input", "key", "plugin", "sinks"]
        #expect(NearestWord.find(word, among: words) == meant)
    }

    @Test("stays silent about what is far from everything", arguments: ["banana", "xy", ""])
    func staysSilentAboutWhatIsFarFromEverything(word: String) {
        #expect(NearestWord.find(word, among: ["parallelism", "input", "key"]) == nil)
    }

    @Test(
        "counts insertions, deletions, substitutions and swaps",
        arguments: [
            ("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("abc", "abd", 1), ("ca", "abc", 3),
        ]
    )
    func countsEdits(left: String, right: String, distance: Int) {
        #expect(NearestWord.distance(Array(left.utf8), Array(right.utf8)) == distance)
        #expect(NearestWord.distance(Array(right.utf8), Array(left.utf8)) == distance)
    }
}
