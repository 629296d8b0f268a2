import ApusSDK
import ApusSDKTesting
import Testing

/// The host in memory does what a real one does, and says what it finds fault with.
@Suite("SDK: the harness")
struct HarnessTests {
    private static func seconds(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: seconds * 1_000_000)
    }

    @Test("timers fire in the order of time, declaration and id, at most one per key and call")
    func timersFireInOrder() throws {
        let host = try OperatorHarness(Reminders.self)
        try host.feed("ann", "first 30 7", at: nil)
        try host.feed("ann", "second 30 1", at: nil)
        try host.feed("ann", "first 30 2", at: nil)
        try host.feed("bob", "first 20 1", at: nil)
        try host.feed("ann", "first 31 9", at: nil)
        try host.feed("ann", "first 40 9", at: nil)  // moves the one before
        try host.advance(to: Self.seconds(39))
        #expect(
            try host.values("main") == [
                "bob first 1 at 20", "ann first 2 at 30", "ann first 7 at 30", "ann second 1 at 30",
            ]
        )
        #expect(try host.nextTimer("first") == Self.seconds(40))
    }

    @Test("the clock fires timers of processing time, and event time those of its own")
    func theClockFiresTimers() throws {
        let host = try OperatorHarness(Reminders.self)
        try host.feed("ann", "clock 10 1", at: nil)
        try host.advance(to: Self.seconds(100))
        #expect(try host.values("main").isEmpty)
        try host.setClock(to: Self.seconds(10))
        #expect(try host.values("main") == ["ann clock 1 at 10"])
        try host.feed("ann", "first 50 1", at: nil)  // has passed: fires at once
        #expect(try host.values("main").count == 2)
    }

    @Test("what an operator throws is the failure, with its code")
    func whatAnOperatorThrowsIsTheFailure() throws {
        let host = try OperatorHarness(Reminders.self)
        let failure = #expect(throws: HarnessFailure.self) {
            try host.feed("ann", "broken 1 1", at: nil)
        }
        #expect(failure == HarnessFailure(code: -2, message: "no timer is called broken"))
        // Nothing is called any more; the failure remains.
        #expect(throws: HarnessFailure.self) { try host.feed("ann", "first 1 1", at: nil) }
    }

    @Test("names that the operator does not declare are failures")
    func unknownNamesAreFailures() throws {
        #expect(throws: HarnessFailure(code: 0, message: "there is no output 'rest'")) {
            try OperatorHarness(Reminders.self).values("rest")
        }
        #expect(throws: HarnessFailure(code: 0, message: "there is no state 'x'")) {
            try OperatorHarness(Reminders.self).keyCount("x")
        }
        #expect(throws: HarnessFailure(code: 0, message: "there is no timer 'x'")) {
            try OperatorHarness(Reminders.self).timerCount("x")
        }
    }

    @Test("a record without a key does not reach an operator that does not want it")
    func aRecordWithoutAKeyDoesNotReach() throws {
        let host = try OperatorHarness(Reminders.self)
        try host.feed(nil, "first 1 1", at: nil)
        #expect(host.rejected == ["the record has no key"])
    }
}

/// Sets timers as its records say: "timer seconds id".
private struct Reminders: KeyedOperator {
    static let id = "reminders"
    static let summary = "sets timers"

    let first = Timer("first")
    let second = Timer("second")
    let clock = Timer("clock", .processingTime)

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let words = record.value.text.split(separator: " ")
        guard words.count == 3, let seconds = Int64(words[1]), let id = UInt64(words[2]) else {
            throw RecordError("not: timer seconds id")
        }
        let timers = ["first": first, "second": second, "clock": clock]
        guard let timer = timers[String(words[0])] else {
            throw OperatorError("no timer is called \(words[0])")
        }
        let time = Timestamp(microseconds: seconds * 1_000_000)
        try context.set(timer, id: id, at: time, payload: words[0])
    }

    mutating func onTimer(_ timer: borrowing FiredTimer, _ context: borrowing Context) throws {
        let seconds = timer.time.microseconds / 1_000_000
        try context.emit(
            "\(timer.key.text) \(timer.payload.text) \(timer.id) at \(seconds)"
        )
    }
}
