import ApusSDK

/// Version 2: all that waits on somebody waits in business hours.
enum Policy {
    typealias Stored = StoredTicket

    static let version = "0.2.0"
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

    /// Refuses events; none is.
    static func check(_ event: JSONFields) throws(RecordError) {}

    static func name(of action: String, _ ticket: String) -> String { action }
}
