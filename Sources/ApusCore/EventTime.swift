/// Event time, in microseconds since 1970-01-01T00:00:00Z.
///
/// Loops over records use the raw number; everything else uses this type.
package struct EventTime: Hashable, Comparable, Sendable {
    /// Microseconds since the epoch; ``none`` and ``endOfTime`` are the extremes.
    package let microseconds: Int64

    /// Creates a time from microseconds since the epoch.
    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The time of a record that has none (`APUS_NO_TIME`); also a watermark that says nothing.
    package static let none = EventTime(microseconds: .min)

    /// The watermark behind the last record of an input: every timer is due.
    package static let endOfTime = EventTime(microseconds: .max)

    /// Whether `left` is before `right`.
    package static func < (left: EventTime, right: EventTime) -> Bool {
        left.microseconds < right.microseconds
    }
}
