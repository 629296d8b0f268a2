/// The life of one ticket, made up from first to last event.
///
/// Some shapes are there because they are hard for a runtime rather than because they are common:
/// an answer at the very instant at which a rule is due, an answer and `solved` at the same
/// instant, a conversation that resumes after the ticket was closed by rule 3.
struct TicketStory {
    private let ticketID: TicketID
    private var random: SeededRandom
    /// The time of the last thing that was said.
    private var now: Timestamp
    private var priority: TicketPriority
    private var agent: Int
    private var told: [TicketEvent] = []

    /// How a conversation ended.
    private enum Ending {
        case solved
        case customerIsSilent
        case agentIsSilent
    }

    /// All events of a ticket in their order, numbered from 0.
    static func events(
        of ticketID: TicketID,
        arrival: TicketArrivals.Arrival,
        seed: UInt64
    ) -> [TicketEvent] {
        var story = TicketStory(ticketID: ticketID, arrival: arrival, seed: seed)
        story.create(isFromIncident: arrival.isFromIncident)
        story.assign()
        story.changePriority()
        let ending = story.converse(messageCount: story.random.next(in: 3...8))
        story.reopen(after: ending)
        return story.told.sorted { $0.precedes($1) }
    }

    private init(ticketID: TicketID, arrival: TicketArrivals.Arrival, seed: UInt64) {
        var random = SeededRandom(seed: seed, stream: UInt64(ticketID.number))
        let priorities = arrival.isFromIncident ? Self.incidentPriorities : Self.priorities
        self.ticketID = ticketID
        self.now = arrival.time
        self.priority = random.pick(priorities)
        self.agent = Int(random.next(in: 1...40))
        self.random = random
    }

    private mutating func tell(_ kind: TicketEvent.Kind, at time: Timestamp) {
        told.append(TicketEvent(ticketID: ticketID, sequence: told.count, time: time, kind: kind))
    }

    private mutating func create(isFromIncident: Bool) {
        let customer = Int(random.next(below: 2_000)) + 1
        let team = isFromIncident ? "platform" : random.pick(Self.teams)
        tell(.created(customer: customer, priority: priority, team: team), at: now)
    }

    private mutating func assign() {
        let delays = priority == .urgent ? Self.untilAssignedIfUrgent : Self.untilAssigned
        guard let delay = delays.draw(&random) else { return }
        tell(.assigned(agent: agent), at: now + delay)
    }

    private mutating func changePriority() {
        var time = now
        for percent: UInt64 in [8, 40] {
            guard random.happens(percent: percent) else { return }
            let old = priority
            priority = random.pick(TicketPriority.allCases.filter { $0 != old })
            time = time + random.next(in: 1 * Milliseconds.minute...90 * Milliseconds.minute)
            tell(.priorityChanged(priority), at: time)
        }
    }

    /// Lets both sides write in turn, beginning with an agent.
    private mutating func converse(messageCount: Int64) -> Ending {
        var rest = messageCount
        var isAgentsTurn = true
        while rest > 0 {
            if rest > 1, random.happens(percent: 12) {
                // The side that wrote last adds something, which restarts no clock.
                now = now + random.next(in: 20 * Milliseconds.second...15 * Milliseconds.minute)
                tell(isAgentsTurn ? .messageFromCustomer : .messageFromAgent(agent: agent), at: now)
                rest -= 1
            }
            let delays = isAgentsTurn ? Self.untilAgentAnswers : Self.untilCustomerAnswers
            guard let delay = delays.draw(&random) else {
                if isAgentsTurn { complain() }
                return isAgentsTurn ? .agentIsSilent : .customerIsSilent
            }
            now = now + delay
            tell(isAgentsTurn ? .messageFromAgent(agent: agent) : .messageFromCustomer, at: now)
            isAgentsTurn.toggle()
            rest -= 1
        }
        return solve(isAgentsTurn: isAgentsTurn)
    }

    /// Ends a conversation: an agent solves the ticket, unless they wait for one more answer.
    private mutating func solve(isAgentsTurn: Bool) -> Ending {
        if isAgentsTurn {
            guard let delay = Self.untilAgentAnswers.draw(&random) else { return .agentIsSilent }
            now = now + delay
            tell(.messageFromAgent(agent: agent), at: now)
        }
        if random.happens(percent: 10) { return .customerIsSilent }
        if random.happens(percent: 50) {
            now = now + random.next(in: Milliseconds.second...30 * Milliseconds.minute)
        }
        tell(.statusChanged(.solved), at: now)
        return .solved
    }

    /// Lets a customer whom nobody answers write up to three more times.
    private mutating func complain() {
        for _ in 0..<random.next(below: 4) {
            now = now + random.next(in: Milliseconds.hour...12 * Milliseconds.hour)
            tell(.messageFromCustomer, at: now)
        }
    }

    /// Resumes one in twelve of the conversations that were over.
    private mutating func reopen(after ending: Ending) {
        guard ending != .agentIsSilent, random.next(below: 12) == 0 else { return }
        if ending == .customerIsSilent { now = now + 72 * Milliseconds.hour }
        now = now + random.next(in: 0...96 * Milliseconds.hour)
        tell(random.happens(percent: 70) ? .messageFromCustomer : .statusChanged(.open), at: now)
        guard let delay = Self.untilAgentAnswers.draw(&random) else { return }
        now = now + delay
        tell(.messageFromAgent(agent: agent), at: now)
        if random.happens(percent: 80) { tell(.statusChanged(.solved), at: now) }
    }
}
