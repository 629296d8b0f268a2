import ApusSDK
import ApusSDKTesting
import Testing

/// Timers that an older version of an operator has armed are planned anew.
@Suite("SDK: migrations of timers")
struct TimerMigrationTests {
    private func armed() throws -> OperatorHarness {
        let host = try OperatorHarness(RemindersV1.self)
        try host.feed("ann", "1", at: Timestamp(microseconds: 10))
        try host.feed("ann", "2", at: Timestamp(microseconds: 20))
        try host.feed("bob", "1", at: Timestamp(microseconds: 30))
        try host.feed("eve", "9", at: Timestamp(microseconds: 40))
        return host
    }

    @Test("one gets another time, id and payload, or is cancelled; others stay")
    func oneGetsAnotherTimeIdAndPayload() throws {
        let host = try armed()
        try host.restart(as: RemindersV2.self)
        #expect(try host.timerCount("remind") == 3)
        #expect(try host.timerCount("keep") == 4)
        #expect(try host.nextTimer("remind") == Timestamp(microseconds: 1020))
        #expect(try host.nextTimer("keep") == Timestamp(microseconds: 1010))
        try host.end()
        #expect(
            try host.values("main").sorted() == [
                "keep 1 at 1010: 1", "keep 1 at 1030: 1", "keep 2 at 1020: 2",
                "keep 9 at 1040: 9", "remind 101 at 1020: 1 of ann from 1, eventTime",
                "remind 101 at 1060: 1 of bob from 1, eventTime", "remind 102 at 1040: 2",
            ]
        )
    }

    @Test("one whose time has passed fires at once")
    func oneWhoseTimeHasPassedFiresAtOnce() throws {
        let host = try armed()
        try host.advance(to: Timestamp(microseconds: 500))
        try host.restart(as: RemindersEarlier.self)
        try host.advance(to: Timestamp(microseconds: 501))
        #expect(try host.values("main").sorted() == ["1", "1", "2", "9"])
    }

    @Test("two that get the same id are refused")
    func twoThatGetTheSameIdAreRefused() throws {
        let host = try armed()
        let failure = #expect(throws: HarnessFailure.self) {
            try host.restart(as: RemindersCollide.self)
        }
        #expect(failure?.message == "timer 'remind': migrate gave two timers the id 7")
    }

    @Test("what a migration throws is told")
    func whatAMigrationThrowsIsTold() throws {
        let host = try armed()
        let failure = #expect(throws: HarnessFailure.self) {
            try host.restart(as: RemindersThrow.self)
        }
        #expect(failure?.message == "timer 'remind' of version 1: no such reminder")
        #expect(failure?.code == -10)
    }

    @Test("there is no way back, and none past the oldest version")
    func thereIsNoWayBack() throws {
        for isOld in [false, true] {
            let host = try OperatorHarness(RemindersV2.self)
            try host.feed("ann", "1", at: Timestamp(microseconds: 10))
            let failure = #expect(throws: HarnessFailure.self) {
                if isOld {
                    try host.restart(as: RemindersV1.self)
                } else {
                    try host.restart(as: RemindersV4.self)
                }
            }
            #expect(
                failure?.message
                    == "timer 'remind' has version 2, which version \(isOld ? 1 : 4) cannot take"
            )
        }
    }

    @Test("an armed timer that the new version does not have is refused")
    func anArmedTimerWithoutDeclarationIsRefused() throws {
        let host = try armed()
        let failure = #expect(throws: HarnessFailure.self) {
            try host.restart(as: RemindersWithout.self)
        }
        #expect(
            failure?.message
                == "timer 'keep' is armed, and the new version has none of that name; "
                + "keep the timer, and do nothing when it fires"
        )
    }

    @Test("versions that are in no order are refused")
    func versionsInNoOrderAreRefused() throws {
        try refuses(OutOfOrder<FirstVersion>.self, version: 1)
        try refuses(OutOfOrder<SameVersion>.self, version: 2)
        try refuses(OutOfOrder<FromNone>.self, version: 3)
    }

    private func refuses(_ type: (some KeyedOperator).Type, version: Int) throws {
        let failure = #expect(throws: HarnessFailure.self) { try OperatorHarness(type) }
        let why = "timer 'remind' migrates to version \(version); that is 2 or more, and above"
        #expect(failure?.message.contains(why) == true)
    }

    @Test("more than a plugin can have are refused")
    func moreThanAPluginCanHaveAreRefused() throws {
        let failure = #expect(throws: HarnessFailure.self) {
            try OperatorHarness(TooMany.self)
        }
        #expect(
            failure?.message.contains("the plugin has 17 timers that migrate; at most 16") == true
        )
    }
}

/// What all versions do, but for their timers.
private protocol Reminders: KeyedOperator {
    var remind: Timer { get }
    var keep: Timer? { get }
}

extension Reminders {
    static var id: String { "reminders" }
    static var summary: String { "reminds of what was asked for" }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        guard let time = record.eventTime, let id = UInt64(record.value.text) else { return }
        let payload = Array(record.value)
        try context.set(remind, id: id, at: time + .microseconds(1000), payload: payload)
        guard let keep else { return }
        try context.set(keep, id: id, at: time + .microseconds(1000), payload: payload)
    }

    mutating func onTimer(_ timer: borrowing FiredTimer, _ context: borrowing Context) throws {
        guard let keep else { return try context.emit(timer.payload.text) }
        let name = timer.timer == keep ? "keep" : "remind"
        let time = timer.time.microseconds
        try context.emit("\(name) \(timer.id) at \(time): \(timer.payload.text)")
    }
}

private struct RemindersV1: Reminders {
    let remind = Timer("remind")
    let keep: Timer? = Timer("keep")
}

/// Declares its timers in another order, and plans those of version 1 anew.
private struct RemindersV2: Reminders {
    let keep: Timer? = Timer("keep")
    let remind = Timer(
        "remind",
        migration: TimerMigration(to: 2) { armed in
            guard armed.id != 9 else { return nil }
            var plan = armed.plan(at: armed.time + .microseconds(10 * Int64(armed.id)))
            plan.id += 100
            guard armed.id == 1 else {
                plan.time = armed.time + .microseconds(20)
                return plan
            }
            if armed.key.text == "bob" { plan.time = plan.time + .microseconds(20) }
            let origin = "from \(armed.version), \(armed.domain)"
            plan.payload = Array("\(armed.payload.text) of \(armed.key.text) \(origin)".utf8)
            return plan
        }
    )
}

private struct RemindersEarlier: Reminders {
    let remind = Timer(
        "remind",
        migration: TimerMigration(to: 2) { $0.plan(at: $0.time - .microseconds(900)) }
    )
    let other = Timer("keep", migration: TimerMigration(to: 2) { _ in nil })
    var keep: Timer? { nil }
}

private struct RemindersCollide: Reminders {
    let remind = Timer(
        "remind",
        migration: TimerMigration(to: 2) { TimerPlan(id: 7, time: $0.time) }
    )
    let keep: Timer? = Timer("keep")
}

private struct RemindersThrow: Reminders {
    let remind = Timer(
        "remind",
        migration: TimerMigration(to: 2) { _ in throw OperatorError("no such reminder") }
    )
    let keep: Timer? = Timer("keep")
}

private struct RemindersV4: Reminders {
    let remind = Timer("remind", migration: TimerMigration(to: 4, from: 3) { $0.plan(at: $0.time) })
    let keep: Timer? = Timer("keep")
}

private struct RemindersWithout: Reminders {
    let remind = Timer("remind")
    var keep: Timer? { nil }
}

private struct TooMany: KeyedOperator {
    static let id = "many"
    static let summary = "more timers that migrate than can be"
    private static let names: [StaticString] = [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q",
    ]

    let timers = TooMany.names.map { name in
        Timer(name, migration: TimerMigration(to: 2) { $0.plan(at: $0.time) })
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}

/// Declares versions that cannot be.
private struct OutOfOrder<Versions: VersionPair>: KeyedOperator {
    static var id: String { "order" }
    static var summary: String { "versions in no order" }

    let remind = Timer(
        "remind",
        migration: TimerMigration(to: Versions.version, from: Versions.oldest) {
            $0.plan(at: $0.time)
        }
    )

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}

private protocol VersionPair: Sendable {
    static var version: Int { get }
    static var oldest: Int { get }
}

private enum FirstVersion: VersionPair {
    static let version = 1
    static let oldest = 1
}

private enum SameVersion: VersionPair {
    static let version = 2
    static let oldest = 2
}

private enum FromNone: VersionPair {
    static let version = 3
    static let oldest = 0
}
