import ApusSDK

/// Version 1: the clock of the rules never stops.
enum Policy {
    typealias Stored = Ticket

    static let version = "0.1.0"
    static let schema: StaticString = "status, waits on, is urgent, is assigned"

    /// The end of an action.
    static func ending(_ stored: @autoclosure () throws -> Stored?) rethrows -> String { "}" }

    static func ticket(_ stored: Stored) -> Ticket { stored }

    static func stored(_ ticket: Ticket, after earlier: Stored?) -> Stored { ticket }

    static func timer(_ name: StaticString, _ wait: Wait) -> Timer { Timer(name) }

    /// When a wait is over.
    static func due(_ wait: Wait, after time: Timestamp) -> Timestamp {
        time + .seconds(wait.minutes * 60)
    }

    /// Refuses events; none is.
    static func check(_ event: JSONFields) throws(RecordError) {}

    static func name(of action: String, _ ticket: String) -> String { action }
}
