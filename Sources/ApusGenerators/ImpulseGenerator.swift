/// Numbered records at a steady pace: `{"sequence":1,"ts":"2026-03-02T09:00:00.000Z"}`.
///
/// The smallest input there is.  A number that is missing, doubled or out of place downstream shows
/// at once, and so does its record.
package struct ImpulseGenerator: Sendable {
    private let count: Int
    private let recordsPerSecond: Int64

    /// Describes the records; ``generate(event:)`` produces them.
    ///
    /// - Parameters:
    ///   - count: How many records, numbered from 1.
    ///   - recordsPerSecond: How many there are per second of event time, from
    ///     ``Timestamp/start`` on.
    /// - Precondition: `count` is not negative, and `recordsPerSecond` is positive.
    package init(count: Int, recordsPerSecond: Int = 1_000) {
        precondition(count >= 0, "the count is negative")
        precondition(recordsPerSecond > 0, "the rate is not positive")
        self.count = count
        self.recordsPerSecond = Int64(recordsPerSecond)
    }

    /// Hands out the records in order, each without a line end.
    ///
    /// - Parameter event: Takes one line.
    /// - Throws: What `event` throws; nothing follows.
    package func generate(event: (String) throws -> Void) rethrows {
        var pace = Pace(recordsPerSecond: recordsPerSecond)
        for sequence in 0..<count {
            var line = JSONLine()
            line.add("sequence", sequence + 1)
            line.add("ts", pace.next())
            try event(line.text)
        }
    }
}
