import Synchronization

/// When each record is due: a schedule that does not wait for anybody.
///
/// A source that was held up makes the records that have become due meanwhile at once, with the
/// times at which they were due.  So a stall is seen by all records that should have come during
/// it, and not by the one alone that happened to be under way ("coordinated omission", Gil Tene).
final class OpenLoop: Sendable {
    /// The rate of all subtasks together.
    let recordsPerSecond: Int
    /// How many records there are.
    let recordCount: Int
    private let startCell: Atomic<Int64> = Atomic(0)

    init(recordsPerSecond: Int, recordCount: Int) {
        precondition(recordsPerSecond >= 1, "at least one record per second")
        self.recordsPerSecond = recordsPerSecond
        self.recordCount = recordCount
    }

    /// Sets the time at which record 0 is due, in monotonic nanoseconds.
    ///
    /// Once.
    func begin(at nanoseconds: Int64) { startCell.store(nanoseconds, ordering: .releasing) }

    /// When record 0 is due; nil when that is not known yet.
    var start: Int64? {
        let start = startCell.load(ordering: .acquiring)
        return start == 0 ? nil : start
    }

    /// When a record is due after record 0, in nanoseconds.
    func offset(of number: Int) -> Int64 {
        let (seconds, rest) = number.quotientAndRemainder(dividingBy: recordsPerSecond)
        return Int64(seconds) * 1_000_000_000
            + Int64(rest) * 1_000_000_000 / Int64(recordsPerSecond)
    }

    /// How long the schedule is, in nanoseconds.
    var duration: Int64 { offset(of: recordCount) }
}
