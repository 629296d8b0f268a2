/// How a stream of bytes becomes records with times and perhaps keys.
package struct RecordParsing: Equatable, Sendable {
    /// Where the event time of a record comes from.
    package enum Timestamp: Equatable, Sendable {
        /// Records have no event time.
        case none
        /// One field, by its path from the top of the record.  In CSV, the path joined with dots is
        /// the name of a column.
        case field(path: [String], unit: TimeUnit)
        /// Five or six top-level fields in UTC: year, month, day, hour, minute, perhaps second.
        case parts([String])
    }

    /// How the text of a time field is read.
    package enum TimeUnit: Equatable, Sendable {
        /// Seconds since 1970-01-01T00:00:00Z, perhaps with a fraction.
        case seconds
        /// Milliseconds since 1970-01-01T00:00:00Z, perhaps with a fraction.
        case milliseconds
        /// Microseconds since 1970-01-01T00:00:00Z.
        case microseconds
        /// A date and time with an offset, as RFC 3339 has it.
        case rfc3339
    }

    /// What the bytes are.
    package var format: RecordFormat
    /// The field values that mean "no value" in a key or a time, and in the JSON made of CSV.
    package var nullValues: [String]
    /// Where event times come from.
    package var timestamp: Timestamp
    /// The field that becomes the record's key; nil gives the records none.
    package var keyField: [String]?

    /// Creates settings; see the properties.
    package init(
        format: RecordFormat,
        nullValues: [String] = [],
        timestamp: Timestamp = .none,
        keyField: [String]? = nil
    ) {
        if case .parts(let names) = timestamp {
            precondition(names.count == 5 || names.count == 6, "a time has 5 or 6 parts")
        }
        self.format = format
        self.nullValues = nullValues
        self.timestamp = timestamp
        self.keyField = keyField
    }

    /// The paths of all fields that must be read: those of the time, then the key's.
    var fieldPaths: [[String]] {
        timePaths + (keyField.map { [$0] } ?? [])
    }

    /// The paths of the fields that the time consists of.
    var timePaths: [[String]] {
        switch timestamp {
        case .none: []
        case .field(let path, _): [path]
        case .parts(let names): names.map { [$0] }
        }
    }
}
