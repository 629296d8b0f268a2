/// What the automation must do for a ticket, and when: one line of the expected output.
package struct TicketAction: Equatable, Sendable {
    /// What is done, in the order in which rules act at the same instant.
    package enum Kind: String, CaseIterable, Sendable {
        /// Rule 1: no agent has answered for 30 minutes.
        case escalate
        /// Rule 2: no agent has answered for 60 minutes.
        case pageLead = "page-lead"
        /// Rule 3: the customer has not answered for 24 hours.
        case nudge
        /// Rule 3: the customer has not answered for 72 hours.
        case close
        /// Rule 5: an urgent ticket has been nobody's for 5 minutes.
        case assignLeastLoaded = "assign-least-loaded"

        /// The number of the rule; there is no rule 4.
        package var rule: Int {
            switch self {
            case .escalate: 1
            case .pageLead: 2
            case .nudge, .close: 3
            case .assignLeastLoaded: 5
            }
        }
    }

    /// What is done.
    package let kind: Kind
    /// The ticket.
    package let ticketID: TicketID
    /// The event time at which it became due.
    package let time: Timestamp

    /// Creates an action; see the properties.
    package init(kind: Kind, ticketID: TicketID, time: Timestamp) {
        self.kind = kind
        self.ticketID = ticketID
        self.time = time
    }

    /// The action as a line of the output, without a line end.
    package var line: String {
        var line = JSONLine()
        line.add("action", kind.rawValue)
        line.add("rule", kind.rule)
        line.add("ticket_id", ticketID.description)
        line.add("at", time)
        return line.text
    }
}
