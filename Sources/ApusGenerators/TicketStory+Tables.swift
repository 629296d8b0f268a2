/// What is likely in the life of a ticket.
///
/// Rows with `exactly` meet a deadline of ``TicketOracle`` to the millisecond.
extension TicketStory {
    static let teams = ["billing", "delivery", "platform", "returns"]

    /// 30 % low, 45 % normal, 15 % high, 10 % urgent.
    static let priorities: [TicketPriority] =
        Array(repeating: .low, count: 6) + Array(repeating: .normal, count: 9)
        + Array(repeating: .high, count: 3) + Array(repeating: .urgent, count: 2)

    /// While something is broken for everybody.
    static let incidentPriorities: [TicketPriority] = [.normal, .high, .high, .urgent]

    static let untilAssigned = DelayTable([
        .share(80, from: 1 * Milliseconds.minute, to: 40 * Milliseconds.minute),
        .share(10, from: 1 * Milliseconds.hour, to: 6 * Milliseconds.hour),
        .never(10),
    ])

    static let untilAssignedIfUrgent = DelayTable([
        .share(68, from: 10 * Milliseconds.second, to: 290 * Milliseconds.second),
        .share(4, exactly: 5 * Milliseconds.minute),
        .share(22, from: 6 * Milliseconds.minute, to: 1 * Milliseconds.hour),
        .never(6),
    ])

    /// A median of about 13 minutes and a long tail.
    static let untilAgentAnswers = DelayTable([
        .share(48, from: 1 * Milliseconds.minute, to: 12 * Milliseconds.minute),
        .share(22, from: 12 * Milliseconds.minute, to: 29 * Milliseconds.minute),
        .share(1, exactly: 30 * Milliseconds.minute),
        .share(13, from: 31 * Milliseconds.minute, to: 59 * Milliseconds.minute),
        .share(1, exactly: 60 * Milliseconds.minute),
        .share(8, from: 1 * Milliseconds.hour, to: 4 * Milliseconds.hour),
        .share(5, from: 4 * Milliseconds.hour, to: 20 * Milliseconds.hour),
        .never(2),
    ])

    static let untilCustomerAnswers = DelayTable([
        .share(48, from: 2 * Milliseconds.minute, to: 30 * Milliseconds.minute),
        .share(29, from: 30 * Milliseconds.minute, to: 6 * Milliseconds.hour),
        .share(10, from: 6 * Milliseconds.hour, to: 23 * Milliseconds.hour),
        .share(1, exactly: 24 * Milliseconds.hour),
        .share(5, from: 25 * Milliseconds.hour, to: 71 * Milliseconds.hour),
        .share(1, exactly: 72 * Milliseconds.hour),
        .never(6),
    ])
}
