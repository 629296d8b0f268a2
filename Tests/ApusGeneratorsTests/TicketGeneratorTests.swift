import ApusGenerators
import Testing

/// The lines keep the promises that readers of the data rely on.
///
/// They are read back with another JSON parser, and compared with the summary, the oracle and a
/// recorded digest.
@Suite("TicketGenerator")
struct TicketGeneratorTests {
    /// All that a run hands out.
    struct Run {
        var lines: [String] = []
        var expected: [String] = []
        let summary: TicketSummary

        init(seed: UInt64, ticketCount: Int) {
            var lines: [String] = []
            var expected: [String] = []
            summary = TicketGenerator(seed: seed, ticketCount: ticketCount).generate(
                event: { lines.append($0) },
                expected: { expected.append($0) }
            )
            self.lines = lines
            self.expected = expected
        }

        /// FNV-1a over the lines, each with a line end.
        static func digest(_ lines: [String]) -> UInt64 {
            lines.reduce(into: 0xcbf2_9ce4_8422_2325) { digest, line in
                for byte in (line + "\n").utf8 {
                    digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3
                }
            }
        }
    }

    static let thousand = Run(seed: 1, ticketCount: 1_000)
    static let events = thousand.lines.compactMap { TicketLine($0)?.event }
    static let tickets = Dictionary(grouping: events, by: \.ticketID)
        .mapValues { $0.sorted { $0.precedes($1) } }

    @Test("the same seed gives the same lines, another seed others")
    func theSameSeedGivesTheSameLines() {
        let run = Run(seed: 1, ticketCount: 1_000)
        #expect(run.lines == Self.thousand.lines)
        #expect(run.expected == Self.thousand.expected)
        #expect(run.summary == Self.thousand.summary)
        #expect(Run(seed: 2, ticketCount: 1_000).lines != run.lines)
    }

    @Test("the lines are the same on every machine and in every version")
    func theLinesAreTheSameOnEveryMachine() {
        #expect(Run.digest(Self.thousand.lines) == 8_926_027_326_375_338_553)
        #expect(Run.digest(Self.thousand.expected) == 15_780_855_226_531_711_809)
    }

    @Test("a ticket keeps its life when there are more tickets")
    func aTicketKeepsItsLifeWhenThereAreMoreTickets() {
        let few = Run(seed: 1, ticketCount: 50).expected
        #expect(!few.isEmpty)
        #expect(few == Array(Self.thousand.expected.prefix(few.count)))
    }

    @Test("the summary counts what was handed out")
    func theSummaryCountsWhatWasHandedOut() {
        let summary = Self.thousand.summary
        #expect(summary.ticketCount == 1_000)
        #expect(Self.tickets.count == 1_000)
        #expect(summary.lineCount == Self.thousand.lines.count)
        #expect(summary.eventCount == Self.events.count)
        #expect(summary.actionCount == Self.thousand.expected.count)
        for kind in TicketAction.Kind.allCases {
            let lines = Self.thousand.expected.filter { $0.contains(#""\#(kind.rawValue)""#) }
            #expect(summary.actionCounts[kind] == lines.count)
        }
    }

    @Test("no tickets, no lines")
    func noTicketsNoLines() {
        let run = Run(seed: 1, ticketCount: 0)
        #expect(run.lines.isEmpty && run.expected.isEmpty)
        #expect(run.summary == TicketSummary())
    }

    @Test("the oracle finds the expected lines in what a stranger reads")
    func theOracleFindsTheExpectedLinesInWhatAStrangerReads() {
        let actions = TicketOracle.actions(for: Self.events).map(\.line)
        #expect(actions == Self.thousand.expected)
    }

    @Test("an event reads back as it was written, with its own fields only")
    func anEventReadsBackAsItWasWritten() throws {
        for line in Self.thousand.lines {
            guard let read = TicketLine(line) else { continue }
            #expect(read.event.line == line)
            let own: Set<String> =
                switch read.event.kind {
                case .created: ["customer", "priority", "team"]
                case .messageFromCustomer: []
                case .messageFromAgent, .assigned: ["agent"]
                case .priorityChanged: ["priority"]
                case .statusChanged: ["status"]
                }
            #expect(read.fields == own.union(["type", "ticket_id", "seq", "ts"]))
        }
    }

    @Test("sequence numbers are unique and follow event time")
    func sequenceNumbersAreUniqueAndFollowEventTime() {
        let inOrder = Self.events.sorted { $0.sequence < $1.sequence }
        for (event, next) in zip(inOrder, inOrder.dropFirst()) {
            #expect(event.sequence < next.sequence)
            #expect(event.time <= next.time)
        }
        #expect(inOrder.first?.sequence == 1)
        #expect(Set(Self.thousand.lines).count == Self.thousand.lines.count)
    }

    @Test("lines are out of order, by at most two minutes", arguments: [1, 2, 3] as [UInt64])
    func linesAreOutOfOrderByAtMostTwoMinutes(seed: UInt64) {
        let events = Run(seed: seed, ticketCount: 1_000).lines.compactMap { TicketLine($0)?.event }
        var newest = Timestamp.start
        var displacedMax: Int64 = 0
        var displacedCount = 0
        for event in events {
            newest = max(newest, event.time)
            displacedMax = max(displacedMax, newest - event.time)
            displacedCount += event.time < newest ? 1 : 0
        }
        #expect(TicketGenerator.outOfOrderMilliseconds == 2 * Milliseconds.minute)
        #expect(displacedMax <= 2 * Milliseconds.minute)
        #expect(displacedMax > 90 * Milliseconds.second)
        #expect(displacedCount > events.count / 20)
    }

    @Test("one line in a thousand is malformed, in four ways")
    func oneLineInAThousandIsMalformed() {
        let run = Run(seed: 4, ticketCount: 5_000)
        let malformed = run.lines.filter { TicketLine($0) == nil }
        #expect(malformed.count == run.summary.malformedCount)
        #expect((run.lines.count / 1_200...run.lines.count / 800).contains(malformed.count))
        #expect(malformed.contains { $0.hasPrefix("upstream") })
        #expect(malformed.contains { $0.hasPrefix("{") && !$0.hasSuffix("}") })
        let whole = malformed.filter { $0.hasSuffix("}") }
        #expect(whole.contains { !$0.contains(#""ticket_id""#) && $0.contains(#""ts""#) })
        #expect(whole.contains { $0.contains(#""ticket_id""#) && !$0.contains(#""ts""#) })
    }

    @Test("an error of a reader ends the run")
    func anErrorOfAReaderEndsTheRun() {
        #expect(throws: CancellationError.self) {
            _ = try TicketGenerator(seed: 1, ticketCount: 10).generate(
                event: { _ in throw CancellationError() },
                expected: { _ in }
            )
        }
        #expect(throws: CancellationError.self) {
            _ = try TicketGenerator(seed: 1, ticketCount: 10).generate(
                event: { _ in },
                expected: { _ in throw CancellationError() }
            )
        }
    }
}

// MARK: - What the tickets are like

extension TicketGeneratorTests {
    @Test(
        "every rule acts for a thousand tickets, whatever the seed",
        arguments: [1, 2, 3, 4, 5] as [UInt64]
    )
    func everyRuleActsForAThousandTickets(seed: UInt64) {
        let counts = Run(seed: seed, ticketCount: 1_000).summary.actionCounts
        for kind in TicketAction.Kind.allCases {
            #expect((10...2_000).contains(counts[kind, default: 0]), "\(kind)")
        }
    }

    @Test("every ticket begins with its creation")
    func everyTicketBeginsWithItsCreation() {
        for events in Self.tickets.values {
            let creations = events.filter { if case .created = $0.kind { true } else { false } }
            #expect(creations == [events[0]])
        }
    }

    @Test("events meet rules at the very instant, and each other")
    func eventsMeetRulesAtTheVeryInstant() {
        let deadlines = [5, 30, 60, 24 * 60, 72 * 60].map { $0 * Milliseconds.minute }
        var met: Set<Int64> = []
        var togetherCount = 0
        for events in Self.tickets.values {
            togetherCount += zip(events, events.dropFirst()).count { $0.time == $1.time }
            for event in events {
                met.formUnion(events.map { event.time - $0.time }.filter(deadlines.contains))
            }
        }
        #expect(met == Set(deadlines))
        #expect(togetherCount > 100)
    }

    @Test("one ticket in twelve is opened again after it was solved")
    func someTicketsAreOpenedAgain() {
        let reopenedCount = Self.tickets.values.count { events in
            var isSolved = false
            for event in events {
                switch event.kind {
                case .statusChanged(.solved): isSolved = true
                case .statusChanged(.open), .messageFromCustomer: if isSolved { return true }
                case .created, .messageFromAgent, .assigned, .priorityChanged: break
                }
            }
            return false
        }
        #expect((30...100).contains(reopenedCount))
    }

    @Test("more tickets come on a weekday morning than at night or at the weekend")
    func moreTicketsComeOnAWeekdayMorning() {
        let run = Run(seed: 1, ticketCount: 3_000)
        var counts: [Int64: Int] = [:]
        for event in run.lines.compactMap({ TicketLine($0)?.event }) {
            guard case .created = event.kind else { continue }
            counts[(event.time - .start) / Milliseconds.hour, default: 0] += 1
        }
        // Hours since Monday at nine: Tuesday morning, Tuesday night, Saturday morning.
        func count(_ hours: Range<Int64>) -> Int { hours.reduce(0) { $0 + counts[$1, default: 0] } }
        #expect(count(24..<27) > 5 * count(16..<19))
        #expect(count(24..<27) > 2 * count(120..<123))
    }
}
