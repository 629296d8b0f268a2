/// Records over a fixed set of keys: `{"key":"k123","value":1,"ts":"2026-03-02T09:00:00.000Z"}`.
///
/// Keys are uniform over `k0` to `k<keyCount - 1>`.  Values number the records from 1: when the sum
/// of a key comes out wrong, the difference is the number of the record that was lost or doubled.
package struct KeyedGenerator: Sendable {
    private let seed: UInt64
    private let count: Int
    private let keyCount: UInt64
    private let recordsPerSecond: Int64

    /// Describes the records; ``generate(event:)`` produces them.
    ///
    /// - Parameters:
    ///   - seed: Decides the keys.
    ///   - count: How many records.
    ///   - keyCount: How many different keys.
    ///   - recordsPerSecond: How many records there are per second of event time, from
    ///     ``Timestamp/start`` on.
    /// - Precondition: `count` is not negative; `keyCount` and `recordsPerSecond` are positive.
    package init(seed: UInt64, count: Int, keyCount: Int, recordsPerSecond: Int = 1_000) {
        precondition(count >= 0, "the count is negative")
        precondition(keyCount > 0, "there are no keys to choose from")
        precondition(recordsPerSecond > 0, "the rate is not positive")
        self.seed = seed
        self.count = count
        self.keyCount = UInt64(keyCount)
        self.recordsPerSecond = Int64(recordsPerSecond)
    }

    /// Hands out the records in order, each without a line end.
    ///
    /// - Parameter event: Takes one line.
    /// - Throws: What `event` throws; nothing follows.
    package func generate(event: (String) throws -> Void) rethrows {
        var random = SeededRandom(seed: seed)
        var pace = Pace(recordsPerSecond: recordsPerSecond)
        for index in 0..<count {
            var line = JSONLine()
            line.add("key", "k\(random.next(below: keyCount))")
            line.add("value", index + 1)
            line.add("ts", pace.next())
            try event(line.text)
        }
    }
}
