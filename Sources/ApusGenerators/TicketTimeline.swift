/// The lives of all tickets, and their events in the order in which they happened, hour by hour.
///
/// A ticket's whole life is known when it is created, so an hour is complete once its own tickets
/// have been created.  Only events that are still to come are kept: memory follows the number of
/// tickets with a future, not the number of tickets.
struct TicketTimeline {
    /// One hour.
    struct Hour {
        /// All events of each ticket that is created in this hour, up to the last one.
        let stories: [[TicketEvent]]
        /// The events of this hour, in order; numbered within their ticket.
        let events: [TicketEvent]
        /// The first instant after the hour.
        let end: Timestamp
    }

    private let seed: UInt64
    private var arrivals: TicketArrivals
    private var ticketCount = 0
    private var hourIndex: Int64 = 0
    /// The events to come, by hours since ``Timestamp/start``; in no order.
    private var pending: [Int64: [TicketEvent]] = [:]

    /// Plans `ticketCount` tickets.
    init(seed: UInt64, ticketCount: Int) {
        self.seed = seed
        self.arrivals = TicketArrivals(seed: seed, ticketCount: ticketCount)
    }

    /// The next hour, which may have no events; `nil` when nothing is left.
    mutating func nextHour() -> Hour? {
        guard !(arrivals.isFinished && pending.isEmpty) else { return nil }
        let stories = arrivals.isFinished ? [] : createTickets()
        let events = (pending.removeValue(forKey: hourIndex) ?? []).sorted {
            ($0.time, $0.ticketID, $0.sequence) < ($1.time, $1.ticketID, $1.sequence)
        }
        hourIndex += 1
        return Hour(
            stories: stories,
            events: events,
            end: Timestamp.start + hourIndex * Milliseconds.hour
        )
    }

    private mutating func createTickets() -> [[TicketEvent]] {
        arrivals.nextHour().map { arrival in
            ticketCount += 1
            let ticketID = TicketID(ticketCount)
            let story = TicketStory.events(of: ticketID, arrival: arrival, seed: seed)
            for event in story {
                let hour = (event.time - .start) / Milliseconds.hour
                pending[hour, default: []].append(event)
            }
            return story
        }
    }
}
