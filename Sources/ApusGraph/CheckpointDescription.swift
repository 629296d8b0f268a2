/// When and where a job takes checkpoints.
package struct CheckpointDescription: Sendable, Hashable {
    /// The possible values of ``intervalMicroseconds``: 100 ms to a day.
    package static let intervalRange: ClosedRange<Int64> = 100_000...86_400_000_000

    /// The possible values of ``minPauseMicroseconds``: up to a day.
    package static let minPauseRange: ClosedRange<Int64> = 0...86_400_000_000

    /// The possible values of ``timeoutMicroseconds``: 100 ms to a day.
    package static let timeoutRange: ClosedRange<Int64> = 100_000...86_400_000_000

    /// The possible values of ``alignmentTimeoutMicroseconds``: up to a day.
    package static let alignmentTimeoutRange: ClosedRange<Int64> = 0...86_400_000_000

    /// The possible values of ``retainedCount``.
    ///
    /// One would not do: when the newest turns out to be damaged, there must be another.
    package static let retainedCountRange = 2...1_000

    /// The least value of ``ioLimitBytesPerSecond``: with less no checkpoint would ever end.
    package static let ioLimitMinBytesPerSecond = 1_000

    /// The value of ``intervalMicroseconds`` when the author gives none.
    package static let defaultIntervalMicroseconds: Int64 = 10_000_000

    /// The value of ``timeoutMicroseconds`` when the author gives none.
    package static let defaultTimeoutMicroseconds: Int64 = 600_000_000

    /// The value of ``alignmentTimeoutMicroseconds`` when the author gives none.
    package static let defaultAlignmentTimeoutMicroseconds: Int64 = 1_000_000

    /// The value of ``retainedCount`` when the author gives none.
    package static let defaultRetainedCount = 2

    /// The folder that holds the checkpoints of this job and of no other.
    package var directory: String

    /// The time from the start of one checkpoint to the start of the next, in microseconds.
    package var intervalMicroseconds: Int64

    /// The least time from the end of one checkpoint to the start of the next, in microseconds.
    package var minPauseMicroseconds: Int64

    /// After which time an attempt is abandoned, in microseconds.
    package var timeoutMicroseconds: Int64

    /// How many attempts in a row may fail: one more fails the job; `nil` for any number.
    package var tolerableFailureCount: Int?

    /// How long an attempt stays aligned, in microseconds; `nil` for as long as it takes.
    package var alignmentTimeoutMicroseconds: Int64?

    /// How many complete checkpoints are kept.
    package var retainedCount: Int

    /// How much the checkpoint thread writes per second at most; `nil` for no limit.
    package var ioLimitBytesPerSecond: Int?

    /// Creates a rule; see the properties.
    package init(
        directory: String,
        intervalMicroseconds: Int64 = defaultIntervalMicroseconds,
        minPauseMicroseconds: Int64 = 0,
        timeoutMicroseconds: Int64 = defaultTimeoutMicroseconds,
        tolerableFailureCount: Int? = nil,
        alignmentTimeoutMicroseconds: Int64? = defaultAlignmentTimeoutMicroseconds,
        retainedCount: Int = defaultRetainedCount,
        ioLimitBytesPerSecond: Int? = nil
    ) {
        self.directory = directory
        self.intervalMicroseconds = intervalMicroseconds
        self.minPauseMicroseconds = minPauseMicroseconds
        self.timeoutMicroseconds = timeoutMicroseconds
        self.tolerableFailureCount = tolerableFailureCount
        self.alignmentTimeoutMicroseconds = alignmentTimeoutMicroseconds
        self.retainedCount = retainedCount
        self.ioLimitBytesPerSecond = ioLimitBytesPerSecond
    }
}
