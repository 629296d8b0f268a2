import Foundation
import Glibc
import Testing

/// What `apus plugin inspect` says of files, of which it runs nothing.
@Suite("Integration: plugin inspect")
struct PluginInspectTests {
    private let workspace: Workspace

    init() throws { workspace = try Workspace() }

    @Test("a good plugin is accepted, and none of its code runs")
    func good() throws {
        let plugin = TinyPlugin(
            prelude: "__attribute__((constructor)) static void begin(void) { _exit(66); }"
        )
        try plugin.build(in: workspace)
        let run = try workspace.apus("plugin", "inspect", "libtiny.so")
        run.expect(
            prints: "libtiny.so: accepted",
            "language   C",
            "note       ABI 0.",
            "exports    apus_plugin_v0",
            "needs      libc.so.6",
            "calls      _exit",
            "unloading  can be unloaded"
        )
        let report = try workspace.apus("plugin", "inspect", "libtiny.so", "--json").jsonObject()
        #expect(report["verdict"] as? String == "accepted")
        #expect((report["sha256"] as? String)?.count == 64)
        let contents = try #require(report["contents"] as? [String: Any])
        #expect(contents["exports"] as? [String] == ["apus_plugin_v0"])
    }

    @Test("a warning is a refusal with --strict, and status 2")
    func strict() throws {
        let options = "__attribute__((visibility(\"default\"))) int helper(void) { return 1; }"
        try TinyPlugin(prelude: options).build(in: workspace)
        let run = try workspace.apus("plugin", "inspect", "libtiny.so")
        run.expect(
            prints: "libtiny.so: accepted",
            "warning A4: it exports more than its entry function",
            "expected  apus_plugin_v0 alone",
            "found     helper",
            "fix       compile it with -fvisibility=hidden"
        )
        let strict = try workspace.apus("plugin", "inspect", "libtiny.so", "--strict")
        strict.expect(status: 2)
        #expect(strict.output.contains("libtiny.so: refused"))
        #expect(strict.output.contains("refused A4: it exports more"))
        let json = try workspace.apus("plugin", "inspect", "libtiny.so", "--strict", "--json")
        let findings = try #require(try json.jsonObject()["findings"] as? [[String: Any]])
        let finding = try #require(findings.first { $0["check"] as? String == "A4" })
        #expect(finding["severity"] as? String == "refuse")
        for part in ["what", "expected", "found", "fix", "message"] {
            #expect((finding[part] as? String)?.isEmpty == false, "\(part)")
        }
    }

    @Test("what is no plain file is an error at once")
    func otherFiles() throws {
        #expect(mkfifo(workspace.path("pipe.so"), 0o600) == 0)
        let commands = [["plugin", "inspect"], ["plugin", "describe"], ["plugin", "scan"]]
        for command in commands {
            for (file, words) in [
                ("pipe.so", "a pipe, a socket or a device; expected a plain file"),
                ("/dev/zero", "a pipe, a socket or a device; expected a plain file"),
                (".", "Is a directory"), ("nothing.so", "No such file or directory"),
            ] {
                // It would wait for a writer until the test's patience ends.
                let run = try workspace.start(command + [file]).finish(atMost: 10)
                run.expect(status: 2, says: "error: \(file): \(words); is the path right?")
                #expect(run.errorLines.count == 1, "\(run)")
            }
        }
    }

    @Test("a file that is no library is refused with the parts of the reason")
    func noLibrary() throws {
        try workspace.write("libtiny.so", "kind: Job\n")
        let run = try workspace.apus("plugin", "inspect", "libtiny.so")
        run.expect(status: 2)
        for word in [
            "libtiny.so: refused", "refused A1: not a library for this machine",
            "expected  a shared library (.so)", "found     a file of another kind",
            "fix       give the path of the compiled plugin",
        ] {
            #expect(run.output.contains(word), "\(run)")
        }
    }
}
