/// How long a callback of a plugin may take before something is done about it.
package struct CallLimits: Sendable, Hashable {
    /// What both limits may be, in microseconds.
    package static let range: ClosedRange<Int64> = 100_000...86_400_000_000

    /// The grace after the time-out is a tenth of it, within these bounds, in microseconds.
    private static let graceRange: ClosedRange<Int64> = 100_000...5_000_000

    /// When a callback that has not returned is asked to, in microseconds; `nil` for never.
    package var timeoutMicroseconds: Int64? = 30_000_000

    /// When a warning says where the callback is, in microseconds; `nil` for never.
    package var warningMicroseconds: Int64? = 1_000_000

    /// Creates the limits that hold when the author gives none.
    package init() {}

    /// How long after the time-out the process ends, in microseconds.
    package var graceMicroseconds: Int64 {
        let tenth = (timeoutMicroseconds ?? 0) / 10
        return min(max(tenth, Self.graceRange.lowerBound), Self.graceRange.upperBound)
    }
}
