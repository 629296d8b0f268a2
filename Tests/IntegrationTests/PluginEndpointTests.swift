import Foundation
import Glibc
import Testing

/// Goal: sources, sinks and codecs of plugins in whole jobs: what comes out is what went in, once,
/// at any parallelism, and what is wrong is said with the plugin's name.
///
/// Method: `files`, the plugin of ours, and that of `Tests/Plugins/Endpoints`.
@Suite("Integration: sources, sinks and codecs of plugins", .serialized)
struct PluginEndpointTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func buildLetters() throws {
        let source = Program.file("Tests/Plugins/Endpoints/endpoints.c")
        let text = try String(contentsOfFile: source, encoding: .utf8)
        try TinyPlugin.build(text, as: "letters.so", in: workspace)
    }

    /// Files of lines in a folder, `in`.
    private func writeInputs(_ count: Int, lines: Int) throws -> [String] {
        try FileManager.default.createDirectory(
            atPath: workspace.path("in"),
            withIntermediateDirectories: true
        )
        var all: [String] = []
        for file in 0..<count {
            let part = (0..<lines).map { "{\"k\":\"f\(file)\",\"n\":\($0)}" }
            try workspace.write("in/\(file).jsonl", part.joined(separator: "\n") + "\n")
            all += part
        }
        return all.sorted()
    }

    /// The lines of all committed epochs.
    private func committed() throws -> [String] {
        let files = FileManager.default
        guard files.fileExists(atPath: workspace.path("out")) else { return [] }
        let names = try files.contentsOfDirectory(atPath: workspace.path("out"))
        return names.filter { $0.hasPrefix("epoch-") }.sorted()
            .flatMap { workspace.lines("out/\($0)") }
    }

    private static let folder =
        "{ id: in, plugin: files, component: folder, config: { path: in, suffix: .jsonl } }"
    private static let epochs =
        "{ id: out, plugin: files, component: epochs, input: in, config: { path: out } }"

    // MARK: - Whole jobs

    @Test("a folder is copied, at once and with checkpoints", arguments: [1, 3])
    func aFolderIsCopied(parallelism: Int) throws {
        let all = try writeInputs(5, lines: 3000)
        var job = Job()
        job.sources = [Self.folder]
        job.sinks = [
            "{ id: out, plugin: files, component: append, input: in, config: { path: at-once } }"
        ]
        try workspace.write(job)
        try workspace.apus("run", "job.yaml", "-p", "\(parallelism)").expect(status: 0)
        let written = (0..<parallelism).flatMap { workspace.lines("at-once/\($0).txt") }
        #expect(written.sorted() == all)
        #expect(workspace.has("at-once/\(parallelism).txt") == false)

        job.spec = ["checkpoint: { dir: cp, interval: 100ms, min-pause: 0s }"]
        job.sinks = [Self.epochs]
        try workspace.write(job)
        try workspace.apus("run", "job.yaml", "-p", "\(parallelism)").expect(status: 0)
        #expect(try committed().sorted() == all)
    }

    @Test("kills, and other parallelisms in between, lose and double nothing")
    func killsLoseNothing() throws {
        let all = try writeInputs(4, lines: 60_000)
        var job = Job.through("plugin: ./letters.so, component: sum")
        try buildLetters()
        job.spec = ["checkpoint: { dir: cp, interval: 100ms, min-pause: 0s }"]
        job.sources = [Self.folder]
        job.operators = []
        job.sinks = [Self.epochs]
        try workspace.write(job)
        var kills = 0
        var parallelism = 1
        while true {
            let child = try workspace.start(
                ["run", "job.yaml", "-p", "\(parallelism)", "--from", "latest-or-new"]
            )
            if kills < 4 {
                // An event: so many epochs are there.
                let before = try committed().count
                try? child.wait(until: "more is committed", atMost: 10) {
                    try committed().count > before || child.errors.contains("finished")
                }
                child.send(SIGKILL)
            }
            let run = try child.finish(atMost: 60)
            if run.end == .exited(0) { break }
            #expect(run.end == .signalled(SIGKILL), "\(run)")
            kills += 1
            parallelism = parallelism % 3 + 1
        }
        #expect(try committed().sorted() == all, "after \(kills) kills")
    }

    @Test("a private snapshot goes on, at the same and at another parallelism", arguments: [1, 3])
    func aPrivateSnapshotGoesOn(parallelism: Int) throws {
        try buildLetters()
        var job = Job()
        let config = "splits=3 records=40000 endless"
        job.spec = ["checkpoint: { dir: cp, interval: 100ms, min-pause: 0s }"]
        job.sources = [
            "{ id: in, plugin: ./letters.so, component: letters, config: { a: \"\(config)\" } }"
        ]
        job.operators = ["{ id: sum, plugin: ./letters.so, component: sum, input: in }"]
        job.sinks = [
            "{ id: out, plugin: file, input: sum, config: { path: out.txt } }"
        ]
        try workspace.write(job)
        let child = try workspace.start(["run", "job.yaml", "-p", "3"])
        try child.wait(until: "something is delivered", atMost: 20) {
            workspace.lines("out.txt").count > 100
        }
        child.send(SIGKILL)
        _ = try child.finish(atMost: 10)
        // What is left, and the end.
        job.sources = [job.sources[0].replacing(" endless", with: "")]
        try workspace.write(job)
        let rest = try workspace.apus(
            "run",
            "job.yaml",
            "-p",
            "\(parallelism)",
            "--from",
            "latest"
        )
        rest.expect(status: 0)
        let lines = workspace.lines("out.txt")
        let sums: [Int] = lines.filter { $0.hasPrefix("sum ") }
            .compactMap { Int($0.split(separator: " ")[1]) }
        let sum: Int = sums.reduce(0, +)
        #expect(lines.filter { !$0.hasPrefix("sum ") }.count == 120_000)
        #expect(sums.count == parallelism)
        #expect(sum == 2_399_940_000)
    }

    @Test("records' own keys and times are used, or those that the job names")
    func keysAndTimes() throws {
        try buildLetters()
        try TallyPlugin.build(in: workspace)
        var job = Job()
        for (key, watermark, config) in [
            ("\"@key\"", "{ out-of-order: 1s }", "records=100"),
            ("k", "{ field: t, unit: us }", "records=100 json"),
        ] {
            job.sources = [
                "{ id: in, plugin: ./letters.so, component: letters, parallelism: 2, "
                    + "watermark: \(watermark), config: { a: \"\(config)\" } }"
            ]
            job.operators = ["{ id: middle, plugin: ./libtally.so, input: in, key: \(key) }"]
            job.sinks = ["{ id: out, plugin: discard, input: middle }"]
            try workspace.write(job)
            let run = try workspace.apus("run", "job.yaml", "-p", "3", "--json")
            run.expect(status: 0)
            let nodes = try run.jsonObject()["nodes"] as? [[String: Any]] ?? []
            let middle = try #require(nodes.first { $0["id"] as? String == "middle" })
            #expect(middle["recordsIn"] as? Int == 300)
            #expect(middle["rejected"] as? Int == 0, "\(middle)")
        }
        // A record without the time that the job names goes to the dead letters.
        job.sources = [
            "{ id: in, plugin: ./letters.so, component: letters, watermark: { field: t }, "
                + "config: { a: \"records=2 splits=1\" } }"
        ]
        job.operators = []
        job.sinks = ["{ id: out, plugin: discard, input: in }"]
        try workspace.write(job)
        try workspace.apus("run", "job.yaml").expect(status: 0)
        #expect(workspace.lines("test.dead-letter.jsonl").count == 2)
    }

    // MARK: - Codecs

    @Test("frames go through a codec, from a file, from standard input and back")
    func codecs() throws {
        var frames = Data()
        let values = (0..<5000).map { "value \($0) " + String(repeating: "x", count: $0 % 300) }
        for value in values + ["with\nline feeds\n", ""] {
            let count = UInt32(value.utf8.count)
            frames += Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) })
            frames += Data(value.utf8)
        }
        try workspace.write("in.bin", frames)
        let format = "format: { plugin: files, component: length-prefixed }"
        var job = Job()
        job.sources = ["{ id: in, plugin: file, config: { path: in.bin, \(format) } }"]
        job.sinks = ["{ id: out, plugin: file, input: in, config: { path: out.bin, \(format) } }"]
        for spec in [[], ["checkpoint: { dir: cp, interval: 100ms }"]] {
            job.spec = spec
            try workspace.write(job)
            try workspace.apus("run", "job.yaml").expect(status: 0)
            #expect(FileManager.default.contents(atPath: workspace.path("out.bin")) == frames)
        }
        job.spec = []
        job.sources = ["{ id: in, plugin: stdin, config: { \(format) } }"]
        job.sinks = ["{ id: out, plugin: stdout, input: in, config: { \(format) } }"]
        try workspace.write(job)
        let run = try workspace.shell("$0 run job.yaml < in.bin > out2.bin")
        run.expect(status: 0)
        #expect(FileManager.default.contents(atPath: workspace.path("out2.bin")) == frames)

        try workspace.write("in.bin", frames + Data([0, 0, 0, 9, 1]))
        let cut = try workspace.shell("$0 run job.yaml < in.bin > out3.bin")
        cut.expect(status: 1, says: "the last 5 bytes are no whole frame: the input was cut off")
    }

    @Test("what a codec refuses goes to the dead letters, on both sides")
    func refusedFrames() throws {
        try buildLetters()
        try workspace.write("in.txt", "one\nbad one\ntwo\n")
        var job = Job()
        job.sources = [
            "{ id: in, plugin: file, config: { path: in.txt, "
                + "format: { plugin: ./letters.so, component: lines } } }"
        ]
        try workspace.write(job)
        try workspace.apus("run", "job.yaml").expect(status: 0)
        #expect(workspace.lines("out.jsonl") == ["one", "two"])
        #expect(workspace.lines("test.dead-letter.jsonl").count == 1)
        try workspace.write("in.jsonl", "{\"bad\":1}\n{}\n")
        job.sources = Job().sources
        job.sinks = [
            "{ id: out, plugin: file, input: in, config: { path: out.txt, "
                + "format: { plugin: ./letters.so, component: commas } } }"
        ]
        try workspace.write(job)
        try workspace.apus("run", "job.yaml").expect(status: 0)
        #expect(workspace.text("out.txt") == "{\"bad\":1},{},")
        job.sinks = [
            "{ id: out, plugin: file, input: in, config: { path: out.txt, "
                + "format: { plugin: ./letters.so, component: lines } } }"
        ]
        try workspace.write(job)
        try workspace.apus("run", "job.yaml")
            .expect(status: 2, says: "spec.sinks[out].config.format", "has no encode")
    }

    // MARK: - Secrets

    @Test("plugins get secrets, and nobody is shown them")
    func secrets() throws {
        try buildLetters()
        try workspace.write("in.jsonl", "{\"a\":1}\n")
        try workspace.write("token.txt", "t0p-secret-file\n")
        var job = Job.through("plugin: ./letters.so, component: secret")
        job.spec = ["secrets: { token: { file: token.txt }, pass: { env: APUS_TEST_PASS } }"]
        job.sources = [
            "{ id: in, plugin: file, config: { path: names.txt, "
                + "format: { plugin: ./letters.so, component: lines } } }"
        ]
        try workspace.write("names.txt", "token\npass\nnone\n")
        try workspace.write(job)
        let environment = ["APUS_TEST_PASS": "hunter2-hunter2"]
        let run = try workspace.apus("run", "job.yaml", environment: environment)
        run.expect(status: 0)
        #expect(workspace.lines("out.jsonl") == ["15 t", "15 h", "code 4"])
        let explained = try workspace.apus("job", "explain", "job.yaml", environment: environment)
        explained.expect(prints: "secret token from the file token.txt")
        let validated = try workspace.apus(
            "job",
            "validate",
            "job.yaml",
            "--json",
            environment: environment
        )
        for shown in [run, explained, validated] {
            for secret in ["t0p-secret", "hunter2"] {
                #expect(!(shown.output + shown.errors).contains(secret), "\(shown)")
            }
        }
        let missing = try workspace.apus("run", "job.yaml")
        missing.expect(
            status: 2,
            says: "job.yaml:5:42: spec.secrets.pass: the variable APUS_TEST_PASS is not set"
        )
        try workspace.write("token.txt", "\n")
        try workspace.apus("run", "job.yaml", environment: environment)
            .expect(status: 2, says: "spec.secrets.token: the file token.txt is empty")
        try FileManager.default.removeItem(atPath: workspace.path("token.txt"))
        try workspace.apus("run", "job.yaml", environment: environment)
            .expect(status: 2, says: "spec.secrets.token: ", "token.txt: No such file")
    }
}
