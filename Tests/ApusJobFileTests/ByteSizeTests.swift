import ApusGraph
import Testing

@testable import ApusJobFile

/// Sizes and rates are read as people write them.
@Suite("Job file: sizes and rates")
struct ByteSizeTests {
    @Test(
        "sizes are whole numbers with a unit",
        arguments: [
            ("0B", 0), ("7B", 7), ("1KB", 1_000), ("1KiB", 1_024), ("5MB", 5_000_000),
            ("5MiB", 5 << 20), ("2GB", 2_000_000_000), ("2GiB", 2 << 30), ("007B", 7),
            ("1048576GiB", 1 << 50),
        ]
    )
    func sizesAreWholeNumbersWithAUnit(text: String, byteCount: Int) {
        #expect(ByteSizeParser.parse(text) == .success(byteCount))
        #expect(ByteSizeParser.parseRate(text + "/s") == .success(byteCount))
    }

    @Test(
        "what is no size is refused, each with its reason",
        arguments: [
            ("", .malformed), ("MB", .malformed), ("-1MB", .malformed), ("1 MB", .malformed),
            ("1MB2", .malformed), ("1MB 2KB", .malformed), ("0x1MB", .malformed),
            ("\u{0665}MB", .malformed), ("5", .noUnit(number: "5")), ("1.5MB", .fraction),
            ("5mb", .unknownUnit(number: "5", unit: "mb")), ("1048577GiB", .tooLarge),
            ("5TB", .unknownUnit(number: "5", unit: "TB")), ("99999999999999999999B", .tooLarge),
            ("9999999999999GB", .tooLarge),
        ] as [(String, ByteSizeParser.Failure)]
    )
    func whatIsNoSizeIsRefused(text: String, failure: ByteSizeParser.Failure) {
        #expect(ByteSizeParser.parse(text) == .failure(failure))
        #expect(ByteSizeParser.parseRate(text + "/s") == .failure(failure))
    }

    @Test(
        "a rate is per second",
        arguments: [
            ("5MB", .noPeriod(size: "5MB")), ("5MB/", .unknownPeriod("")),
            ("5MB/min", .unknownPeriod("min")), ("5MB/s/s", .unknownPeriod("s/s")),
            ("/s", .malformed),
        ] as [(String, ByteSizeParser.Failure)]
    )
    func aRateIsPerSecond(text: String, failure: ByteSizeParser.Failure) {
        #expect(ByteSizeParser.parseRate(text) == .failure(failure))
    }

    @Test("what is written is read back")
    func whatIsWrittenIsReadBack() {
        for seed in UInt64(1)...500 {
            var generator = SplitMix64(seed: seed)
            let bits = Int.random(in: 0...50, using: &generator)
            let byteCount = Int.random(in: 0...(1 << bits), using: &generator)
            let text = ByteSizeText.format(byteCount: byteCount)
            #expect(ByteSizeParser.parse(text) == .success(byteCount), "seed \(seed)")
            let rate = ByteSizeText.format(bytesPerSecond: byteCount)
            #expect(ByteSizeParser.parseRate(rate) == .success(byteCount), "seed \(seed)")
        }
    }
}
