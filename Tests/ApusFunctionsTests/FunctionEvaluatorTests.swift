import ApusFunctions
import ApusGraph
import ApusTestPlugins
import Glibc
import Testing

/// Goal: a function gets exactly what the record has, and the record exactly what it returns.
///
/// Method: functions of a library in C that return what they get, or something easy to check.
@Suite("Function evaluation")
struct FunctionEvaluatorTests {
    // MARK: - Numbers

    @Test(
        "types hold their limits, and nothing wraps around",
        arguments: [
            ("i8", "-128", "127", "-129", "128"), ("u8", "0", "255", "-1", "256"),
            ("i16", "-32768", "32767", "-32769", "32768"), ("u16", "0", "65535", "-1", "65536"),
            ("i32", "-2147483648", "2147483647", "-2147483649", "2147483648"),
            ("u32", "0", "4294967295", "-1", "4294967296"),
            ("i64", "-9223372036854775808", "9223372036854775807", "-9223372036854775809", ""),
            ("u64", "0", "18446744073709551615", "-1", ""),
            ("i64", "-1", "9223372036854775807", "9223372036854775808", "-1e30"),
        ]
    )
    func limits(type: String, least: String, most: String, below: String, above: String) throws {
        let world = try FunctionWorld("same_\(type)", "\(type)(\(type))")
        #expect(try world.one("{\"x\":\(least)}") == "{\"x\":\(least),\"r\":\(least)}")
        #expect(try world.one("{\"x\":\(most)}") == "{\"x\":\(most),\"r\":\(most)}")
        for text in [below, above] where !text.isEmpty {
            let reason = try world.one("{\"x\":\(text)}")
            // More than 64 bits is refused by the JSON parser.
            #expect(
                reason.hasPrefix("field '$.x' is \(text), beyond the range of \(type) (")
                    || reason == "a malformed number, or one beyond 64 bits"
            )
        }
    }

    @Test("whole numbers may be written with a fraction or an exponent, others are refused")
    func wholeNumbers() throws {
        let world = try FunctionWorld("same_i32", "i32(i32)")
        #expect(try world.one("{\"x\":3.0}") == "{\"x\":3.0,\"r\":3}")
        #expect(try world.one("{\"x\":-2e3}") == "{\"x\":-2e3,\"r\":-2000}")
        #expect(
            try world.one("{\"x\":3.5}")
                == "field '$.x' is 3.5, which is no whole number; expected i32 (-2147483648 to "
                + "2147483647)"
        )
        let wide = try FunctionWorld("same_u64", "u64(u64)")
        #expect(try wide.one("{\"x\":1e19}").hasPrefix("field '$.x' is 1e19, beyond the range"))
    }

    @Test("floating-point numbers come back as they went")
    func floatingPoint() throws {
        let double = try FunctionWorld("same_f64", "f64(f64)")
        for text in ["0.1", "1.7976931348623157e+308", "5e-324", "-0.0", "123456789.125"] {
            #expect(try double.one("{\"x\":\(text)}") == "{\"x\":\(text),\"r\":\(text)}")
        }
        #expect(try double.one("{\"x\":7}") == "{\"x\":7,\"r\":7.0}")
        let float = try FunctionWorld("same_f32", "f32(f32)")
        #expect(try float.one("{\"x\":0.1}") == "{\"x\":0.1,\"r\":0.1}")
        #expect(try float.one("{\"x\":3.4028234e38}") == "{\"x\":3.4028234e38,\"r\":3.4028235e+38}")
        #expect(
            try float.one("{\"x\":3.5e38}")
                == "field '$.x' is 3.5e38, beyond the range of f32 (a number up to 3.4e38)"
        )
    }

    @Test("truth values are true and false, and no numbers")
    func truth() throws {
        let world = try FunctionWorld("opposite", "bool(bool)")
        #expect(try world.one("{\"x\":true}") == "{\"x\":true,\"r\":false}")
        #expect(try world.one("{\"x\":false}") == "{\"x\":false,\"r\":true}")
        #expect(try world.one("{\"x\":1}") == "field '$.x' is 1; expected true or false")
        let number = try FunctionWorld("same_i8", "i8(i8)")
        #expect(
            try number.one("{\"x\":true}") == "field '$.x' is 'true'; expected i8 (-128 to 127)"
        )
    }

    @Test("what is missing, null, or of another kind rejects the record and names the field")
    func mistyped() throws {
        let world = try FunctionWorld("same_f64", "f64(f64)", [.place(.field(["a", "b"]))])
        let expected = "; expected f64 (a number)"
        #expect(try world.one("{\"a\":{\"c\":1}}") == "field '$.a.b' is missing" + expected)
        #expect(try world.one("{}") == "field '$.a.b' is missing" + expected)
        #expect(try world.one("{\"a\":{\"b\":null}}") == "field '$.a.b' is null" + expected)
        #expect(
            try world.one("{\"a\":{\"b\":[1]}}") == "field '$.a.b' is an object or array" + expected
        )
        #expect(
            try world.one("{\"a\":{\"b\":\"1\"}}") == "field '$.a.b' is the string '1'" + expected
        )
        #expect(try world.one("[1]") == "JSON, but not an object")
        #expect(try world.one("") == "not JSON: nothing but white space")
        let text = try FunctionWorld("is_short", "bool(str)")
        #expect(try text.one("{\"x\":12}") == "field '$.x' is the value 12; expected a string")
    }

    // MARK: - Shapes

    @Test("many arguments of all types go where they belong")
    func manyArguments() throws {
        let fields = "abcdefghij".map { FunctionDescription.Argument.field(String($0)) }
        let nine = try FunctionWorld(
            "sum_of_nine",
            "i64(i8, i16, i32, i64, u8, u16, u32, u64, bool)",
            Array(fields[..<8]) + [.constant("true")]
        )
        let document =
            "{\"a\":-1,\"b\":200,\"c\":-30000,\"d\":4000000000,\"e\":255,\"f\":65535,"
            + "\"g\":4294967295,\"h\":7}"
        let sum = -1 + 200 - 30000 + 4_000_000_000 + 255 + 65535 + 4_294_967_295 + 7 + 1
        #expect(try nine.one(document).hasSuffix(",\"r\":\(sum)}"))
        // Eight of the ten travel in registers, two on the stack.
        let ten = try FunctionWorld(
            "sum_of_ten",
            "f64(\(Array(repeating: "f64", count: 10).joined(separator: ", ")))",
            fields
        )
        let values = "abcdefghij".enumerated().map { "\"\($1)\":\($0 + 1)" }
        #expect(try ten.one("{\(values.joined(separator: ","))}").hasSuffix("\"r\":385.0}"))
        let mixed = try FunctionWorld(
            "weighted",
            "f64(f64, i32, f64, u8, f32)",
            [.field("a"), .constant("2"), .field("b"), .constant("4"), .constant("5")]
        )
        #expect(try mixed.one("{\"a\":1,\"b\":3}") == "{\"a\":1,\"b\":3,\"r\":54321.0}")
    }

    @Test(
        "the commonest shapes have compiled loops, others go by libffi",
        arguments: [
            ("add", "f64(f64, f64)", BoundFunction.Tier.loop),
            ("is_short", "bool(str)", .loop), ("reversed", "str malloc(str)", .loop),
            ("count_zeros", "u64(bytes)", .loop), ("same_i16", "i16(i16)", .libffi),
            ("half", "void(f64, out f64)", .libffi),
            ("halves", "void(f64[], out f64[], n)", .batch),
        ]
    )
    func tiers(symbol: String, signature: String, tier: BoundFunction.Tier) throws {
        let parsed = try FunctionSignatureParser.parse(signature)
        let arguments = parsed.arguments.map { _ in FunctionDescription.Argument.field("x") }
        #expect(try FunctionWorld.bind(symbol, signature, arguments).tier == tier)
    }

    @Test("the result may be where an out parameter points")
    func outParameter() throws {
        let world = try FunctionWorld("half", "void(f64, out f64)")
        let result = try world.evaluate(["{\"x\":5}", "{\"x\":\"\"}", "{\"x\":-1}"])
        #expect(result.values == ["{\"x\":5,\"r\":2.5}", "{\"x\":-1,\"r\":-0.5}"])
        #expect(result.reasons.keys.sorted() == [1])
    }

    // MARK: - Columns

    @Test("one call has all records of a batch, without those that are rejected")
    func columns() throws {
        let world = try FunctionWorld("halves", "void(f64[], out f64[], n)")
        let values = (0..<3000).map { $0 % 7 == 3 ? "{\"x\":null}" : "{\"x\":\($0)}" }
        let result = try world.evaluate(values)
        let expected = (0..<3000).filter { $0 % 7 != 3 }
            .map { "{\"x\":\($0),\"r\":\(Double($0) / 2)}" }
        #expect(result.values == expected)
        #expect(result.reasons.count == 3000 - expected.count)
    }

    @Test("columns of other types, constants beside them, and strings")
    func otherColumns() throws {
        let scale = try FunctionWorld(
            "scale",
            "void(i32[], f64, out f32[], n)",
            [.field("x"), .constant("0.5")]
        )
        let scaled = try scale.evaluate(["{\"x\":3}", "{\"x\":2147483648}", "{\"x\":-8}"])
        #expect(scaled.values == ["{\"x\":3,\"r\":1.5}", "{\"x\":-8,\"r\":-4.0}"])
        let lengths = try FunctionWorld("lengths", "void(str[], out i32[], n)")
        #expect(
            try lengths.evaluate(["{\"x\":\"a\"}", "{\"x\":\"\"}", "{\"x\":\"\\u00e9b\"}"]).values
                == [
                    "{\"x\":\"a\",\"r\":1}", "{\"x\":\"\",\"r\":0}", "{\"x\":\"\\u00e9b\",\"r\":3}",
                ]
        )
        let large = try FunctionWorld("is_large", "void(f64[], out bool[], n)", use: .filter)
        let values = [99, 101, 100, 500].map { "{\"x\":\($0)}" }
        #expect(try large.evaluate(values).values == ["{\"x\":101}", "{\"x\":500}"])
        let none = try FunctionWorld("halves", "void(f64[], out f64[], n)")
        #expect(try none.evaluate(["{}", "{}"]).values.isEmpty)
    }

    // MARK: - Strings

    @Test("a borrowed string is copied before the next call, NULL is null")
    func borrowed() throws {
        let world = try FunctionWorld("greeting", "str borrowed(str)")
        let names = ["ann", "nobody", "b\\\\o\\u0041b", "\\u00e9"]
        let result = try world.evaluate(names.map { "{\"x\":\"\($0)\"}" })
        #expect(
            result.values == [
                #"{"x":"ann","r":"hello, \"ann\""}"#, #"{"x":"nobody","r":null}"#,
                #"{"x":"b\\o\u0041b","r":"hello, \"b\\oAb\""}"#,
                #"{"x":"\u00e9","r":"hello, \""# + "\u{e9}" + #"\""}"#,
            ]
        )
        let reject = try FunctionWorld("greeting", "str borrowed(str)", noValue: .reject)
        #expect(try reject.one("{\"x\":\"nobody\"}") == "greeting returned NULL")
    }

    @Test("a malloc string is freed: nothing leaks", .timeLimit(.minutes(1)))
    func malloced() throws {
        let world = try FunctionWorld("reversed", "str malloc(str)")
        #expect(try world.one("{\"x\":\"abc\"}") == "{\"x\":\"abc\",\"r\":\"cba\"}")
        #expect(try world.one("{\"x\":\"\"}") == "{\"x\":\"\",\"r\":null}")
        let values = Array(
            repeating: "{\"x\":\"\(String(repeating: "y", count: 4000))\"}",
            count: 100
        )
        _ = try world.evaluate(values)
        let before = try Self.heapByteCount()
        for _ in 0..<500 { _ = try world.evaluate(values) }
        let after = try Self.heapByteCount()
        // 200 MB were returned; other tests run at the same time.
        #expect(after - before < 100 << 20)
    }

    /// What malloc has given out.
    private static func heapByteCount() throws -> Int {
        let world = try FunctionWorld("heap_byte_count", "u64()", [], use: .map(.whole))
        return Int(try world.one("")) ?? -1
    }

    @Test("zero bytes end no string unnoticed, and are bytes like others")
    func zeroBytes() throws {
        let text = try FunctionWorld("is_short", "bool(str)")
        #expect(
            try text.one("{\"x\":\"a\\u0000b\"}")
                == "field '$.x' has a zero byte at offset 1, where C would end the string; declare "
                + "the parameter as 'bytes'"
        )
        let bytes = try FunctionWorld("count_zeros", "u64(bytes)")
        #expect(try bytes.one("{\"x\":\"a\\u0000b\\u0000\"}").hasSuffix(",\"r\":2}"))
        #expect(try bytes.one("{\"x\":\"\"}") == "{\"x\":\"\",\"r\":0}")
        let whole = try FunctionWorld(
            "count_zeros",
            "u64(bytes)",
            [.place(.whole)],
            use: .map(.whole)
        )
        #expect(try whole.one("a\u{0}b\u{0}\u{0}") == "3")
    }

    @Test("a string that is not UTF-8 cannot be in JSON, but can be all of a value")
    func notUTF8() throws {
        let world = try FunctionWorld("not_utf8", "str borrowed(str)")
        #expect(
            try world.one("{\"x\":\"\"}")
                == "not_utf8 returned a string that is not UTF-8, which JSON cannot hold"
        )
        let whole = try FunctionWorld(
            "not_utf8",
            "str borrowed(str)",
            [.place(.whole)],
            use: .map(.whole)
        )
        #expect(try whole.evaluate(["x"]).reasons.isEmpty)
    }

    // MARK: - No value

    @Test("NaN and infinities become null, or reject the record")
    func noValue() throws {
        let libm = "libm.so.6"
        let null = try FunctionWorld("log", "f64(f64)", library: libm)
        #expect(try null.one("{\"x\":-1}") == "{\"x\":-1,\"r\":null}")
        #expect(try null.one("{\"x\":0}") == "{\"x\":0,\"r\":null}")
        let reject = try FunctionWorld("log", "f64(f64)", noValue: .reject, library: libm)
        #expect(try reject.one("{\"x\":-1}") == "log returned NaN")
        #expect(try reject.one("{\"x\":0}") == "log returned -infinity")
        let filter = try FunctionWorld("log", "f64(f64)", use: .filter, library: libm)
        #expect(
            try filter.evaluate(["-1", "1", "2", "0"].map { "{\"x\":\($0)}" }).values
                == ["{\"x\":2}", "{\"x\":0}"]
        )
        let strict = try FunctionWorld(
            "log",
            "f64(f64)",
            use: .filter,
            noValue: .reject,
            library: libm
        )
        #expect(try strict.one("{\"x\":-1}") == "log returned NaN")
    }

    // MARK: - Records

    @Test(
        "everything else in a record stays byte for byte",
        arguments: [
            ("{\"x\":1}", "{\"x\":1,\"r\":1}"),
            ("{ \"x\" : 1 }", "{ \"x\" : 1,\"r\":1 }"),
            ("{\"r\":{\"deep\":[1]},\"x\":1}", "{\"r\":1,\"x\":1}"),
            (
                "{\"x\":1, \"r\" :  \"long, \\\"text\\\"\" , \"y\":2}",
                "{\"x\":1, \"r\" :  1 , \"y\":2}"
            ),
            ("{\"x\":1,\"y\":{\"r\":2}}", "{\"x\":1,\"y\":{\"r\":2},\"r\":1}"),
            ("{\"x\":1,\"r\":2,\"r\":3}", "{\"x\":1,\"r\":1,\"r\":3}"),
            ("\t{\"x\":1\n}\n", "\t{\"x\":1,\"r\":1\n}\n"),
            (
                "{\"x\":1,\"z\":1e5,\"w\":\"\\u00e9\"}",
                "{\"x\":1,\"z\":1e5,\"w\":\"\\u00e9\",\"r\":1}"
            ),
        ]
    )
    func everythingElseStays(before: String, after: String) throws {
        let world = try FunctionWorld("same_i64", "i64(i64)")
        #expect(try world.one(before) == after)
    }

    @Test(
        "a result goes deep into objects, which are made where they lack",
        arguments: [
            ("{\"x\":1}", "{\"x\":1,\"a\":{\"b\":{\"\\\"c\":1}}}"),
            ("{\"x\":1,\"a\":{}}", "{\"x\":1,\"a\":{\"b\":{\"\\\"c\":1}}}"),
            ("{\"x\":1,\"a\":{ \"z\":[] }}", "{\"x\":1,\"a\":{ \"z\":[],\"b\":{\"\\\"c\":1} }}"),
            ("{\"x\":1,\"a\":{\"b\":{\"\\\"c\":7}}}", "{\"x\":1,\"a\":{\"b\":{\"\\\"c\":1}}}"),
            (
                "{\"x\":1,\"a\":{\"b\":5}}",
                "field '$.a.b' is no object, so that the result cannot go to '$.a.b.\"c'"
            ),
            (
                "{\"x\":1,\"a\":null}",
                "field '$.a' is no object, so that the result cannot go to '$.a.b.\"c'"
            ),
        ]
    )
    func deepResults(before: String, after: String) throws {
        let use = FunctionDescription.Use.map(.field(["a", "b", "\"c"]))
        let world = try FunctionWorld("same_i64", "i64(i64)", use: use)
        #expect(try world.one(before) == after)
    }

    @Test("an empty object gets its first member")
    func emptyObject() throws {
        let world = try FunctionWorld("overlap_count", "i64()", [])
        #expect(try world.one("{}").hasPrefix("{\"r\":"))
        #expect(try world.one("{ }").hasSuffix(" }"))
    }

    @Test("plain text is a value as a whole")
    func plainText() throws {
        let whole = FunctionDescription.Argument.place(.whole)
        let number = try FunctionWorld("same_i16", "i16(i16)", [whole], use: .map(.whole))
        #expect(try number.one(" 17\n") == "17")
        #expect(
            try number.one("17 apples")
                == "the value is '17 apples'; expected i16 (-32768 to 32767)"
        )
        #expect(try number.one("") == "the value is ''; expected i16 (-32768 to 32767)")
        let double = try FunctionWorld("same_f64", "f64(f64)", [whole], use: .map(.whole))
        for text in ["nan", "inf", "0x10", "1e400"] {
            #expect(try double.one(text).hasPrefix("the value is "))
        }
        let text = try FunctionWorld("reversed", "str malloc(str)", [whole], use: .map(.whole))
        #expect(try text.one("a longer text, not in place") == "ecalp ni ton ,txet regnol a")
        #expect(try text.one("") == "null")
    }

    @Test("keys and times go through as they are")
    func keysAndTimes() throws {
        let values = ["{\"x\":1}", "{\"x\":[]}", "{\"x\":0}"]
        let map = try FunctionWorld("same_i64", "i64(i64)")
        #expect(try map.identities(values) == ["k0 0 0", "k2 2 0"])
        let filter = try FunctionWorld("same_i64", "i64(i64)", use: .filter)
        #expect(try filter.identities(values) == ["k0 0 0"])
    }

    // MARK: - Exceptions

    @Test("an exception rejects its record and no other")
    func exceptions() throws {
        let library = try TestPlugin.throwingFunctions()
        let world = try FunctionWorld("fussy", "i64(i64)", library: library)
        let values = (0..<50).map { "{\"x\":\($0 % 10 == 7 ? -$0 : $0)}" }
        let result = try world.evaluate(values)
        #expect(result.values.count == 45)
        #expect(result.reasons[17] == "fussy threw an exception: negative: -17")
        let texts = try FunctionWorld("fussy_text", "str borrowed(str)", library: library)
        let some = try texts.evaluate(["a", "!", "b", "!!"].map { "{\"x\":\"\($0)\"}" })
        #expect(some.values == ["{\"x\":\"a\",\"r\":\"<a>\"}", "{\"x\":\"b\",\"r\":\"<b>\"}"])
        #expect(some.reasons[3] == "fussy_text threw an exception: an exclamation")
        let ffi = try FunctionWorld(
            "five",
            "f64(f64, i32, f64, i32, f64)",
            [.constant("1"), .field("x")] + ["2", "3", "4"].map { .constant($0) },
            library: library
        )
        let five = try ffi.evaluate(["{\"x\":12}", "{\"x\":13}"])
        #expect(five.values == ["{\"x\":12,\"r\":22.0}"])
        #expect(
            five.reasons[1]?.hasPrefix("five threw an exception: something that is not") == true
        )
    }

    @Test("an exception of a function over columns fails the operator")
    func exceptionOverColumns() throws {
        let library = try TestPlugin.throwingFunctions()
        let world = try FunctionWorld("fussy_all", "void(i64[], out i64[], n)", library: library)
        #expect(try world.one("{\"x\":1}") == "{\"x\":1,\"r\":2}")
        #expect(
            throws: FunctionError("function fussy_all of test", "threw an exception: negative: -1")
        ) {
            try world.one("{\"x\":-1}")
        }
    }
}
