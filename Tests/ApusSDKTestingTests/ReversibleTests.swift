import ApusSDK
import ApusSDKTesting
import Testing

/// Values that a newer version of an operator has stored are brought back to an older one.
@Suite("SDK: the way back")
struct ReversibleTests {
    @Test("a value goes forward and back through all versions in between")
    func aValueGoesForwardAndBack() throws {
        let host = try OperatorHarness(CountsV1.self)
        try host.feed("ann", "", at: nil)
        try host.restart(as: CountsV3.self)
        try host.feed("ann", "", at: nil)
        try host.feed("bob", "", at: nil)
        #expect(try host.value(Count3.self, "counts", "ann")?.days == 2)
        try host.restart(as: CountsV1.self)
        #expect(try host.value(Int32.self, "count", "bob") == 1)
        try host.feed("ann", "", at: nil)
        #expect(try host.values("main") == ["1", "2 on 2 days", "1 on 1 days", "3"])
        #expect(try host.list(Int32.self, "history", "ann") == [1, 2, 3])
    }

    @Test("going back again and again changes nothing")
    func goingBackAgainAndAgainChangesNothing() throws {
        let host = try OperatorHarness(CountsV3.self)
        try host.feed("ann", "", at: nil)
        for _ in 0..<40 {
            try host.restart(as: CountsV1.self)
            try host.restart(as: CountsV3.self)
        }
        #expect(try host.value(Count3.self, "counts", "ann")?.count == 1)
    }

    @Test("a value that the older version cannot say is refused with the reason")
    func aValueThatCannotBeSaidIsRefused() throws {
        let host = try OperatorHarness(CountsV3.self)
        try host.feed("much", "", at: nil)
        let failure = #expect(throws: HarnessFailure.self) {
            try host.restart(as: CountsV1.self)
        }
        #expect(
            failure?.message == "state 'counts' of version 3: a count of 1000 has no version 1"
        )
    }

    @Test("without a way back in each type of the chain there is none")
    func withoutAWayBackInEachTypeThereIsNone() throws {
        #expect(OneWay.oldestWritableVersion == 2)
        #expect(BackToOneWay.oldestWritableVersion == 2)
        #expect(BackToOneWay.oldestReadableVersion == 1)
        #expect(Count3.oldestWritableVersion == 1)
        let host = try OperatorHarness(BrokenChain.self)
        try host.feed("ann", "", at: nil)
        let failure = #expect(throws: HarnessFailure.self) {
            try host.restart(as: BrokenChainV1.self)
        }
        #expect(failure?.message == "state 'count' has version 3, which version 1 cannot read")
    }
}

/// The first version is a number.
private struct CountsV1: KeyedOperator {
    static let id = "counts"
    static let summary = "counts"

    let counts = ValueState<Int32>("count")
    let history = ListState<Int32>("history")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let count = try context[counts].modify(default: 0) { count in
            count += 1
            return count
        }
        try context[history].append(count)
        try context.emit("\(count)")
    }
}

/// The second version is a wider number.
private struct Count2: StateReversible {
    let count: Int64

    static func migrate(_ previous: Int32) -> Count2 { Count2(count: Int64(previous)) }

    static func downgrade(_ value: Count2) throws -> Int32 {
        guard value.count < 1000 else {
            throw OperatorError("a count of \(value.count) has no version 1")
        }
        return Int32(value.count)
    }

    init(count: Int64) { self.count = count }
    init(from decoder: inout StateDecoder) throws { count = try decoder.decode() }
    func encode(into encoder: inout StateEncoder) { encoder.encode(count) }
}

/// The third version has days, too.
private struct Count3: StateReversible {
    var count: Int64
    var days: Int32

    static let fixedByteCount = StateEncoder.byteCount(Int64.self, Int32.self)

    static func migrate(_ previous: Count2) -> Count3 { Count3(count: previous.count, days: 1) }
    static func downgrade(_ value: Count3) -> Count2 { Count2(count: value.count) }

    init(count: Int64, days: Int32) {
        self.count = count
        self.days = days
    }

    init(from decoder: inout StateDecoder) throws {
        count = try decoder.decode()
        days = try decoder.decode()
    }

    func encode(into encoder: inout StateEncoder) {
        encoder.encode(count)
        encoder.encode(days)
    }
}

/// The same operator with the third version of its state, under a new name.
private struct CountsV3: KeyedOperator {
    static let id = "counts"
    static let summary = "counts"

    let counts = ValueState<Count3>("counts", renamedFrom: "count")
    let history = ListState<Count3>("history")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let step: Int64 = record.key.text == "much" ? 1000 : 1
        let count = try context[counts].modify(default: Count3(count: 0, days: 0)) { count in
            count.count += step
            count.days += 1
            return count
        }
        if step == 1 { try context[history].append(count) }
        try context.emit("\(count.count) on \(count.days) days")
    }
}

/// A type without a way back.
private struct OneWay: StateMigratable {
    let count: Int64

    static func migrate(_ previous: Int32) -> OneWay { OneWay(count: Int64(previous)) }

    init(count: Int64) { self.count = count }
    init(from decoder: inout StateDecoder) throws { count = try decoder.decode() }
    func encode(into encoder: inout StateEncoder) { encoder.encode(count) }
}

/// A type that goes back to it, and no further.
private struct BackToOneWay: StateReversible {
    let count: UInt64

    static func migrate(_ previous: OneWay) -> BackToOneWay {
        BackToOneWay(count: UInt64(previous.count))
    }
    static func downgrade(_ value: BackToOneWay) -> OneWay { OneWay(count: Int64(value.count)) }

    init(count: UInt64) { self.count = count }
    init(from decoder: inout StateDecoder) throws { count = try decoder.decode() }
    func encode(into encoder: inout StateEncoder) { encoder.encode(count) }
}

private struct BrokenChain: KeyedOperator {
    static let id = "chain"
    static let summary = "a chain of types with a gap"

    let count = ValueState<BackToOneWay>("count")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        try context[count].set(BackToOneWay(count: 1))
    }
}

private struct BrokenChainV1: KeyedOperator {
    static let id = "chain"
    static let summary = "a chain of types with a gap"

    let count = ValueState<Int32>("count")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}
