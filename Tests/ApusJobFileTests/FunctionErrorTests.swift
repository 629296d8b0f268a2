import ApusGraph
import Testing

@testable import ApusJobFile

/// Operators that are C functions: what a job file may say of them, and what it may not.
@Suite("Job file: functions")
struct FunctionErrorTests {
    static let sample = JobFileSample.text.replacing(
        "      plugin: aircraft\n      component: aircraft\n",
        with: """
                  function:
                    library: libm.so.6
                    symbol: pow
                    signature: "f64(f64, f64)"
                    arguments: [$.base, $.a.b]
                    result: $.power

            """
    ).replacing("      config: { limit: 3, names: [a, b] }\n", with: "")
        .replacing("input: aircraft.unidentified", with: "input: aircraft")

    private static func function(_ text: String) throws -> FunctionDescription {
        let job = try JobFileSample.read(text).get().job
        return try #require(job.operators.first?.function)
    }

    @Test("the sample is a function with its defaults")
    func theSample() throws {
        let function = try Self.function(Self.sample)
        #expect(function.library == "libm.so.6")
        #expect(function.symbol == "pow")
        #expect(function.signature.text == "f64(f64, f64)")
        #expect(function.arguments == [.place(.field(["base"])), .place(.field(["a", "b"]))])
        #expect(function.use == .map(.field(["power"])))
        #expect(function.noValue == .null)
        #expect(!function.isThreadSafe)
        #expect(!function.isPure)
        #expect(function.samples == nil)
        #expect(function.location == SourceLocation(line: 25, column: 9))
        #expect(
            function.summary == [
                "function pow of libm.so.6: f64(f64, f64)",
                "$.power = pow($.base, $.a.b), NaN becomes null, one thread at a time",
            ]
        )
    }

    @Test("every key is read")
    func everyKey() throws {
        let text = Self.sample
            .replacing("[$.base, $.a.b]", with: "[$, 2.5]")
            .replacing("result: $.power", with: "as: filter\n        no-value: reject")
            .replacing(
                "symbol: pow",
                with: "symbol: pow\n        thread-safe: true\n        pure: true"
            )
            .replacing("library:", with: "samples: [[1, 2], [-3, 0.5]]\n        library:")
        let function = try Self.function(text)
        #expect(function.arguments == [.place(.whole), .constant("2.5")])
        #expect(function.use == .filter)
        #expect(function.noValue == .reject)
        #expect(function.isThreadSafe)
        #expect(function.isPure)
        #expect(function.samples == [["1", "2"], ["-3", "0.5"]])
    }

    @Test(
        "constants are of the type of their parameter",
        arguments: [
            ("i8(i8)", "-128", "-128"),
            ("u64(u64)", "18446744073709551615", "18446744073709551615"),
            ("i32(str)", "\"$$x\"", "$x"), ("i32(str)", "\"7\"", "7"),
            ("i32(bool)", "true", "true"),
            ("f32(f32)", "1e10", "1e10"), ("i32(bytes)", "abc", "abc"),
        ]
    )
    func constants(signature: String, written: String, constant: String) throws {
        let text = Self.sample.replacing("f64(f64, f64)", with: signature)
            .replacing("[$.base, $.a.b]", with: "[\(written)]")
        #expect(try Self.function(text).arguments == [.constant(constant)])
    }

    @Test("'no-value: null' needs no quotes", arguments: ["null", "\"null\"", "~"])
    func noValueNull(word: String) throws {
        let text = Self.sample.replacing("result:", with: "no-value: \(word)\n        result:")
        #expect(try Self.function(text).noValue == .null)
    }

    @Test("mistakes are reported with place, expectation and remedy", arguments: cases)
    func mistakes(mistake: Mistake) {
        #expect(Self.sample.contains(mistake.old))
        let result = JobFileSample.read(Self.sample.replacing(mistake.old, with: mistake.new))
        #expect(result.errorLines.joined(separator: "\n") == mistake.text)
    }

    @Test(
        "the schema accepts the sample, and refuses wrong keys",
        arguments: [
            ("pow", "pow", true), ("symbol:", "symbl:", false), ("result:", "as: reduce #", false),
            ("      function:", "      plugin: x\n      function:", false),
            ("result:", "thread-safe: maybe\n        result:", false),
            ("result: $", "result: ", false),
        ]
    )
    func theSchema(old: String, new: String, isValid: Bool) throws {
        let text = Self.sample.replacing(old, with: new)
        let problems = try SchemaTests.schema().problems(of: SchemaTests.tree(text))
        #expect(problems.isEmpty == isValid, "\(problems)")
    }

    private static let place = "spec.operators[aircraft].function"

    /// Each changes one place of the sample.
    static let cases = [
        Mistake(
            "a function and a plugin",
            "      function:",
            "      plugin: x\n      function:",
            "job.yaml:24:15: spec.operators[aircraft].plugin: 'plugin' beside 'function'; an "
                + "operator is of a plugin or is a function: remove one of the two"
        ),
        Mistake(
            "a component",
            "      function:",
            "      component: x\n      function:",
            "job.yaml:24:18: spec.operators[aircraft].component: 'component' beside 'function'; a "
                + "C function has no such thing: remove it"
        ),
        Mistake(
            "an unknown key",
            "symbol: pow",
            "symbol: pow\n        threadsafe: true",
            "job.yaml:27:9: \(place): unknown key 'threadsafe'; expected one of library, symbol, "
                + "signature, arguments, result, as, no-value, thread-safe, pure, samples; did you "
                + "mean 'thread-safe'?"
        ),
        Mistake(
            "no library",
            "library: libm.so.6",
            "pure: true",
            "job.yaml:25:9: \(place): no 'library'; expected a library that the dynamic linker "
                + "finds, or a path with a '/'"
        ),
        Mistake(
            "no symbol",
            "symbol: pow",
            "pure: true",
            "job.yaml:25:9: \(place): no 'symbol'; expected the name of a C function"
        ),
        Mistake(
            "a declaration as symbol",
            "symbol: pow",
            "symbol: \"pow(double, double)\"",
            "job.yaml:26:17: \(place).symbol: the string 'pow(double, double)'; expected the name "
                + "of a C function; types go to 'signature'"
        ),
        Mistake(
            "no signature",
            "signature: \"f64(f64, f64)\"",
            "pure: true",
            "job.yaml:25:9: \(place): no 'signature'; expected the types, such as "
                + "\"f64(f64, f64)\""
        ),
        Mistake(
            "types of C",
            "f64(f64, f64)",
            "double(double, double)",
            "job.yaml:27:20: \(place).signature: unknown type 'double'; expected one of i8, i16, "
                + "i32, i64, u8, u16, u32, u64, f32, f64, bool, str, void; did you mean 'f64'?"
        ),
        Mistake(
            "varargs",
            "f64(f64, f64)",
            "i32(str, ...)",
            "job.yaml:27:20: \(place).signature: '...' at character 10; functions with a variable "
                + "number of arguments are called in another way: write a C function of your own "
                + "around it, and name that one"
        ),
        Mistake(
            "an argument too many",
            "$.a.b",
            "$.a.b, 1",
            "job.yaml:28:20: \(place).arguments: 3 arguments; expected a list of 2 arguments, for "
                + "f64(f64, f64)"
        ),
        Mistake(
            "no arguments",
            "        arguments: [$.base, $.a.b]\n",
            "",
            "job.yaml:25:9: \(place): no 'arguments'; expected a list of 2 arguments, for "
                + "f64(f64, f64)"
        ),
        Mistake(
            "a field without '$'",
            "$.base",
            "base",
            "job.yaml:28:21: \(place).arguments[0]: the string 'base'; expected a value for 'f64'; "
                + "a field of the record is written '$.name'"
        ),
        Mistake(
            "a path with two dots",
            "$.base",
            "$..base",
            "job.yaml:28:21: \(place).arguments[0]: the string '$..base'; expected '$' for the "
                + "whole value, '$.name' for a field, or a constant for 'f64'; a constant that "
                + "begins with '$' is written with '$$'"
        ),
        Mistake(
            "a constant beyond its type",
            "f64(f64, f64)\"\n        arguments: [$.base",
            "f64(i8, f64)\"\n        arguments: [128",
            "job.yaml:28:21: \(place).arguments[0]: the number '128'; expected i8 (-128 to 127)"
        ),
        Mistake(
            "a number for a string",
            "f64(f64, f64)\"\n        arguments: [$.base",
            "f64(str, f64)\"\n        arguments: [12",
            "job.yaml:28:21: \(place).arguments[0]: the number '12'; expected a value for 'str'; "
                + "put it in quotes"
        ),
        Mistake(
            "nothing as argument",
            "$.base",
            "~",
            "job.yaml:28:21: \(place).arguments[0]: nothing; expected a value for 'f64'"
        ),
        Mistake(
            "a list as argument",
            "$.base",
            "[1]",
            "job.yaml:28:21: \(place).arguments[0]: a list; expected '$' for the whole value, "
                + "'$.name' for a field, or a constant for 'f64'"
        ),
        Mistake(
            "a field for what is the same for a batch",
            "f64(f64, f64)",
            "void(f64[], f64, out f64[], n)",
            "job.yaml:28:29: \(place).arguments[1]: '$.a.b' for 'f64' in a function over columns; "
                + "expected a constant; or declare the parameter as 'f64[]'"
        ),
        Mistake(
            "no result",
            "        result: $.power\n",
            "",
            "job.yaml:25:9: \(place): no 'result'; expected '$' for the whole value, or '$.name' "
                + "for a field, or 'as: filter'"
        ),
        Mistake(
            "a result that is no place",
            "$.power",
            "power",
            "job.yaml:29:17: \(place).result: the string 'power'; expected '$' for the whole "
                + "value, or '$.name' for a field"
        ),
        Mistake(
            "the result of a filter",
            "result:",
            "as: filter\n        result:",
            "job.yaml:30:17: \(place).result: 'result' of a filter; a filter keeps records as "
                + "they are: remove it"
        ),
        Mistake(
            "a filter of strings",
            "f64(f64, f64)\"\n        arguments: [$.base, $.a.b]\n        result: $.power",
            "str malloc(str)\"\n        arguments: [$.base]\n        as: filter",
            "job.yaml:27:20: \(place).signature: a string as the result of a filter; expected a "
                + "number or 'bool', which keeps the record unless it is zero"
        ),
        Mistake(
            "an unknown use",
            "result:",
            "as: filtr\n        result:",
            "job.yaml:29:13: \(place).as: the string 'filtr'; expected one of map, filter; did you "
                + "mean 'filter'?"
        ),
        Mistake(
            "samples of another length",
            "result:",
            "samples: [[1]]\n        result:",
            "job.yaml:29:19: \(place).samples[0]: a list; expected a list of 2 values, one for "
                + "each argument of f64(f64, f64)"
        ),
        Mistake(
            "a sample of another type",
            "result:",
            "samples: [[1, x]]\n        result:",
            "job.yaml:29:23: \(place).samples[0][1]: the string 'x'; expected a value for 'f64'; a "
                + "field of the record is written '$.name'"
        ),
    ]
}
