import Foundation
import Testing

/// Goal: `apus plugin check` finds what it says it finds, and nothing in plugins that are sound.
///
/// Method: a sound plugin, `Tests/Plugins/Faulty`, compiled once per check with one real fault that
/// this check must find; and the plugins of this repository.
@Suite("Integration: apus plugin check")
struct PluginCheckTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// A result as `--json` prints it.
    private struct Result: Decodable {
        var check: String
        var verdict: String
        var message: String
        var seed: UInt64?
        var isBad: Bool { ["fail", "crash", "hang"].contains(verdict) }
    }

    private struct Report: Decodable {
        var seed: UInt64
        var results: [Result]
        var bad: [String] { results.filter(\.isBad).map(\.check) }
    }

    /// An operator, and one that makes asynchronous calls.
    private static let sources = ["faulty", "faulty_async"]

    /// The faults that the plugins can have, by the checks that find them, and where they are.
    private static let sourceOfFault: [String: String] = {
        var found: [String: String] = [:]
        for source in sources {
            let file = Program.file("Tests/Plugins/Faulty/\(source).c")
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            // An unreadable file shows as no faults, which a test notices.
            for match in text.matches(of: /FAULT_([A-J][0-9]+m?)/) {
                found[String(match.1)] = source
            }
        }
        return found
    }()

    static let faults: [String] = sourceOfFault.keys.sorted()

    private func build(fault: String?, source: String? = nil) throws -> String {
        let source = source ?? fault.flatMap { Self.sourceOfFault[$0] } ?? Self.sources[0]
        let name = "lib\(fault ?? "sound").so"
        let run = try workspace.tool(
            ["clang", "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
                + ["-fvisibility=hidden", "-I", Program.file("sdk/c/include")]
                + (fault.map { ["-DFAULT_\($0)"] } ?? [])
                + [Program.file("Tests/Plugins/Faulty/\(source).c"), "-o", name, "-lpthread"]
        )
        try #require(run.end == .exited(0), "\(run)")
        return name
    }

    private func check(_ file: String, _ arguments: String...) throws -> (run: Run, report: Report)
    {
        let run = try workspace.start(
            ["plugin", "check", file, "--json", "--seed", "7", "--strictness", "10"] + arguments
        ).finish(atMost: 300)
        return (run, try JSONDecoder().decode(Report.self, from: Data(run.output.utf8)))
    }

    // MARK: - Faults

    @Test("each check finds the fault that was planted for it", arguments: faults)
    func eachCheckFindsItsFault(fault: String) throws {
        let (run, report) = try check(try build(fault: fault), "--only", "^\(fault) ")
        let result = try #require(report.results.first, "\(run)")
        #expect(report.results.count == 1 && result.check == fault, "\(run)")
        // Some checks only warn, because what they find may be meant.
        let isFound =
            ["B17", "E62", "G78", "H84"].contains(fault) ? result.verdict == "warn" : result.isBad
        #expect(isFound, "\(run)")
        #expect(!result.message.isEmpty)
        #expect(run.end == .exited(result.isBad ? 1 : 0))
    }

    @Test("in the same plugin without a fault no check finds any")
    func noFault() throws {
        #expect(Self.faults.count >= 50)
        for source in Self.sources {
            let (run, report) = try check(try build(fault: nil, source: source))
            #expect(report.bad.isEmpty, "\(run)")
            #expect(run.end == .exited(0))
            // A check that is skipped would find no fault either.
            let passed = Set(report.results.filter { $0.verdict != "skip" }.map(\.check))
            let own = Self.faults.filter { Self.sourceOfFault[$0] == source }
            #expect(own.filter { !passed.contains($0) } == [], "\(run)")
        }
    }

    /// Faults that no other check may complain of: they have no other effect.
    static let narrowFaults = [
        "C28", "C30", "D35", "D43", "E53", "E55", "E60", "E61", "F71", "G77", "H86", "H89",
    ]

    @Test("a fault that has one effect is found by one check alone", arguments: narrowFaults)
    func oneCheckAlone(fault: String) throws {
        let (run, report) = try check(try build(fault: fault), "--exclude", "^I90")
        #expect(report.bad == [fault], "\(run)")
    }

    // MARK: - Sound plugins

    @Test(
        "the plugins of this repository pass at strictness 5",
        arguments: [
            ["benchmark", "passthrough", "{}"], ["benchmark", "keyed-count", "{}"],
            ["benchmark", "store", "{}"], ["benchmark", "arm", "{}"],
            ["benchmark", "timers", "{}"],
            ["aircraft", "aircraft", #"{"dep-delay-column":5,"arr-delay-column":8}"#],
            ["tickets", "tickets", "{}"],
        ]
    )
    func soundPlugins(plugin: [String]) throws {
        try workspace.write("sample.txt", try Self.sample(of: plugin[0], workspace))
        let run = try workspace.start([
            "plugin", "check", try Program.plugin(plugin[0]), "--component", plugin[1],
            "--config", plugin[2], "--sample", "sample.txt", "--json", "--seed", "11",
        ]).finish(atMost: 300)
        let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
        #expect(report.bad.isEmpty, "\(run)")
        #expect(run.end == .exited(0))
        // Not for want of anything to do.
        let split = try #require(report.results.first { $0.check == "E48" })
        #expect(split.verdict == "pass", "\(split)")
    }

    private static func sample(of plugin: String, _ workspace: Workspace) throws -> String {
        switch plugin {
        case "aircraft":
            let data = Program.file("samples/flights/data/flights-2013-01.csv.gz")
            let run = try workspace.shell("gzip -dc \(data) | sed -n '2,500p'")
            return run.output
        case "tickets":
            try workspace.apus("gen", "tickets", "--tickets", "20").expect(status: 0)
            return workspace.text("events.jsonl")
        default: return "some words\n17\n"
        }
    }

    // MARK: - The command

    @Test("a run with a seed can be reproduced, and says how")
    func reproduce() throws {
        let file = try build(fault: "E55")
        let first = try workspace.apus("plugin", "check", file, "--only", "^E55", "--seed", "99")
        first.expect(status: 1)
        #expect(first.output.contains("E55   fail  resumes-after-limit [tally]"), "\(first)")
        #expect(first.output.contains("apus plugin check \(file) --reproduce E55:99"), "\(first)")
        #expect(first.output.hasSuffix("0 passed, 0 warned, 1 failed, 0 skipped\n"), "\(first)")
        let again = try workspace.apus("plugin", "check", file, "--reproduce", "E55:99")
        #expect(again.output == first.output)
        let inside = try workspace.apus(
            "plugin",
            "check",
            file,
            "--reproduce",
            "E55:99",
            "--in-process"
        )
        #expect(inside.output == first.output)
    }

    @Test("a trace has the call that crashed as its last one, and is what Perfetto reads")
    func trace() throws {
        let file = try build(fault: "E52")
        let run = try workspace.apus(
            "plugin",
            "check",
            file,
            "--only",
            "^E52",
            "--trace",
            "calls.json"
        )
        run.expect(status: 1)
        let lines = workspace.lines("calls.json")
        try #require(lines.first == "[")
        // The array is left open, as Chrome's own traces may be.
        let events = try JSONSerialization.jsonObject(
            with: Data((String(lines.joined(separator: "\n").dropLast()) + "]").utf8)
        )
        let list = try #require(events as? [[String: Any]])
        // What the host did for the call lies behind its begin.
        let last = try #require(list.last { ["B", "E"].contains($0["ph"] as? String) })
        #expect(last["name"] as? String == "process" && last["ph"] as? String == "B", "\(last)")
        #expect(list.contains { $0["name"] as? String == "create" })
    }

    @Test("reports for programs and for continuous integration are written")
    func reports() throws {
        let file = try build(fault: "C30")
        let run = try workspace.apus(
            "plugin",
            "check",
            file,
            "--only",
            "^C",
            "--junit",
            "report.xml",
            "--only-failed"
        )
        run.expect(status: 1)
        #expect(run.output.contains("C30   fail") && !run.output.contains("C28"), "\(run)")
        let junit = workspace.text("report.xml")
        #expect(junit.contains(#"name="C30 semantic-version""#), "\(junit)")
        #expect(
            junit.contains(#"<failure type="fail" message="the version is '1.0'; "#),
            "\(junit)"
        )
        #expect(
            try workspace.tool([
                "python3", "-c",
                """
                import xml.etree.ElementTree as t
                assert t.parse('report.xml').getroot().get('failures') == '1'
                """,
            ]).end == .exited(0)
        )
    }

    @Test("a file that is no plugin fails the check of loading, and the others say why")
    func notAPlugin() throws {
        try workspace.write("text.so", "no library")
        let run = try workspace.apus("plugin", "check", "text.so", "--json")
        run.expect(status: 1)
        let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
        #expect(report.bad.contains("B15"), "\(run)")
        #expect(report.bad.contains("A1"), "\(run)")
        #expect(report.results.filter { $0.verdict == "pass" }.isEmpty, "\(run)")
    }

    @Test("golden files of older versions are migrated and compared")
    func golden() throws {
        let file = try build(fault: nil)
        try workspace.tool(["mkdir", "-p", "golden/last/1"])
        try workspace.write("golden/last/1/a.bin", "hello!")
        try workspace.write("golden/last/1/a.expected", "hello")
        let good = try workspace.apus(
            "plugin",
            "check",
            file,
            "--only",
            "^F71",
            "--golden",
            "golden"
        )
        good.expect(prints: "F71   pass  pure-migration", "1 golden files")
        try workspace.write("golden/last/1/a.expected", "hullo")
        let bad = try workspace.apus(
            "plugin",
            "check",
            file,
            "--only",
            "^F71",
            "--golden",
            "golden"
        )
        bad.expect(status: 1)
        #expect(bad.output.contains("became ['hello'] instead of ['hullo']"), "\(bad)")
    }

    @Test("fuzzing goes on for as long as it is told, and finds what takes several things at once")
    func fuzz() throws {
        let sound = try workspace.apus("plugin", "check", try build(fault: nil), "--fuzz", "1s")
        sound.expect(prints: "J91   pass  fuzz", "rounds")
        let faulty = try workspace.apus("plugin", "check", try build(fault: "E55"), "--fuzz", "10s")
        faulty.expect(status: 1)
        #expect(faulty.output.contains("J91   fail  fuzz"), "\(faulty)")
    }

    @Test("mistakes on the command line are explained")
    func mistakes() throws {
        let cases: [([String], String)] = [
            (["plugin", "check"], "which file? FILE is missing"),
            (["plugin", "check", "x.so", "--strictness", "11"], "expected 1 to 10"),
            (["plugin", "check", "x.so", "--only", "["], "is not a regular expression"),
            (["plugin", "check", "x.so", "--reproduce", "Z1:2"], "expected CHECK:SEED"),
            (["plugin", "check", "x.so", "--fuzz", "soon"], "expected 30s, 10m or 2h"),
            (["plugin", "check", "x.so", "--jobs", "0"], "expected 1 to 64"),
        ]
        for (arguments, words) in cases {
            try workspace.start(arguments).finish().expect(status: 64, says: words)
        }
        let config = try workspace.apus("plugin", "check", "x.so", "--config", "no.json")
        config.expect(status: 2, says: "'no.json' is neither JSON nor the name of a file with it")
        let none = try workspace.apus("plugin", "check", "x.so", "--only", "nothing-like-it")
        none.expect(status: 2, says: "no check was run")
    }

    @Test("the table in docs/plugin-check.md is the one that the program prints")
    func documentation() throws {
        let list = try workspace.apus("plugin", "check", "--list", "--markdown")
        list.expect(status: 0)
        let page = try String(contentsOfFile: Program.file("docs/plugin-check.md"), encoding: .utf8)
        #expect(page.contains(list.output), "run: apus plugin check --list --markdown")
    }
}
