import ApusSDK
import Foundation
import Testing

/// Fields are read as JSON says, and whatever is not JSON is refused with a reason.
///
/// The seed is printed with each failure of a random test; put it into `firstSeed` to repeat it.
@Suite("SDK: JSON fields")
struct JSONFieldsTests {
    static let firstSeed: UInt64 = 0x4A_53_4F_4E
    static let roundCount: UInt64 = 4_000

    /// Reads a text that is used within `body` only.
    static func read<Result>(
        _ text: String,
        _ body: (JSONFields) throws -> Result
    ) throws -> Result {
        try text.withBytes { try body(JSONFields($0)) }
    }

    static func reason(_ text: String, _ body: (JSONFields) throws -> Void = { _ in }) -> String {
        do {
            try read(text, body)
            return "no error"
        } catch {
            return String(describing: error)
        }
    }

    @Test("values of all types are read")
    func valuesOfAllTypesAreRead() throws {
        let text =
            #" { "s" : "x", "i":-12 , "d":2.5e1,"t":true,"f":false,"n":null,"o":{"s":"y"} } "#
        try Self.read(text) { fields throws in
            #expect(try fields.string("s") == "x")
            #expect(try fields.integer("i") == -12)
            #expect(try fields.double("d") == 25)
            #expect(try fields.double("i") == -12)
            #expect(try fields.bool("t"))
            #expect(try !fields.bool("f"))
            #expect(try fields.optionalString("n") == nil)
            #expect(try fields.optionalInteger("missing") == nil)
            #expect(try fields.contains("n"))
            #expect(try !fields.contains("missing"))
            #expect(try fields.object("o").string("s") == "y")
        }
    }

    @Test("escapes are resolved, in names as well")
    func escapesAreResolved() throws {
        let text = #"{"\u0061\/":"\"\\\/\b\f\n\r\t\u00e4\ud83e\udd85 ä\u0000"}"#
        let value = try Self.read(text) { try $0.string("a/") }
        #expect(value == "\"\\/\u{8}\u{c}\n\r\tä🦅 ä\0")
    }

    @Test("integers are exact up to 64 bits, and no further")
    func integersAreExact() throws {
        for number in [Int64.min, -1, 0, 1, .max] {
            #expect(try Self.read("{\"i\":\(number)}") { try $0.integer("i") } == number)
        }
        #expect(try Self.read(#"{"i":-0}"#) { try $0.integer("i") } == 0)
        for digits in ["9223372036854775808", "-9223372036854775809", "99999999999999999999999"] {
            let reason = Self.reason("{\"i\":\(digits)}") { _ = try $0.integer("i") }
            #expect(reason == "field 'i': \(digits) does not fit in 64 bits")
        }
        let reason = Self.reason(#"{"i":1e999}"#) { _ = try $0.double("i") }
        #expect(reason == "field 'i': the number is too large")
    }

    @Test("what is missing or of another type is refused with both names")
    func whatIsMissingOrOfAnotherTypeIsRefused() {
        let text = #"{"s":"x","i":1,"d":1.0,"a":[1],"n":null}"#
        let cases: [((JSONFields) throws -> Void, String)] = [
            ({ _ = try $0.string("x") }, "field 'x' is missing"),
            ({ _ = try $0.string("n") }, "field 'n' is missing"),
            ({ _ = try $0.string("i") }, "field 'i' is a number; expected a string"),
            ({ _ = try $0.integer("d") }, "field 'd' is a number; expected a whole number"),
            ({ _ = try $0.integer("s") }, "field 's' is a string; expected a whole number"),
            ({ _ = try $0.double("a") }, "field 'a' is an array; expected a number"),
            ({ _ = try $0.bool("i") }, "field 'i' is a number; expected true or false"),
            ({ _ = try $0.object("a") }, "field 'a' is an array; expected an object"),
            ({ try $0.allowOnly("s", "i", "d", "a") }, "field 'n' is unknown; expected s, i, d, a"),
        ]
        for (body, reason) in cases { #expect(Self.reason(text, body) == reason) }
    }

    @Test("a field that is there twice is refused when it is asked for")
    func aFieldThatIsThereTwiceIsRefused() {
        let many = (0..<20).map { "\"f\($0)\":\($0)" }.joined(separator: ",")
        for text in [
            #"{"a":1,"\u0061":2}"#, "{\"a\":1,\(many),\"a\":2}", "{\(many),\"a\":1,\"a\":2}",
        ] {
            #expect(Self.reason(text) == "no error")
            #expect(Self.reason(text) { _ = try $0.integer("a") } == "field 'a' is there twice")
        }
    }

    @Test("an object may have more fields than are noted")
    func anObjectMayHaveMoreFieldsThanAreNoted() throws {
        let text = "{" + (0..<200).map { "\"f\($0)\" : \($0) " }.joined(separator: ",") + "}"
        try Self.read(text) { fields throws in
            #expect(try fields.integer("f0") == 0)
            #expect(try fields.integer("f15") == 15)
            #expect(try fields.integer("f16") == 16)
            #expect(try fields.integer("f199") == 199)
            #expect(try !fields.contains("f200"))
        }
    }

    @Test(
        "what is not one JSON object is refused",
        arguments: [
            "", " ", "{", "}", "[]", "null", "1", "{}x", "{},", "{,}", #"{"a"}"#, #"{"a":}"#,
            #"{"a":1,}"#, #"{"a" 1}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":01}"#, #"{"a":-}"#,
            #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":1e}"#, #"{"a":+1}"#, #"{"a":0x1}"#, #"{"a":NaN}"#,
            #"{"a":tru}"#, #"{"a":True}"#, #"{"a":nul}"#, #"{"a":"}"#, #"{"a":"\x"}"#,
            #"{"a":"\u12"}"#, #"{"a":"\u12g4"}"#, #"{"a":"\ud800"}"#, #"{"a":"\ud800\u0041"}"#,
            #"{"a":"\udc00"}"#, "{\"a\":\"\n\"}", "{\"a\":\"\u{1}\"}", #"{"a":[1,]}"#,
            #"{"a":[1 2]}"#, #"{"a":{"b"}}"#, #"{"a":[}"#, #"{"a":{]}"#, "\u{FEFF}{}",
        ]
    )
    func whatIsNotOneJSONObjectIsRefused(text: String) {
        #expect(Self.reason(text).hasPrefix("not JSON: "))
    }

    @Test("the reason says what was expected, and where")
    func theReasonSaysWhatWasExpectedAndWhere() {
        #expect(Self.reason(#"{"a":1 "b"}"#) == "not JSON: expected ',' or '}' at byte 7")
        #expect(Self.reason(#"{"a":1"#) == "not JSON: expected ',' or '}' at the end of 6 bytes")
        #expect(Self.reason(#"{"a":1}}"#) == "not JSON: expected nothing at byte 7")
    }

    @Test("bytes that are not UTF-8 are refused")
    func bytesThatAreNotUTF8AreRefused() {
        let bytes = Array(#"{"a":"x"}"#.utf8).map { $0 == UInt8(ascii: "x") ? 0xFF : $0 }
        #expect(throws: RecordError("not JSON: not UTF-8")) {
            _ = try bytes.withBytes { try JSONFields($0) }
        }
    }

    @Test("nesting is limited")
    func nestingIsLimited() {
        func nested(_ depth: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                + "}"
        }
        #expect(Self.reason(nested(63)) == "no error")
        #expect(Self.reason(nested(64)).hasPrefix("not JSON: expected at most 64 levels"))
        #expect(Self.reason(nested(1_000_000)).hasPrefix("not JSON: expected at most 64 levels"))
    }

    @Test("quoted text is read back")
    func quotedTextIsReadBack() throws {
        for text in ["", "T-1", "\"\\/\n\t\0\u{1f}\u{7f} ä🦅"] {
            let line = "{\"a\":\(JSONText.quoted(text))}"
            #expect(try Self.read(line) { try $0.string("a") } == text)
        }
    }

    @Test("every cut of a valid object is refused")
    func everyCutOfAValidObjectIsRefused() {
        let text = #"{"a":"\u0041\n","b":[1,-2.5e-3,{"c":null}],"d":true}"#
        #expect(Self.reason(text) == "no error")
        for count in 0..<text.utf8.count {
            let cut = String(decoding: Array(text.utf8.prefix(count)), as: UTF8.self)
            #expect(Self.reason(cut) != "no error", "\(count) bytes")
        }
    }

    @Test("random mutations never crash, and nothing is accepted that Foundation refuses")
    func randomMutationsNeverCrash() {
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d83e", "0", "-", "1", ".", "e", "+",
            "true", "false", "null", " ", "\n", "\t", "a", "ä", "\u{0}", "\u{1f}",
        ]
        let text = #"{"a":"x\u0041\n","b":[1,-2.5e-3,{"c":null}],"d":true,"e":12,"ä":""}"#
        for round in 0..<Self.roundCount {
            let seed = Self.firstSeed &+ round
            var random = SeededRandom(seed: seed)
            var scalars = Array(text.unicodeScalars)
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let start = Int.random(in: 0...scalars.count, using: &random)
                let end = min(scalars.count, start + Int.random(in: 0..<3, using: &random))
                let piece = pieces.randomElement(using: &random) ?? ""
                scalars.replaceSubrange(start..<end, with: Array(piece.unicodeScalars))
            }
            var mutated = String.UnicodeScalarView()
            mutated.append(contentsOf: scalars)
            let reason = Self.reason(String(mutated)) { fields in
                for name: StaticString in ["a", "b", "d", "e", "ä"] {
                    _ = try? fields.string(name)  // any outcome will do, as long as there is one
                    _ = try? fields.integer(name)  // the same
                    _ = try? fields.double(name)  // the same
                }
            }
            guard reason == "no error" else { continue }
            let data = Data(String(mutated).utf8)
            #expect(throws: Never.self, "seed \(seed): \(String(mutated))") {
                _ = try JSONSerialization.jsonObject(with: data)
            }
        }
    }
}
