import ApusCore
import ApusTestSupport
import Testing

@testable import ApusState
@testable import ApusStateTools

/// What `--where` takes, what it says to everything else, and what it selects.
@Suite("Conditions of a purge")
struct PurgeExpressionTests {
    @Test("reads conditions joined by and")
    func reads() throws {
        #expect(
            try PurgePredicate(parsing: "idle > 7d").terms == [
                .idle(.more, microseconds: 7 * 86_400_000_000)
            ]
        )
        let all = try PurgePredicate(
            parsing: "IDLE>=1h30m AND size<2KiB and expired and key like 'a*' and key=\"0x61ff\""
        )
        #expect(
            all.terms == [
                .idle(.moreOrEqual, microseconds: 5_400_000_000),
                .size(.less, byteCount: 2048),
                .expired,
                .keyLike(Array("a*".utf8)),
                .keyEquals([0x61, 0xff]),
            ]
        )
    }

    @Test(
        "says what was expected, and the nearest word",
        arguments: [
            ("", 0, "expected a condition: idle, size, expired or key, found the end"),
            ("idel > 3d", 0, "found 'idel'; did you mean 'idle'?"),
            ("idle 3d", 5, "expected one of > >= < <= behind 'idle', found '3d'"),
            ("idle > 7", 7, "'7' has no unit (d, h, m, s, ms, us)"),
            ("idle > 7D", 7, "there is no unit 'D', only d, h, m, s, ms, us; did you mean 'd'?"),
            ("idle > -1d", 7, "expected a duration, as 7d or 1h30m, found '-1d'"),
            ("idle > 1000000000d", 7, "expected a duration"),
            ("size > 3mib", 7, "did you mean 'MiB'?"),
            ("size > 9000000000000000000GiB", 7, "expected a size"),
            ("size > 1MiB1KiB", 7, "expected a size, as 1MiB or 500KB, found '1MiB1KiB'"),
            ("key lik 'a'", 4, "expected 'like' or '=' behind 'key', found 'lik'; did you mean"),
            ("key like a", 9, "expected a string in quotes, as \"abc*\", found 'a'"),
            ("key like 'a", 9, "expected a ' at the string's end"),
            ("key = '0xa'", 0, "expected an even number of hexadecimal digits"),
            ("expired or expired", 8, "expected 'and' or the end, found 'or'"),
            ("expired adn expired", 8, "did you mean 'and'?"),
            ("expired and", 11, "expected a condition"),
        ]
    )
    func mistakes(text: String, offset: Int, message: String) {
        #expect {
            _ = try PurgePredicate(parsing: text)
        } throws: { error in
            let found = "\(error)"
            let place = "\n  \(text)\n  \(String(repeating: " ", count: offset))^"
            return found.contains(message) && (message.contains("digits") || found.hasSuffix(place))
        }
    }

    @Test("no text makes it fail otherwise than with a message", arguments: [1, 2, 3])
    func randomTexts(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let parts = [
            "idle", "size", "expired", "key", "like", "and", ">", ">=", "=", "7d", "1MiB", "'a*'",
            "\"", "0x", " ", "99999999999999999999", "1h2", "é", "!", "\n",
        ]
        var goodCount = 0
        for _ in 0..<3000 {
            let text = (0..<generator.number(in: 1...7))
                .map { _ in parts[generator.number(in: 0...parts.count - 1)] }
                .joined(separator: generator.isOnce(in: 3) ? "" : " ")
            do {
                _ = try PurgePredicate(parsing: text)
                goodCount += 1
            } catch {
                try check("\(error)".hasPrefix("--where: ") || "\(error)".contains("0x"), text)
            }
        }
        #expect(goodCount > 0, "seed \(seed)")
    }

    private func key(
        _ key: String,
        written: Int64?,
        expires: Int64? = nil,
        byteCount: Int = 10
    ) -> KeySummary {
        var row = StoredRow()
        row.values = [StoredRow.Value(slot: 2, schemaVersion: 1, bytes: [1, 2, 3])]
        if let written { row.written = CoarseTime(microseconds: written) }
        if let expires { row.expires = CoarseTime(microseconds: expires) }
        return KeySummary(1, group: 0, key: Array(key.utf8), row: row, byteCount: byteCount)
    }

    @Test("selects what fits")
    func selects() throws {
        let now = StateWorld.now
        func fits(_ text: String, _ key: KeySummary, slot: Int? = nil) throws -> Bool {
            try PurgePredicate(parsing: text).matches(key, slot: slot, nowMicroseconds: now)
        }
        let old = key("abc", written: now - 10_000_000)
        #expect(try fits("idle > 9s", old) && fits("idle >= 10s", old) && fits("idle < 11s", old))
        #expect(try !fits("idle > 10s", old) && !fits("idle <= 9s", old))
        let unknown = key("abc", written: nil)
        #expect(try !fits("idle > 0s", unknown) && !fits("idle < 1000d", unknown))
        #expect(try !fits("expired", old))
        #expect(try fits("expired", key("a", written: now, expires: now - 1_000_000)))
        #expect(try !fits("expired", key("a", written: now, expires: now + 1_000_000)))
        #expect(try fits("size > 9B and size <= 10B", old) && !fits("size > 10B", old))
        #expect(try fits("size = 3B".replacing("=", with: ">="), old, slot: 2))
        #expect(try !fits("size > 3B", old, slot: 2) && !fits("size >= 0B", old, slot: 1))
        #expect(try fits("key = 'abc'", old) && !fits("key = 'ab'", old))
    }

    @Test("patterns fit as a slow reading of them says", arguments: [1, 2])
    func patterns(seed: UInt64) throws {
        func slow(_ bytes: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
            guard let first = pattern.first else { return bytes.isEmpty }
            if first == UInt8(ascii: "*") {
                return (0...bytes.count)
                    .contains { slow(bytes.dropFirst($0), pattern.dropFirst()) }
            }
            guard let byte = bytes.first, first == byte || first == UInt8(ascii: "?") else {
                return false
            }
            return slow(bytes.dropFirst(), pattern.dropFirst())
        }
        var generator = SplitMix64(seed: seed)
        let letters = Array("ab".utf8)
        let marks = Array("ab*?*".utf8)
        var fitCount = 0
        for _ in 0..<5000 {
            let bytes = (0..<generator.number(in: 0...8)).map { _ in
                letters[generator.number(in: 0...1)]
            }
            let pattern = (0..<generator.number(in: 0...6)).map { _ in
                marks[generator.number(in: 0...4)]
            }
            let expected = slow(bytes[...], pattern[...])
            if expected { fitCount += 1 }
            try check(
                PurgePredicate.fits(bytes[...], pattern[...]) == expected,
                "seed \(seed): \(bytes) and \(pattern)"
            )
        }
        #expect(fitCount > 500)
    }
}
