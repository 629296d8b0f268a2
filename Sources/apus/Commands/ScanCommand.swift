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
        do throws(PluginError) {
            let staged = try world.loader.stage(file)
            verdict.sandbox = .enter()
            let plugin = try capturing(&verdict.output) { () throws(PluginError) in
                let before = ProcessCensus(world.disk)
                let start = world.clock.monotonicNanoseconds()
                let plugin = try world.loader.load(staged)
                verdict.loadMilliseconds = Double(world.clock.monotonicNanoseconds() - start) / 1e6
                let after = ProcessCensus(world.disk)
                verdict.changes = plugin.changes + after.changes(since: before)
                verdict.mapped = after.files(since: before).filter { $0 != staged.image }
                return plugin
            }
            verdict.report = PluginReport(plugin)
            verdict.log = log.lines
            // What is known so far: the trials may end this process.
            say(verdict)
            let before = ProcessCensus(world.disk)
            let trials = capturing(&verdict.output) { ComponentTrial.run(plugin) }
            verdict.trials = trials
            verdict.changes += ProcessCensus(world.disk).changes(since: before)
        } catch {
            verdict.refusal = ScanVerdict.Refusal(code: error.code, message: error.message)
        }
        verdict.log = log.lines
        say(verdict)
        // Not exit: what the plugin wants to do at the end is of no interest.
        _exit(0)
    }

    /// Keeps what is printed meanwhile out of the results.
    private func capturing<Value, Failure>(
        _ text: inout String,
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let output = CapturedOutput()
        defer { text += output?.end() ?? "" }
        return try body()
    }

    private func say(_ verdict: ScanVerdict) {
        do {
            try Console.print(try verdict.line())
        } catch {
            // The parent finds nothing to read, and says so.
            Console.error("\(error)")
        }
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
