import ApusPluginHost
import ApusTestPlugins
import CApusPlugin
import CApusThreadChecks
import Glibc
import Synchronization
import Testing

/// Goal: a call of a host function where its thread tag does not allow it is reported, with the
/// function, the callback and the reason; what is allowed is not.
///
/// Method: a plugin with one component per misdeed, in real instances whose tables are checked.
@Suite("Thread checks", .serialized)
struct ThreadCheckTests {
    /// What was reported, as one line each.
    final class Reports: Sendable {
        private let lines = Mutex<[String]>([])

        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    /// Collects what is reported until the test is over.
    private final class Watch {
        let reports = Reports()

        init() {
            apus_thread_checks_report_to(
                { user, violation in
                    guard let user, let violation = violation?.pointee else { return }
                    let reports = Unmanaged<Reports>.fromOpaque(user).takeUnretainedValue()
                    let callback = violation.callback.map { String(cString: $0) } ?? "no callback"
                    let function = String(cString: violation.function)
                    reports.add("\(function), \(callback): \(String(cString: violation.found))")
                },
                Unmanaged.passUnretained(reports).toOpaque()
            )
        }

        deinit { apus_thread_checks_report_to(nil, nil) }
    }

    private func bench(_ component: String, _ plugin: LoadedPlugin) throws -> InstanceBench {
        let bench = try InstanceBench(plugin, component)
        bench.instance.withContext { #expect(apus_thread_checks_attach($0) == APUS_OK) }
        return bench
    }

    private func detach(_ bench: InstanceBench) {
        bench.instance.withContext { apus_thread_checks_detach($0) }
    }

    /// Makes one call of an instance, and says so to the checks, as the host's side of them does.
    private func during<Result>(
        _ callback: String,
        _ bench: InstanceBench,
        _ call: () throws -> Result
    ) rethrows -> Result {
        // SAFETY: static for the checks means as long as the callback runs; the copy outlives it.
        let name = strdup(callback)
        bench.instance.withContext { apus_thread_checks_enter(name, $0) }
        defer {
            apus_thread_checks_leave()
            free(name)
        }
        return try call()
    }

    /// What is reported while an instance opens, has two records, two watermarks and closes.
    private func reports(of component: String) throws -> [String] {
        let plugin = try PluginWorld().loader.load(try TestPlugin.trespasser())
        let watch = Watch()
        let bench = try bench(component, plugin)
        defer { detach(bench) }
        try during("open", bench) { try bench.instance.open(nowMicroseconds: 1) }
        #expect(during("process", bench) { bench.process(["a", "b"]) } == .done)
        #expect(bench.drain().map(\.text) == ["a", "b"])
        _ = during("on_watermark", bench) { bench.instance.onWatermark(5, nowMicroseconds: 7) }
        let fired = during("on_timers", bench) { bench.fireTimers(upTo: 100) }
        #expect(fired == (component == "honest" ? .done : nil))
        try during("close", bench) { try bench.instance.close(watermark: 5, nowMicroseconds: 7) }
        return watch.reports.all
    }

    @Test("a plugin that keeps the contract is not reported")
    func aPluginThatKeepsTheContractIsNotReported() throws {
        #expect(try reports(of: "honest") == [])
    }

    private static let noRecord = "in a callback that has no record or call for it"
    private static let misdeeds = [
        (
            "other-thread",
            "apus_state_api.counter_add, no callback: on a thread that runs no callback"
        ),
        ("watermark", "apus_state_api.counter_add, on_watermark: \(noRecord)"),
        ("early", "apus_state_api.counter_add, open: \(noRecord)"),
        ("begin-late", "apus_timer_api.set, on_watermark: \(noRecord)"),
        ("output-thread", "apus_out.more, no callback: on a thread that runs no callback"),
        (
            "forged",
            "apus_state_api.counter_add, process: "
                + "with a context that is not the host's, or of a closed instance"
        ),
    ]

    @Test("a call in the wrong place is reported once, and made", arguments: misdeeds)
    func aCallInTheWrongPlaceIsReported(component: String, report: String) throws {
        #expect(try reports(of: component) == [report])
    }

    @Test("the context of another instance is reported")
    func theContextOfAnotherInstanceIsReported() throws {
        let plugin = try PluginWorld().loader.load(try TestPlugin.trespasser())
        let watch = Watch()
        let first = try bench("foreign", plugin)
        let second = try bench("foreign", plugin)
        defer {
            detach(first)
            detach(second)
        }
        try during("open", first) { try first.instance.open(nowMicroseconds: 1) }
        try during("open", second) { try second.instance.open(nowMicroseconds: 1) }
        #expect(during("process", first) { first.process(["a"]) } == .done)
        #expect(watch.reports.all == [])
        #expect(during("process", second) { second.process(["a"]) } == .done)
        #expect(
            watch.reports.all == [
                "apus_state_api.counter_add, process: with the context of another instance"
            ]
        )
    }

    @Test("two callbacks of one instance at once are the host's mistake")
    func twoCallbacksOfOneInstanceAtOnceAreTheHostsMistake() throws {
        let plugin = try PluginWorld().loader.load(try TestPlugin.trespasser())
        let watch = Watch()
        let bench = try bench("honest", plugin)
        defer { detach(bench) }
        during("process", bench) { during("on_timers", bench) {} }
        during("close", bench) {}
        #expect(
            watch.reports.all == [
                "on_timers, on_timers: another callback with the same context runs"
            ]
        )
    }

    @Test("detached, a context has the real functions again")
    func detachedAContextHasTheRealFunctionsAgain() throws {
        let plugin = try PluginWorld().loader.load(try TestPlugin.trespasser())
        let watch = Watch()
        let bench = try bench("other-thread", plugin)
        detach(bench)
        try bench.instance.open(nowMicroseconds: 1)
        #expect(bench.process(["a"]) == .done)
        #expect(watch.reports.all == [])
    }

    @Test("the host's table is checked, and extensions are found through it")
    func theHostsTableIsChecked() throws {
        // SAFETY: static tables of this test; only pointers to them are compared.
        let real = UnsafeMutablePointer<apus_host>.allocate(capacity: 1)
        let async = UnsafeMutablePointer<apus_async_api>.allocate(capacity: 1)
        async.initialize(to: apus_async_api())
        async.pointee.size = UInt32(MemoryLayout<apus_async_api>.size)
        async.pointee.post = { instance, event in Int32(instance + event) }
        Self.asyncTable.store(UInt(bitPattern: async), ordering: .relaxed)
        real.initialize(to: apus_host())
        real.pointee.size = UInt32(MemoryLayout<apus_host>.size)
        real.pointee.get_extension = { name in
            guard let name, String(cString: name) == APUS_ASYNC else { return nil }
            return UnsafeRawPointer(
                bitPattern: ThreadCheckTests.asyncTable.load(ordering: .relaxed)
            )
        }
        let host = try #require(apus_thread_checks_host(real))
        #expect(host.pointee.get_extension("apus.unknown/1") == nil)
        let found = try #require(host.pointee.get_extension(APUS_ASYNC))
        #expect(found != UnsafeRawPointer(async))
        let table = found.assumingMemoryBound(to: apus_async_api.self)
        #expect(table.pointee.post(40, 2) == 42, "post is [any]: allowed without a callback")
        #expect(table.pointee.begin == nil, "what the real table lacks is not there")
    }

    private static let asyncTable = Atomic<UInt>(0)

    @Test("the table of thread tags has every function once")
    func theTableOfThreadTagsHasEveryFunctionOnce() {
        var names: Set<String> = []
        for index in 0..<Int(apus_thread_rule_count) {
            guard let rule = apus_thread_rule_at(UInt32(index))?.pointee else { continue }
            let table = rule.table.map { String(cString: $0) + "." } ?? ""
            names.insert(table + String(cString: rule.name))
            #expect(["ctl", "op", "any", "pure"].contains(String(cString: rule.tag)))
        }
        #expect(names.count == Int(apus_thread_rule_count))
        #expect(names.isSuperset(of: ["apus_plugin_v0", "apus_migrate", "apus_state_api.clear"]))
    }
}
