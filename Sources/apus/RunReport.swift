import ApusGraph
import ApusIO
import ApusRuntime

/// What `apus run` says at the end.
struct RunReport: Encodable {
    /// A node of the job.
    struct Node: Encodable {
        var id: String
        var recordsIn: Int
        var recordsOut: Int
        var rejected: Int
        var timersFired: Int
        var armedTimers: Int
        var counters: [String: UInt64]
    }

    /// What became of the checkpoints.
    struct Checkpoints: Encodable {
        var lastComplete: UInt64?
        var complete: Int
        var abandoned: Int
        var longestPauseMilliseconds: Double
        var undeliveredLogs: Int
    }

    var job: String
    var end: String
    var failure: String?
    var seconds: Double
    var sourceRecords: Int
    var deadLetters: Int
    var deadLetterFile: String?
    var firstRejection: String?
    var checkpoints: Checkpoints?
    var nodes: [Node]

    init(_ summary: JobRun.Summary, job: JobDescription, deadLetters letters: DeadLetterFile) {
        self.job = job.name
        seconds = Double(summary.progress.elapsedNanoseconds) / 1e9
        sourceRecords = summary.progress.sourceRecords
        deadLetters = letters.count
        deadLetterFile = letters.count > 0 ? job.errors.deadLetterFile : nil
        firstRejection = letters.firstReason
        switch summary.end {
        case .finished: end = "finished"
        case .stopped: end = "stopped"
        case .aborted: end = "aborted"
        case .failed(let reason):
            end = "failed"
            failure = reason.description
        }
        checkpoints = summary.progress.checkpoints.map { totals in
            Checkpoints(
                lastComplete: totals.lastComplete,
                complete: totals.completeCount,
                abandoned: totals.abandonedCount,
                longestPauseMilliseconds: Double(totals.longestPauseNanoseconds) / 1e6,
                undeliveredLogs: totals.undeliveredCount
            )
        }
        nodes = summary.progress.nodes.map { node in
            var counters: [String: UInt64] = [:]
            for counter in summary.pluginCounters where counter.node == node.id {
                counters[counter.name] = counter.value
            }
            return Node(
                id: node.id,
                recordsIn: node.recordsIn,
                recordsOut: node.recordsOut,
                rejected: node.rejected,
                timersFired: node.timersFired,
                armedTimers: summary.armedTimers.first { $0.node == node.id }?.count ?? 0,
                counters: counters
            )
        }
    }

    /// The report for people.
    var text: String {
        let tenths = Int((seconds * 10).rounded())
        var lines = [
            "job '\(job)': \(endText), \(sourceRecords) records in \(tenths / 10).\(tenths % 10) s"
        ]
        for node in nodes {
            var parts: [String] = []
            if node.recordsIn > 0 { parts.append("\(node.recordsIn) in") }
            parts.append("\(node.recordsOut) out")
            if node.timersFired > 0 { parts.append("\(node.timersFired) timers fired") }
            if node.armedTimers > 0 { parts.append("\(node.armedTimers) timers not due") }
            if node.rejected > 0 { parts.append("\(node.rejected) rejected") }
            for (name, value) in node.counters.sorted(by: { $0.key < $1.key }) {
                parts.append("\(name) \(value)")
            }
            lines.append("  \(node.id): \(parts.joined(separator: ", "))")
        }
        if let totals = checkpoints {
            var line = "  \(totals.complete) checkpoints"
            if let last = totals.lastComplete { line += ", the last one is \(last)" }
            if totals.abandoned > 0 { line += "; \(totals.abandoned) were abandoned" }
            if totals.undeliveredLogs > 0 {
                line += "; \(totals.undeliveredLogs) logs of output are not delivered yet"
            }
            lines.append(line)
        }
        if let deadLetterFile {
            lines.append("  \(deadLetters) rejected records were added to \(deadLetterFile)")
            if let firstRejection { lines.append("  the first one: \(firstRejection)") }
        }
        if let failure {
            lines.append("error: \(failure)")
            lines.append("The output so far is not complete.")
        }
        return lines.joined(separator: "\n")
    }

    /// How a job goes on that was broken off; nil when it cannot.
    private var goingOnText: String? {
        checkpoints?.lastComplete.map {
            "what came after checkpoint \($0) is processed again with --from latest"
        }
    }

    private var endText: String {
        switch end {
        case "stopped": "stopped on request before its input ended"
        case "aborted": "ended at once; " + (goingOnText ?? "what was under way is lost")
        case "failed": "FAILED"
        default: "finished"
        }
    }
}
