import ApusSDK
import Testing

/// Instants are written as everyone else writes them, and arithmetic with them never traps.
@Suite("SDK: Timestamp")
struct TimestampTests {
    @Test(
        "is written as RFC 3339 in UTC",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"),
            (951_782_399_999_000, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (1_772_442_000_000_001, "2026-03-02T09:00:00.000001Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (253_402_300_800_000_000, "253402300800000000 us"),
            (-1, "-1 us"),
        ]
    )
    func isWrittenAsRFC3339InUTC(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test("adding a duration stops at the ends of time")
    func addingADurationStopsAtTheEndsOfTime() {
        let time = Timestamp(microseconds: 1_000_000)
        #expect((time + .seconds(2)).microseconds == 3_000_000)
        #expect((time - .milliseconds(1_500)).microseconds == -500_000)
        #expect((time + .microseconds(-1)).microseconds == 999_999)
        #expect((time + .seconds(Int64.max)).microseconds == .max)
        #expect((time - .seconds(Int64.max)).microseconds == .min)
        #expect((Timestamp(microseconds: .max) + .microseconds(1)).microseconds == .max)
        #expect(Timestamp(microseconds: 5) - Timestamp(microseconds: 2) == .microseconds(3))
    }
}
