import ApusPluginHost
import ApusTestPlugins
import CApusGuard
import CApusPlugin
import Foundation
import Testing

/// What the guard does besides catching exceptions.
@Suite("Guard")
struct GuardTests {
    private func said(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }

    @Test("a callback that hangs ends the process with status 3, and its place is told")
    func aCallbackThatHangsEndsTheProcess() async {
        let result = await #expect(
            processExitsWith: .exitCode(3),
            observing: [\.standardErrorContent]
        ) {
            apus_guard_install_crash_report()
            PluginWatch.start(
                warningMicroseconds: 100_000,
                timeoutMicroseconds: 300_000,
                graceMicroseconds: 100_000
            )
            let hanging = try TestPlugin.source("hanging", Self.source("for (;;) pause();"))
            _ = try InstanceBench(PluginWorld().loader.load(hanging), "odd").process(["a"])
        }
        let text = said(result)
        #expect(text.contains("apus: crash: hung for 0."))
        #expect(text.contains(" in plugin test.odd 1.0.0, operator op, subtask 3, callback "))
        #expect(text.contains("records in hand, from number 0 on"))
        #expect(text.contains("waits in the system call"))
        #expect(text.contains("stack: "))
    }

    @Test("a callback that returns when it is asked to, goes on")
    func aCallbackThatReturnsWhenAskedGoesOn() async {
        await #expect(processExitsWith: .success) {
            apus_guard_install_crash_report()
            PluginWatch.start(
                warningMicroseconds: nil,
                timeoutMicroseconds: 100_000,
                graceMicroseconds: 60_000_000
            )
            let waiting = try TestPlugin.source(
                "waiting",
                Self.source("while (!*(volatile const uint32_t *)ctx->stop) usleep(1000);")
            )
            let bench = try InstanceBench(PluginWorld().loader.load(waiting), "odd")
            // The request is taken back, so that the next call has to be asked again.
            #expect(bench.process(["a"]) == .done)
            #expect(bench.process(["b"]) == .done)
        }
    }

    @Test(
        "a plugin that ends the process is told, and the status is 3",
        arguments: ["exit", "_exit", "quick_exit"]
    )
    func aPluginThatEndsTheProcessIsTold(function: String) async {
        let result = await #expect(
            processExitsWith: .exitCode(3),
            observing: [\.standardErrorContent]
        ) { [function] in
            apus_guard_install_crash_report()
            let ending = try TestPlugin.source("ending-\(function)", Self.source("\(function)(0);"))
            _ = try InstanceBench(PluginWorld().loader.load(ending), "odd").process(["a"])
        }
        #expect(said(result).contains("apus: crash: \(function)() was called in plugin test.odd"))
    }

    @Test("exit of the program itself is none of the guard's business")
    func exitOfTheProgramItself() async {
        await #expect(processExitsWith: .exitCode(7)) {
            apus_guard_install_crash_report()
            exit(7)
        }
    }

    @Test("a copy of the process that comes back from a callback ends")
    func aCopyOfTheProcessEnds() async {
        let result = await #expect(
            processExitsWith: .exitCode(5),
            observing: [\.standardErrorContent]
        ) {
            apus_guard_install_crash_report()
            let forking = try TestPlugin.source(
                "forking",
                Self.source("pid_t copy = fork(); if (copy > 0) waitpid(copy, 0, 0);")
            )
            let bench = try InstanceBench(PluginWorld().loader.load(forking), "odd")
            _ = bench.process(["a"])
            exit(5)  // once, by the original
        }
        let text = said(result)
        #expect(text.contains("called fork()"))
        #expect(text.contains("apus: a copy of the process that was made by fork()"))
    }

    @Test("the instance is destroyed once, whoever asks")
    func theInstanceIsDestroyedOnce() throws {
        let folder = try TestFolder()
        let marker = folder.file("destroyed")
        let source = Self.source(
            "",
            destroy: "int f = open(\"\(marker)\", O_WRONLY | O_APPEND | O_CREAT, 0600);"
                + "ssize_t n = write(f, \"x\", 1); (void)n; close(f);"
        )
        let world = try PluginWorld()
        let plugin = try world.loader.load(try TestPlugin.source("destroying", source))
        do {
            let bench = try InstanceBench(plugin, "odd")
            bench.instance.destroy()
            bench.instance.destroy()
        }
        #expect(try PluginWorld.bytes(marker) == Array("x".utf8))
    }

    /// A plugin with one operator; the texts are the bodies of its functions.
    private static func source(_ process: String, destroy: String = "") -> String {
        """
        #define _DEFAULT_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/wait.h>
        #include <unistd.h>
        #include "apus/apus.h"
        APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
        static int32_t create(const apus_args *args, void **self, apus_error *error) {
            (void)args, (void)error;
            *self = 0;
            return APUS_OK;
        }
        static void destroy(void *self) { (void)self; \(destroy) }
        static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
            (void)self, (void)ctx, (void)batch;
            \(process)
            return APUS_OK;
        }
        static const apus_port port = {sizeof port, 0, APUS_STR("main"), APUS_STR("")};
        static const apus_port *const ports[] = {&port};
        static const apus_operator_vt table = {.size = sizeof table, .process = process};
        static const apus_component component = {
            .size = sizeof component, .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
            .vt = &table, .id = APUS_STR("odd"), .input_count = 1, .output_count = 1,
            .outputs = ports};
        static const apus_component *const components[] = {&component};
        static const apus_plugin plugin = {
            .size = sizeof plugin, .abi_minor = APUS_ABI_MINOR, .id = APUS_STR("test.odd"),
            .version = APUS_STR("1.0.0"), .vendor = APUS_STR("Nobody"), .component_count = 1,
            .components = components};
        APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
            (void)host, (void)error;
            return &plugin;
        }

        """
    }
}
