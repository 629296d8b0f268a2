import Testing

@testable import ApusCore

/// Dates agree with published ones, with a calendar that is counted day by day, and with
/// themselves in both directions.
@Suite("CivilTime")
struct CivilTimeTests {
    @Test(
        "knows well-known instants in both directions",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (1_234_567_890, "2009-02-13T23:31:30Z"),
            (1_356_998_400, "2013-01-01T00:00:00Z"),
            (2_147_483_647, "2038-01-19T03:14:07Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-86_400, "1969-12-31T00:00:00Z"),
            (-11_676_096_000, "1600-01-01T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func knowsWellKnownInstants(seconds: Int64, text: String) {
        let civil = CivilTime(EventTime(microseconds: seconds * 1_000_000))
        #expect(civil.rfc3339 == text)
        #expect(civil.isValid)
        #expect(civil.microsecondsSinceEpoch == seconds * 1_000_000)
    }

    @Test("writes as many digits of a second as are needed")
    func writesAsManyDigitsAsAreNeeded() {
        func text(_ microsecond: Int64) -> String {
            CivilTime(
                year: 2013,
                month: 1,
                day: 2,
                hour: 3,
                minute: 4,
                second: 5,
                microsecond: microsecond
            ).rfc3339
        }
        #expect(text(0) == "2013-01-02T03:04:05Z")
        #expect(text(1000) == "2013-01-02T03:04:05.001Z")
        #expect(text(120_000) == "2013-01-02T03:04:05.120Z")
        #expect(text(1) == "2013-01-02T03:04:05.000001Z")
        #expect(text(999_999) == "2013-01-02T03:04:05.999999Z")
        let early = CivilTime(year: 33, month: 4, day: 3)
        #expect(early.rfc3339 == "0033-04-03T00:00:00Z")
        let justBefore = CivilTime(EventTime(microseconds: -1))
        #expect(justBefore.rfc3339 == "1969-12-31T23:59:59.999999Z")
    }

    @Test("counts days as a calendar does, from 1600 to 2410")
    func countsDaysAsACalendarDoes() {
        var day = CivilTime(year: 1600, month: 1, day: 1)
        var microseconds: Int64 = -11_676_096_000_000_000
        var mistakes: [String] = []
        while day.year < 2410 {
            let isRight =
                day.isValid && day.microsecondsSinceEpoch == microseconds
                && CivilTime(EventTime(microseconds: microseconds)) == day
            if !isRight, mistakes.count < 5 { mistakes.append("\(day)") }
            day = Self.dayAfter(day)
            microseconds += 86_400_000_000
        }
        #expect(mistakes.isEmpty)
    }

    /// By the rules as people say them, not by the formulas under test.
    static func dayAfter(_ day: CivilTime) -> CivilTime {
        let isLeap = day.year % 400 == 0 || (day.year % 4 == 0 && day.year % 100 != 0)
        let length: Int64 =
            switch day.month {
            case 2: isLeap ? 29 : 28
            case 4, 6, 9, 11: 30
            default: 31
            }
        if day.day < length {
            return CivilTime(year: day.year, month: day.month, day: day.day + 1)
        }
        return day.month < 12
            ? CivilTime(year: day.year, month: day.month + 1, day: 1)
            : CivilTime(year: day.year + 1, month: 1, day: 1)
    }

    @Test(
        "comes back unchanged from random times of 1970 to 9999",
        arguments: [1, 2, 3] as [UInt64]
    )
    func comesBackUnchanged(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<30_000 {
            let time = Int64.random(in: 0..<253_402_300_800_000_000, using: &generator)
            let civil = CivilTime(EventTime(microseconds: time))
            guard civil.isValid, civil.hour < 24, civil.second < 60,
                civil.microsecondsSinceEpoch == time
            else {
                Issue.record("seed \(seed): \(time) became \(civil)")
                return
            }
        }
    }

    @Test("is in the order of its text")
    func isInTheOrderOfItsText() {
        var generator = SplitMix64(seed: 7)
        for _ in 0..<5_000 {
            let whole = Int64.random(in: 0..<253_402_300_800, using: &generator)
            let other = Int64.random(in: 0..<253_402_300_800, using: &generator)
            let left = CivilTime(EventTime(microseconds: whole * 1_000_000)).rfc3339
            let right = CivilTime(EventTime(microseconds: other * 1_000_000)).rfc3339
            if (left < right) != (whole < other) {
                Issue.record("\(left) and \(right)")
                return
            }
        }
    }

    @Test("takes hour 24 as midnight of the next day, and second 60 as the next minute")
    func takesHour24AsMidnightOfTheNextDay() {
        let midnight = CivilTime(year: 2012, month: 12, day: 31, hour: 24)
        #expect(midnight.isValid)
        #expect(
            CivilTime(EventTime(microseconds: midnight.microsecondsSinceEpoch))
                == CivilTime(year: 2013, month: 1, day: 1)
        )
        let leapSecond = CivilTime(
            year: 2016,
            month: 12,
            day: 31,
            hour: 23,
            minute: 59,
            second: 60
        )
        #expect(leapSecond.isValid)
        #expect(leapSecond.microsecondsSinceEpoch == 1_483_228_800_000_000)
    }

    @Test("says of each part by itself when it is out of range")
    func saysWhenAPartIsOutOfRange() {
        let good = CivilTime(
            year: 2013,
            month: 6,
            day: 15,
            hour: 12,
            minute: 30,
            second: 30,
            microsecond: 500
        )
        let parts: [(WritableKeyPath<CivilTime, Int64>, ClosedRange<Int64>)] = [
            (\.year, 1...9999), (\.month, 1...12), (\.day, 1...30), (\.minute, 0...59),
            (\.second, 0...60), (\.microsecond, 0...999_999),
        ]
        for (part, range) in parts {
            for value in [range.lowerBound, range.upperBound] {
                var changed = good
                changed[keyPath: part] = value
                #expect(changed.isValid, "\(changed)")
            }
            for value in [range.lowerBound - 1, range.upperBound + 1, .min, .max] {
                var changed = good
                changed[keyPath: part] = value
                #expect(!changed.isValid, "\(changed)")
            }
        }
        for hour in [-1, 25] as [Int64] {
            #expect(!CivilTime(year: 2013, month: 6, day: 15, hour: hour).isValid)
        }
    }

    @Test(
        "knows which years have a 29th of February",
        arguments: [
            (1900, false), (1972, true), (1999, false), (2000, true), (2012, true), (2013, false),
            (2100, false), (2400, true), (9996, true), (9999, false),
        ] as [(Int64, Bool)]
    )
    func knowsLeapYears(year: Int64, isLeap: Bool) {
        #expect(CivilTime(year: year, month: 2, day: 29).isValid == isLeap)
        #expect(!CivilTime(year: year, month: 2, day: 30).isValid)
    }
}
