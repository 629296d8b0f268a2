import Foundation
import Testing

/// A job file with a mistake is refused before anything runs: what, where, expected, found, fix.
@Suite("Integration: job files with mistakes")
struct JobFileErrorTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{}\n")
        try workspace.write("out.jsonl", "from yesterday\n")
    }

    /// Expects every command that reads `job.yaml` to refuse it with the same words, and to leave
    /// the output alone.
    private func expectRefused(
        says words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for command in [["run"], ["job", "validate"], ["job", "explain"]] {
            let run = try workspace.start(command + ["job.yaml"]).finish()
            run.expect(status: 2, sourceLocation: sourceLocation)
            for word in words where !run.errors.contains(word) {
                Issue.record("no '\(word)' in \(run)", sourceLocation: sourceLocation)
            }
            #expect(run.output.isEmpty, "\(run)", sourceLocation: sourceLocation)
        }
        let output = workspace.text("out.jsonl")
        #expect(output == "from yesterday\n", sourceLocation: sourceLocation)
    }

    @Test("missing")
    func missing() throws {
        try expectRefused(says: "cannot open job.yaml: No such file or directory")
    }

    @Test("a folder")
    func folder() throws {
        let path = workspace.path("job.yaml")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try expectRefused(says: "job.yaml", "Is a directory")
    }

    @Test("empty")
    func empty() throws {
        try workspace.write("job.yaml", "")
        try expectRefused(says: "job.yaml: the file is empty; expected a job, starting with")
    }

    @Test("not UTF-8")
    func notUTF8() throws {
        let text = Job().text.replacing("name: test", with: "name: \u{1}")
        try workspace.write("job.yaml", Data(text.utf8.map { $0 == 1 ? 0xff : $0 }))
        try expectRefused(says: "job.yaml: not UTF-8; expected")
    }

    @Test("not YAML")
    func notYAML() throws {
        try workspace.write("job.yaml", "spec:\n\tsources: []\n")
        try expectRefused(says: "job.yaml:2:1: not YAML", "indent with spaces")
    }

    @Test("too large")
    func tooLarge() throws {
        let text = Job().text + String(repeating: "# comment\n", count: 120_000)
        try workspace.write("job.yaml", text)
        try expectRefused(says: "job.yaml", "more than 1048576 bytes")
    }

    @Test("an unknown key, with the word that was meant")
    func unknownKey() throws {
        try workspace.write(Job(spec: ["paralelism: 2"]))
        try expectRefused(
            says: "job.yaml:5:3: spec: unknown key 'paralelism'; expected one of parallelism, ",
            "did you mean 'parallelism'?"
        )
    }

    @Test("a cycle")
    func cycle() throws {
        var job = Job.through("plugin: benchmark, component: passthrough")
        job.operators = ["a", "b"].map { id in
            let inputs = id == "a" ? "[in, b]" : "[a]"
            return "{ id: \(id), plugin: benchmark, component: passthrough, inputs: \(inputs) }"
        }
        job.sinks = ["{ id: out, plugin: file, input: b, config: { path: out.jsonl } }"]
        try workspace.write(job)
        try expectRefused(
            says: "job.yaml:8:7: spec.operators[a]: cycle a -> b -> a",
            "without cycles",
            "remove"
        )
    }

    @Test("an id twice")
    func duplicateIDs() throws {
        try workspace.write(Job(sinks: ["{ id: in, plugin: discard, input: in }"]))
        try expectRefused(
            says: "job.yaml:8:7: spec.sinks[in]: the id 'in' is already taken, ",
            "by spec.sources[in] in line 6",
            "expected an id that no other"
        )
    }

    @Test("a node without input")
    func noInput() throws {
        try workspace.write(Job(sinks: ["{ id: out, plugin: discard }"]))
        try expectRefused(says: "job.yaml:8:7: spec.sinks[out].input: no input; expected the id of")
    }

    @Test("an input that does not exist, with the word that was meant")
    func unknownInput() throws {
        try workspace.write(Job(sinks: ["{ id: out, plugin: discard, input: im }"]))
        try expectRefused(says: "unknown node 'im'; expected 'in'; did you mean 'in'?")
    }

    @Test("several mistakes are reported at once")
    func several() throws {
        let job = Job(
            spec: ["buffer-timeout: 5", "parallelism: many"],
            sinks: ["{ id: out, plugin: discard, input: im }"]
        )
        try workspace.write(job)
        try expectRefused(
            says: "job.yaml:5:19: spec.buffer-timeout: the number '5'; expected a duration",
            "spec.parallelism: the string 'many'",
            "unknown node 'im'"
        )
    }

    @Test("a parallelism that cannot be", arguments: ["0", "1025"])
    func parallelism(value: String) throws {
        try workspace.write(Job())
        let run = try workspace.apus("run", "job.yaml", "--parallelism", value)
        run.expect(status: 2, says: "parallelism \(value)", "expected 1 to 1024")
    }

    @Test("a --set that names what is not there")
    func override() throws {
        try workspace.write(Job())
        let run = try workspace.apus("run", "job.yaml", "--set", "spec.sources.inn.plugin=stdin")
        run.expect(status: 2, says: "--set spec.sources.inn.plugin=stdin: ", "did you mean 'in'?")
    }

    @Test("a wrong command line has status 64 and says how to get help")
    func commandLine() throws {
        try workspace.write(Job())
        let lines = [
            ["run"], ["run", "job.yaml", "--parallel"],
            ["run", "job.yaml", "--set", "parallelism"],
            ["run", "job.yaml", "-p", "two"], ["fly"], ["gen", "tickets", "--tickets", "0"],
            ["bench", "nothing"], ["bench", "keyed-count", "--windows", "1"],
        ]
        for line in lines {
            let run = try workspace.start(line).finish()
            run.expect(status: 64, says: "Error: ", "--help")
        }
        #expect(workspace.text("out.jsonl") == "from yesterday\n")
    }
}
