import ApusCore
import ApusRuntime

/// What a running job says of itself: the result of `job.status`.
struct JobStatus: Codable {
    /// A node of the job.
    struct Node: Codable {
        var id: String
        var recordsIn: Int
        var recordsOut: Int
        var rejected: Int
        var timersFired: Int
        /// Event time; nil before the first watermark and at the end of the input.
        var watermark: String?
        var hasEnded: Bool
        var keyCount: Int
        var stateByteCount: Int
        /// The C function that the node calls; nil for other nodes.
        var function: String?
    }

    /// The checkpoints of the job, all together.
    struct Checkpoints: Codable {
        var lastComplete: UInt64?
        var complete: Int
        var abandoned: Int
        var longestPauseMilliseconds: Double
        var undeliveredLogs: Int
        /// The attempts that ended last, oldest first.
        var attempts: [Attempt]
    }

    /// An attempt at a checkpoint.
    struct Attempt: Codable {
        var number: UInt64
        /// Why it was given up; nil for one that is complete.
        var abandoned: String?
        var durationMilliseconds: Double
        var newByteCount: Int
        var isUnaligned: Bool
    }

    var job: String
    var version: String
    var process: Int32
    var seconds: Double
    var sourceRecords: Int
    var rejectedRecords: Int
    var checkpoints: Checkpoints?
    var nodes: [Node]

    /// The most attempts that are told.
    private static let attemptCountMax = 10

    init(_ run: JobRun, job: String, version: String, process: Int32) {
        let progress = run.progress()
        self.job = job
        self.version = version
        self.process = process
        seconds = Double(progress.elapsedNanoseconds) / 1e9
        sourceRecords = progress.sourceRecords
        rejectedRecords = progress.rejectedRecords
        checkpoints = progress.checkpoints.map { totals in
            Checkpoints(
                lastComplete: totals.lastComplete,
                complete: totals.completeCount,
                abandoned: totals.abandonedCount,
                longestPauseMilliseconds: Double(totals.longestPauseNanoseconds) / 1e6,
                undeliveredLogs: totals.undeliveredCount,
                attempts: run.checkpoints().suffix(Self.attemptCountMax).map(Attempt.init)
            )
        }
        nodes = progress.nodes.map { node in
            let isTime = node.watermark != .min && node.watermark != .max
            let time = EventTime(microseconds: node.watermark)
            return Node(
                id: node.id,
                recordsIn: node.recordsIn,
                recordsOut: node.recordsOut,
                rejected: node.rejected,
                timersFired: node.timersFired,
                watermark: isTime ? CivilTime(time).rfc3339 : nil,
                hasEnded: node.watermark == .max,
                keyCount: node.keyCount,
                stateByteCount: node.stateByteCount,
                function: run.functionSummary(of: node.id)
            )
        }
    }

    /// The status for people.
    var text: String {
        let tenths = Int((seconds * 10).rounded())
        var lines = [
            "job '\(job)': running for \(tenths / 10).\(tenths % 10) s, process \(process), "
                + "apus \(version)",
            "  \(sourceRecords) records read, \(rejectedRecords) rejected",
        ]
        for node in nodes {
            var parts = ["\(node.recordsIn) in", "\(node.recordsOut) out"]
            if node.timersFired > 0 { parts.append("\(node.timersFired) timers fired") }
            if node.rejected > 0 { parts.append("\(node.rejected) rejected") }
            if node.keyCount > 0 {
                parts.append("\(node.keyCount) keys")
                parts.append("\(node.stateByteCount) bytes of state in memory")
            }
            if let watermark = node.watermark { parts.append("event time \(watermark)") }
            if node.hasEnded { parts.append("its input has ended") }
            if let function = node.function { parts.append("calls \(function)") }
            lines.append("  \(node.id): \(parts.joined(separator: ", "))")
        }
        lines.append("  " + (checkpoints?.text ?? "it takes no checkpoints"))
        return lines.joined(separator: "\n")
    }
}

extension JobStatus.Attempt {
    init(_ attempt: CheckpointStatistics) {
        number = attempt.number
        if case .abandoned(let reason) = attempt.outcome { abandoned = reason }
        durationMilliseconds = Double(attempt.durationNanoseconds) / 1e6
        newByteCount = attempt.newByteCount
        isUnaligned = attempt.isUnaligned
    }
}

extension JobStatus.Checkpoints {
    /// The checkpoints for people, in a line.
    fileprivate var text: String {
        var text = lastComplete.map { "checkpoint \($0) is the newest" } ?? "no checkpoint yet"
        text += "; \(complete) complete, \(abandoned) abandoned"
        if longestPauseMilliseconds > 0 {
            let hundredths = Int((longestPauseMilliseconds * 100).rounded())
            let rest = hundredths % 100
            text += ", longest pause \(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
        }
        if undeliveredLogs > 0 { text += ", \(undeliveredLogs) logs not delivered" }
        if let last = attempts.last, let reason = last.abandoned {
            text += "; the last attempt was given up: \(reason)"
        }
        return text
    }
}
