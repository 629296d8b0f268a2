import ApusGenerators
import Testing

private let second = Milliseconds.second
private let minute = Milliseconds.minute
private let hour = Milliseconds.hour

/// Each rule on tickets that can be checked by hand.
///
/// What starts it, what ends it, and what happens when both fall on the same instant.  Times are
/// counted from the creation of the ticket.
@Suite("TicketOracle")
struct TicketOracleTests {
    /// An action, and how long after the creation of the ticket it is due.
    struct Due: Equatable {
        let kind: TicketAction.Kind
        let after: Int64

        init(_ kind: TicketAction.Kind, _ after: Int64) {
            self.kind = kind
            self.after = after
        }
    }

    static let agentWrites = TicketEvent.Kind.messageFromAgent(agent: 3)
    static let customerWrites = TicketEvent.Kind.messageFromCustomer
    static let assigned = TicketEvent.Kind.assigned(agent: 3)
    static let solved = TicketEvent.Kind.statusChanged(.solved)
    static let opened = TicketEvent.Kind.statusChanged(.open)

    /// What is due for a ticket that is created and then has these events.
    static func actions(
        _ priority: TicketPriority,
        _ events: KeyValuePairs<Int64, TicketEvent.Kind>
    ) -> [Due] {
        TicketOracle.actions(for: ticket(TicketID(1), priority, events))
            .map { Due($0.kind, $0.time - .start) }
    }

    static func ticket(
        _ ticketID: TicketID,
        _ priority: TicketPriority,
        _ events: KeyValuePairs<Int64, TicketEvent.Kind>
    ) -> [TicketEvent] {
        let created = TicketEvent.Kind.created(customer: 17, priority: priority, team: "billing")
        let all =
            [(after: Int64(0), kind: created)] + events.map { (after: $0.key, kind: $0.value) }
        return all.enumerated().map { index, event in
            TicketEvent(
                ticketID: ticketID,
                sequence: index + 1,
                time: .start + event.after,
                kind: event.kind
            )
        }
    }

    /// What a ticket gets that waits on an agent for ever.
    static func unanswered(since start: Int64) -> [Due] {
        [Due(.escalate, start + 30 * minute), Due(.pageLead, start + 60 * minute)]
    }

    /// What a ticket gets that waits on its customer for ever.
    static func silent(since start: Int64) -> [Due] {
        [Due(.nudge, start + 24 * hour), Due(.close, start + 72 * hour)]
    }
}

// MARK: - Waiting on an agent: rules 1 and 2

extension TicketOracleTests {
    @Test("a ticket without an answer is escalated after 30 minutes and paged after 60")
    func aTicketWithoutAnAnswerIsEscalatedAndPaged() {
        #expect(Self.actions(.normal, [:]) == Self.unanswered(since: 0))
    }

    @Test("an answer ends the wait, also at the very instant at which a rule is due")
    func anAnswerEndsTheWait() {
        for answer in [29 * minute, 30 * minute - 1, 30 * minute] {
            #expect(
                Self.actions(.normal, [answer: Self.agentWrites, answer + 1: Self.solved]) == []
            )
        }
        for answer in [30 * minute + 1, 60 * minute] {
            #expect(
                Self.actions(.normal, [answer: Self.agentWrites, answer + 1: Self.solved])
                    == [Due(.escalate, 30 * minute)]
            )
        }
        #expect(
            Self.actions(
                .normal,
                [60 * minute + 1: Self.agentWrites, 60 * minute + 2: Self.solved]
            ) == Self.unanswered(since: 0)
        )
    }

    @Test("a customer who writes again does not restart the wait")
    func aCustomerWhoWritesAgainDoesNotRestartTheWait() {
        #expect(
            Self.actions(
                .normal,
                [10 * minute: Self.customerWrites, 30 * minute: Self.customerWrites]
            ) == Self.unanswered(since: 0)
        )
    }

    @Test("a customer who answers starts a wait of its own")
    func aCustomerWhoAnswersStartsAWaitOfItsOwn() {
        #expect(
            Self.actions(
                .normal,
                [5 * minute: Self.agentWrites, 6 * minute: Self.customerWrites]
            ) == Self.unanswered(since: 6 * minute)
        )
    }

    @Test("solving ends the wait, also at the very instant at which a rule is due")
    func solvingEndsTheWait() {
        #expect(Self.actions(.urgent, [5 * minute: Self.solved]) == [])
        #expect(Self.actions(.normal, [30 * minute: Self.solved]) == [])
        #expect(
            Self.actions(.normal, [30 * minute + 1: Self.solved]) == [Due(.escalate, 30 * minute)]
        )
    }

    @Test("an event that changes nothing does not keep a rule from acting")
    func anEventThatChangesNothingDoesNotKeepARuleFromActing() {
        #expect(
            Self.actions(
                .normal,
                [
                    30 * minute: Self.opened, 30 * minute + 1: Self.assigned,
                    60 * minute: .priorityChanged(.high),
                ]
            ) == Self.unanswered(since: 0)
        )
    }
}

// MARK: - Waiting on the customer: rule 3

extension TicketOracleTests {
    @Test("a customer who is silent is nudged after 24 hours, and the ticket closed after 72")
    func aCustomerWhoIsSilentIsNudgedAndTheTicketClosed() {
        #expect(
            Self.actions(.normal, [minute: Self.agentWrites]) == Self.silent(since: minute)
        )
    }

    @Test("an agent who writes again does not restart the wait")
    func anAgentWhoWritesAgainDoesNotRestartTheWait() {
        #expect(
            Self.actions(.normal, [minute: Self.agentWrites, 20 * hour: Self.agentWrites])
                == Self.silent(since: minute)
        )
    }

    @Test("a customer who answers at the very instant is neither nudged nor closed")
    func aCustomerWhoAnswersAtTheVeryInstantIsNeitherNudgedNorClosed() {
        #expect(
            Self.actions(
                .normal,
                [
                    0: Self.agentWrites, 24 * hour: Self.customerWrites,
                    24 * hour + 1: Self.solved,
                ]
            ) == []
        )
        #expect(
            Self.actions(
                .normal,
                [
                    0: Self.agentWrites, 72 * hour: Self.customerWrites,
                    72 * hour + 1: Self.solved,
                ]
            ) == [Due(.nudge, 24 * hour)]
        )
    }

    @Test("a closed ticket ignores agents until a customer writes or somebody opens it")
    func aClosedTicketIgnoresAgentsUntilACustomerWritesOrSomebodyOpensIt() {
        for reopening in [Self.customerWrites, Self.opened] {
            #expect(
                Self.actions(
                    .normal,
                    [
                        0: Self.agentWrites, 73 * hour: Self.agentWrites, 80 * hour: reopening,
                        80 * hour + minute: Self.agentWrites,
                    ]
                ) == Self.silent(since: 0) + Self.silent(since: 80 * hour + minute)
            )
        }
    }

    @Test("closing cancels a rule that is due later, and one at the same instant")
    func closingCancelsWhatIsDueLaterAndAtTheSameInstant() {
        for becomesUrgent in [72 * hour - 5 * minute, 72 * hour - 4 * minute] {
            #expect(
                Self.actions(
                    .normal,
                    [0: Self.agentWrites, becomesUrgent: .priorityChanged(.urgent)]
                ) == Self.silent(since: 0)
            )
        }
        #expect(
            Self.actions(
                .normal,
                [0: Self.agentWrites, 72 * hour - 5 * minute - 1: .priorityChanged(.urgent)]
            ) == [
                Due(.nudge, 24 * hour), Due(.assignLeastLoaded, 72 * hour - 1),
                Due(.close, 72 * hour),
            ]
        )
    }
}

// MARK: - Solved and opened again

extension TicketOracleTests {
    @Test("a solved ticket waits on nobody, and a second solve changes nothing")
    func aSolvedTicketWaitsOnNobody() {
        #expect(
            Self.actions(
                .normal,
                [
                    minute: Self.agentWrites, 2 * minute: Self.solved,
                    3 * minute: Self.agentWrites, 4 * minute: Self.solved,
                ]
            ) == []
        )
    }

    @Test("a solved ticket that is opened again waits on an agent from then on")
    func aSolvedTicketThatIsOpenedAgainWaitsOnAnAgentFromThenOn() {
        for reopening in [Self.customerWrites, Self.opened] {
            #expect(
                Self.actions(.normal, [10 * minute: Self.solved, 50 * minute: reopening])
                    == Self.unanswered(since: 50 * minute)
            )
        }
    }

    @Test("events at the same instant apply in the order of their sequence")
    func eventsAtTheSameInstantApplyInTheOrderOfTheirSequence() {
        #expect(
            Self.actions(.normal, [minute: Self.agentWrites, minute: Self.solved]) == []
        )
        #expect(
            Self.actions(.normal, [minute: Self.solved, minute: Self.customerWrites])
                == Self.unanswered(since: minute)
        )
        #expect(
            Self.actions(
                .normal,
                [30 * minute: Self.agentWrites, 30 * minute: Self.customerWrites]
            ) == Self.unanswered(since: 30 * minute)
        )
    }
}

// MARK: - Urgent and unassigned: rule 5

extension TicketOracleTests {
    static let unclaimed = Due(.assignLeastLoaded, 5 * minute)

    @Test("an urgent ticket that is nobody's for 5 minutes is assigned, once")
    func anUrgentTicketThatIsNobodysIsAssignedOnce() {
        #expect(Self.actions(.urgent, [:]) == [Self.unclaimed] + Self.unanswered(since: 0))
    }

    @Test("only urgent tickets are assigned", arguments: TicketPriority.allCases)
    func onlyUrgentTicketsAreAssigned(priority: TicketPriority) {
        let expected = priority == .urgent ? [Self.unclaimed] : []
        #expect(Self.actions(priority, [10 * minute: Self.solved]) == expected)
    }

    @Test("being assigned or less urgent ends it, also at the very instant")
    func beingAssignedOrLessUrgentEndsIt() {
        for ending in [Self.assigned, .priorityChanged(.high), Self.solved] {
            for time in [0, 5 * minute] {
                #expect(
                    Self.actions(.urgent, [time: ending, 10 * minute: Self.solved]) == []
                )
            }
            #expect(
                Self.actions(.urgent, [5 * minute + 1: ending, 10 * minute: Self.solved])
                    == [Self.unclaimed]
            )
        }
    }

    @Test("an answer does not end it: the ticket is still nobody's")
    func anAnswerDoesNotEndIt() {
        #expect(
            Self.actions(.urgent, [minute: Self.agentWrites, 10 * minute: Self.solved])
                == [Self.unclaimed]
        )
    }

    @Test("becoming urgent starts it; being urgent already does not restart it")
    func becomingUrgentStartsIt() {
        #expect(
            Self.actions(
                .low,
                [
                    minute: .priorityChanged(.urgent), 3 * minute: .priorityChanged(.urgent),
                    20 * minute: Self.solved,
                ]
            ) == [Due(.assignLeastLoaded, 6 * minute)]
        )
    }

    @Test("each time a ticket becomes urgent counts anew")
    func eachTimeATicketBecomesUrgentCountsAnew() {
        #expect(
            Self.actions(
                .urgent,
                [
                    4 * minute: .priorityChanged(.low), 6 * minute: .priorityChanged(.urgent),
                    12 * minute: .priorityChanged(.high), 13 * minute: .priorityChanged(.urgent),
                    20 * minute: Self.solved,
                ]
            ) == [Due(.assignLeastLoaded, 11 * minute), Due(.assignLeastLoaded, 18 * minute)]
        )
    }

    @Test("an assigned ticket that becomes urgent is somebody's")
    func anAssignedTicketThatBecomesUrgentIsSomebodys() {
        #expect(
            Self.actions(
                .low,
                [
                    minute: Self.assigned, 2 * minute: .priorityChanged(.urgent),
                    20 * minute: Self.solved,
                ]
            ) == []
        )
    }

    @Test("a solved ticket that becomes urgent is assigned only once it is open again")
    func aSolvedTicketThatBecomesUrgentIsAssignedOnlyOnceItIsOpenAgain() {
        #expect(
            Self.actions(
                .low,
                [
                    minute: Self.solved, 2 * minute: .priorityChanged(.urgent),
                    20 * minute: Self.customerWrites, 29 * minute: Self.solved,
                ]
            ) == [Due(.assignLeastLoaded, 25 * minute)]
        )
    }

    @Test("an urgent ticket that is opened again is assigned again, unless it is somebody's")
    func anUrgentTicketThatIsOpenedAgainIsAssignedAgain() {
        #expect(
            Self.actions(
                .urgent,
                [
                    6 * minute: Self.solved, 10 * minute: Self.opened, 20 * minute: Self.solved,
                    21 * minute: Self.assigned, 22 * minute: Self.opened,
                    29 * minute: Self.solved,
                ]
            ) == [Self.unclaimed, Due(.assignLeastLoaded, 15 * minute)]
        )
    }

    @Test("rules that are due at the same instant act in the order of their numbers")
    func rulesThatAreDueAtTheSameInstantActInTheOrderOfTheirNumbers() {
        #expect(
            Self.actions(
                .low,
                [25 * minute: .priorityChanged(.urgent), 40 * minute: Self.solved]
            ) == [Due(.escalate, 30 * minute), Due(.assignLeastLoaded, 30 * minute)]
        )
    }
}

// MARK: - Many tickets

extension TicketOracleTests {
    @Test("tickets do not touch each other, and their events may come in any order")
    func ticketsDoNotTouchEachOther() {
        let silent = Self.ticket(TicketID(1), .low, [minute: Self.agentWrites])
        let unanswered = Self.ticket(TicketID(2), .urgent, [second: Self.assigned])
        let expected = TicketOracle.actions(for: silent) + TicketOracle.actions(for: unanswered)
        #expect(expected.count == 4)
        #expect(TicketOracle.actions(for: (silent + unanswered).reversed()) == expected)
        #expect(TicketOracle.actions(for: []).isEmpty)
    }

    @Test("an action is written as one compact line")
    func anActionIsWrittenAsOneCompactLine() {
        let time = Timestamp.start + 30 * minute
        let lines = TicketAction.Kind.allCases.map {
            TicketAction(kind: $0, ticketID: TicketID(1), time: time).line
        }
        let end = #""ticket_id":"T-000001","at":"2026-03-02T09:30:00.000Z"}"#
        #expect(
            lines == [
                #"{"action":"escalate","rule":1,"# + end,
                #"{"action":"page-lead","rule":2,"# + end,
                #"{"action":"nudge","rule":3,"# + end,
                #"{"action":"close","rule":3,"# + end,
                #"{"action":"assign-least-loaded","rule":5,"# + end,
            ]
        )
    }

    @Test("a ticket that is not created first is a programmer error")
    func aTicketThatIsNotCreatedFirstIsAProgrammerError() async {
        await #expect(processExitsWith: .failure) {
            let event = TicketEvent(
                ticketID: TicketID(1),
                sequence: 1,
                time: .start,
                kind: .messageFromCustomer
            )
            _ = TicketOracle.actions(for: [event])
        }
    }
}
