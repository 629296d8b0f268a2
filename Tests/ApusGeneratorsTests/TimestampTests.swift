import ApusGenerators
import Testing

/// Instants are written as everyone else writes them, leap days and all.
@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "is written as RFC 3339 in UTC",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
            (1_772_323_200_000, "2026-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ]
    )
    func isWrittenAsRFC3339InUTC(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test("generated data begins on a Monday morning")
    func generatedDataBeginsOnAMondayMorning() {
        #expect(Timestamp.start.description == "2026-03-02T09:00:00.000Z")
        // 1970-01-01 was a Thursday.
        #expect(Timestamp.start.milliseconds / Milliseconds.day % 7 == 4)
    }

    @Test("an instant that four digits of a year cannot say is a programmer error")
    func anInstantBeyondFourDigitsIsAProgrammerError() async {
        await #expect(processExitsWith: .failure) { _ = Timestamp(milliseconds: -1) }
        await #expect(processExitsWith: .failure) {
            _ = Timestamp(milliseconds: 253_402_300_800_000)
        }
    }
}
