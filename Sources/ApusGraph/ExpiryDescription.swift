/// When the values of one state of an operator expire.
package struct ExpiryDescription: Sendable, Hashable {
    /// What makes a value live on.
    package enum Refresh: String, Sendable, CaseIterable {
        /// Writing it.
        case write
        /// Writing or reading it.
        case readAndWrite = "read-and-write"
    }

    /// The clock by which a value ages.
    package enum Time: String, Sendable, CaseIterable {
        /// The clock of the machine.
        case processing
        /// The watermark of the operator.
        case event
    }

    /// The possible values of ``ttlMicroseconds``: a second, in which ages are kept, to a hundred
    /// years.
    package static let ttlRange: ClosedRange<Int64> = 1_000_000...3_153_600_000_000_000

    /// The name that the plugin gave to the state.
    package var stateName: String

    /// How long a value lives since it was last refreshed, in microseconds.
    package var ttlMicroseconds: Int64

    /// What makes a value live on.
    package var refresh: Refresh

    /// The clock by which a value ages.
    package var time: Time

    /// Where the name of the state stands in the job file.
    package var location: SourceLocation

    /// Creates a rule; see the properties.
    package init(
        stateName: String,
        ttlMicroseconds: Int64,
        refresh: Refresh = .write,
        time: Time = .processing,
        location: SourceLocation
    ) {
        self.stateName = stateName
        self.ttlMicroseconds = ttlMicroseconds
        self.refresh = refresh
        self.time = time
        self.location = location
    }
}
