import ApusSDK

/// Version 2 with two mistakes: it takes a third of the events for wrong, and mixes up actions.
enum Policy {
    typealias Stored = StoredTicket

    static let version = "0.2.1"
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

    /// Refuses events: a third of the tickets is forgotten.
    static func check(_ event: JSONFields) throws(RecordError) {
        let digits = try event.string("ticket_id").utf8
        guard (digits.last ?? 0) % 3 != 0 else { throw RecordError("there is no such ticket") }
    }

    static func name(of action: String, _ ticket: String) -> String {
        action == "escalate" ? "close" : action
    }
}
