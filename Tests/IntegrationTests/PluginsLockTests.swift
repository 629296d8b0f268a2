import Foundation
import Glibc
import Testing

/// The list of plugins that may be loaded, and the keys that sign it.
@Suite("Integration: plugins.lock")
struct PluginsLockTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{}\n")
        try workspace.write(Job.through("plugin: ./libtiny.so"))
        try TinyPlugin().build(in: workspace)
    }

    private func lock(_ more: String...) throws {
        let run = try workspace.start(
            ["plugin", "lock", "libtiny.so", "--to", "plugins.lock"] + more
        ).finish()
        run.expect(prints: "plugins.lock: ", "test.tiny 1.2.3  ")
    }

    /// Replaces the first occurrence of a text in the list.
    private func edit(_ old: String, _ new: String) throws {
        let text = workspace.text("plugins.lock")
        let range = try #require(text.range(of: old), "no \(old) in \(text)")
        try workspace.write("plugins.lock", text.replacingCharacters(in: range, with: new))
    }

    private func expectRefused(
        says words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for command in [["job", "validate", "job.yaml"], ["run", "job.yaml"]] {
            let run = try workspace.start(command).finish()
            run.expect(status: 2, sourceLocation: sourceLocation)
            for word in words where !run.errors.contains(word) {
                Issue.record("no '\(word)' in \(run)", sourceLocation: sourceLocation)
            }
            #expect(run.errorLines.count == 1, "\(run)", sourceLocation: sourceLocation)
        }
        #expect(!workspace.has("out.jsonl"), sourceLocation: sourceLocation)
    }

    @Test("a listed plugin runs; the list beside the job file is found by itself")
    func listed() throws {
        try lock()
        try workspace.apus("run", "job.yaml").expect(status: 0)
        let list = try JSONSerialization.jsonObject(with: Data(workspace.text("plugins.lock").utf8))
        let entries = try #require((list as? [String: Any])?["plugins"] as? [[String: Any]])
        #expect(entries.count == 1)
        #expect(entries[0]["id"] as? String == "test.tiny")
        #expect(entries[0]["file"] as? String == "libtiny.so")
    }

    @Test("what is not listed is refused, and let in with --allow-unlisted and a warning")
    func unlisted() throws {
        try workspace.write(
            "plugins.lock",
            #"{"apiVersion":"apus/v1","kind":"PluginsLock","keys":[],"plugins":[]}"#
        )
        try expectRefused(
            says: "job.yaml:8:7: spec.operators[middle]: ./libtiny.so: is not listed in "
                + "plugins.lock: expected one of 0 plugins there, found sha256 ",
            "list it with `apus plugin lock ./libtiny.so --to plugins.lock`, or run with "
                + "--allow-unlisted while you develop"
        )
        let run = try workspace.apus("run", "job.yaml", "--allow-unlisted")
        run.expect(status: 0, says: "warning: ./libtiny.so: is not listed in plugins.lock")
    }

    @Test("a file that was changed since is refused with both hashes")
    func changed() throws {
        try lock()
        try TinyPlugin(prelude: "static int more = 7; int *p(void) { return &more; }")
            .build(in: workspace)
        try expectRefused(
            says: "is not the file that is listed in plugins.lock as test.tiny 1.2.3: expected "
                + "sha256 ",
            ", found "
        )
        try lock()
        try workspace.apus("run", "job.yaml").expect(status: 0)
    }

    @Test("a revoked plugin is refused, also with --allow-unlisted and by `lock`")
    func revoked() throws {
        try lock()
        try edit("\"version\"", "\"revoked\" : \"CVE-2026-1\", \"version\"")
        try expectRefused(
            says: "test.tiny 1.2.3 is revoked in plugins.lock: CVE-2026-1; use another version"
        )
        let run = try workspace.apus("run", "job.yaml", "--allow-unlisted")
        run.expect(status: 2, says: "is revoked in plugins.lock")
        let again = try workspace.apus("plugin", "lock", "libtiny.so", "--to", "plugins.lock")
        again.expect(status: 2, says: "plugins.lock: test.tiny 1.2.3 is revoked: CVE-2026-1; take")
    }

    @Test("an entry of another id or version is refused")
    func otherVersion() throws {
        try lock()
        try edit("\"1.2.3\"", "\"1.2.4\"")
        try expectRefused(
            says:
                "says that it is test.tiny 1.2.3: expected test.tiny 1.2.4, as plugins.lock has it"
        )
    }

    @Test("a signed plugin runs; a signature that is missing, foreign or wrong does not")
    func signatures() throws {
        let made = try workspace.apus("plugin", "keygen", "--to", "a.key", "--name", "release")
        made.expect(prints: "a.key: key 'release', public key ")
        let mode = try FileManager.default.attributesOfItem(atPath: workspace.path("a.key"))
        #expect(mode[.posixPermissions] as? Int == 0o600)
        try lock("--sign", "a.key")
        try workspace.apus("job", "validate", "job.yaml").expect(status: 0)
        let good = workspace.text("plugins.lock")

        try edit("\"key\" : \"release\"", "\"key\" : \"other\"")
        try expectRefused(says: "is signed with 'other': expected one of the keys release")
        try workspace.write("plugins.lock", good)
        // What is signed covers the version.
        try edit("\"1.2.3\"", "\"1.2.4\"")
        try expectRefused(
            says: "test.tiny 1.2.4 in plugins.lock has a signature by 'release' that does not fit "
                + "its id, version and sha256; sign it with"
        )
        try workspace.write("plugins.lock", good)
        try lock()
        try expectRefused(
            says: "test.tiny 1.2.3 in plugins.lock is not signed: expected a signature by one of "
                + "the keys release"
        )
        let other = try workspace.apus("plugin", "keygen", "--to", "b.key", "--name", "release")
        other.expect(status: 0)
        let run = try workspace.apus("plugin", "lock", "libtiny.so", "--sign", "b.key")
        run.expect(status: 2, says: "plugins.lock: trusts another key with the name 'release'")
    }

    @Test("keys: a file is never replaced, and must be a key that nobody else can change")
    func keys() throws {
        try workspace.apus("plugin", "keygen", "--to", "a.key").expect(status: 0)
        try workspace.apus("plugin", "keygen", "--to", "a.key")
            .expect(status: 2, says: "a.key: exists; expected a new file")
        try workspace.apus("plugin", "keygen", "--to", "c.key", "--name", "a b")
            .expect(status: 64, says: "--name a b: expected letters, digits and '-'")
        func sign() throws -> Run {
            try workspace.apus("plugin", "lock", "libtiny.so", "--sign", "a.key")
        }
        chmod(workspace.path("a.key"), 0o666)
        try sign().expect(status: 2, says: "and nobody else who can write to it")
        try workspace.write("a.key", "hello\n")
        chmod(workspace.path("a.key"), 0o600)
        try sign().expect(status: 2, says: "a.key: not a key: expected the line 'apus-ed25519 NAME")
        #expect(!workspace.has("plugins.lock"))
    }

    @Test("a strict list refuses for warnings, unless an entry allows the library")
    func strict() throws {
        let visible = "__attribute__((visibility(\"default\"))) int helper(void) { return 1; }"
        try TinyPlugin(prelude: visible).build(in: workspace)
        try lock()
        try workspace.apus("job", "validate", "job.yaml").expect(status: 0)
        try edit("\"apiVersion\"", "\"strict\" : true, \"apiVersion\"")
        try expectRefused(says: "it exports more than its entry function: expected")
        // What it does is looked at as strictly as what it is.
        let plugin = TinyPlugin(
            prelude: "__attribute__((constructor)) static void a(void) { setenv(\"A\", \"1\", 1); }"
        )
        try workspace.write("changing.c", plugin.source + "\n")
        try workspace.tool(
            ["clang", "-w", "-g", "-shared", "-fPIC", "-fvisibility=hidden", "-I"]
                + [Program.file("sdk/c/include"), "changing.c", "-o", "libtiny.so"]
        )
        try lock()
        try expectRefused(says: "plugins.lock is strict")
    }

    @Test("a list that is none is refused with the place")
    func badLists() throws {
        let head = #""apiVersion":"apus/v1","kind":"PluginsLock""#
        let cases = [
            ("", "plugins.lock: not a list of plugins: expected JSON"),
            ("[1]", "plugins.lock: not a list of plugins: it is of the wrong type"),
            ("{\(head),\"keys\":[]}", "not a list of plugins: it has no 'plugins'"),
            (
                #"{"apiVersion":"apus/v2","kind":"PluginsLock","keys":[],"plugins":[]}"#,
                "expected apiVersion apus/v1 and kind PluginsLock, found apus/v2 and PluginsLock"
            ),
            (
                "{\(head),\"keys\":[],\"plugins\":[{\"id\":\"a\",\"version\":\"1\","
                    + "\"file\":\"f\"}]}",
                "plugins[0] has no 'sha256'"
            ),
            (
                "{\(head),\"keys\":[],\"plugins\":[{\"id\":\"a\",\"version\":\"1\",\"file\":\"f\","
                    + "\"sha256\":\"12\"}]}",
                "a 1: expected a sha256 of 64 digits 0-9a-f, found '12'"
            ),
            (
                "{\(head),\"keys\":[{\"name\":\"k\",\"publicKey\":\"AAA=\"}],\"plugins\":[]}",
                "key 'k': expected 32 bytes in base64, found 'AAA='"
            ),
        ]
        for (text, says) in cases {
            try workspace.write("plugins.lock", text)
            try expectRefused(says: says)
        }
        let run = try workspace.apus("run", "job.yaml", "--plugins-lock", "none.lock")
        run.expect(status: 2, says: "none.lock: No such file or directory (the list of plugins)")
    }
}
