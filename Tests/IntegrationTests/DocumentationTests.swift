import Foundation
import Testing

/// What the documentation shows works.
@Suite("Integration: documentation")
struct DocumentationTests {
    /// A fenced block of a page.
    private struct Block {
        var page: String
        var line: Int
        var language: String
        var text: String
    }

    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// README.md and all of docs.
    private static func pages() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: Program.file("docs"))
        return ["README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }

    private static func blocks(_ language: String, in page: String) throws -> [Block] {
        let text = try String(contentsOfFile: Program.file(page), encoding: .utf8)
        var blocks: [Block] = []
        var open: Block?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(block)
                    open = nil
                } else {
                    open = Block(
                        page: page,
                        line: index + 1,
                        language: String(line.dropFirst(3)),
                        text: ""
                    )
                }
            } else {
                open?.text += line + "\n"
            }
        }
        #expect(open == nil, "\(page): a block without end")
        return blocks.filter { $0.language == language }
    }

    @Test("every whole job in the documentation is valid, but for plugins that are not there")
    func jobs() throws {
        let jobs = try Self.pages().flatMap { try Self.blocks("yaml", in: $0) }
            .filter { $0.text.contains("apiVersion:") }
        #expect(jobs.count >= 3)
        for job in jobs {
            try workspace.write("job.yaml", job.text)
            let run = try workspace.apus("job", "validate", "job.yaml")
            let place = "\(job.page):\(job.line)"
            guard run.end != .exited(0) else { continue }
            run.expect(status: 2)
            let isMissingPlugin = run.errorLines.allSatisfy { line in
                line.contains(#/spec\.(operators|sources|sinks)\[[a-z0-9-]+\][a-z.]*: /#)
                    && (line.contains("not found; looked for")
                        || line.contains("No such file or directory; is the path right?"))
            }
            #expect(isMissingPlugin, "\(place): \(run)")
        }
    }

    @Test(
        "every whole plugin in C of docs/plugins.md compiles without a warning",
        .enabled(if: FileManager.default.fileExists(atPath: Program.file("docs/plugins.md")))
    )
    func plugins() throws {
        let programs = try Self.blocks("c", in: "docs/plugins.md")
            .filter { $0.text.contains("apus_plugin_v0") }
        try #require(!programs.isEmpty, "no ```c block with apus_plugin_v0 in docs/plugins.md")
        for program in programs {
            try workspace.write("plugin.c", program.text)
            let run = try workspace.tool(
                ["clang", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
                    + ["-I", Program.file("sdk/c/include"), "plugin.c"]
            )
            #expect(run.end == .exited(0), "\(program.page):\(program.line): \(run)")
        }
    }

    @Test(
        "the first plugin of docs/plugins.md can be described",
        .enabled(if: FileManager.default.fileExists(atPath: Program.file("docs/plugins.md")))
    )
    func describedPlugin() throws {
        let program = try #require(
            try Self.blocks("c", in: "docs/plugins.md").first { $0.text.contains("apus_plugin_v0") }
        )
        try TinyPlugin.build(program.text, as: "libfirst.so", in: workspace)
        let run = try workspace.apus("plugin", "describe", "libfirst.so")
        run.expect(status: 0)
    }

    @Test("every job of the samples is valid")
    func samples() throws {
        for name in ["flights", "tickets"] {
            let run = try workspace.apus(
                "job",
                "validate",
                Program.file("samples/\(name)/job.yaml")
            )
            run.expect(status: 0)
        }
    }
}
