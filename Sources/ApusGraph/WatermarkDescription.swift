/// Where the event times of a source come from, and how far out of order they may be.
package struct WatermarkDescription: Sendable, Hashable {
    /// The field or fields that hold the time of a record.
    package enum Timestamp: Sendable, Hashable {
        /// One field, by its path from the top of the record.
        case field(path: [String], unit: Unit)
        /// Five or six fields in UTC: year, month, day, hour, minute and perhaps second.
        case calendar(fields: [String])
        /// The time that the record has already, from a plugin.
        case record
    }

    /// How the text of a time field is read.
    package enum Unit: String, Sendable, CaseIterable {
        /// Seconds since 1970-01-01T00:00:00Z.
        case seconds = "s"
        /// Milliseconds since 1970-01-01T00:00:00Z.
        case milliseconds = "ms"
        /// Microseconds since 1970-01-01T00:00:00Z.
        case microseconds = "us"
        /// A date and time with an offset, as RFC 3339 has it.
        case rfc3339
    }

    /// How long a silent source holds the watermark back when the author says nothing.
    package static let defaultIdleAfterMicroseconds: Int64 = 30_000_000

    /// The field or fields that hold the time of a record.
    package var timestamp: Timestamp

    /// How much older than the newest record a record may be without being late, in microseconds.
    package var outOfOrderMicroseconds: Int64

    /// After which silence the source no longer holds the watermark back, in microseconds;
    /// `nil` for never.
    package var idleAfterMicroseconds: Int64?

    /// Creates a rule; see the properties.
    package init(
        timestamp: Timestamp,
        outOfOrderMicroseconds: Int64 = 0,
        idleAfterMicroseconds: Int64? = defaultIdleAfterMicroseconds
    ) {
        self.timestamp = timestamp
        self.outOfOrderMicroseconds = outOfOrderMicroseconds
        self.idleAfterMicroseconds = idleAfterMicroseconds
    }
}
