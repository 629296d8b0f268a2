import ApusCore
import ApusSwap

/// What `apus swap history` tells: every swap, rescale, upgrade and live purge of a job.
struct SwapHistoryReport: Codable, Equatable {
    /// A version of an operator.
    struct Version: Codable, Equatable {
        var plugin: String
        var version: String
        var sha256: String
        var component: String
        var file: String

        init(_ version: PluginVersion) {
            plugin = version.plugin
            self.version = version.version
            sha256 = version.sha256
            component = version.component
            file = version.file
        }

        /// `com.example.fraud 1.4.2 (27c3b5bcb6f2)`.
        fileprivate var text: String { "\(plugin) \(version) (\(sha256.prefix(12)))" }
    }

    /// An operator that got another version.
    struct Operator: Codable, Equatable {
        var `operator`: String
        var from: Version
        var to: Version
    }

    /// An operation.
    struct Swap: Codable, Equatable {
        var swap: Int
        var kind: String
        /// When it began, RFC 3339.
        var at: String
        /// When it ended; missing while it is under way.
        var endedAt: String?
        var operators: [Operator]
        /// "open", "committed", "rolled-back" or "abandoned".
        var outcome: String
        /// Why it was rolled back or abandoned, or committed before its probation was over.
        var reason: String?
        /// "breach", "crash", "request" or "other"; missing when it was not rolled back.
        var cause: String?
        /// The checkpoint that the cut lay behind, or that the job went back to.
        var checkpoint: UInt64?
        /// The version of the first operator, the number of subtasks, or the job file, before.
        var from: String?
        /// The same after it.
        var to: String?
        var isSwept: Bool
        var remark: String?
    }

    /// A version that was taken back.
    struct Quarantine: Codable, Equatable {
        var sha256: String
        var swap: Int
        var reason: String
    }

    var job: String
    var swaps: [Swap]
    var quarantined: [Quarantine]

    /// Creates a report; a job without a journal was never swapped.
    init(job: String, _ history: SwapHistory?) {
        self.job = job
        swaps = history?.swaps.map(Swap.init) ?? []
        quarantined =
            history?.quarantined.map {
                Quarantine(sha256: $0.sha256, swap: $0.swap, reason: $0.reason)
            } ?? []
    }

    /// The report for people.
    var text: String {
        guard !swaps.isEmpty else { return "job '\(job)': nothing of it was ever swapped" }
        var lines = ["job '\(job)':"]
        for swap in swaps {
            lines.append("  \(swap.swap)  \(swap.at)  \(swap.kind): \(swap.outcomeText)")
            for change in swap.operators {
                lines.append("     \(change.operator): \(change.from.text) -> \(change.to.text)")
            }
            if swap.operators.isEmpty, let from = swap.from, let to = swap.to {
                lines.append("     \(from) -> \(to)")
            }
            if let remark = swap.remark { lines.append("     \(remark)") }
        }
        for found in quarantined {
            lines.append(
                "  quarantined: \(found.sha256.prefix(12)), by swap \(found.swap): \(found.reason)"
            )
        }
        return lines.joined(separator: "\n")
    }
}

extension SwapHistoryReport.Swap {
    init(_ found: SwapHistory.Swap) {
        let intent = found.intent
        swap = intent.swap
        kind = intent.kind.rawValue
        at = Self.time(found.atMicroseconds)
        endedAt = found.endedAtMicroseconds.map(Self.time)
        operators = intent.operators.map {
            SwapHistoryReport.Operator(
                operator: $0.id,
                from: SwapHistoryReport.Version($0.from),
                to: SwapHistoryReport.Version($0.to)
            )
        }
        outcome = found.outcome.name
        checkpoint = found.checkpoint
        switch found.outcome {
        case .open: break
        case .committed: reason = found.commitReason
        case .rolledBack(let reason, let checkpoint, let cause):
            self.reason = reason
            self.cause = cause.rawValue
            self.checkpoint = checkpoint ?? self.checkpoint
        case .abandoned(let reason): self.reason = reason
        }
        from =
            intent.operators.first?.from.text ?? intent.parallelism.map { "\($0.from)" }
            ?? intent.jobFile?.from.text
        to =
            intent.operators.first?.to.text ?? intent.parallelism.map { "\($0.to)" }
            ?? intent.jobFile?.to.text
        isSwept = found.isSwept
        remark = intent.remark
    }

    private static func time(_ microseconds: Int64) -> String {
        CivilTime(EventTime(microseconds: microseconds / 1_000_000 * 1_000_000)).rfc3339
    }

    /// `rolled back to checkpoint 7 (breach): error rate 3 %`.
    fileprivate var outcomeText: String {
        let place = checkpoint.map { " checkpoint \($0)" }
        switch outcome {
        case "open": return "under way" + (place.map { ", behind\($0)" } ?? "")
        case "rolled-back":
            return "rolled back" + (place.map { " to\($0)" } ?? "") + " (\(cause ?? "")): "
                + (reason ?? "")
        case "abandoned": return "abandoned: \(reason ?? "")"
        default:
            return outcome + (isSwept ? ", and swept" : "") + (reason.map { ": \($0)" } ?? "")
        }
    }
}
