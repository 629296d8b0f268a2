/// Events of a support desk, and what its automation must do about them.
///
/// The same seed and number of tickets give the same lines on every machine, and a ticket keeps
/// its life when only the number of tickets changes.  Memory does not grow with that number.
///
/// Events are numbered from 1 in the order in which they happened (`seq`), but their lines are up
/// to two minutes of event time out of order.  About one line in a thousand is malformed; it uses
/// up a number too.  No line occurs twice.
package struct TicketGenerator: Sendable {
    private let seed: UInt64
    private let ticketCount: Int

    /// Describes the tickets; ``generate(event:expected:)`` produces them.
    ///
    /// - Precondition: `ticketCount` is not negative.
    package init(seed: UInt64, ticketCount: Int) {
        precondition(ticketCount >= 0, "the count is negative")
        self.seed = seed
        self.ticketCount = ticketCount
    }

    /// How far lines are out of order: no event is older than the newest one before it by more than
    /// this, in milliseconds.
    package static let outOfOrderMilliseconds = LineShuffle.delayMax

    /// Hands out all lines, each without a line end.
    ///
    /// - Parameters:
    ///   - event: Takes a line of the input.
    ///   - expected: Takes a line of the output that ``TicketOracle`` expects; by ticket.
    /// - Returns: How much there was of each.
    /// - Throws: What `event` or `expected` throws; nothing follows.
    package func generate(
        event: (String) throws -> Void,
        expected: (String) throws -> Void
    ) rethrows -> TicketSummary {
        var timeline = TicketTimeline(seed: seed, ticketCount: ticketCount)
        var malformed = MalformedLines(seed: seed)
        var shuffle = LineShuffle(seed: seed)
        var summary = TicketSummary()
        summary.ticketCount = ticketCount
        while let hour = timeline.nextHour() {
            for action in hour.stories.flatMap(TicketOracle.actions(for:)) {
                summary.actionCounts[action.kind, default: 0] += 1
                try expected(action.line)
            }
            for happened in hour.events {
                let numbered = happened.numbered(summary.lineCount + 1)
                summary.eventCount += 1
                shuffle.add(numbered.line, time: numbered.time)
                let sequence = summary.lineCount + 1
                if let line = malformed.next(after: numbered, sequence: sequence) {
                    summary.malformedCount += 1
                    shuffle.add(line, time: numbered.time)
                }
            }
            for line in shuffle.take(before: hour.end) { try event(line) }
        }
        for line in shuffle.take(before: nil) { try event(line) }
        return summary
    }
}

extension TicketEvent {
    /// The event with its place in the order of all events.
    fileprivate func numbered(_ sequence: Int) -> TicketEvent {
        TicketEvent(ticketID: ticketID, sequence: sequence, time: time, kind: kind)
    }
}
