package import ApusRuntime

/// Some checkpoints together; encodes as a part of what `apus bench --json` prints.
package struct CheckpointFigures: Encodable, Equatable, Sendable {
    /// How many are complete.
    package let completed: Int
    /// How many were given up.
    package let failed: Int
    /// Why.
    package let failures: [String]
    /// From the barrier to the end, in milliseconds, of those that are complete.
    package let durationMedian: Double
    /// The longest.
    package let durationMax: Double
    /// The longest that a task thread worked for one in one pass of its loop, in microseconds.
    package let longestPause: Double
    /// The longest that a stage waited for barriers, in milliseconds.
    package let alignmentMax: Double
    /// Bytes that earlier checkpoints did not have, compactions of the database included.
    package let newBytesMedian: Int
    /// The mean.
    package let newBytesMean: Int
    /// The most.
    package let newBytesMax: Int
    /// Bytes of all files of the last one.
    package let totalBytes: Int

    private enum CodingKeys: String, CodingKey {
        case completed, failed, failures
        case durationMedian = "duration_milliseconds_median"
        case durationMax = "duration_milliseconds_max"
        case longestPause = "longest_pause_microseconds"
        case alignmentMax = "alignment_milliseconds_max"
        case newBytesMedian = "new_bytes_median"
        case newBytesMean = "new_bytes_mean"
        case newBytesMax = "new_bytes_max"
        case totalBytes = "total_bytes"
    }

    /// Sums attempts up.
    ///
    /// - Parameter attempts: In their order.
    package init(_ attempts: [CheckpointStatistics]) {
        let complete = attempts.filter { $0.outcome == .complete }
        completed = complete.count
        failed = attempts.count - complete.count
        var reasons: [String] = []
        for attempt in attempts {
            if case .abandoned(let reason) = attempt.outcome, !reasons.contains(reason) {
                reasons.append(reason)
            }
        }
        failures = reasons
        let durations = complete.map { Double($0.durationNanoseconds) / 1e6 }
        durationMedian = durations.median
        durationMax = durations.max() ?? 0
        longestPause = Double(attempts.map(\.longestPauseNanoseconds).max() ?? 0) / 1e3
        alignmentMax = Double(attempts.map(\.alignmentNanoseconds).max() ?? 0) / 1e6
        let newBytes = complete.map(\.newByteCount)
        newBytesMedian = Int(newBytes.map(Double.init).median)
        newBytesMean = newBytes.isEmpty ? 0 : newBytes.reduce(0, +) / newBytes.count
        newBytesMax = newBytes.max() ?? 0
        totalBytes = complete.last?.totalByteCount ?? 0
    }
}

extension [Double] {
    /// The one in the middle, or between the two in the middle; 0 of none.
    var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        let middle = count / 2
        return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
