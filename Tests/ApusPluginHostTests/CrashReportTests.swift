import ApusPluginHost
import CApusGuard
import Foundation
import Testing

/// Goal: a plugin that crashes takes the process with it, but not without its name.
///
/// Method: a child process per crash.
@Suite("Crash report")
struct CrashReportTests {
    private static let blame =
        "in plugin test.hostile 6.6.6, operator op, subtask 3, callback "
    private static let segmentation =
        "apus: crash: SIGSEGV (access to memory that is not there) "

    private func crashLine(_ result: ExitTest.Result?) -> String? {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            .split(separator: "\n").first { $0.hasPrefix("apus: crash") }.map(String.init)
    }

    @Test("a wild pointer in process is told with plugin, operator and callback")
    func aWildPointerInProcessIsTold() async {
        let result = await #expect(
            processExitsWith: .signal(SIGSEGV),
            observing: [\.standardErrorContent]
        ) {
            apus_guard_install_crash_report()
            _ = try InstanceBench(hostile: "crash").process(["a"])
        }
        #expect(crashLine(result) == Self.segmentation + Self.blame + "process")
    }

    @Test("the callback that crashed is the one that is told")
    func theCallbackThatCrashedIsTheOneThatIsTold() async {
        let result = await #expect(
            processExitsWith: .signal(SIGSEGV),
            observing: [\.standardErrorContent]
        ) {
            apus_guard_install_crash_report()
            try InstanceBench(hostile: "crash-in-open").instance.open(nowMicroseconds: 1)
        }
        #expect(crashLine(result) == Self.segmentation + Self.blame + "open")
    }

    @Test("abort in a plugin is told")
    func abortInAPluginIsTold() async {
        let result = await #expect(
            processExitsWith: .signal(SIGABRT),
            observing: [\.standardErrorContent]
        ) {
            apus_guard_install_crash_report()
            _ = try InstanceBench(hostile: "abort").process(["a"])
        }
        #expect(
            crashLine(result)
                == "apus: crash: SIGABRT (abort, for example an uncaught panic or heap "
                + "corruption) " + Self.blame + "process"
        )
    }

    @Test("a stack overflow on a thread that opened an instance is told")
    func aStackOverflowIsTold() async {
        let result = await #expect(
            processExitsWith: .signal(SIGSEGV),
            observing: [\.standardErrorContent]
        ) {
            apus_guard_install_crash_report()
            let thread = Thread {
                guard let bench = try? InstanceBench(hostile: "overflow-stack") else { return }
                try? bench.instance.open(nowMicroseconds: 1)  // Then no crash: the test fails.
                _ = bench.process(["a"])
            }
            thread.start()
            try await Task.sleep(for: .seconds(30))
        }
        #expect(
            crashLine(result)
                == "apus: crash: SIGSEGV (stack overflow) " + Self.blame + "process"
        )
    }

    @Test("a crash outside of plugins is not blamed on one")
    func aCrashOutsideOfPluginsIsNotBlamedOnOne() async {
        let result = await #expect(
            processExitsWith: .signal(SIGFPE),
            observing: [\.standardErrorContent]
        ) {
            apus_guard_install_crash_report()
            _ = try InstanceBench(hostile: "yield-at-the-end").process(["a"])
            raise(SIGFPE)
        }
        #expect(
            crashLine(result)
                == "apus: crash: SIGFPE (integer division by zero or overflow) outside of any "
                + "plugin"
        )
    }
}
