import Foundation
import Testing

/// A job must not destroy what it reads, nor write two things into one file.
@Suite("Integration: files that two nodes would use")
struct FileConflictTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{\"n\":1}\n{\"n\":2}\n")
    }

    private func expectRefused(_ job: Job, says words: String..., command: String? = nil) throws {
        try workspace.write(job)
        let run =
            if let command { try workspace.shell(command) } else {
                try workspace.apus("run", "job.yaml")
            }
        for word in words { run.expect(status: 2, says: word) }
        #expect(workspace.text("in.jsonl") == "{\"n\":1}\n{\"n\":2}\n", "the input is untouched")
    }

    private func sink(_ path: String, id: String = "out") -> String {
        "{ id: \(id), plugin: file, input: in, config: { path: \(path) } }"
    }

    @Test("the input under its own name", arguments: ["in.jsonl", "./in.jsonl"])
    func sameName(path: String) throws {
        try expectRefused(Job(sinks: [sink(path)]), says: "sink 'out' writes", "source 'in' reads")
    }

    @Test("the input under another name of the same file")
    func hardLink() throws {
        try FileManager.default.linkItem(
            atPath: workspace.path("in.jsonl"),
            toPath: workspace.path("other.jsonl")
        )
        try expectRefused(Job(sinks: [sink("other.jsonl")]), says: "source 'in' reads")
    }

    @Test("the file that standard input comes from")
    func standardInput() throws {
        try expectRefused(
            Job(sources: ["{ id: in, plugin: stdin }"], sinks: [sink("in.jsonl")]),
            says: "source 'in' reads",
            command: "\"$0\" run job.yaml < in.jsonl"
        )
    }

    @Test("the job file itself")
    func jobFile() throws {
        try expectRefused(Job(sinks: [sink("job.yaml")]), says: "the job itself reads")
    }

    @Test("one file for two sinks, and for a sink and the dead letters")
    func twoWriters() throws {
        try expectRefused(
            Job(sinks: [sink("x", id: "a"), sink("./x", id: "b")]),
            says: "sink 'b' writes ./x, which sink 'a' writes as well"
        )
        try expectRefused(
            Job(spec: ["errors: { dead-letter-file: x }"], sinks: [sink("x")]),
            says: "spec.errors writes x"
        )
    }

    @Test("files in the folders that the job empties itself, whether these are there or not")
    func ownFolders() throws {
        let checkpoint = "checkpoint: { dir: data/../data/ck }"
        for isThere in [false, true] {
            if isThere { try workspace.shell("mkdir -p data/ck db").expect(status: 0) }
            try expectRefused(
                Job(spec: [checkpoint], sinks: [sink("data/ck/out.jsonl")]),
                says: "sink 'out' writes data/ck/out.jsonl, which lies in data/../data/ck, "
                    + "the folder of spec.checkpoint; expected a place outside of it"
            )
            try expectRefused(
                Job(spec: [checkpoint], sinks: [sink("data/ck/parts/")]),
                says: "the folder of spec.checkpoint"
            )
            try expectRefused(
                Job(
                    spec: [checkpoint, "state: { dir: db }", "errors: { dead-letter-file: db/x }"],
                    sinks: [sink("out.jsonl")]
                ),
                says: "spec.errors writes db/x, which lies in db, the folder of spec.state"
            )
            try expectRefused(
                Job(
                    spec: [checkpoint],
                    sources: ["{ id: in, plugin: file, config: { path: data/ck/in.jsonl } }"]
                ),
                says: "source 'in' reads data/ck/in.jsonl, which lies in"
            )
        }
        try workspace.write("data/ck/kept", "kept")
        #expect(workspace.text("data/ck/kept") == "kept")
    }

    @Test("a folder of parts that is the checkpoint folder, or that of another sink")
    func partFolders() throws {
        let checkpoint = "checkpoint: { dir: ck }"
        try expectRefused(
            Job(spec: [checkpoint], sinks: [sink("./ck/")]),
            says: "sink 'out' writes ./ck/, which spec.checkpoint writes as well"
        )
        try expectRefused(
            Job(spec: [checkpoint], sinks: [sink("x/", id: "a"), sink("./x/", id: "b")]),
            says: "sink 'b' writes ./x/, which sink 'a' writes as well"
        )
        try workspace.write(
            Job(
                spec: [checkpoint, "errors: { dead-letter-file: x/rejected.jsonl }"],
                sinks: [sink("x/")]
            )
        )
        try workspace.apus("run", "job.yaml").expect(status: 0)
        #expect(workspace.lines("x/part-0-00000000000000000001.jsonl").count == 2)
    }
}
