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

    @Test("a count is told when its minute is over")
    func aCountIsToldWhenItsMinuteIsOver() throws {
        let host = try OperatorHarness(ApusNameOperator.self)
        try host.feed("ann", "a record", at: Self.seconds(100))
        try host.feed("bob", "a record", at: Self.seconds(130))
        try host.feed("ann", "a record", at: Self.seconds(110))
        #expect(try host.map(UInt64.self, Int.self, "counts", "ann").map(\.value) == [2])
        try host.advance(to: Self.seconds(120))  // the minute of ann's records is over
        #expect(try host.values("main") == ["ann,2"])
        try host.end()
        #expect(try host.values("main") == ["ann,2", "bob,1"])
        #expect(try host.keyCount("counts") == 0)
    }

    @Test("a record without a time is refused")
    func aRecordWithoutATimeIsRefused() throws {
        let host = try OperatorHarness(ApusNameOperator.self)
        try host.feed("eve", "a record", at: nil)
        #expect(host.rejected == ["the record has no time"])
    }
}
