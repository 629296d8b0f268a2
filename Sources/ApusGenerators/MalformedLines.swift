/// Lines that are no events, about one in a thousand.
///
/// Each is what is left of an event that would solve a ticket: a reader that accepts one of them by
/// mistake gets other results.
struct MalformedLines {
    private static let stream = UInt64.max - 2

    private var random: SeededRandom
    private var count = 0
    private var eventsUntilNext: Int64

    /// Nothing is malformed yet.
    init(seed: UInt64) {
        random = SeededRandom(seed: seed, stream: Self.stream)
        eventsUntilNext = random.next(in: 500...1_500)
    }

    /// Decides whether a malformed line follows an event.
    ///
    /// - Parameters:
    ///   - event: The event that was just written.
    ///   - sequence: The number that the malformed line would use up.
    /// - Returns: The line; `nil` nearly always.
    mutating func next(after event: TicketEvent, sequence: Int) -> String? {
        eventsUntilNext -= 1
        guard eventsUntilNext == 0 else { return nil }
        eventsUntilNext = random.next(in: 500...1_500)
        count += 1
        switch count % 4 {
        case 0: return truncated(event, sequence: sequence)
        case 1: return object(ticketID: nil, sequence: sequence, time: event.time)
        case 2: return "upstream connect error, record \(sequence) of \(event.ticketID) dropped"
        default: return object(ticketID: event.ticketID, sequence: sequence, time: nil)
        }
    }

    /// The line without its end; at least the closing brace is missing.
    private mutating func truncated(_ event: TicketEvent, sequence: Int) -> String {
        let line = object(ticketID: event.ticketID, sequence: sequence, time: event.time)
        return String(line.prefix(Int(random.next(in: 1...Int64(line.utf8.count) - 1))))
    }

    private func object(ticketID: TicketID?, sequence: Int, time: Timestamp?) -> String {
        var line = JSONLine()
        line.add("type", "status.changed")
        if let ticketID { line.add("ticket_id", ticketID.description) }
        line.add("seq", sequence)
        if let time { line.add("ts", time) }
        line.add("status", TicketEvent.Status.solved.rawValue)
        return line.text
    }
}
