import Foundation
import Glibc
import Testing

/// Plugins that are loaded into a running job, and unloaded.
@Suite("Integration: plugins of a running job")
struct PluginLiveTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "")
        try TinyPlugin().build(in: workspace)
        var job = Job.endless()
        job.operators = ["{ id: middle, input: in, plugin: ./libtiny.so }"]
        job.sinks = ["{ id: out, plugin: discard, input: middle }"]
        try workspace.write(job)
    }

    private func start(_ more: String...) throws -> Child {
        let child = try workspace.start(["run", "job.yaml", "--control", "job.sock"] + more)
        try child.wait(until: "the job runs") {
            child.errors.contains("started") && workspace.has("job.sock")
        }
        return child
    }

    private func stop(_ child: Child) throws {
        child.send(SIGINT)
        #expect(try child.finish().end == .exited(0))
    }

    private func plugin(_ words: String...) throws -> Run {
        try workspace.start(["plugin"] + words + ["--control", "job.sock"]).finish()
    }

    private func isMapped(_ child: Child, _ sha256: String) throws -> Bool {
        let status = try workspace.apus("job", "status", "--control", "job.sock", "--json")
        let process = try #require(try status.jsonObject()["process"] as? Int)
        let maps = try workspace.tool(["cat", "/proc/\(process)/maps"])
        return maps.output.contains("\(sha256)/plugin.so")
    }

    /// Another plugin than the one that the job uses.
    private func buildOther(_ prelude: String = "") throws {
        let source = TinyPlugin(prelude: prelude).source
            .replacing("\"1.2.3\"", with: "\"2.0.0\"")
        try TinyPlugin.build(source, as: "libother.so", in: workspace)
    }

    @Test("a plugin is loaded, listed and unloaded, and its code is gone")
    func wholeLife() throws {
        try buildOther()
        let child = try start()
        let loaded = try plugin("load", "libother.so")
        loaded.expect(
            prints: "2  test.tiny 2.0.0  loaded",
            "unload  can be unloaded",
            "/libother.so (C)"
        )
        let list = try plugin("ls", "--json").jsonObject()
        #expect(list["job"] as? String == "test")
        let plugins = try #require(list["plugins"] as? [[String: Any]])
        #expect(plugins.map { $0["state"] as? String } == ["in-use", "loaded"])
        #expect(plugins.map { $0["version"] as? String } == ["1.2.3", "2.0.0"])
        let users = try #require(plugins[0]["users"] as? [[String: Any]])
        #expect(users.first?["name"] as? String == "middle")
        let hash = try #require(plugins[1]["sha256"] as? String)
        #expect(try isMapped(child, hash))
        try plugin("ls").expect(prints: "1  test.tiny 1.2.3  in-use by middle")

        let trial = try plugin("unload", "2", "--dry-run")
        trial.expect(prints: "2  test.tiny 2.0.0: would be unloaded; ")
        #expect(try isMapped(child, hash))
        try plugin("unload", String(hash.prefix(8)))
            .expect(prints: "2  test.tiny 2.0.0: unloaded; ", "bytes of memory are free again")
        #expect(try !isMapped(child, hash))
        // The same file again is a fresh load.
        try plugin("load", "libother.so").expect(prints: "3  test.tiny 2.0.0  loaded")
        try stop(child)
    }

    @Test("a plugin in use is not unloaded; names that mean none or several are refused")
    func refusals() throws {
        try buildOther()
        let child = try start()
        try plugin("unload", "1").expect(
            status: 2,
            says: "job 'test': ",
            "libtiny.so: is used by middle; expected nobody: stop the job, or wait until these "
                + "operators have ended"
        )
        try plugin("unload", "1", "--dry-run").expect(status: 2, says: "is used by middle")
        try plugin("load", "libother.so").expect(status: 0)
        try plugin("unload", "test.tiny").expect(
            status: 2,
            says: "job 'test' has 2 plugins 'test.tiny': expected the number, the id, or at least "
                + "6 digits of the hash of one of 1 (test.tiny 1.2.3, ",
            ", 2 (test.tiny 2.0.0, "
        )
        try plugin("unload", "9").expect(status: 2, says: "job 'test' has no plugin '9'")
        try plugin("load", "nothing.so")
            .expect(status: 1, says: "/nothing.so: No such file or directory; is the path right?")
        // What dies in the scan harms no job.
        try buildOther("__attribute__((constructor)) static void begin(void) { abort(); }")
        try plugin("load", "libother.so")
            .expect(status: 1, says: "libother.so: crashed while it was scanned: SIGABRT")
        try plugin("ls").expect(prints: "2  test.tiny 2.0.0  loaded")
        try stop(child)
    }

    @Test("a plugin that cannot go stays resident with the reason")
    func resident() throws {
        try buildOther(
            "#include <pthread.h>\nint key(void) { static pthread_key_t k; "
                + "return pthread_key_create(&k, 0); }\nint (*volatile keep)(void) = key;"
        )
        let child = try start()
        try plugin("load", "libother.so").expect(prints: "unload  stays: it registers destructors")
        try plugin("unload", "2", "--dry-run").expect(prints: "would stay resident with ")
        try plugin("unload", "2").expect(
            prints: "2  test.tiny 2.0.0: stays resident with ",
            "it registers destructors for the ends of threads"
        )
        try plugin("ls").expect(prints: "2  test.tiny 2.0.0  resident")
        let json = try plugin("unload", "2", "--json").jsonObject()
        #expect(json["isUnloaded"] as? Bool == false)
        #expect(json["reasons"] as? [String] == ["thread-destructors"])
        try stop(child)
    }

    @Test("the job's list holds for what is loaded later, too")
    func list() throws {
        try buildOther()
        try workspace.apus("plugin", "lock", "libtiny.so").expect(status: 0)
        let child = try start()
        try plugin("load", "libother.so")
            .expect(status: 1, says: "/libother.so: is not listed in plugins.lock")
        try stop(child)
    }

    @Test("words that are missing or too many are told")
    func words() throws {
        let missing = try workspace.apus("plugin", "load", "libother.so")
        missing.expect(status: 64, says: "expected the job's checkpoint folder and one more word")
        let many = try workspace.apus("plugin", "unload", "a", "b", "c")
        many.expect(status: 64, says: "found 3")
    }
}
