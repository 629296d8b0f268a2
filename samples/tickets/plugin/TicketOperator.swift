import ApusSDK

/// Watches support tickets and says when somebody should be reminded; see the sample's README.
///
/// Lines come out of order by up to two minutes, events apply in the order of (time, sequence).
/// So a line is only put into `pending`, and the timer `apply` takes it from there when event time
/// has reached it: then no line of an earlier or of the same time is missing any more.  `apply` is
/// declared first: events of an instant apply before the rules that are due at it, and the other
/// timers are in the order in which rules act at one instant.
///
/// Nothing of a ticket is ever cleared.  A customer may write again a year after it was closed,
/// and what the rules do then depends on its priority and on whether it is assigned; without its
/// state it could not be told from a ticket that was never created.  It is four bytes.
///
/// What is different from version to version of the plugin is in ``Policy``; the rest is the same
/// file in the folder of each version.
struct TicketOperator: KeyedOperator {
    static let id = "tickets"
    static let summary = "reminders for support tickets that wait for too long"

    let tickets = ValueState<Policy.Stored>("ticket", schema: Policy.schema)
    let pending = MapState<EventKey, TicketEvent>("pending", schema: "(time, seq) -> event")

    let apply = Timer("apply")
    let escalate = Policy.timer("rule-1", .toEscalate)
    let pageLead = Policy.timer("rule-2", .toPageLead)
    let nudge = Policy.timer("nudge", .toNudge)
    let close = Policy.timer("close", .toClose)
    let assign = Timer("assign")

    let ignored = Counter("ignored_events", "events of a ticket before it was created")

    mutating func configure(_ configuration: borrowing Configuration) throws {
        try configuration.fields().allowOnly()
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        guard let time = record.eventTime else { throw RecordError("the event has no time") }
        let fields = try JSONFields(record.value)
        let key = EventKey(time: time, sequence: try fields.integer("seq"))
        try Policy.check(fields)
        let event = try TicketEvent(fields)
        try context[pending].set(event, for: key)
        try setApply(context)
    }

    mutating func onTimer(_ timer: borrowing FiredTimer, _ context: borrowing Context) throws {
        switch timer.timer {
        case apply: try applyEvents(upTo: timer.time, context)
        case escalate: try act("escalate", rule: 1, timer, context)
        case pageLead: try act("page-lead", rule: 2, timer, context)
        case nudge: try act("nudge", rule: 3, timer, context)
        case close: try closeTicket(timer, context)
        case assign: try act("assign-least-loaded", rule: 5, timer, context)
        default: throw OperatorError("a timer that is not declared has fired")
        }
    }

    /// Moves the timer to the first event that waits, if any.
    private func setApply(_ context: borrowing Context) throws {
        guard let first = try context[pending].first() else { return }
        try context.set(apply, at: first.key.time)
    }

    private func applyEvents(upTo time: Timestamp, _ context: borrowing Context) throws {
        while let (key, event) = try context[pending].removeFirst(where: { $0.time <= time }) {
            let stored = try context[tickets].get()
            guard var ticket = stored.map(Policy.ticket) ?? event.newTicket else {
                context.increment(ignored)
                continue
            }
            let changes = ticket.apply(event)
            try context[tickets].set(Policy.stored(ticket, after: stored))
            try set(changes, at: key.time, context)
        }
        try setApply(context)
    }

    private func closeTicket(_ timer: borrowing FiredTimer, _ context: borrowing Context) throws {
        try act("close", rule: 3, timer, context)
        guard let stored = try context[tickets].get() else { return }
        var ticket = Policy.ticket(stored)
        let changes = ticket.finish(as: .closed)
        try context[tickets].set(Policy.stored(ticket, after: stored))
        try set(changes, at: timer.time, context)
    }

    /// Sets and cancels the rules' timers, counting from `time`.
    private func set(
        _ changes: Ticket.Changes,
        at time: Timestamp,
        _ context: borrowing Context
    ) throws {
        if let party = changes.waitsOn {
            try context.cancel(escalate)
            try context.cancel(pageLead)
            try context.cancel(nudge)
            try context.cancel(close)
            switch party {
            case .agent:
                try context.set(escalate, at: Policy.due(.toEscalate, after: time))
                try context.set(pageLead, at: Policy.due(.toPageLead, after: time))
            case .customer:
                try context.set(nudge, at: Policy.due(.toNudge, after: time))
                try context.set(close, at: Policy.due(.toClose, after: time))
            case .nobody:
                break
            }
        }
        switch changes.isUnclaimed {
        case true?: try context.set(assign, at: time + .seconds(5 * 60))
        case false?: try context.cancel(assign)
        case nil: break
        }
    }

    private func act(
        _ action: String,
        rule: Int,
        _ timer: borrowing FiredTimer,
        _ context: borrowing Context
    ) throws {
        let ticket = JSONText.quoted(timer.key.text)
        let text = Policy.name(of: action, ticket)
        try context.emit(
            #"{"action":"\#(text)","rule":\#(rule),"ticket_id":\#(ticket),"at":"\#(timer.time)""#
                + Policy.ending(context[tickets].get())
        )
    }
}
