import Testing

@testable import ApusGraph

/// A signature is read as it is meant, or refused with words for somebody who thinks in C.
@Suite("Signatures of functions")
struct FunctionSignatureTests {
    static func error(_ text: String) -> FunctionSignatureError? {
        do throws(FunctionSignatureError) {
            _ = try FunctionSignatureParser.parse(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "are read, whatever the blanks, and written in one way",
        arguments: [
            ("f64(f64, f64)", "f64(f64, f64)"), ("  f64 ( f64,f64 )  ", "f64(f64, f64)"),
            ("i64()", "i64()"), ("str borrowed(str)", "str borrowed(str)"),
            ("str   malloc(bytes,i8)", "str malloc(bytes, i8)"),
            (
                "bool(u8,u16,u32,u64,i8,i16,i32,i64,f32,f64,bool,str)",
                "bool(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, str)"
            ),
            ("void(f64,out f64)", "void(f64, out f64)"),
            ("void(f64[], f64[], out f64[], n)", "void(f64[], f64[], out f64[], n)"),
            ("void(n,str[ ],out\ti32 [],f64,str)", "void(n, str[], out i32[], f64, str)"),
        ]
    )
    func areRead(text: String, written: String) throws {
        let signature = try FunctionSignatureParser.parse(text)
        #expect(signature.text == written)
        #expect(try FunctionSignatureParser.parse(written) == signature)
    }

    @Test("tell what they take and give")
    func tellWhatTheyTakeAndGive() throws {
        let scalar = try FunctionSignatureParser.parse("void(f64, bytes, out i32)")
        #expect(!scalar.isBatch)
        #expect(scalar.arguments == [.number(.f64), .bytes])
        #expect(scalar.output == .number(.i32))
        let batch = try FunctionSignatureParser.parse("void(f64[], f64, out bool[], n)")
        #expect(batch.isBatch)
        #expect(batch.arguments == [.column(.f64), .number(.f64)])
        #expect(batch.output == .number(.bool))
        #expect(try FunctionSignatureParser.parse("str malloc()").output == .string)
    }

    @Test(
        "that are wrong are refused with what was found",
        arguments: [
            ("", "the end at character 1"), ("f64", "the end at character 4"),
            ("f64(", "the end at character 5"), ("f64(f64", "the end at character 8"),
            ("f64(f64,)", "')' at character 9"), ("f64(f64) x", "'x' at character 10"),
            ("(f64)", "'(' at character 1"), ("f64(f64 f64)", "'f64' at character 9"),
            ("f64(f64[)", "'[' without ']' at character 8"), ("f64(f64;)", "';' at character 8"),
            ("f64(\u{e9})", "the byte 195 at character 5"),
            ("f64[](f64)", "a result that is an array"),
            ("i32(str, ...)", "'...' at character 10"), ("char *(str)", "'*' at character 6"),
            ("f64(f64*)", "'*' at character 8"), ("i32(i32 (*f)(i32))", "'(' at character 9"),
            ("struct div_t(i32)", "the type 'struct'"), ("div_t(i32, i32)", "the type 'div_t'"),
            ("complex(f64)", "the type 'complex'"), ("i32(callback)", "the type 'callback'"),
            ("i32({i32})", "'{' at character 5"), ("i32(va_list)", "the type 'va_list'"),
            ("str(str)", "the result 'str' does not say whose the string is"),
            ("bytes(str)", "the result 'bytes'"), ("void(f64)", "a function without result"),
            ("void(out f64, out f64)", "2 'out' parameters"),
            ("i32(f64, out f64)", "a result and an 'out' parameter"),
            ("void(out str)", "'out str'"), ("i32(void)", "'void' as a parameter"),
            ("f64(borrowed)", "'borrowed' without 'str'"),
            ("f64(f64[], n)", "the result 'f64' of a function over columns"),
            ("void(f64[], n)", "no 'out' column"),
            ("void(f64[], out f64[])", "no 'n' in a function over columns"),
            ("void(n, n, out f64[])", "more than one 'n'"),
            ("void(f64[], out f64[], out f64[], n)", "2 'out' columns"),
            ("void(f64[], out f64, n)", "'out' without '[]' in a function over columns"),
            ("void(bytes, out f64[], n)", "'bytes' in a function over columns"),
            ("void(bytes[], out f64[], n)", "'bytes[]'"),
            ("i32(\(Array(repeating: "i8", count: 17).joined(separator: ",")))", "17 parameters"),
            (String(repeating: " ", count: 401), "a signature of 401 bytes"),
        ]
    )
    func thatAreWrongAreRefused(text: String, found: String) throws {
        let error = try #require(Self.error(text))
        #expect(error.found == found)
        #expect(error.expected != nil || error.remedy != nil || error.suggestion != nil)
    }

    @Test(
        "in words of C get the word for it",
        arguments: [
            ("double(double)", "f64"), ("f64(float)", "f32"), ("int(int)", "i32"),
            ("f64(size_t)", "u64"), ("u64(const char)", "str"), ("f64(unsigned)", "u32"),
            ("f64(F64)", "f64"), ("f46(f64)", "f64"), ("f64(uint8_t)", "u8"),
        ]
    )
    func inWordsOfC(text: String, suggestion: String) {
        #expect(Self.error(text)?.suggestion == suggestion)
    }

    @Test("of varargs, structs, callbacks and complex numbers say what to do instead")
    func whatCannotBeCalled() throws {
        for text in ["i32(str, ...)", "struct x(i32)", "complex(f64)", "i32(fn)", "i32(va_list)"] {
            let remedy = try #require(Self.error(text)?.remedy)
            #expect(remedy.hasSuffix("write a C function of your own around it, and name that one"))
        }
    }

    private static let firstSeed: UInt64 = 0x66_66_69

    @Test("any text is read or refused, and what is read is read again")
    func anyText() {
        let pieces = [
            "f64", "i8", "u64", "bool", "str", "bytes", "void", "out", "n", "borrowed", "malloc",
            "(", ")", ",", "[]", "[", "]", " ", "*", "...", "{", "struct", "\u{0}", "\u{1F985}",
            "double", "-", "0",
        ]
        var readCount = 0
        for round in 0..<20_000 as Range<UInt64> {
            let seed = Self.firstSeed &+ round
            var random = Random(state: seed)
            var parts =
                round.isMultiple(of: 3)
                ? [] : ["f64", "(", "f64", ",", " ", "i32", ")"]
            for _ in 0..<Int.random(in: 0..<8, using: &random) {
                let piece = pieces.randomElement(using: &random) ?? ""
                let place = Int.random(in: 0...parts.count, using: &random)
                if Bool.random(using: &random), place < parts.count {
                    parts[place] = piece
                } else {
                    parts.insert(piece, at: place)
                }
            }
            let text = parts.joined()
            guard let signature = try? FunctionSignatureParser.parse(text) else { continue }
            readCount += 1
            let again = try? FunctionSignatureParser.parse(signature.text)
            #expect(again == signature, "seed \(seed): \(text)")
        }
        #expect(readCount > 200)
    }

    /// SplitMix64: the same texts from the same seed.
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
}
