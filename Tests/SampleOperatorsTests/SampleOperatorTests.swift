import ApusSDK
import ApusSDKTesting
import SampleOperators
import Testing

/// The operators in a host in memory, with a clock of our own, that is as roomy or as narrow as can
/// be.
@Suite("Sample operators in Swift")
struct SampleOperatorTests {
    static let narrownesses = [false, true]

    static func options(_ isNarrow: Bool) -> OperatorHarness.Options {
        isNarrow ? .narrow : .init()
    }

    static func seconds(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: seconds * 1_000_000)
    }

    @Test("filter passes on what is large enough", arguments: narrownesses)
    func filterPassesOnWhatIsLargeEnough(isNarrow: Bool) throws {
        let host = try OperatorHarness(
            Filter.self,
            config: #"{"minimum":10,"column":1}"#,
            options: Self.options(isNarrow)
        )
        let lines = ["a,10", "b,9", "c", "d,1x", "e,-11", "a longer line than 12,999"]
        for (time, line) in lines.enumerated() {
            try host.feed(nil, line, at: Timestamp(microseconds: Int64(time)))
        }
        #expect(try host.values("main") == ["a,10", "a longer line than 12,999"])
        #expect(try host.records("main")[1].time == Timestamp(microseconds: 5))
        #expect(host.rejected == ["column 1 is missing", "column 1 is not a whole number"])
        #expect(try host.counter("kept") == 2)
        #expect(try host.counter("dropped") == 2)
    }

    @Test(
        "filter refuses a configuration with what it expected",
        arguments: [
            "{}", #"{"column":1}"#, #"{"column":1,"minimum":2,"x":3}"#, "[1]", "null",
            #"{"column":1,"column":1}"#, #"{"column":-1,"minimum":2}"#,
            #"{"column":1,"minimum":"2"}"#,
        ]
    )
    func filterRefusesAConfiguration(config: String) throws {
        let failure = #expect(throws: HarnessFailure.self) {
            try OperatorHarness(Filter.self, config: config)
        }
        #expect(failure?.code == -7)
    }

    @Test("sessions end when a key is silent", arguments: narrownesses)
    func sessionsEndWhenAKeyIsSilent(isNarrow: Bool) throws {
        let host = try OperatorHarness(
            Sessions.self,
            config: #"{"gap-seconds":30}"#,
            options: Self.options(isNarrow)
        )
        try host.feed("ann", "x,1", at: Self.seconds(100))
        try host.feed("ann", "x,2", at: Self.seconds(130))  // exactly the gap: the same session
        try host.feed("a key of more than 12 bytes", "x,7", at: Self.seconds(131))
        try host.feed("ann", "x,3", at: Self.seconds(125))  // out of order
        let items = try host.list([UInt8].self, "items", "ann")
        #expect(items.map { String(decoding: $0, as: UTF8.self) } == ["1", "2", "3"])
        #expect(try host.timerCount("silent") == 2)
        #expect(try host.nextTimer("silent") == Self.seconds(160))
        try host.advance(to: Self.seconds(159))
        #expect(try host.values("main").isEmpty)
        try host.advance(to: Self.seconds(160))  // the timer of ann
        let first = HarnessRecord(
            key: "ann",
            value: "ann,1,100000000,130000000,1+2+3",
            time: Self.seconds(130)
        )
        #expect(try host.records("main") == [first])
        try host.feed("ann", "x,4", at: Self.seconds(99))  // later than the gap
        #expect(try host.values("late") == ["x,4"])
        #expect(try host.counter("late") == 1)
        try host.feed("ann", "x,5", at: Self.seconds(200))
        try host.feed("ann", "x,6", at: Self.seconds(231))  // ends it before the timer does
        #expect(try host.value(Sessions.Span.self, "span", "ann")?.first == Self.seconds(231))
        #expect(try host.sum("number", "ann") == 2)
        try host.restart(as: Sessions.self)
        host.forget()
        try host.end()
        #expect(
            try host.values("main") == [
                "a key of more than 12 bytes,1,131000000,131000000,7",
                "ann,3,231000000,231000000,6",
            ]
        )
        #expect(try host.keyCount("span") == 0)
        #expect(try host.keyCount("newest") == 2)
        try host.feed("ann", "x,8", at: nil)
        #expect(host.rejected == ["the record has no time of 1970 to 9999"])
    }

    @Test("dedup forgets ids after a while", arguments: narrownesses)
    func dedupForgetsIDsAfterAWhile(isNarrow: Bool) throws {
        let host = try OperatorHarness(
            Dedup.self,
            config: #"{"column":1,"ttl-seconds":60}"#,
            options: Self.options(isNarrow)
        )
        try host.feed("ann", "x,one,1", at: Self.seconds(100))
        try host.feed("ann", "x,one,2", at: Self.seconds(159))
        try host.feed("bob", "x,one,3", at: Self.seconds(110))
        try host.feed("ann", "x,two,4", at: Self.seconds(120))
        try host.feed("ann", "x,one,5", at: Self.seconds(160))  // expired before the timer says so
        try host.feed("ann", "x,,6", at: Timestamp(microseconds: 1))
        #expect(try host.values("main") == ["x,one,1", "x,one,3", "x,two,4", "x,one,5"])
        #expect(try host.values("duplicates") == ["x,one,2"])
        #expect(try host.counter("duplicates") == 1)
        #expect(host.rejected == ["the record has no id"])
        // The first timer of `one` leaves what was renewed alone.
        try host.advance(to: Self.seconds(180))
        let seen = try host.map([UInt8].self, Timestamp.self, "seen", "ann")
        #expect(seen.map(\.key) == [Array("one".utf8)])
        #expect(seen.map(\.value) == [Self.seconds(160)])
        try host.advance(to: Self.seconds(220))
        #expect(try host.keyCount("seen") == 0)
        #expect(try host.timerCount("expired") == 0)
    }
}
