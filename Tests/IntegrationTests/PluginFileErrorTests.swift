import Foundation
import Testing

/// A file that is no good plugin is refused with a reason, whatever it does when it is loaded.
@Suite("Integration: plugin files with mistakes")
struct PluginFileErrorTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{}\n")
        try workspace.write("out.jsonl", "from yesterday\n")
        try workspace.write(Job.through("plugin: ./libtiny.so"))
    }

    /// Expects all commands to refuse `libtiny.so` with the same words, and that nothing ran.
    private func expectRefused(
        says words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let commands = [
            ["plugin", "describe", "./libtiny.so"], ["job", "validate", "job.yaml"],
            ["run", "job.yaml"],
        ]
        for command in commands {
            let run = try workspace.start(command).finish()
            run.expect(status: 2, says: "libtiny.so", sourceLocation: sourceLocation)
            for word in words where !run.errors.contains(word) {
                Issue.record("no '\(word)' in \(run)", sourceLocation: sourceLocation)
            }
            #expect(run.output.isEmpty, "\(run)", sourceLocation: sourceLocation)
            #expect(run.errorLines.count == 1, "\(run)", sourceLocation: sourceLocation)
            guard command[0] != "plugin" else { continue }
            let place = "job.yaml:8:7: spec.operators[middle]: "
            #expect(run.errors.contains(place), "\(run)", sourceLocation: sourceLocation)
        }
        let output = workspace.text("out.jsonl")
        #expect(output == "from yesterday\n", sourceLocation: sourceLocation)
    }

    /// A plugin of this repository.
    private func goodBytes() throws -> Data {
        try Data(contentsOf: URL(filePath: Program.plugin("benchmark")))
    }

    // MARK: - Files

    @Test("missing")
    func missing() throws {
        try expectRefused(says: "No such file or directory", "is the path right?")
    }

    @Test("a name that is nowhere: all places are listed")
    func missingName() throws {
        try workspace.write(Job.through("plugin: nowhere"))
        let run = try workspace.apus(
            "run",
            "job.yaml",
            environment: ["APUS_PLUGIN_PATH": "/first:/second"]
        )
        run.expect(
            status: 2,
            says: "job.yaml:8:7: spec.operators[middle]: ",
            "'nowhere'",
            "not found",
            "./libnowhere.so, /first/libnowhere.so, /second/libnowhere.so, ",
            "/lib/apus/libnowhere.so",
            "APUS_PLUGIN_PATH"
        )
    }

    @Test("empty")
    func empty() throws {
        try workspace.write("libtiny.so", "")
        try expectRefused(says: "not an ELF file; expected a shared library (.so)")
    }

    @Test("a text")
    func text() throws {
        try workspace.write("libtiny.so", "#!/bin/sh\necho this is no library\n")
        try expectRefused(says: "not an ELF file; expected a shared library (.so)")
    }

    @Test("a folder")
    func folder() throws {
        let path = workspace.path("libtiny.so")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try expectRefused(says: "Is a directory")
    }

    @Test("cut off", arguments: [10, 100, 5_000])
    func truncated(byteCount: Int) throws {
        try workspace.write("libtiny.so", try goodBytes().prefix(byteCount))
        try expectRefused(says: "truncated", "build or copy it again")
    }

    @Test("for another processor")
    func wrongMachine() throws {
        var bytes = try goodBytes()
        // e_machine; 62 is x86-64, 183 is aarch64.
        let isIntel = bytes[18] == 62
        bytes[18] = isIntel ? 183 : 62
        try workspace.write("libtiny.so", bytes)
        try expectRefused(
            says: "built for \(isIntel ? "aarch64" : "x86-64"), this machine is "
                + (isIntel ? "x86-64" : "aarch64"),
            "compile the plugin for this machine"
        )
    }

    @Test("a program instead of a library")
    func executable() throws {
        let program = try Data(contentsOf: URL(filePath: Program.apus()))
        try workspace.write("libtiny.so", program)
        try expectRefused(says: "an executable; expected a shared library", "-shared")
    }

    // MARK: - Libraries

    @Test("for another major version of the ABI")
    func wrongMajor() throws {
        let source = "void *apus_plugin_v9(void) { return 0; }"
        let visible = "__attribute__((visibility(\"default\"))) \(source)"
        try TinyPlugin.build(visible, as: "libtiny.so", in: workspace)
        try expectRefused(says: "made for ABI major 9, this host has major 0", "compile it with")
    }

    @Test("a library, but not a plugin")
    func notAPlugin() throws {
        let source = "__attribute__((visibility(\"default\"))) int answer(void) { return 42; }"
        try TinyPlugin.build(source, as: "libtiny.so", in: workspace)
        try expectRefused(
            says: "not an Apus plugin",
            "does not export apus_plugin_v0",
            "APUS_EXPORT"
        )
    }

    @Test("a symbol that is nowhere")
    func unresolvedSymbol() throws {
        let plugin = TinyPlugin(
            prelude: "int nowhere_to_be_found(void);",
            process: "return nowhere_to_be_found();"
        )
        try plugin.build(in: workspace)
        try expectRefused(says: "undefined symbol: nowhere_to_be_found")
    }

    @Test("an entry function that refuses")
    func refusesToLoad() throws {
        let source = TinyPlugin().source.replacing(
            "return &plugin;",
            with: "apus_fail(error, APUS_UNSUPPORTED, \"needs the moon to be full\"); return 0;"
        )
        try TinyPlugin.build(source, as: "libtiny.so", in: workspace)
        try expectRefused(says: "refused to load: needs the moon to be full")
    }

    @Test("an entry function that throws")
    func throwsWhileLoading() throws {
        let source = TinyPlugin(prelude: "#include <stdexcept>", language: .cxx).source.replacing(
            "return &plugin;",
            with: "throw std::runtime_error(\"no entry today\");"
        )
        try TinyPlugin.build(source, as: "libtiny.so", .cxx, in: workspace)
        try expectRefused(says: "threw an exception: no entry today")
    }

    @Test("a description that makes no sense")
    func badDescription() throws {
        let source = TinyPlugin().source.replacing("APUS_STR(\"tiny\")", with: "APUS_STR(\"T!\")")
        try TinyPlugin.build(source, as: "libtiny.so", in: workspace)
        try expectRefused(says: "'T!'")
    }

    @Test("a component that it does not have, with those that it has")
    func unknownComponent() throws {
        try TinyPlugin().build(in: workspace)
        try workspace.write(Job.through("plugin: ./libtiny.so, component: huge"))
        for command in [["job", "validate"], ["run"]] {
            let run = try workspace.start(command + ["job.yaml"]).finish()
            run.expect(
                status: 2,
                says: "job.yaml:8:7: spec.operators[middle]: ",
                "libtiny.so",
                "no component 'huge'; expected one of tiny"
            )
        }
    }

    @Test("several components, and the job does not say which")
    func ambiguousComponent() throws {
        try workspace.write(Job.through("plugin: benchmark"))
        for command in [["job", "validate"], ["run"]] {
            let run = try workspace.start(command + ["job.yaml"]).finish()
            run.expect(
                status: 2,
                says: "has 11 operators",
                "component",
                "keyed-count, passthrough, timers, store, arm"
            )
        }
    }

    // MARK: - Constructors

    @Test("a crash in a constructor ends a child process, and nothing else")
    func crashingConstructor() throws {
        let plugin = TinyPlugin(
            prelude: "__attribute__((constructor)) static void begin(void) { raise(SIGSEGV); }"
        )
        try plugin.build(in: workspace)
        let describe = try workspace.apus("plugin", "describe", "libtiny.so")
        describe.expect(
            status: 2,
            says: "libtiny.so: crashed while it was scanned: SIGSEGV (",
            "callback loading",
            "look at its constructors"
        )
        let validate = try workspace.apus("job", "validate", "job.yaml")
        validate.expect(
            status: 2,
            says: "job.yaml:8:7: spec.operators[middle]: ",
            "crashed while it was scanned: SIGSEGV ("
        )
        let run = try workspace.apus("run", "job.yaml")
        run.expect(
            status: 2,
            says: "job.yaml:8:7: spec.operators[middle]: ./libtiny.so: ",
            "crashed while it was scanned: SIGSEGV (",
            "in plugin ./libtiny.so, callback loading"
        )
        #expect(workspace.text("out.jsonl") == "from yesterday\n")
    }

    @Test("a constructor without end ends a description after five seconds")
    func endlessConstructor() throws {
        let plugin = TinyPlugin(
            prelude: "__attribute__((constructor)) static void begin(void) { for (;;) pause(); }"
        )
        try plugin.build(in: workspace)
        let describe = try workspace.apus("plugin", "describe", "libtiny.so")
        describe.expect(
            status: 2,
            says: "libtiny.so: did not finish loading within 5 s",
            "constructors",
            "must not block"
        )
        #expect((5..<8).contains(describe.seconds))
    }

    @Test("a constructor without end does not keep Ctrl-C from ending a run")
    func interruptedConstructor() throws {
        let plugin = TinyPlugin(
            prelude: """
                #include <fcntl.h>
                __attribute__((constructor)) static void begin(void) {
                    creat("loading", 0600);
                    for (;;) pause();
                }
                """
        )
        try plugin.build(in: workspace)
        let child = try workspace.start(["run", "job.yaml"])
        try child.wait(until: "the constructor runs") { workspace.has("loading") }
        child.send(SIGINT)
        let run = try child.finish(atMost: 5)
        run.expect(status: 130, says: "ended before the job started")
        #expect(workspace.text("out.jsonl") == "from yesterday\n")
    }
}
