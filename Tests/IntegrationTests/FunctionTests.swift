import Foundation
import Glibc
import Testing

/// C functions in job files: what is refused before anything runs, and with which words; and what
/// happens when one misbehaves later.
@Suite("Integration: functions")
struct FunctionTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{\"x\":1}\n{\"x\":0}\n")
        let folder = "Tests/Plugins/Functions"
        try compile("clang", "-std=c11", "\(folder)/functions.c", "libfunctions.so")
        try compile("clang++", "-std=c++17", "\(folder)/throwing.cpp", "libthrowing.so")
    }

    private func compile(
        _ compiler: String,
        _ standard: String,
        _ source: String,
        _ library: String
    ) throws {
        let run = try workspace.tool(
            [compiler, standard, "-O1", "-fvisibility=hidden", "-shared", "-fPIC"]
                + [Program.file(source), "-o", library]
        )
        run.expect(status: 0)
    }

    /// A job with a function; keys of its mapping as `library: x`.
    private func job(_ function: String) -> Job {
        Job.through("function: { \(function) }")
    }

    /// A function of the test library that takes the field `x`.
    private static func own(
        _ symbol: String,
        _ signature: String,
        arguments: String = "[$.x]",
        more: String = ""
    ) -> String {
        "library: ./libfunctions.so, symbol: \(symbol), signature: \"\(signature)\", "
            + "arguments: \(arguments), result: $.r\(more)"
    }

    // MARK: - Refused

    /// A function that is refused, and words of the message.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let function: String
        let words: [String]

        init(_ function: String, _ words: String...) {
            self.function = function
            self.words = words
        }

        var testDescription: String { function }
    }

    private static let refusals = [
        Refusal(
            own("crash", "i32(i32)"),
            "job.yaml:8:",
            "spec.operators[middle].function: function crash of ./libfunctions.so: ",
            "crashed in the trial call crash(1): SIGSEGV (access to memory that is not there); is "
                + "i32(i32) what its declaration says?"
        ),
        Refusal(
            own("leave", "i32(i32)"),
            "exit() was called in the trial call leave(1); is i32(i32) what"
        ),
        Refusal(
            own("leave_at_once", "i32(i32)"),
            "_exit() was called in the trial call leave_at_once(1); is i32(i32)"
        ),
        Refusal(own("stop", "i32(i32)"), "crashed in the trial call stop(1): SIGABRT"),
        Refusal(
            own("divide", "i32(i32, i32)", arguments: "[$.x, 0]"),
            "crashed in the trial call divide(1, 0): SIGFPE (integer division by zero",
            "give others under 'samples'"
        ),
        Refusal(
            own("hang", "i32(i32)"),
            "did not return within 5 s in the trial call hang(1); is i32(i32) what"
        ),
        // Parameters that were not declared.
        Refusal(
            own("needs_two_texts", "i32(str)"),
            "crashed in the trial call needs_two_texts(\"apus\"): SIGSEGV",
            "Parameters that are missing hold wild values in a trial"
        ),
        Refusal(
            own("needs_three", "i64(i64, i64)", arguments: "[$.x, $.x]"),
            "the result of needs_three(1, 2) depends on more arguments than i64(i64, i64) has: 4 "
                + "or 6, by what happens to be in the next registers; compare the signature"
        ),
        Refusal(
            own("add", "f64(f64)"),
            "the result of add(1.5) depends on more arguments than f64(f64) has: 2.75 or -2.25"
        ),
        Refusal(
            own("too_many", "void(f64[], out f64[], n)"),
            "crashed in the trial call too_many([1.5, 2.5, 3.5], out, 3): SIGSEGV"
        ),
        Refusal(
            "library: libc.so.6, symbol: strlen, signature: \"u64(bytes)\", arguments: [$.x], "
                + "result: $.r",
            "crashed in the trial call strlen(\"apus\"): SIGSEGV"
        ),
        Refusal(
            own("counter", "i64()", arguments: "[]", more: ", pure: true"),
            "it is declared pure, and returned 1 and then 2 for counter(); remove 'pure: true'"
        ),
        // What is no function, or cannot be called.
        Refusal(
            own("a_variable", "i32(i32)"),
            "'a_variable' is a variable and no function; name the function that returns it"
        ),
        Refusal(
            own("a_thread_local", "i32(i32)"),
            "'a_thread_local' is a thread-local variable and no function"
        ),
        Refusal(
            own("divid", "i32(i32)"),
            "the library './libfunctions.so' has no symbol 'divid'",
            "did you mean 'divide'?"
        ),
        Refusal(
            "library: ./libthrowing.so, symbol: mangled, signature: \"i64(i64)\", "
                + "arguments: [$.x], result: $.r",
            "has no symbol 'mangled'",
            "did you mean '_Z7mangledl'? It is a C++ function: declare it 'extern \"C\"'"
        ),
        Refusal(
            "library: ./libthrowing.so, symbol: fussy, signature: \"i64(i64)\", "
                + "arguments: [$.x], result: $.r, samples: [[-1]]",
            "threw an exception in the trial call fussy(-1): negative: -1; give values that it "
                + "takes under 'samples'"
        ),
        Refusal(
            "library: libc.so.6, symbol: printf, signature: \"i32(str)\", arguments: [$.x], "
                + "result: $.r",
            "function printf of libc.so.6: it takes a variable number of arguments, and such "
                + "functions are called in another way; write a C function of your own around it"
        ),
        Refusal(
            "library: libc.so.6, symbol: div, signature: \"i64(i32, i32)\", "
                + "arguments: [$.x, 2], result: $.r",
            "it passes or returns a struct or a complex number by value; write a C function"
        ),
        Refusal(
            "library: libc.so.6, symbol: qsort, signature: \"i32(u64)\", arguments: [$.x], "
                + "result: $.r",
            "it takes a function to call back; write a C function"
        ),
        Refusal(
            "library: libc.so.6, symbol: abort, signature: \"i32()\", result: $.r",
            "it ends the process, or leaves the call without return; write a C function"
        ),
        // Libraries that are not there.
        Refusal(
            "library: ./nothing.so, symbol: f, signature: \"i32()\", result: $.r",
            "cannot load the library './nothing.so'",
            "No such file or directory; is the path right? It is relative to the job file"
        ),
        Refusal(
            "library: libnosuchthing.so.1, symbol: f, signature: \"i32()\", result: $.r",
            "cannot load the library 'libnosuchthing.so.1'",
            "looked for where the dynamic linker looks: LD_LIBRARY_PATH, the cache of ldconfig"
        ),
        Refusal(
            "library: libm.so.7, symbol: f, signature: \"i32()\", result: $.r",
            "cannot load the library 'libm.so.7'",
            "did you mean 'libm.so.6'?"
        ),
        Refusal(
            "library: ./in.jsonl, symbol: f, signature: \"i32()\", result: $.r",
            "cannot load the library './in.jsonl'"
        ),
    ]

    @Test("is refused before anything runs", arguments: refusals)
    func isRefused(refusal: Refusal) throws {
        try workspace.write(job(refusal.function))
        let isSlow = refusal.function.contains("hang")
        for command in isSlow ? [["run"]] : [["run"], ["job", "validate"], ["job", "explain"]] {
            let run = try workspace.start(command + ["job.yaml"]).finish()
            run.expect(status: 2)
            for word in refusal.words where !run.errors.contains(word) {
                Issue.record("no '\(word)' in \(run)")
            }
            #expect(run.output.isEmpty, "\(run)")
        }
        #expect(!workspace.has("out.jsonl"))
    }

    // MARK: - Accepted

    @Test("functions that print, are resolved at load time, or are called like others, work")
    func accepted() throws {
        for (function, result) in [
            (Self.own("talks", "i32(i32)"), "1"), (Self.own("resolved", "i64(i64)"), "2"),
            (Self.own("syslog", "i32(i32)"), "2"),
            (Self.own("divide", "i32(i32, i32)", arguments: "[$.x, 1]"), "1"),
        ] {
            try workspace.write(job(function))
            let run = try workspace.apus("run", "job.yaml")
            run.expect(status: 0)
            #expect(workspace.lines("out.jsonl").first == "{\"x\":1,\"r\":\(result)}", "\(run)")
        }
    }

    @Test("the plan shows the function, its use, and what the trial returned")
    func explain() throws {
        let arguments = "[$.x, $.y]"
        let samples = ", samples: [[7, 2], [9, -3]], thread-safe: true, pure: true"
        try workspace.write(
            job(Self.own("divide", "i32(i32,i32)", arguments: arguments, more: samples))
        )
        let text = try workspace.apus("job", "explain", "job.yaml")
        text.expect(
            prints: "middle (operator)",
            "function divide of ./libfunctions.so: i32(i32, i32)",
            "$.r = divide($.x, $.y), calls on all threads",
            "called by a compiled loop; tried: divide(7, 2) = 3, divide(9, -3) = -3"
        )
        let json = try workspace.apus("job", "explain", "job.yaml", "--json").jsonObject()
        let nodes = try #require(json["nodes"] as? [[String: Any]])
        let function = try #require(nodes[1]["function"] as? [String: Any])
        #expect(function["library"] as? String == "./libfunctions.so")
        #expect(function["symbol"] as? String == "divide")
        #expect(function["signature"] as? String == "i32(i32, i32)")
        #expect(function["arguments"] as? [String] == ["$.x", "$.y"])
        #expect(function["result"] as? String == "$.r")
        #expect(function["use"] as? String == "map")
        #expect(function["threadSafe"] as? Bool == true)
        #expect(nodes[0]["function"] == nil)
        try workspace.write(
            job(Self.own("counter", "i64()", arguments: "[]", more: ", samples: []"))
        )
        try workspace.apus("job", "validate", "job.yaml").expect(prints: "valid")
        try workspace.apus("job", "explain", "job.yaml")
            .expect(prints: "called by libffi, not tried")
    }

    // MARK: - At run time

    @Test("a division by zero at run time names the function, the operator and the subtask")
    func crashAtRunTime() throws {
        let function = Self.own("divide", "i32(i32, i32)", arguments: "[7, $.x]")
        try workspace.write(job(function))
        let run = try workspace.apus("run", "job.yaml", "-p", "1")
        run.expect(
            signal: SIGFPE,
            says:
                "apus: crash: SIGFPE (integer division by zero or overflow) in function divide of "
                + "./libfunctions.so, operator middle, subtask 0, callback call\n"
        )
    }

    @Test("a stack overflow at run time names the function")
    func stackOverflow() throws {
        try workspace.write(job(Self.own("deep", "i64(i64)")))
        let run = try workspace.apus("run", "job.yaml", "-p", "1")
        run.expect(signal: SIGSEGV, says: "in function deep of ./libfunctions.so, operator middle")
    }

    @Test("a function that calls exit at run time does not end the job as if all were well")
    func exitAtRunTime() throws {
        try workspace.write(job(Self.own("leave", "i32(i32)", more: ", samples: []")))
        let run = try workspace.apus("run", "job.yaml", "-p", "1")
        run.expect(
            status: 3,
            says: "apus: crash: exit() was called in function leave of ./libfunctions.so, operator "
                + "middle, subtask 0"
        )
    }

    @Test("job status shows what an operator calls")
    func status() throws {
        var job = job(
            "library: libm.so.6, symbol: fabs, signature: \"f64(f64)\", arguments: [1], result: $"
        )
        job.sources = Job.endless().sources
        job.sinks = ["{ id: out, plugin: discard, input: middle }"]
        try workspace.write(job)
        let running = try workspace.start(["run", "job.yaml", "--control", "control.sock"])
        try running.wait(until: "it runs") { running.errors.contains("started, parallelism") }
        let text = try workspace.apus("job", "status", "--control", "control.sock")
        text.expect(prints: "calls fabs of libm.so.6: f64(f64)")
        let status = try workspace.apus("job", "status", "--control", "control.sock", "--json")
        let nodes = try #require(try status.jsonObject()["nodes"] as? [[String: Any]])
        #expect(
            nodes.map { $0["function"] as? String } == [nil, "fabs of libm.so.6: f64(f64)", nil]
        )
        running.send(SIGTERM)
        _ = try running.finish()
    }

    // MARK: - Documentation and benchmark

    /// The first fenced block of docs/functions.md in a language that has some words.
    private func block(_ language: String, with words: String) throws -> String {
        let page = try String(contentsOfFile: Program.file("docs/functions.md"), encoding: .utf8)
        let blocks = page.components(separatedBy: "```\(language)\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
        return try #require(blocks.first { $0.contains(words) }) + "\n"
    }

    @Test("the first example of docs/functions.md does what it says")
    func example() throws {
        try workspace.write("power.yaml", try block("yaml", with: "name: power"))
        let commands = try block("", with: "apus run power.yaml").replacing(
            "apus ",
            with: "\"$0\" "
        )
        let run = try workspace.shell(commands)
        run.expect(prints: "{\"base\":2,\"exponent\":10,\"power\":1024.0}\n")
        #expect(run.output.lineList.count == 1)
        #expect(
            workspace.text("power.dead-letter.jsonl").contains(
                "field '$.base' is the string 'two'; expected f64 (a number)"
            )
        )
        try workspace.apus("job", "explain", "power.yaml").expect(
            prints: "function pow of libm.so.6: f64(f64, f64)",
            "$.power = pow($.base, $.exponent), NaN becomes null, calls on all threads",
            "called by a compiled loop; tried: pow(1.5, 2.5) = 2.7556759606310752"
        )
    }

    @Test("the checksum and the library of one's own of docs/functions.md work")
    func otherExamples() throws {
        try workspace.write("in.jsonl", "{\"price\":2,\"amount\":3}\n")
        let score = try block("c", with: "void score(").replacing(
            ");",
            with: ") { for (size_t i = 0; i < n; i++) out[i] = price[i] * amount[i] * (1 + rate); }"
        )
        try workspace.write("score.c", "#include <stddef.h>\n" + score)
        try workspace.write("mine.c", try block("c", with: "remainder_of"))
        try workspace.shell("clang -shared -fPIC -o libscore.so score.c").expect(status: 0)
        try workspace.shell(
            try block("", with: "-o libmine.so").replacing("cc ", with: "clang ")
        ).expect(status: 0)
        for (words, result) in [
            ("symbol: score", "{\"price\":2,\"amount\":3,\"score\":7.14}"),
            ("symbol: crc32", "{\"price\":2,\"amount\":3,\"crc\":289767283}"),
        ] {
            let function = try block("yaml", with: words).lineList
                .map { "      \($0)\n" }.joined()
            let job = Job.through("plugin: x").text
                .replacing(
                    "{ id: middle, input: in, plugin: x }",
                    with: "id: middle\n      input: in\n\(function)"
                )
            try workspace.write("job.yaml", job)
            try workspace.apus("run", "job.yaml").expect(status: 0)
            #expect(workspace.lines("out.jsonl") == [result])
        }
        let mine =
            "library: ./libmine.so, symbol: remainder_of, signature: \"i32(i32, i32)\", "
            + "arguments: [$.amount, $.price], result: $.r"
        try workspace.write(job(mine))
        try workspace.apus("run", "job.yaml").expect(status: 0)
        #expect(workspace.lines("out.jsonl") == ["{\"price\":2,\"amount\":3,\"r\":1}"])
    }

    @Test("the benchmark measures every way, alone and in a job")
    func benchmark() throws {
        let run = try workspace.apus(
            "bench",
            "functions",
            "--runs",
            "1",
            "--records",
            "3000",
            "--json"
        )
        let result = try run.jsonObject()
        for (key, ways) in [
            ("bare", ["direct", "loop", "libffi", "batch"]),
            ("job", ["none", "loop", "libffi", "batch"]),
        ] {
            let figures = try #require(result[key] as? [[String: Any]])
            #expect(figures.map { $0["way"] as? String } == ways)
            for figure in figures {
                #expect(figure["runs"] as? Int == 1)
                #expect((figure["nanoseconds_per_record"] as? Double ?? 0) > 0)
            }
        }
        let wrong = try workspace.apus("bench", "functions", "--keys", "3")
        wrong.expect(
            status: 64,
            says: "--keys has no meaning for 'functions'; it takes --records, --runs"
        )
    }
}
