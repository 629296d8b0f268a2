import Foundation
import Testing

/// Files that cannot be read or written: what is known before the job starts is status 2, and what
/// shows while it runs is status 1.
@Suite("Integration: inputs and outputs with mistakes")
struct EndpointErrorTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{\"n\":1}\n{\"n\":2}\n")
    }

    private static let incomplete = "The output so far is not complete."

    @Test("an input that is missing leaves the output as it was")
    func missingInput() throws {
        try workspace.write("out.jsonl", "from yesterday\n")
        try workspace.write(Job())
        let run = try workspace.apus("run", "job.yaml", "--set", "spec.sources.in.config.path=gone")
        run.expect(status: 2, says: "'in'", "cannot open gone: No such file or directory")
        #expect(workspace.text("out.jsonl") == "from yesterday\n")
        #expect(run.output.isEmpty)
    }

    @Test("an input that is a folder")
    func folderAsInput() throws {
        try workspace.write("out.jsonl", "from yesterday\n")
        try workspace.write(Job())
        let run = try workspace.apus("run", "job.yaml", "--set", "spec.sources.in.config.path=.")
        run.expect(status: 2, says: "'in'", "cannot open .: Is a directory")
        #expect(workspace.text("out.jsonl") == "from yesterday\n")
    }

    @Test("a configuration that the plugin refuses leaves the output as it was")
    func refusedConfiguration() throws {
        try TinyPlugin(create: "return apus_fail(error, APUS_CONFIG, \"expected size: 1 to 9\");")
            .build(in: workspace)
        try workspace.write("out.jsonl", "from yesterday\n")
        try workspace.write(Job.through("plugin: ./libtiny.so, config: { size: 10 }"))
        let run = try workspace.apus("run", "job.yaml")
        run.expect(
            status: 2,
            says: "test.tiny 1.2.3",
            "operator middle",
            "create",
            "expected size: 1 to 9"
        )
        #expect(workspace.text("out.jsonl") == "from yesterday\n")
    }

    @Test("a plugin of ours says what it expects of its configuration")
    func refusedSampleConfiguration() throws {
        try workspace.write("in.csv", "tailnum,year\nN1,2013\n")
        let run = try workspace.apus(
            "run",
            Program.file("samples/flights/job.yaml"),
            "--set",
            "spec.operators.aircraft.config={dep-delay-column: -1}",
            environment: ["FLIGHTS": "in.csv", "OUT": "a", "UNIDENTIFIED": "b"]
        )
        run.expect(status: 2, says: "operator aircraft", "create", "dep-delay-column")
    }

    @Test("a followed file that vanishes")
    func vanishingInput() throws {
        try workspace.write(
            Job(sources: ["{ id: in, plugin: file, config: { path: in.jsonl, follow: true } }"])
        )
        let child = try workspace.start(["run", "job.yaml"])
        try child.wait(until: "both lines are out") { workspace.lines("out.jsonl").count == 2 }
        try FileManager.default.removeItem(atPath: workspace.path("in.jsonl"))
        let run = try child.finish(atMost: 5)
        run.expect(
            status: 1,
            says: "'in'",
            "in.jsonl: has vanished while it was followed",
            Self.incomplete
        )
        #expect(workspace.lines("out.jsonl").count == 2)
    }

    @Test("a compressed file that is cut off")
    func truncatedCompressedInput() throws {
        let whole = URL(filePath: Program.file("samples/flights/data/flights-2013-01.csv.gz"))
        try workspace.write("in.csv.gz", try Data(contentsOf: whole).prefix(100_000))
        try workspace.write(
            Job(sources: ["{ id: in, plugin: file, config: { path: in.csv.gz } }"])
        )
        let run = try workspace.apus("run", "job.yaml")
        run.expect(
            status: 1,
            says: "'in'",
            "cannot decompress in.csv.gz",
            "ends too early",
            Self.incomplete
        )
    }

    @Test("a file that is called .gz and is not")
    func notCompressed() throws {
        try workspace.write("in.jsonl.gz", "{}\n")
        try workspace.write(
            Job(sources: ["{ id: in, plugin: file, config: { path: in.jsonl.gz } }"])
        )
        let run = try workspace.apus("run", "job.yaml")
        run.expect(status: 1, says: "cannot decompress in.jsonl.gz", "not gzip", Self.incomplete)
    }

    @Test("CSV without a header, and without a column that the job needs")
    func csvHeader() throws {
        try workspace.write("empty.csv", "")
        try workspace.write("in.csv", "a,b\n1,2\n")
        let source = "plugin: file, config: { path: in.csv }, watermark: { field: when }"
        try workspace.write(Job(sources: ["{ id: in, \(source) }"]))
        let missing = try workspace.apus("run", "job.yaml")
        missing.expect(status: 1, says: "in.csv", "when", Self.incomplete)
        let empty = try workspace.apus(
            "run",
            "job.yaml",
            "--set",
            "spec.sources.in.config.path=empty.csv"
        )
        empty.expect(status: 1, says: "empty.csv", "no header line", Self.incomplete)
    }

    @Test("a disk that is full")
    func fullDisk() throws {
        try workspace.write(Job())
        let run = try workspace.apus(
            "run",
            "job.yaml",
            "--json",
            "--set",
            "spec.sinks.out.config.path=/dev/full"
        )
        run.expect(
            status: 1,
            says: "'out'",
            "/dev/full",
            "No space left on device",
            Self.incomplete
        )
        let summary = try run.summary()
        #expect(summary.end == "failed")
        #expect(summary.failure?.contains("No space left on device") == true)
    }

    @Test("a full disk ends a job without end")
    func fullDiskEndless() throws {
        try workspace.write(Job.endless())
        let run = try workspace.apus(
            "run",
            "job.yaml",
            "--set",
            "spec.sinks.out.config.path=/dev/full"
        )
        run.expect(status: 1, says: "No space left on device", Self.incomplete)
    }

    @Test("a full disk for the dead letters")
    func fullDeadLetters() throws {
        try workspace.write("in.jsonl", "nonsense\n")
        try workspace.write(Job(spec: ["errors: { dead-letter-file: /dev/full }"]))
        let run = try workspace.apus("run", "job.yaml")
        run.expect(
            status: 1,
            says: "dead letters",
            "/dev/full",
            "No space left on device",
            Self.incomplete
        )
    }

    @Test("an output that is a folder")
    func folderAsOutput() throws {
        try workspace.write(Job())
        let run = try workspace.apus("run", "job.yaml", "--set", "spec.sinks.out.config.path=.")
        run.expect(status: 2, says: "'out'", "cannot open .: Is a directory")
    }

    @Test("an output in a folder that is a file")
    func fileAsFolder() throws {
        try workspace.write(Job())
        let run = try workspace.apus(
            "run",
            "job.yaml",
            "--set",
            "spec.sinks.out.config.path=in.jsonl/out.jsonl"
        )
        run.expect(status: 2, says: "'out'", "in.jsonl", "Not a directory")
        #expect(workspace.lines("in.jsonl").count == 2)
    }

    @Test("an output in folders that are missing: they are made")
    func missingFolders() throws {
        try workspace.write(Job())
        let run = try workspace.apus(
            "run",
            "job.yaml",
            "--set",
            "spec.sinks.out.config.path=new/folder/out.jsonl"
        )
        run.expect(status: 0, says: "2 records")
        #expect(workspace.lines("new/folder/out.jsonl").count == 2)
    }
}
