import ApusSDK

/// Version 1: the clock of the rules never stops.
enum Policy {
    typealias Stored = Ticket

    static let version = "0.1.0"
    static let schema: StaticString = "status, waits on, is urgent, is assigned"
    /// The end of each action.
    static let ending = "}"

    static func ticket(_ stored: Stored) -> Ticket { stored }

    static func stored(_ ticket: Ticket, after earlier: Stored?) -> Stored { ticket }

    static func timer(_ name: StaticString, minutes: Int64) -> Timer { Timer(name) }

    /// When so many minutes have passed.
    static func due(_ minutes: Int64, after time: Timestamp) -> Timestamp {
        time + .seconds(minutes * 60)
    }

    /// Refuses events; none is.
    static func check(_ event: JSONFields) throws(RecordError) {}

    static func name(of action: String, _ ticket: String) -> String { action }
}
