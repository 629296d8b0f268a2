import ApusIO
import ApusPluginHost
import CApusCheck
import CApusGuard
import Foundation

/// Runs one check in this process.
package enum CheckChild {
    /// What a child begins the line with that has its result.
    static let resultMark = "result: "
    /// What a child says it is at, in case it does not come to its end.
    static let noteMark = "note: "
    /// What a layer found wrong, at once.
    static let violationMark = "violation: "

    /// What a child is started for.
    package struct Order: Codable, Sendable {
        var check: String
        var file: String
        var component: String?
        var settings: CheckSettings
        var imageDirectory: String
    }

    /// Runs the check that an order in JSON names, and writes what comes of it to standard output,
    /// which the plugin does not get.
    ///
    /// - Returns: False when the order makes no sense.
    package static func run(orderJSON: String) -> Bool {
        guard
            let order = decoded(orderJSON),
            let check = CheckCatalogue.check(order.check)
        else { return false }
        apus_guard_install_crash_report()
        let output = apus_check_divert_output()
        guard output >= 0 else { return false }
        apus_check_report_to(output)
        if let trace = order.settings.trace, apus_check_trace_to(trace) != 0 { return false }
        func say(_ line: String) {
            let line = line.replacing("\n", with: " ") + "\n"
            apus_check_say(output, line, UInt64(line.utf8.count))
        }
        let result = run(check, order) { say(noteMark + $0) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(result) else { return false }  // It can be encoded.
        say(resultMark + String(decoding: data, as: UTF8.self))
        return true
    }

    private static func decoded(_ json: String) -> Order? {
        try? JSONDecoder().decode(Order.self, from: Data(json.utf8))  // Nil tells that it is none.
    }

    /// Runs a check in this process.
    static func run(
        _ check: Check,
        _ order: Order,
        report: @escaping (String) -> Void
    ) -> CheckResult {
        let clock = LinuxClock()
        let start = clock.monotonicNanoseconds()
        func result(_ verdict: CheckResult.Verdict, _ message: String) -> CheckResult {
            CheckResult(
                check,
                component: order.component,
                verdict: verdict,
                message: message,
                seed: order.settings.seed,
                milliseconds: (clock.monotonicNanoseconds() - start) / 1_000_000
            )
        }
        do {
            let bench = try CheckBench(
                check,
                file: order.file,
                component: order.component,
                settings: order.settings,
                imageDirectory: order.imageDirectory,
                report: report
            )
            switch try check.body(bench) {
            case .pass(let text): return result(.pass, text)
            case .warn(let text): return result(.warn, text)
            }
        } catch CheckStop.fail(let text) {
            return result(.fail, text)
        } catch CheckStop.skip(let text) {
            return result(.skip, text)
        } catch let error as PluginError where check.group == .file {
            return refused(check, order, error, result)
        } catch let error as PluginError {
            return result(verdict(of: error, for: check), error.description)
        } catch {
            return result(.fail, "\(error)")
        }
    }

    /// What the file of a plugin that cannot be loaded tells.
    private static func refused(
        _ check: Check,
        _ order: Order,
        _ error: PluginError,
        _ result: (CheckResult.Verdict, String) -> CheckResult
    ) -> CheckResult {
        do {
            switch try FileChecks.outcome(of: check.id, file: order.file, LinuxDisk()) {
            case .pass(let text): return result(.pass, text)
            case .warn(let text): return result(.warn, text)
            }
        } catch CheckStop.fail(let text) {
            return result(.fail, text)
        } catch CheckStop.skip(let text) {
            return result(.skip, text)
        } catch {
            return result(.skip, "\(error)")
        }
    }

    /// A plugin that cannot be loaded fails the check that is about that.
    private static func verdict(of error: PluginError, for check: Check) -> CheckResult.Verdict {
        let isDescription = error.code == .badDescription
        let isNeed = error.message.contains("needs the extension")
        let isMigration = error.message.contains("has no migrate")
        return switch check.id {
        case LoadChecks.load.id: isDescription ? .pass : .fail
        case DescriptionChecks.structs.id: isDescription && !isMigration ? .fail : .skip
        case DescriptionChecks.needs.id: isNeed ? .fail : .skip
        case DescriptionChecks.states.id: isMigration ? .fail : .skip
        default: .skip
        }
    }
}
