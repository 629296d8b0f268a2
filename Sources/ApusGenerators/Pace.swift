/// The event times of records that come at a steady rate, from ``Timestamp/start`` on.
struct Pace {
    private let recordsPerSecond: Int64
    private var second: Int64 = 0
    private var recordOfSecond: Int64 = 0

    /// Starts at the first record.
    init(recordsPerSecond: Int64) {
        self.recordsPerSecond = recordsPerSecond
    }

    /// The time of the next record, rounded down to a millisecond.
    mutating func next() -> Timestamp {
        let fraction = recordOfSecond * Milliseconds.second / recordsPerSecond
        let time = Timestamp.start + (second * Milliseconds.second + fraction)
        recordOfSecond += 1
        if recordOfSecond == recordsPerSecond {
            recordOfSecond = 0
            second += 1
        }
        return time
    }
}
