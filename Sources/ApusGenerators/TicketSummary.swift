/// What a run of ``TicketGenerator`` produced.
package struct TicketSummary: Equatable, Sendable {
    /// The tickets.
    package var ticketCount = 0
    /// The lines that hold an event.
    package var eventCount = 0
    /// The lines that do not; a job must set each of them aside as a dead letter.
    package var malformedCount = 0
    /// The expected actions by kind; kinds that do not occur are absent.
    package var actionCounts: [TicketAction.Kind: Int] = [:]

    /// The summary of nothing.
    package init() {}

    /// All lines of the input.
    package var lineCount: Int { eventCount + malformedCount }

    /// All lines of the expected output.
    package var actionCount: Int { actionCounts.values.reduce(0, +) }
}
