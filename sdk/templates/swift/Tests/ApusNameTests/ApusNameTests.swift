import ApusNameOperators
import ApusSDK
import ApusSDKTesting
import Testing

/// Tests in a host in memory, whose clock the test sets: `make test`.
@Suite("apus-name")
struct ApusNameTests {
    private static func seconds(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: seconds * 1_000_000)
    }

    @Test("a count is told when its key is silent")
    func aCountIsToldWhenItsKeyIsSilent() throws {
        let host = try OperatorHarness(ApusNameOperator.self)
        try host.feed("ann", "a record", at: Self.seconds(100))
        try host.feed("bob", "a record", at: Self.seconds(110))
        try host.feed("ann", "a record", at: Self.seconds(120))
        #expect(try host.sum("count", "ann") == 2)
        try host.advance(to: Self.seconds(170))  // bob has been silent for a minute, ann has not
        #expect(try host.values("main") == ["bob,1"])
        try host.end()
        #expect(try host.values("main") == ["bob,1", "ann,2"])
    }

    @Test("a record without a time is refused")
    func aRecordWithoutATimeIsRefused() throws {
        let host = try OperatorHarness(ApusNameOperator.self)
        try host.feed("eve", "a record", at: nil)
        #expect(host.rejected == ["the record has no time"])
    }
}
