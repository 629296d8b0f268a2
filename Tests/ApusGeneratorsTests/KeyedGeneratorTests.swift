import ApusGenerators
import Testing

/// Keys depend on the seed alone, and spread over all that there are.
@Suite("KeyedGenerator")
struct KeyedGeneratorTests {
    static func lines(seed: UInt64, count: Int, keyCount: Int) -> [String] {
        var lines: [String] = []
        KeyedGenerator(seed: seed, count: count, keyCount: keyCount).generate { lines.append($0) }
        return lines
    }

    @Test("writes key, value and time")
    func writesKeyValueAndTime() {
        #expect(
            Self.lines(seed: 1, count: 3, keyCount: 1_000) == [
                #"{"key":"k566","value":1,"ts":"2026-03-02T09:00:00.000Z"}"#,
                #"{"key":"k745","value":2,"ts":"2026-03-02T09:00:00.001Z"}"#,
                #"{"key":"k971","value":3,"ts":"2026-03-02T09:00:00.002Z"}"#,
            ]
        )
    }

    @Test("the same seed gives the same lines, another seed others")
    func theSameSeedGivesTheSameLines() {
        let lines = Self.lines(seed: 7, count: 100, keyCount: 50)
        #expect(Self.lines(seed: 7, count: 100, keyCount: 50) == lines)
        #expect(Self.lines(seed: 8, count: 100, keyCount: 50) != lines)
    }

    @Test("uses every key about equally often")
    func usesEveryKeyAboutEquallyOften() throws {
        var counts: [Substring: Int] = [:]
        for line in Self.lines(seed: 1, count: 10_000, keyCount: 10) {
            counts[try #require(line.split(separator: "\"").dropFirst(3).first), default: 0] += 1
        }
        #expect(Set(counts.keys) == Set((0..<10).map { "k\($0)" }))
        #expect(counts.values.allSatisfy { (850...1_150).contains($0) })
    }
}
