import ApusSDK
import ApusSDKCodable
import ApusSDKTesting
import Testing

/// Values that an older version of an operator has stored are brought forward.
@Suite("SDK: migrations")
struct MigrationTests {
    @Test("a value is migrated through all versions in between")
    func aValueIsMigratedThroughAllVersionsInBetween() throws {
        let host = try OperatorHarness(VisitsV1.self)
        try host.feed("ann", "", at: nil)
        try host.feed("ann", "", at: nil)
        try host.feed("bob", "", at: nil)
        try host.restart(as: VisitsV3.self)
        try host.feed("ann", "", at: nil)
        try host.feed("eve", "", at: nil)
        #expect(
            try host.values("main") == [
                "1", "2", "1", "3 times, 20 minutes", "1 times, 0 minutes",
            ]
        )
        #expect(try host.value(Visit3.self, "visits", "bob")?.minutes == 10)
        #expect(try host.list(Visit3.self, "history", "ann").map(\.count) == [1, 2, 3])
    }

    @Test("what is too old is refused with both versions")
    func whatIsTooOldIsRefusedWithBothVersions() throws {
        let host = try OperatorHarness(VisitsV3.self)
        try host.feed("ann", "", at: nil)
        let failure = #expect(throws: HarnessFailure.self) {
            try host.restart(as: VisitsV1.self)
        }
        #expect(failure?.message == "state 'history' has version 3, which version 1 cannot read")
        #expect(failure?.code == -10)
    }

    @Test("a Codable value needs no migration for a field that may be missing")
    func aCodableValueNeedsNoMigration() throws {
        let host = try OperatorHarness(CodableOld.self)
        try host.feed("ann", "x", at: nil)
        try host.restart(as: CodableNew.self)
        try host.feed("ann", "y", at: nil)
        #expect(try host.values("main") == [#"["x"] nil"#, #"["x", "y"] nil"#])
    }
}

/// The first version counts.
private struct VisitsV1: KeyedOperator {
    static let id = "visits"
    static let summary = "counts"

    let visits = ValueState<Int>("count")
    let history = ListState<Int>("history")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let count = try context[visits].modify(default: 0) { count in
            count += 1
            return count
        }
        try context[history].append(count)
        try context.emit("\(count)")
    }
}

/// The second version, which nobody runs any more: a struct in place of a number.
private struct Visit2: StateMigratable {
    let count: Int

    static func migrate(_ previous: Int) -> Visit2 { Visit2(count: previous) }

    init(count: Int) { self.count = count }
    init(from decoder: inout StateDecoder) throws { count = try decoder.decode() }
    func encode(into encoder: inout StateEncoder) { encoder.encode(count) }
}

/// The third version has one more number.
private struct Visit3: StateMigratable {
    var count: Int
    var minutes: Int32

    static let fixedByteCount = StateEncoder.byteCount(Int.self, Int32.self)

    static func migrate(_ previous: Visit2) -> Visit3 {
        Visit3(count: previous.count, minutes: Int32(previous.count) * 10)
    }

    init(count: Int, minutes: Int32) {
        self.count = count
        self.minutes = minutes
    }

    init(from decoder: inout StateDecoder) throws {
        count = try decoder.decode()
        minutes = try decoder.decode()
    }

    func encode(into encoder: inout StateEncoder) {
        encoder.encode(count)
        encoder.encode(minutes)
    }
}

/// The same operator with the third version of its state, under a new name.
private struct VisitsV3: KeyedOperator {
    static let id = "visits"
    static let summary = "counts"

    let visits = ValueState<Visit3>("visits", renamedFrom: "count")
    let history = ListState<Visit3>("history")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let visit = try context[visits].modify(default: Visit3(count: 0, minutes: 0)) { visit in
            visit.count += 1
            return visit
        }
        try context[history].append(visit)
        try context.emit("\(visit.count) times, \(visit.minutes) minutes")
    }
}

/// Keeps a Codable type.
private struct CodableOld: KeyedOperator {
    struct Kept: Codable {
        var words: [String] = []
    }

    static let id = "codable"
    static let summary = "keeps a Codable type"

    let kept = ValueState<CodableValue<Kept>>("kept")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let word = record.value.text
        let words = try context[kept].modify(default: CodableValue(Kept())) { kept in
            kept.value.words.append(word)
            return kept.value.words
        }
        try context.emit("\(words) nil")
    }
}

/// The same with one more field.
private struct CodableNew: KeyedOperator {
    struct Kept: Codable {
        var words: [String] = []
        var limit: Int?
    }

    static let id = "codable"
    static let summary = "keeps a Codable type"

    let kept = ValueState<CodableValue<Kept>>("kept")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let word = record.value.text
        let after = try context[kept].modify(default: CodableValue(Kept())) { kept in
            kept.value.words.append(word)
            return kept.value
        }
        try context.emit("\(after.words) \(String(describing: after.limit))")
    }
}
