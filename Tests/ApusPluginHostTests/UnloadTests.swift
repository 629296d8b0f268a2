import ApusIO
import ApusPluginHost
import ApusTestPlugins
import Foundation
import Testing

/// Goal: an unused plugin goes away where it can, without a trace, and stays with a reason where
/// it cannot.
///
/// Method: real files, real dlopen and dlclose, and what /proc/self says.
@Suite("Plugins: unloading")
struct UnloadTests {
    private static func maps() throws -> String {
        // Not by Foundation, which believes that a file of /proc is empty.
        let bytes = try LinuxDisk().readAll("/proc/self/maps", maximumByteCount: 64 << 20)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func isMapped(_ plugin: LoadedPlugin, _ world: PluginWorld) throws -> Bool {
        let name = "\(world.folder.path)/images/\(plugin.contentHash)/plugin.so"
        return try Self.maps().contains(name)
    }

    @Test("a plugin in C is gone from the process, and comes back afresh")
    func gone() throws {
        // Its version tells how often the entry function of this image was called.
        let path = try TestPlugin.badDescription(
            "static int calls; plugin.version = ++calls == 1 ? TEXT(\"1.0.0\") : TEXT(\"2.0.0\")"
        )
        let world = try PluginWorld()
        let first = try world.loader.load(path)
        #expect(try isMapped(first, world))
        let trial = try world.loader.unload(first, isTrial: true)
        #expect(trial.isTrial && trial.isUnloaded && trial.reasons.isEmpty)
        #expect(trial.byteCount > 0 && trial.byteCount % 4096 == 0)
        #expect(try isMapped(first, world), "a trial changes nothing")
        let result = try world.loader.unload(first)
        #expect(result.isUnloaded && !result.isTrial)
        #expect(result.byteCount == trial.byteCount)
        #expect(try !isMapped(first, world))
        #expect(world.loader.plugins.isEmpty)
        let second = try world.loader.load(path)
        #expect(second !== first && second.number == first.number + 1)
        #expect(second.description.version == "1.0.0", "its variables are new")
        #expect(throws: PluginError.self) { try first.use(by: "somebody") }
    }

    @Test("a plugin in use is not unloaded, and the users are named")
    func inUse() throws {
        let world = try PluginWorld()
        let plugin = try world.loader.load(try TestPlugin.probe())
        #expect(world.loader.status(of: plugin).state == .loaded)
        var bench: InstanceBench? = try InstanceBench(plugin, "tagger", configuration: "\"!\"")
        #expect(world.loader.status(of: plugin).state == .inUse)
        for isTrial in [true, false] {
            let error = #expect(throws: PluginError.self) {
                try world.loader.unload(plugin, isTrial: isTrial)
            }
            let user = plugin.users.first?.owner ?? "-"
            #expect(
                error?.message == "is used by \(user); expected nobody: stop the job, or wait "
                    + "until these operators have ended"
            )
        }
        #expect(bench?.process(["a"]) == .done)
        #expect(try isMapped(plugin, world))
        bench = nil
        #expect(world.loader.status(of: plugin).state == .retired)
        #expect(try world.loader.unload(plugin).isUnloaded)
    }

    @Test("after it was unloaded it makes no instances, and says why")
    func afterwards() throws {
        let world = try PluginWorld()
        let plugin = try world.loader.load(try TestPlugin.probe())
        _ = try world.loader.unload(plugin)
        let error = #expect(throws: PluginError.self) {
            try InstanceBench(plugin, "tagger", configuration: "\"!\"")
        }
        #expect(error?.message == "was unloaded (it had number 1); load it again")
        let again = #expect(throws: PluginError.self) { try world.loader.unload(plugin) }
        #expect(again?.message == "is not loaded any more")
    }

    /// A good plugin with something that keeps it.
    private func build(
        _ name: String,
        _ prelude: String,
        _ options: [String] = []
    ) throws -> String {
        let source = TestPlugin.root.appending(
            path: "Tests/Plugins/BadDescription/bad_description.c"
        )
        let text = try String(contentsOf: source, encoding: .utf8)
        return try TestPlugin.source("kept-\(name)", text + prelude, options: options)
    }

    @Test("what keeps a plugin in the process is told, and it goes on being good")
    func resident() throws {
        let unique =
            "\n__asm__(\".data\\nshared_by_all: .long 1\\n.type shared_by_all, "
            + "@gnu_unique_object\\n.size shared_by_all, 4\\n.text\\n\");\n"
        let thread = """

            #include <pthread.h>
            static void *wait(void *p) { for (;;) pause_here(); return p; }

            """.replacing("pause_here()", with: "pthread_testcancel(), sleep(1000)")
        let starter =
            "\n#include <unistd.h>" + thread + "__attribute__((constructor)) static void start("
            + "void) { pthread_t t; pthread_create(&t, 0, wait, 0); }\n"
        let handler =
            "\n#include <signal.h>\nstatic void on(int n) { (void)n; }\n"
            + "__attribute__((constructor)) static void set(void) { signal(SIGRTMIN + 7, on); }\n"
        let cases: [(String, String, [String], ResidencyReason)] = [
            ("unique", unique, [], .uniqueObjects),
            ("nodelete", "\n", ["-Wl,-z,nodelete"], .noDelete),
            ("thread", starter, [], .threads),
            ("handler", handler, [], .signalHandler),
        ]
        for (name, text, options, reason) in cases {
            let world = try PluginWorld()
            let plugin = try world.loader.load(try build(name, text, options))
            let result = try world.loader.unload(plugin)
            #expect(!result.isUnloaded && result.reasons == [reason], "\(name): \(result)")
            #expect(result.threadCount == (reason == .threads ? 1 : 0))
            #expect(try isMapped(plugin, world))
            let status = world.loader.status(of: plugin)
            #expect(status.state == .resident)
            #expect(status.reasons == [reason])
            // It is as good as ever.
            #expect(try world.loader.load(plugin.file) === plugin)
            #expect(try InstanceBench(plugin, "second").process(["a"]) == .done)
        }
    }

    @Test("a thousand rounds leave nothing behind")
    func rounds() throws {
        let world = try PluginWorld()
        let path = try TestPlugin.probe()
        func pass(_ count: Int) throws {
            for _ in 0..<count {
                let plugin = try world.loader.load(path)
                let result = try world.loader.unload(plugin)
                try #require(result.isUnloaded, "\(result)")
            }
        }
        // What memory does is measured by `apus bench load`, alone in a process.
        try pass(1000)
        #expect(try !Self.maps().contains("\(world.folder.path)/images"))
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let open = files.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        #expect(!open.contains { $0.contains(world.folder.path) })
    }
}
