import ApusSDK
import ApusSDKTesting
import Testing

/// Broadcast and operator state of an older version of an operator is brought forward, and back.
@Suite("SDK: migrations of shared state")
struct SharedMigrationTests {
    @Test("broadcast and operator state go forward, by their names and not by their places")
    func sharedStateGoesForward() throws {
        let host = try OperatorHarness(RulesV1.self)
        try host.broadcast("limit 5")
        try host.broadcast("pause 7")
        try host.feed("ann", "", at: nil)
        try host.restart(as: RulesV2.self)
        let rules = try host.broadcastMap(String.self, Rule.self, "rules")
        #expect(rules.map(\.key) == ["limit", "pause"])
        #expect(rules.map(\.value) == [Rule(number: 5), Rule(number: 7)])
        #expect(try host.items(Rule.self, "seen") == [Rule(number: 2)])
        try host.broadcast("limit 6")
        try host.feed("ann", "", at: nil)
        #expect(try host.values("main") == ["limit is 5", "limit is 6, by nobody"])
        #expect(try host.items(Int64.self, "more") == [6])
    }

    @Test("broadcast state goes back, and operator state that has changed does not")
    func sharedStateGoesBack() throws {
        let host = try OperatorHarness(RulesV2.self)
        try host.broadcast("limit 5")
        try host.restart(as: RulesV1.self)
        #expect(try host.broadcastMap(String.self, Int64.self, "limits").map(\.value) == [5])
        try host.restart(as: RulesV2.self)
        try host.feed("ann", "", at: nil)
        let failure = #expect(throws: HarnessFailure.self) {
            try host.restart(as: RulesV1.self)
        }
        #expect(failure?.message == "state 'seen' has version 2, which version 1 cannot read")
    }
}

/// The second version of a number.
private struct Rule: StateReversible, Equatable {
    var number: Int64
    var author = "nobody"

    static func migrate(_ previous: Int64) -> Rule { Rule(number: previous) }
    static func downgrade(_ rule: Rule) -> Int64 { rule.number }

    init(number: Int64) { self.number = number }

    init(from decoder: inout StateDecoder) throws {
        number = try decoder.decode()
        author = try decoder.decode()
    }

    func encode(into encoder: inout StateEncoder) {
        encoder.encode(number)
        encoder.encode(author)
    }
}

private func parsed(_ record: borrowing Record) throws -> (name: String, number: Int64) {
    let words = record.value.text.split(separator: " ")
    guard words.count == 2, let number = Int64(words[1]) else { throw RecordError("no rule") }
    return (String(words[0]), number)
}

private struct RulesV1: KeyedOperator {
    static let id = "rules"
    static let summary = "says what the limit is"
    static let broadcastInputCount = 1

    let limits = BroadcastState<String, Int64>("limits")
    let seen = OperatorState<Int64>("seen", .split)

    mutating func processBroadcast(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        let (name, number) = try parsed(record)
        try context[limits].set(number, for: name)
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let limit = try context[limits].get("limit") ?? 0
        try context[seen].append(2)
        try context.emit("limit is \(limit)")
    }
}

/// The same with a newer type of both, a new name of one, and other places.
private struct RulesV2: KeyedOperator {
    static let id = "rules"
    static let summary = "says what the limit is, and who has set it"
    static let broadcastInputCount = 1

    let notes = BroadcastState<String, String>("notes")
    let rules = BroadcastState<String, Rule>("rules", renamedFrom: "limits")
    let more = OperatorState<Int64>("more", .split)
    let seen = OperatorState<Rule>("seen", .split)

    mutating func processBroadcast(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        let (name, number) = try parsed(record)
        try context[rules].set(Rule(number: number), for: name)
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let rule = try context[rules].get("limit") ?? Rule(number: 0)
        try context[more].append(rule.number)
        try context[seen].append(rule)
        try context.emit("limit is \(rule.number), by \(rule.author)")
    }
}
