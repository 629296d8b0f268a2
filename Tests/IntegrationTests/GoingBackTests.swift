import Foundation
import Testing

/// Jobs that go back to a checkpoint after which output was delivered.
@Suite("Integration: going back to an older checkpoint")
struct GoingBackTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func writeJob(_ output: String) throws {
        try workspace.write(
            "job.yaml",
            """
            apiVersion: apus/v1
            kind: Job
            metadata: { name: back }
            spec:
              checkpoint: { dir: ck, interval: 500ms, retain: 100 }
              sources:
                - { id: in, plugin: file, config: { path: in.jsonl, format: jsonl, follow: true } }
              sinks: [{ id: out, plugin: file, input: in, config: { path: \(output) } }]

            """
        )
    }

    private var checkpoints: [Int] {
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: workspace.path("ck/manifests")
        )
        return (names ?? []).compactMap { Int($0.prefix(20)) }.sorted()
    }

    /// The lines that readers of the output see.
    private func seen(_ output: String) -> [String] {
        guard output.hasSuffix("/") else { return workspace.lines(output) }
        let names = try? FileManager.default.contentsOfDirectory(atPath: workspace.path(output))
        return (names ?? []).filter { $0.hasPrefix("part-") }.sorted()
            .flatMap { workspace.lines(output + $0) }
    }

    /// Runs the job until a line is seen, and kills it; returns the newest checkpoint before that.
    private func runUntil(_ line: String, _ output: String) throws -> Int {
        let child = try workspace.start(["run", "job.yaml", "--from", "latest-or-new"])
        try child.wait(until: "there is a checkpoint") { !checkpoints.isEmpty }
        let older = try #require(checkpoints.last)
        try workspace.append("in.jsonl", line + "\n")
        try child.wait(until: "\(line) is seen") { seen(output).contains(line) }
        child.send(SIGKILL)
        _ = try child.finish()
        return older
    }

    @Test(
        "is refused as long as nobody says that output may be moved, and then nothing is lost",
        arguments: ["out.jsonl", "out/"],
        [false, true]
    )
    func older(output: String, hasDeliveredBefore: Bool) throws {
        try writeJob(output)
        try workspace.write("in.jsonl", "")
        var lines: [String] = []
        if hasDeliveredBefore {
            lines.append("{\"a\":1}")
            _ = try runUntil(lines[0], output)
        }
        let later = "{\"a\":2}"
        let older = try runUntil(later, output)
        #expect(seen(output) == lines + [later])

        let refused = try workspace.apus("run", "job.yaml", "--from", "\(older)")
        refused.expect(
            status: 2,
            says: "checkpoint \(older) is not the newest one",
            output.hasSuffix("/") ? "part-0-" : "out.jsonl has 8 bytes behind byte",
            "--rewind-output"
        )
        #expect(seen(output) == lines + [later], "nothing was done")

        // The newest checkpoint is damaged: by itself the job goes back, and no further than that.
        let newest = try #require(checkpoints.last)
        for number in checkpoints where number > older {
            let digits = String(repeating: "0", count: 20 - "\(number)".count) + "\(number)"
            try workspace.write("ck/manifests/\(digits).json", "broken")
        }
        #expect(newest > older)
        let fallenBack = try workspace.apus("run", "job.yaml", "--from", "latest")
        fallenBack.expect(status: 2, says: "GOING BACK to checkpoint", "--rewind-output")
        #expect(seen(output) == lines + [later], "nothing was done")

        let follow = "spec.sources.in.config.follow=false"
        let rewound = try workspace.apus(
            "run",
            "job.yaml",
            "--from",
            "\(older)",
            "--rewind-output",
            "--set",
            follow
        )
        rewound.expect(status: 0, says: "gone back to checkpoint \(older)", "moved to")
        #expect(seen(output) == lines + [later], "\(rewound)")
        if output.hasSuffix("/") {
            #expect(seen("\(output)rewound-\(older)/") == [later])
        } else {
            #expect(workspace.lines("\(output).rewound-\(older)") == [later])
        }
    }

    @Test("a change of an older checkpoint says what it leaves behind")
    func purgeOfAnOlderOne() throws {
        try writeJob("out.jsonl")
        try workspace.write("in.jsonl", "")
        let older = try runUntil("{\"a\":1}", "out.jsonl")
        let newest = try #require(checkpoints.last)
        let purge = ["state", "purge", "--checkpoint", "ck", "--where", "idle > 1s"]
        let warning = "checkpoint \(older) is not the newest one"
        for change in [[], ["--yes"]] {
            let run = try workspace.tool(
                [try Program.apus()] + purge + ["--number", "\(older)"] + change
            )
            run.expect(status: 0, says: warning, "\(newest)", "is given up")
        }
        let quiet = try workspace.tool([try Program.apus()] + purge)
        quiet.expect(status: 0)
        #expect(!quiet.errors.contains("is not the newest"), "\(quiet)")
    }

    @Test("without a checkpoint there is nothing to go back to")
    func nothingToRewind() throws {
        try writeJob("out.jsonl")
        try workspace.write("in.jsonl", "")
        let run = try workspace.apus("run", "job.yaml", "--from", "new", "--rewind-output")
        run.expect(status: 2, says: "--rewind-output: expected a checkpoint", "--from")
    }
}
