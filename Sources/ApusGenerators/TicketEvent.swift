/// Something that happened to a support ticket: one line of the input.
package struct TicketEvent: Equatable, Sendable {
    /// What happened, with what only this kind of event says.
    package enum Kind: Equatable, Sendable {
        /// A customer opened the ticket; always its first event.
        case created(customer: Int, priority: TicketPriority, team: String)
        /// The customer wrote.
        case messageFromCustomer
        /// An agent wrote.
        case messageFromAgent(agent: Int)
        /// The ticket was given to an agent.
        case assigned(agent: Int)
        /// The priority was set, perhaps to what it was.
        case priorityChanged(TicketPriority)
        /// An agent solved the ticket, or opened it again.
        case statusChanged(Status)
    }

    /// What a `status.changed` event can say; tickets are closed by a rule, not by an event.
    package enum Status: String, Sendable {
        /// Work goes on.
        case open
        /// An agent takes the matter for settled.
        case solved
    }

    /// The ticket.
    package let ticketID: TicketID
    /// The place of the event in the order of all events; unique.
    package let sequence: Int
    /// When it happened.
    package let time: Timestamp
    /// What happened.
    package let kind: Kind

    /// Creates an event; see the properties.
    package init(ticketID: TicketID, sequence: Int, time: Timestamp, kind: Kind) {
        self.ticketID = ticketID
        self.sequence = sequence
        self.time = time
        self.kind = kind
    }

    /// Whether the event comes before another of the same ticket.
    package func precedes(_ other: TicketEvent) -> Bool {
        (time, sequence) < (other.time, other.sequence)
    }

    /// The event as a line of the input, without a line end.
    package var line: String {
        var line = JSONLine()
        line.add("type", kind.name)
        line.add("ticket_id", ticketID.description)
        line.add("seq", sequence)
        line.add("ts", time)
        kind.addDetails(to: &line)
        return line.text
    }
}

/// The number of a ticket, written as `T-000001`.
package struct TicketID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, from 1.
    package let number: Int

    /// The ticket with this number.
    package init(_ number: Int) {
        self.number = number
    }

    /// At least six digits, which keeps the first million tickets in order as text.
    package var description: String {
        let digits = String(number)
        return "T-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    // doc: inherited
    package static func < (left: TicketID, right: TicketID) -> Bool {
        left.number < right.number
    }
}

/// How much a ticket matters; only `urgent` has a rule of its own.
package enum TicketPriority: String, CaseIterable, Sendable {
    /// Can wait.
    case low
    /// What most tickets are.
    case normal
    /// Should not wait.
    case high
    /// Needs somebody within minutes.
    case urgent
}

extension TicketEvent.Kind {
    /// The `type` of the line.
    fileprivate var name: String {
        switch self {
        case .created: "ticket.created"
        case .messageFromCustomer: "message.customer"
        case .messageFromAgent: "message.agent"
        case .assigned: "assigned"
        case .priorityChanged: "priority.changed"
        case .statusChanged: "status.changed"
        }
    }

    fileprivate func addDetails(to line: inout JSONLine) {
        switch self {
        case .created(let customer, let priority, let team):
            line.add("customer", "C-\(customer)")
            line.add("priority", priority.rawValue)
            line.add("team", team)
        case .messageFromCustomer:
            break
        case .messageFromAgent(let agent), .assigned(let agent):
            line.add("agent", "A-\(agent)")
        case .priorityChanged(let priority):
            line.add("priority", priority.rawValue)
        case .statusChanged(let status):
            line.add("status", status.rawValue)
        }
    }
}
