import Testing

@testable import ApusIO

/// Times are exact or refused.
@Suite("Times")
struct TimestampReaderTests {
    static func read(_ text: String, _ unit: RecordParsing.TimeUnit) -> Int64? {
        Array(text.utf8).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap {
                TimestampReader.microseconds(of: ByteRange($0, count: buffer.count), unit: unit)
            }
        }
    }

    @Test(
        "reads RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2013-01-01T05:15:00Z", 1_357_017_300_000_000),
            ("2013-01-01t05:15:00z", 1_357_017_300_000_000),
            ("2013-01-01 05:15:00Z", 1_357_017_300_000_000),
            ("2013-01-01T06:15:00+01:00", 1_357_017_300_000_000),
            ("2012-12-31T23:45:00-05:30", 1_357_017_300_000_000),
            ("2013-01-01T05:15:00.5Z", 1_357_017_300_500_000),
            ("2013-01-01T05:15:00.000001Z", 1_357_017_300_000_001),
            ("2013-01-01T05:15:00.123456789+00:00", 1_357_017_300_123_456),
            ("2016-02-29T00:00:00Z", 1_456_704_000_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("1969-12-31T23:59:59.9Z", -100_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)]
    )
    func readsRFC3339(text: String, expected: Int64) {
        #expect(Self.read(text, .rfc3339) == expected)
    }

    @Test(
        "refuses what is not RFC 3339",
        arguments: [
            "", "x", "2013-01-01", "2013-01-01T05:15:00", "2013-01-01T05:15Z",
            "2013-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2013-13-01T00:00:00Z",
            "2013-00-01T00:00:00Z", "2013-01-32T00:00:00Z", "2013-01-01T24:00:00Z",
            "2013-01-01T05:60:00Z", "2013-01-01T05:15:61Z", "2013-01-01T05:15:00.Z",
            "2013-01-01T05:15:00Zx", "2013-01-01T05:15:00+1:00", "2013-01-01T05:15:00+0100",
            "2013-01-01T05:15:00+24:00", "2013-01-01T05:15:00+01:60", "0000-01-01T00:00:00Z",
            " 2013-01-01T05:15:00Z", "2013/01/01T05:15:00Z", "2013-01-01T05:15:00.5",
            "20a3-01-01T05:15:00Z", "-013-01-01T05:15:00Z", "9999-12-31T23:59:59-01:00",
        ]
    )
    func refusesWhatIsNotRFC3339(text: String) {
        #expect(Self.read(text, .rfc3339) == nil)
    }

    @Test("every truncation of a time is refused")
    func everyTruncationIsRefused() {
        let text = "2013-01-01T05:15:00.25+01:00"
        #expect(Self.read(text, .rfc3339) == 1_357_013_700_250_000)
        for count in 0..<text.count {
            #expect(Self.read(String(text.prefix(count)), .rfc3339) == nil)
        }
    }

    @Test(
        "reads numbers since 1970",
        arguments: [
            ("0", 0, 0, 0), ("1", 1_000_000, 1000, 1), ("-7", -7_000_000, -7000, -7),
            ("1.5", 1_500_000, 1500, 1), ("1.0000019", 1_000_001, 1000, 1),
            ("1357017300", 1_357_017_300_000_000, 1_357_017_300_000, 1_357_017_300),
            ("007", 7_000_000, 7000, 7),
        ] as [(String, Int64, Int64, Int64)]
    )
    func readsNumbers(text: String, seconds: Int64, milliseconds: Int64, microseconds: Int64) {
        #expect(Self.read(text, .seconds) == seconds)
        #expect(Self.read(text, .milliseconds) == milliseconds)
        #expect(Self.read(text, .microseconds) == microseconds)
    }

    @Test(
        "refuses what is not a number, or far from our time",
        arguments: [
            "", "-", ".", "1.", ".5", "1e9", "+1", " 1", "1 ", "0x1", "1,5", "--1", "1-",
            "99999999999999999999", "9223372036854775807", "1357017300000000",
        ]
    )
    func refusesOtherNumbers(text: String) {
        #expect(Self.read(text, .seconds) == nil)
    }
}
