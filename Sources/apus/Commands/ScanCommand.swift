import ApusCore
import ApusPluginHost
import ArgumentParser
import CApusGuard
import Foundation
import Synchronization

/// `apus scan`: the child that loads a plugin and prints what came of it.
///
/// Not for users.
struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Load and describe a plugin in this process, shut in.",
        shouldDisplay: false
    )

    @Argument(help: "The private copy of the plugin's file.")
    var file: String

    func run() throws {
        apus_guard_install_crash_report()
        let world = World()
        let log = Log()
        PluginLog.install(clock: world.clock) { _, owner, text in log.add("\(owner): \(text)") }
        var verdict = ScanVerdict()
        do {
            let staged = try world.loader.stage(file)
            verdict.sandbox = .enter()
            let before = ProcessCensus(world.disk)
            let output = CapturedOutput()
            defer { verdict.output = output?.end() ?? "" }
            let start = world.clock.monotonicNanoseconds()
            let plugin = try world.loader.load(staged)
            verdict.loadMilliseconds = Double(world.clock.monotonicNanoseconds() - start) / 1e6
            verdict.trials = ComponentTrial.run(plugin)
            let after = ProcessCensus(world.disk)
            verdict.report = PluginReport(plugin)
            verdict.changes = plugin.changes + after.changes(since: before)
            verdict.mapped = after.files(since: before).filter { $0 != staged.image }
        } catch {
            verdict.refusal = ScanVerdict.Refusal(code: error.code, message: error.message)
        }
        verdict.log = log.lines
        try Console.print(try Console.json(verdict))
        // Not exit: what the plugin wants to do at the end is of no interest.
        _exit(0)
    }

    /// What the plugin logs.
    private final class Log: Sendable {
        private let kept: Mutex<[String]> = Mutex([])
        private static let lineCountMax = 100

        func add(_ line: String) {
            kept.withLock { if $0.count < Self.lineCountMax { $0.append(line) } }
        }

        var lines: [String] { kept.withLock { $0 } }
    }
}
