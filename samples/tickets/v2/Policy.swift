import ApusSDK

/// Version 2: what waits on an agent waits in business hours.
enum Policy {
    typealias Stored = StoredTicket

    static let version = "0.2.0"
    static let schema: StaticString = "a ticket, changes since version 2"
    /// The end of each action.
    static let ending = #","policy":"business-hours"}"#

    static func ticket(_ stored: Stored) -> Ticket { stored.ticket }

    static func stored(_ ticket: Ticket, after earlier: Stored?) -> Stored {
        StoredTicket(ticket: ticket, changeCount: (earlier?.changeCount ?? 0) &+ 1)
    }

    /// Armed timers are re-planned: so many minutes of business hours from when they began.
    static func timer(_ name: StaticString, minutes: Int64) -> Timer {
        Timer(
            name,
            migration: TimerMigration(to: 2) { _, time in
                due(minutes, after: time - .seconds(minutes * 60))
            }
        )
    }

    /// When so many minutes of business hours have passed.
    static func due(_ minutes: Int64, after time: Timestamp) -> Timestamp {
        BusinessHours.due(minutes, after: time)
    }

    /// Refuses events; none is.
    static func check(_ event: JSONFields) throws(RecordError) {}

    static func name(of action: String, _ ticket: String) -> String { action }
}
