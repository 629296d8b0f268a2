import ApusCore
import ApusRuntime

/// A job's progress on standard error: a line drawn again on a terminal, else one now and then.
struct ProgressDisplay {
    /// Time between lines where they cannot be drawn again.
    private static let plainInterval: Int64 = 10_000_000_000
    private static let terminalInterval: Int64 = 500_000_000

    private let isTerminal: Bool
    private var lastAt: Int64?
    private var lastRecords = 0
    private var isLineOpen = false

    init(isTerminal: Bool) {
        self.isTerminal = isTerminal
    }

    /// Shows progress when it is time.
    mutating func update(_ progress: JobProgress, nowNanoseconds now: Int64) {
        guard let last = lastAt else {
            lastAt = now
            return
        }
        // The job has gone on from a checkpoint, and counts anew.
        lastRecords = min(lastRecords, progress.sourceRecords)
        let elapsed = now - last
        guard elapsed >= (isTerminal ? Self.terminalInterval : Self.plainInterval) else { return }
        let rate = Double(progress.sourceRecords - lastRecords) * 1e9 / Double(elapsed)
        lastAt = now
        lastRecords = progress.sourceRecords
        let text = Self.line(progress, recordsPerSecond: rate)
        if isTerminal {
            Console.show("\r\u{1b}[K\(text)")
            isLineOpen = true
        } else {
            Console.note(text)
        }
    }

    /// Says something without spoiling the line.
    mutating func note(_ text: String) {
        finish()
        Console.note(text)
    }

    /// Ends the line.
    mutating func finish() {
        if isLineOpen { Console.show("\r\u{1b}[K") }
        isLineOpen = false
    }

    /// `12.3 M records, 4.5 M/s; event time 2013-01-05T10:00:00Z, 24 h behind; 3 errors`.
    static func line(_ progress: JobProgress, recordsPerSecond: Double) -> String {
        var text = "\(short(Double(progress.sourceRecords))) records"
        text += ", \(short(recordsPerSecond))/s"
        let sources = progress.nodes.map(\.watermark).filter { $0 != .min && $0 != .max }
        if let newest = sources.max(), let oldest = sources.min() {
            let time = EventTime(microseconds: newest / 1_000_000 * 1_000_000)
            text += "; event time \(CivilTime(time).rfc3339)"
            let lag = (newest - oldest) / 1_000_000
            if lag > 0 { text += ", operators \(lag) s behind" }
        }
        if progress.rejectedRecords > 0 { text += "; \(progress.rejectedRecords) rejected" }
        if let checkpoints = progress.checkpoints { text += "; " + line(checkpoints) }
        return text
    }

    /// `checkpoint 12, longest pause 0.3 ms, 1 abandoned, 2 logs not delivered`.
    static func line(_ checkpoints: CheckpointTotals) -> String {
        guard let last = checkpoints.lastComplete else {
            return checkpoints.abandonedCount == 0
                ? "no checkpoint yet" : "NO CHECKPOINT, \(checkpoints.abandonedCount) abandoned"
        }
        var parts = ["checkpoint \(last)"]
        if checkpoints.longestPauseNanoseconds > 0 {
            let tenths = checkpoints.longestPauseNanoseconds / 100_000
            parts.append("longest pause \(tenths / 10).\(tenths % 10) ms")
        }
        if checkpoints.abandonedCount > 0 {
            parts.append("\(checkpoints.abandonedCount) abandoned")
        }
        if checkpoints.undeliveredCount > 1 {
            parts.append("\(checkpoints.undeliveredCount) logs not delivered")
        }
        return parts.joined(separator: ", ")
    }

    /// A number with at most three digits before a unit: `1.23 M`.
    static func short(_ value: Double) -> String {
        let units: [(Double, String)] = [(1e9, " G"), (1e6, " M"), (1e3, " k")]
        for (size, unit) in units where value >= size {
            let hundredths = (value / size * 100).rounded()
            let whole = Int(hundredths) / 100
            let rest = Int(hundredths) % 100
            return "\(whole).\(rest < 10 ? "0" : "")\(rest)\(unit)"
        }
        return "\(Int(value.rounded()))"
    }
}
