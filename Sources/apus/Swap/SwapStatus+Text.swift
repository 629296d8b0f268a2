import ApusRuntime
import ApusSwap

extension SwapStatus {
    /// Whether it is the version before that is in force, or comes into force.
    private var isBefore: Bool {
        switch phase {
        case .none, .preparing, .shadowing, .rollingBack, .rolledBack, .abandoned: true
        case .cutting, .probation, .committed: false
        }
    }

    /// A line for the job's log: what it is, where it is, and why.
    var headline: String {
        let name = kind?.rawValue ?? SwapIntent.Kind.swap.rawValue
        var line = swap.map { "\(name) \($0)" } ?? name
        if !operators.isEmpty {
            line += " of \(operators.map(\.operator).joined(separator: ", "))"
        }
        line += ": \(phase.rawValue)"
        if let checkpoint, phase == .probation { line += ", behind checkpoint \(checkpoint)" }
        return line + (reason.map { ": \($0)" } ?? "")
    }

    /// A line for people who wait.
    var progressText: String {
        let name = kind?.rawValue ?? SwapIntent.Kind.swap.rawValue
        var line = "job '\(job)': \(swap.map { "\(name) \($0)" } ?? name), \(phase.rawValue)"
        if let found = self.guard { line += Self.text(of: found) }
        if let shadow {
            line +=
                " for \(Self.seconds(shadow.endsInSeconds)) more: \(shadow.report.records) "
                + "records, \(Self.percent(shadow.differenceRate)) of the outputs differ"
        }
        return line
    }

    private static func text(of found: Guard) -> String {
        " for \(seconds(found.endsInSeconds)) more: \(found.records) records, "
            + "\(percent(found.errorRate)) rejected"
            + (found.p99Microseconds.map { ", batches p99 \($0) us" } ?? "")
    }

    /// The status for people.
    var text: String {
        guard phase != .none else { return "job '\(job)': no swap since it was started" }
        let name = kind?.rawValue ?? SwapIntent.Kind.swap.rawValue
        var lines = ["job '\(job)': \(swap.map { "\(name) \($0)" } ?? name), \(phase.rawValue)"]
        if let reason { lines[0] += ": \(reason)" }
        if let jobFile {
            lines.append("  \(jobFile.from.text) -> \(jobFile.to.text)")
        }
        for change in operators {
            lines.append("  \(change.operator): \(change.from.text) -> \(change.to.text)")
            let done = change.subtasks.count(where: \.inForce)
            let left = change.subtasks.reduce(0) { $0 + $1.originKeys }
            lines.append(
                "    the \(isBefore ? "old" : "new") version is in force in \(done) of "
                    + "\(change.subtasks.count) subtasks"
                    + (left > 0 ? ", \(left) keys of older versions left to move" : "")
                    + (change.quarantined > 0
                        ? ", \(change.quarantined) keys could not be migrated" : "")
            )
        }
        if let shadow { lines += Self.lines(of: shadow) }
        if let found = self.guard {
            lines.append("  on probation\(Self.text(of: found))")
        }
        if let figures {
            var line = "  in force after \(figures.inForceMicroseconds) us, longest switch "
            line += "\(figures.longestSwitchMicroseconds) us"
            if let rollback = figures.rollbackMicroseconds {
                line += "; back after \(rollback) us by \(figures.rung ?? "?")"
            }
            lines.append(line)
        }
        for plugin in resident {
            lines.append(
                "  loaded: \(plugin.plugin) \(plugin.version) (\(plugin.sha256.prefix(12)))"
                    + (plugin.users.isEmpty
                        ? "" : ", used by \(plugin.users.joined(separator: ", "))")
            )
        }
        return lines.joined(separator: "\n")
    }

    private static func lines(of shadow: Shadow) -> [String] {
        let report = shadow.report
        let left = shadow.endsInSeconds > 0 ? " for \(seconds(shadow.endsInSeconds)) more" : ""
        let all = report.outputsEqual + report.onlyRunning + report.onlyNew
        var lines = [
            "  shadow\(left): \(report.records) records, \(report.keys) keys copied; of \(all) "
                + "outputs \(report.outputsEqual) equal, \(report.onlyRunning) only of the running "
                + "version, \(report.onlyNew) only of the new one; "
                + "rejected \(report.rejectedRunning) and \(report.rejectedNew); batches p99 "
                + "\(report.p99Microseconds) us"
        ]
        if report.keysRefused > 0 {
            lines.append(
                "    \(report.keysRefused) keys could not be taken over: \(report.refusal ?? "?")"
            )
        }
        for sample in report.samples.prefix(sampleLineCountMax) {
            let place = sample.output.map { $0 == 0 ? "" : " output \($0)" } ?? " rejected"
            lines.append(
                "    only \(sample.side.rawValue):\(place) key \(sample.key): \(sample.value)"
            )
        }
        return lines
    }

    /// Differences that are shown to people; JSON has more.
    private static let sampleLineCountMax = 6

    private static func seconds(_ value: Double) -> String { "\((value * 10).rounded() / 10) s" }

    private static func percent(_ rate: Double) -> String {
        "\((rate * 1000).rounded() / 10) %"
    }
}
