/// What a version on probation has to keep to.
package struct SwapLimits: Codable, Equatable, Sendable {
    /// The most rejected records, as a part of those that came in: 0.01 is one in a hundred; nil
    /// for any number.
    package var errorRate: Double?
    /// How long 99 of 100 batches may take, in microseconds; nil for any time.
    package var p99Microseconds: Int64?
    /// The most that counters of the plugin may show, by name.
    package var counters: [String: UInt64] = [:]

    /// Records that must have come in before their errors count.
    package static let recordCountMin = 20
    /// Batches that must have come in before their times count.
    package static let batchCountMin = 20

    /// Creates limits that nothing breaks.
    package init() {}

    /// What was seen of the version since the cut.
    package struct Observation: Equatable, Sendable {
        /// Records that came in.
        package var recordCount = 0
        /// Records that were rejected.
        package var rejectedCount = 0
        /// Batches that came in.
        package var batchCount = 0
        /// How long 99 of 100 batches took at most, in microseconds; nil when there were none.
        package var p99Microseconds: Int64?
        /// The plugin's counters.
        package var counters: [String: UInt64] = [:]

        /// Creates an observation of nothing.
        package init() {}

        /// Rejected records as a part of those that came in.
        package var errorRate: Double {
            recordCount == 0 ? 0 : Double(rejectedCount) / Double(recordCount)
        }

        /// The least that the rate may be in truth, going by so few records.
        ///
        /// The lower end of Wilson's interval (J. Am. Stat. Assoc. 22, 1927), with three standard
        /// deviations.  The guard looks a hundred times a second: with fewer, chance alone would
        /// break a limit.
        var errorRateAtLeast: Double {
            guard recordCount > 0 else { return 0 }
            let (count, rate, z) = (Double(recordCount), errorRate, 3.0)
            let centre = rate + z * z / (2 * count)
            let spread = z * (rate * (1 - rate) / count + z * z / (4 * count * count)).squareRoot()
            return (centre - spread) / (1 + z * z / count)
        }
    }

    /// Finds a limit that was broken.
    ///
    /// - Parameters:
    ///   - seen: What was seen so far.
    ///   - isLast: Whether no more will be seen. Then few records and batches count, too: a version
    ///     may be so slow that there are no more of them.
    /// - Returns: Which limit was broken, and how; nil when none was.
    package func breach(_ seen: Observation, isLast: Bool = false) -> String? {
        if let errorRate, seen.errorRate > errorRate,
            isLast || seen.recordCount >= Self.recordCountMin && seen.errorRateAtLeast > errorRate
        {
            return "\(Self.percent(seen.errorRate)) of its records were rejected "
                + "(\(seen.rejectedCount) of \(seen.recordCount)); the limit is "
                + Self.percent(errorRate)
        }
        if let p99Microseconds, let found = seen.p99Microseconds,
            isLast || seen.batchCount >= Self.batchCountMin, found > p99Microseconds
        {
            return "99 of 100 batches took up to \(found) us; the limit is \(p99Microseconds) us"
        }
        for (name, limit) in counters.sorted(by: { $0.key < $1.key }) {
            if let found = seen.counters[name], found > limit {
                return "counter '\(name)' is \(found); the limit is \(limit)"
            }
        }
        return nil
    }

    private static func percent(_ rate: Double) -> String {
        "\((rate * 1000).rounded() / 10) %"
    }
}
