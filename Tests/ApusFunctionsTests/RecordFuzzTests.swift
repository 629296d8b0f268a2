import ApusFunctions
import ApusGraph
import ApusTestPlugins
import Foundation
import Testing

/// Goal: whatever a record looks like, a result changes its own field and nothing else.
///
/// Method: random JSON objects, and Foundation's JSON reader as the judge.  The seed is printed
/// with each failure.
@Suite("Functions and random records")
struct RecordFuzzTests {
    private static let firstSeed: UInt64 = 0x66_75_6e_63

    /// SplitMix64: the same records from the same seed.
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static func blank(_ random: inout Random) -> String {
        ["", "", "", " ", "  ", "\t", "\n "].randomElement(using: &random) ?? ""
    }

    private static func string(_ random: inout Random) -> String {
        let pieces = [
            "a", "r", "x", "\\n", "\\\"", "\\\\", "\\u0041", "\\ud83e\\udd85", "}", "{", "]", ",",
            ":", "\u{e9}", "\u{1F985}", " ", "\\/",
        ]
        let count = Int.random(in: 0..<6, using: &random)
        return "\"" + (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            + "\""
    }

    private static func value(_ depth: Int, _ random: inout Random) -> String {
        switch Int.random(in: 0..<(depth > 3 ? 6 : 8), using: &random) {
        case 0: return "\(Int.random(in: -999...999, using: &random))"
        case 1: return "\(Double.random(in: -9...9, using: &random))"
        case 2: return "null"
        case 3: return "true"
        case 4, 5: return string(&random)
        case 6:
            let count = Int.random(in: 0..<3, using: &random)
            let items = (0..<count).map { _ in blank(&random) + value(depth + 1, &random) }
            return "[" + items.joined(separator: ",") + blank(&random) + "]"
        default: return object(depth + 1, [], &random)
        }
    }

    /// An object with some members and others, in any order, no name twice.
    private static func object(
        _ depth: Int,
        _ members: [(String, String)],
        _ random: inout Random
    ) -> String {
        var all = members
        for number in 0..<Int.random(in: 0..<4, using: &random) {
            all.append(("m\(number)", value(depth, &random)))
        }
        all.shuffle(using: &random)
        let texts = all.map { name, value in
            blank(&random) + "\"\(name)\"" + blank(&random) + ":" + blank(&random) + value
                + blank(&random)
        }
        return "{" + (texts.isEmpty ? blank(&random) : texts.joined(separator: ",")) + "}"
    }

    private static func parsed(_ text: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(value as? [String: Any])
    }

    /// One text for equal objects.
    private static func canonical(_ object: [String: Any]) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
        return String(decoding: data, as: UTF8.self)
    }

    @Test("a result is written and nothing else changes", arguments: [true, false])
    func nothingElseChanges(isDeep: Bool) throws {
        let path = isDeep ? ["r", "s"] : ["r"]
        let world = try FunctionWorld("same_i64", "i64(i64)", use: .map(.field(path)))
        for round in 0..<3000 as Range<UInt64> {
            let seed = Self.firstSeed &+ round
            var random = Random(state: seed)
            let x = Int.random(in: -1_000_000...1_000_000, using: &random)
            var members = [("x", "\(x)")]
            let hasResult = Bool.random(using: &random)
            if hasResult {
                members.append(("r", isDeep ? Self.object(1, [], &random) : Self.value(1, &random)))
            }
            let before = Self.object(0, members, &random)
            let after = try world.one(before)
            var expected = try Self.parsed(before)
            if isDeep {
                var inner = (expected["r"] as? [String: Any]) ?? [:]
                inner["s"] = x
                expected["r"] = inner
            } else {
                expected["r"] = x
            }
            #expect(
                try Self.canonical(Self.parsed(after)) == Self.canonical(expected),
                "seed \(seed): \(before) became \(after)"
            )
            // What was added stands in one place; the rest is there to the byte.
            guard !hasResult else { continue }
            let added = isDeep ? "\"r\":{\"s\":\(x)}" : "\"r\":\(x)"
            let place = try #require(after.range(of: added), "seed \(seed)")
            let head = after[..<place.lowerBound]
            let rest =
                String(head.hasSuffix(",") ? head.dropLast() : head) + after[place.upperBound...]
            #expect(rest == before, "seed \(seed): \(before) became \(after)")
        }
    }

    @Test("broken records are rejected, and never crash anything")
    func brokenRecords() throws {
        let world = try FunctionWorld("is_short", "bool(str)")
        var rejectedCount = 0
        for round in 0..<5000 as Range<UInt64> {
            let seed = Self.firstSeed &+ round
            var random = Random(state: seed)
            var bytes = Array(Self.object(0, [("x", Self.string(&random))], &random).utf8)
            for _ in 0..<Int.random(in: 1..<4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
                default: bytes.removeLast(bytes.count - place)
                }
            }
            guard let text = String(validating: bytes, as: UTF8.self) else { continue }
            let result = try world.evaluate([text])
            #expect(result.values.count + result.reasons.count == 1, "seed \(seed)")
            rejectedCount += result.reasons.count
        }
        #expect(rejectedCount > 2000)
    }
}
