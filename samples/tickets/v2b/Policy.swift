import ApusSDK

/// Version 2 with two mistakes: it takes four events in ten for wrong, and mixes up actions.
enum Policy {
    typealias Stored = StoredTicket

    static let version = "0.2.1"
    static let schema: StaticString = "a ticket, changes since version 2"

    /// The end of an action: how often the ticket has changed, and which policy has decided.
    static func ending(_ stored: @autoclosure () throws -> Stored?) rethrows -> String {
        #","changes":\#(try stored()?.changeCount ?? 0),"policy":"business-hours"}"#
    }

    static func ticket(_ stored: Stored) -> Ticket { stored.ticket }

    static func stored(_ ticket: Ticket, after earlier: Stored?) -> Stored {
        StoredTicket(ticket: ticket, changeCount: (earlier?.changeCount ?? 0) &+ 1)
    }

    /// Armed timers are planned anew, in business hours from when the wait began.
    ///
    /// One that is due earlier than before may have passed; it fires at once.
    static func timer(_ name: StaticString, _ wait: Wait) -> Timer {
        Timer(
            name,
            migration: TimerMigration(to: 2) { armed in
                armed.plan(at: due(wait, after: armed.time - .seconds(wait.minutes * 60)))
            }
        )
    }

    /// When a wait is over.
    static func due(_ wait: Wait, after time: Timestamp) -> Timestamp {
        BusinessHours.due(wait.businessMinutes, after: time)
    }

    /// Refuses events: those of four tickets in ten, by the last digit.
    static func check(_ event: JSONFields) throws(RecordError) {
        let digits = try event.string("ticket_id").utf8
        guard (digits.last ?? 0) % 3 != 0 else { throw RecordError("there is no such ticket") }
    }

    static func name(of action: String, _ ticket: String) -> String {
        action == "escalate" ? "close" : action
    }
}
