/// What the ticket automation must do, computed from all events of a ticket at once.
///
/// This is the independent answer that the runtime and its plugin are checked against, so it shares
/// nothing with them and does not work as they do: no timer is ever set or cancelled.  A ticket is
/// a few facts.  Between two of its events only closing changes them, so each rule has at most one
/// deadline there, and the deadlines that fall between the two events are those that come true.
///
/// The rules, in event time:
///
///     rule  while the ticket is                         after   action
///     1     waiting on an agent                         30 min  escalate
///     2     waiting on an agent                         60 min  page-lead
///     3     waiting on the customer                     24 h    nudge
///     3     waiting on the customer                     72 h    close: the ticket is closed
///     5     open, urgent and assigned to nobody          5 min  assign-least-loaded
///
/// A ticket waits from the message that made it wait; a second message of the same side changes
/// nothing.  Events at the same instant apply in the order of their sequence, and before a rule
/// that is due at that instant; rules due at the same instant act in the order of the table.  After
/// the last event, time goes on without end.
package enum TicketOracle {
    /// The actions for the events of any number of tickets, given in any order.
    ///
    /// - Parameter events: All events; the first of each ticket is its `created`, and no two of a
    ///   ticket have the same time and sequence.
    /// - Returns: The actions, by ticket, and for each ticket in the order in which they are due.
    package static func actions(for events: [TicketEvent]) -> [TicketAction] {
        let tickets = Dictionary(grouping: events, by: \.ticketID)
        return tickets.keys.sorted().flatMap { ticketID in
            actions(of: ticketID, events: tickets[ticketID, default: []])
        }
    }

    private static func actions(of ticketID: TicketID, events: [TicketEvent]) -> [TicketAction] {
        let inOrder = events.sorted { $0.precedes($1) }
        guard let first = inOrder.first, case .created(_, let priority, _) = first.kind else {
            preconditionFailure("the first event of \(ticketID) does not create it")
        }
        var ticket = Ticket(ticketID: ticketID, createdAt: first.time, priority: priority)
        var actions: [TicketAction] = []
        for event in inOrder.dropFirst() {
            actions += ticket.wait(until: event.time)
            ticket.apply(event)
        }
        return actions + ticket.wait(until: nil)
    }
}

extension TicketOracle {
    /// What is known about a ticket after some of its events.
    private struct Ticket {
        enum Status {
            case open
            case solved
            case closed
        }

        enum WaitingOn {
            case agent(since: Timestamp)
            case customer(since: Timestamp)
            case nobody
        }

        private let ticketID: TicketID
        /// The instant up to which everything is known.
        private var now: Timestamp
        private var status = Status.open
        private var waitingOn: WaitingOn
        private var priority: TicketPriority
        private var isAssigned = false
        /// Since when the ticket is open, urgent and assigned to nobody.
        private var unclaimedSince: Timestamp?

        init(ticketID: TicketID, createdAt: Timestamp, priority: TicketPriority) {
            self.ticketID = ticketID
            self.now = createdAt
            self.waitingOn = .agent(since: createdAt)
            self.priority = priority
            self.unclaimedSince = priority == .urgent ? createdAt : nil
        }

        /// Lets time pass without events, and returns what becomes due from now to before `end`.
        ///
        /// What is due at `end` itself is left to the next call: the events of that instant, which
        /// come first, may still prevent it.
        mutating func wait(until end: Timestamp?) -> [TicketAction] {
            var actions: [TicketAction] = []
            for kind in TicketAction.Kind.allCases {
                guard let time = deadline(of: kind), time >= now else { continue }
                if let end, time >= end { continue }
                actions.append(TicketAction(kind: kind, ticketID: ticketID, time: time))
            }
            actions.sort { ($0.time, $0.kind.order) < ($1.time, $1.kind.order) }
            if let closing = actions.firstIndex(where: { $0.kind == .close }) {
                actions.removeSubrange((closing + 1)...)
                finish(as: .closed)
            }
            if let end { now = end }
            return actions
        }

        /// When a rule acts if nothing happens; it may have acted already, which is before `now`.
        private func deadline(of kind: TicketAction.Kind) -> Timestamp? {
            switch (kind, waitingOn) {
            case (.escalate, .agent(let since)): since + 30 * Milliseconds.minute
            case (.pageLead, .agent(let since)): since + 60 * Milliseconds.minute
            case (.nudge, .customer(let since)): since + 24 * Milliseconds.hour
            case (.close, .customer(let since)): since + 72 * Milliseconds.hour
            case (.assignLeastLoaded, _): unclaimedSince.map { $0 + 5 * Milliseconds.minute }
            case (.escalate, _), (.pageLead, _), (.nudge, _), (.close, _): nil
            }
        }

        mutating func apply(_ event: TicketEvent) {
            switch event.kind {
            case .created:
                preconditionFailure("\(ticketID) is created twice")
            case .messageFromCustomer:
                applyMessageFromCustomer(at: event.time)
            case .messageFromAgent:
                if case .agent = waitingOn { waitingOn = .customer(since: event.time) }
            case .assigned:
                isAssigned = true
                unclaimedSince = nil
            case .priorityChanged(let newPriority):
                applyPriority(newPriority, at: event.time)
            case .statusChanged(.solved):
                finish(as: .solved)
            case .statusChanged(.open):
                if status != .open { reopen(at: event.time) }
            }
        }

        private mutating func applyMessageFromCustomer(at time: Timestamp) {
            switch waitingOn {
            case .agent: break
            case .customer: waitingOn = .agent(since: time)
            case .nobody: reopen(at: time)
            }
        }

        private mutating func applyPriority(_ newPriority: TicketPriority, at time: Timestamp) {
            if newPriority != .urgent {
                unclaimedSince = nil
            } else if priority != .urgent, status == .open, !isAssigned {
                unclaimedSince = time
            }
            priority = newPriority
        }

        private mutating func reopen(at time: Timestamp) {
            status = .open
            waitingOn = .agent(since: time)
            unclaimedSince = priority == .urgent && !isAssigned ? time : nil
        }

        private mutating func finish(as newStatus: Status) {
            status = newStatus
            waitingOn = .nobody
            unclaimedSince = nil
        }
    }
}

extension TicketAction.Kind {
    /// The place among rules that are due at the same instant.
    fileprivate var order: Int {
        switch self {
        case .escalate: 0
        case .pageLead: 1
        case .nudge: 2
        case .close: 3
        case .assignLeastLoaded: 4
        }
    }
}
