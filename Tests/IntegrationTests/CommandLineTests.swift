import Foundation
import Testing

/// What the commands print, and where.
@Suite("Integration: command line")
struct CommandLineTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{\"n\":1}\n{\"n\":2}\n")
    }

    @Test("--set replaces and adds values; the last one wins")
    func settings() throws {
        try workspace.write("other.jsonl", "{\"n\":3}\n")
        try workspace.write(Job())
        let run = try workspace.apus(
            "run",
            "job.yaml",
            "--json",
            "--set",
            "metadata.name=renamed",
            "--set",
            "spec.sources.in.config.path=gone.jsonl",
            "--set",
            "spec.sources.0.config.path=other.jsonl",
            "--set",
            "spec.sinks.out.config={path: new.jsonl, append: true}",
            "--set",
            "spec.parallelism=1"
        )
        run.expect(status: 0, says: "job 'renamed': started, parallelism 1")
        #expect(workspace.lines("new.jsonl") == ["{\"n\":3}"])
        #expect(!workspace.has("out.jsonl"))
        #expect(try run.summary().job == "renamed")
    }

    @Test("--parallelism counts more than spec.parallelism")
    func parallelism() throws {
        try workspace.write(Job(spec: ["parallelism: 3"]))
        try workspace.apus("run", "job.yaml").expect(status: 0, says: "started, parallelism 3")
        let run = try workspace.apus("run", "job.yaml", "-p", "2")
        run.expect(status: 0, says: "started, parallelism 2")
    }

    @Test("variables of the environment, with and without default")
    func variables() throws {
        var job = Job()
        job.sources = ["{ id: in, plugin: file, config: { path: \"${INPUT}.jsonl\" } }"]
        job.spec = ["parallelism: ${CORES:2}"]
        try workspace.write(job)
        let run = try workspace.apus("run", "job.yaml", environment: ["INPUT": "in"])
        run.expect(status: 0, says: "parallelism 2", "2 records")
        let unset = try workspace.apus("run", "job.yaml")
        unset.expect(status: 2, says: "job.yaml:", "the variable 'INPUT' is not set")
    }

    @Test("--json: the summary and nothing else on standard output")
    func summary() throws {
        try workspace.write(Job.through("plugin: benchmark, component: passthrough"))
        let run = try workspace.apus("run", "job.yaml", "--json", "-p", "2")
        run.expect(status: 0, says: "job 'test': started", "job 'test': finished, 2 records")
        let summary = try run.summary()
        #expect(summary.job == "test")
        #expect(summary.end == "finished")
        #expect(summary.seconds > 0)
        #expect(summary.sourceRecords == 2)
        #expect(summary.deadLetters == 0)
        #expect(summary.deadLetterFile == nil)
        #expect(summary.nodes.map(\.id) == ["in", "middle", "out"])
        #expect(summary.nodes.map(\.recordsIn) == [0, 2, 2])
        #expect(summary.nodes.map(\.recordsOut) == [2, 2, 2])
    }

    @Test("without --json nothing is on standard output but what a sink writes there")
    func standardOutput() throws {
        try workspace.write(Job())
        #expect(try workspace.apus("run", "job.yaml").output.isEmpty)
        try workspace.write(Job(sinks: ["{ id: out, plugin: stdout, input: in }"]))
        #expect(try workspace.apus("run", "job.yaml").output == workspace.text("in.jsonl"))
    }

    @Test("a plugin is looked for beside the job file, then in APUS_PLUGIN_PATH")
    func pluginSearch() throws {
        let other = try Workspace()
        var plugin = TinyPlugin()
        try plugin.build(in: other)
        try workspace.write(Job.through("plugin: tiny"))
        let environment = ["APUS_PLUGIN_PATH": "/nowhere:\(other.path)"]
        let run = try workspace.apus("run", "job.yaml", environment: environment)
        run.expect(status: 0, says: "middle: 2 in, 2 out")
        plugin.process = "return APUS_OK;"
        try plugin.build(in: workspace)
        let nearer = try workspace.apus("run", "job.yaml", environment: environment)
        nearer.expect(status: 0, says: "middle: 2 in, 0 out")
    }

    // MARK: - Progress

    @Test("progress where there is no terminal: whole lines, now and then")
    func plainProgress() async throws {
        try workspace.write(Job.endless(rate: 100))
        let child = try workspace.start(["run", "job.yaml"])
        // A line comes every ten seconds.  Other tests may have the thread meanwhile.
        try await Task.sleep(for: .seconds(10))
        try child.wait(until: "a line of progress", atMost: 10) {
            child.errors.contains(" records, ")
        }
        child.send(SIGINT)
        let run = try child.finish(atMost: 10)
        run.expect(status: 0, says: "job 'test': started")
        #expect(!run.errors.contains("\r") && !run.errors.contains("\u{1b}"), "\(run)")
        let lines = run.errorLines.filter { $0.contains(/^[0-9.]+( [kMG])? records, [0-9]+\/s/) }
        #expect(!lines.isEmpty, "\(run)")
        #expect(lines.first?.contains("event time 2026-01-01T00:00:") == true, "\(run)")
    }

    @Test(
        "progress on a terminal: one line, drawn again, gone at the end",
        .enabled(if: Program.hasTool("script"), "needs `script`, which makes a terminal")
    )
    func liveProgress() throws {
        var job = Job.endless(rate: 100)
        job.sources = [job.sources[0].replacing("rate: 100", with: "rate: 100, count: 150")]
        try workspace.write(job)
        let run = try workspace.tool(
            ["script", "-qec", "exec '\(Program.apus())' run job.yaml -p 1", "/dev/null"])
        #expect(run.end == .exited(0), "\(run)")
        let again = "\r\u{1b}[K"
        let drawn = run.output.components(separatedBy: again)
        #expect(drawn.count >= 3, "\(run)")
        let live = drawn.dropFirst().dropLast()
        #expect(live.allSatisfy { $0.contains(" records, ") && !$0.contains("\n") }, "\(run)")
        #expect(drawn.last?.hasPrefix("job 'test': finished, 150 records") == true, "\(run)")
    }

    @Test(
        "Ctrl-C on a terminal",
        .enabled(if: Program.hasTool("script"), "needs `script`, which makes a terminal")
    )
    func interruptOnTerminal() throws {
        try workspace.write(Job.endless(rate: 100))
        // The terminal turns the character 3 into SIGINT, for all processes on it: a shell that
        // waited for the job would end and take what the job says with it, hence exec.
        let run = try workspace.shell(
            "(sleep 1; printf '\\003') | script -qec \"exec '$0' run job.yaml\" /dev/null"
        )
        #expect(run.end == .exited(0), "\(run)")
        #expect(run.output.contains("stopping: what is under way is delivered"), "\(run)")
        #expect(run.output.contains("stopped on request"), "\(run)")
    }

    // MARK: - Explaining

    @Test("explain --dot is a graph of the language of Graphviz")
    func dot() throws {
        let run = try workspace.apus(
            "job",
            "explain",
            Program.file("samples/flights/job.yaml"),
            "--dot",
            "-p",
            "2"
        )
        run.expect(status: 0)
        try expectDOT(run.output)
        for word in ["departures", "aircraft", "results", "unidentified", "hash @key"] {
            #expect(run.output.contains(word))
        }
        guard Program.hasTool("dot") else { return }
        try workspace.write("plan.dot", run.output)
        try workspace.tool(["dot", "-Tsvg", "-o", "plan.svg", "plan.dot"]).expect(status: 0)
    }

    /// Expects one directed graph whose statements are of known kinds and whose edges join nodes.
    private func expectDOT(_ text: String) throws {
        let quoted = #""(?:[^"\\]|\\.)*""#
        let attributes = "\\[\\w+=(?:\(quoted)|\\w+)(?:, \\w+=(?:\(quoted)|\\w+))*\\]"
        let statements = try [
            "\\w+=(?:\(quoted)|\\w+);", "(?:node|edge) \(attributes);", "n\\d+ \(attributes);",
            "n\\d+ -> n\\d+ \(attributes);", "subgraph \\w+ \\{", "\\}",
        ].map { try Regex($0) }
        let lines = text.lineList.map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(try Regex("digraph \(quoted) \\{").wholeMatch(in: lines.first ?? "") != nil)
        for line in lines.dropFirst() {
            #expect(statements.contains { line.wholeMatch(of: $0) != nil }, "line \(line)")
        }
        #expect(text.count { $0 == "{" } == text.count { $0 == "}" })
        let nodes = Set(lines.compactMap { $0.firstMatch(of: /^(n\d+) \[/)?.1 })
        let edges = lines.compactMap { $0.firstMatch(of: #/^(n\d+) -> (n\d+) /#) }
        #expect(!edges.isEmpty)
        #expect(edges.allSatisfy { nodes.contains($0.1) && nodes.contains($0.2) })
    }

    @Test("explain as text, and validate")
    func explain() throws {
        let job = Program.file("samples/flights/job.yaml")
        let explained = try workspace.apus("job", "explain", job, "-p", "2")
        explained.expect(status: 0)
        for word in [
            "job flights", "parallelism 2", "hash @key", "keyed by tailnum", "unidentified",
        ] {
            #expect(explained.output.contains(word), "\(explained)")
        }
        let valid = try workspace.apus("job", "validate", job, "-p", "2")
        valid.expect(status: 0)
        #expect(valid.output.contains("valid: job 'flights', 1 sources, 1 operators, 2 sinks"))
    }

    @Test("describe: text, and JSON and nothing else")
    func describe() throws {
        for name in ["aircraft", "tickets", "benchmark"] {
            let path = try Program.plugin(name)
            let text = try workspace.apus("plugin", "describe", path)
            text.expect(status: 0)
            #expect(text.output.contains("operator "), "\(text)")
            let json = try workspace.apus("plugin", "describe", path, "--json")
            json.expect(status: 0)
            let object = try json.jsonObject()
            let components = try #require(object["components"] as? [[String: Any]])
            #expect(!components.isEmpty)
            for component in components {
                let id = try #require(component["id"] as? String)
                let kind = try #require(component["kind"] as? String)
                #expect(text.output.contains("\(kind) \(id)  "), "\(text)")
            }
        }
    }
}
