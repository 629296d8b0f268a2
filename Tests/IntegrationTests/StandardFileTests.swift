import Foundation
import Testing

/// Standard output and standard error that are full, closed, or somebody else's too.
@Suite("Integration: standard files")
struct StandardFileTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{\"n\":1}\n{\"n\":2}\n")
        try workspace.write(Job())
    }

    @Test("a job goes on when nobody can read what is said beside it", arguments: ["full", "null"])
    func fullErrors(device: String) throws {
        let run = try workspace.shell("\"$0\" run job.yaml --json 2>/dev/\(device)")
        #expect(run.end == .exited(0), "\(run)")
        #expect(try run.summary().end == "finished")
        #expect(workspace.lines("out.jsonl").count == 2)
    }

    @Test("a job goes on when the reader of its messages goes away")
    func closedErrorPipe() throws {
        var job = Job.endless(rate: 100)
        job.sources = [job.sources[0].replacing("rate: 100", with: "rate: 100, count: 50")]
        try workspace.write(job)
        let run = try workspace.shell(
            "\"$0\" run job.yaml 2>&1 >/dev/null | head -n 1; exit ${PIPESTATUS[0]}"
        )
        #expect(run.end == .exited(0), "\(run)")
        #expect(workspace.lines("out.jsonl").count == 50)
    }

    @Test("nothing is said into the files of the job when standard files are closed")
    func closedFiles() throws {
        let run = try workspace.shell("\"$0\" run job.yaml <&- >&- 2>&-")
        #expect(run.end == .exited(0), "\(run)")
        #expect(workspace.text("out.jsonl") == workspace.text("in.jsonl"))
        let json = try workspace.shell("\"$0\" run job.yaml --json >&- 2>errors")
        #expect(json.end == .exited(1), "\(json)")
        #expect(workspace.text("errors").contains("standard output: Bad file descriptor"))
        #expect(workspace.text("out.jsonl") == workspace.text("in.jsonl"))
    }

    @Test(
        "results that cannot be printed are a failure",
        arguments: [
            "run job.yaml --json", "job explain job.yaml", "job validate job.yaml",
            "gen impulse", "gen keyed",
        ]
    )
    func fullOutput(command: String) throws {
        let run = try workspace.shell("\"$0\" \(command) >/dev/full")
        run.expect(status: 1, says: "cannot write standard output: No space left on device")
    }

    @Test(
        "what is generated is added to what the shell has opened",
        arguments: ["impulse", "keyed"]
    )
    func generateIntoOpenFile(kind: String) throws {
        let run = try workspace.shell(
            "(echo first; \"$0\" gen \(kind) --count 2; echo last) > all; "
                + "\"$0\" gen \(kind) --count 3 >> all"
        )
        run.expect(status: 0)
        let lines = workspace.lines("all")
        #expect(lines.count == 7)
        #expect(lines.first == "first" && lines.dropFirst(3).first == "last", "\(lines)")
    }
}
