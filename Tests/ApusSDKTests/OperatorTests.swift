import ApusSDKTesting
import CApusPlugin
import Testing

@testable import ApusSDK

/// Operators meet a host that gives them as little room as it may.
///
/// One after another, because a real host creates instances on one thread only.
@Suite("SDK: operators", .serialized)
struct OperatorTests {
    static let firstSeed: UInt64 = 0x48_4F_53_54

    /// One plugin for all tests: a library has only one.
    ///
    /// `nonisolated(unsafe)` because it is made once, and read-only ever after.
    nonisolated(unsafe) static let plugin: UnsafePointer<apus_plugin>? = {
        _ = Undeclared.state
        var described: UnsafePointer<apus_plugin>?
        OperatorHarness.alone { described = everything().export(to: nil, nil) }
        return described
    }()

    private static func everything() -> Plugin {
        Plugin(
            id: "test",
            version: "1.0.0",
            vendor: "Apus",
            Component(ScriptOperator.self),
            Component(ManyOperator.self),
            Component(FickleOperator.self),
            Component(FoldOperator<IntegerSum>.self),
            Component(FoldOperator<IntegerMinimum>.self),
            Component(FoldOperator<IntegerMaximum>.self),
            Component(FoldOperator<IntegerAverage>.self),
            Component(FoldOperator<DoubleSum>.self),
            Component(FoldOperator<DoubleMinimum>.self),
            Component(FoldOperator<DoubleMaximum>.self),
            Component(FoldOperator<DoubleAverage>.self),
            Component(FoldOperator<Spread>.self),
            Component(FoldManyOperator.self),
            Component(CountOperator.self),
            Component(FactorOperator.self),
            Component(KeepOperator.self)
        )
    }

    static func host(
        _ id: String = "script",
        config: String = "null",
        limits: TestHost.Limits = .init()
    ) throws -> TestHost {
        try TestHost(try #require(plugin), component: id, config: config, limits: limits)
    }

    @Test("emitted records have the key and the time of the record in hand")
    func emittedRecordsHaveTheKeyAndTheTime() throws {
        let host = try Self.host()
        try host.process([
            TestRecord(key: "a", value: "x side", time: 5),
            TestRecord(key: nil, value: "forward keyed", time: 6),
            TestRecord(key: "a key of more than 12 bytes", value: "forward", time: 7),
        ])
        #expect(
            host.received[0] == [
                TestRecord(key: "a", value: "x", time: 5),
                TestRecord(key: nil, value: "forward keyed", time: 6),
                TestRecord(key: "a key of more than 12 bytes", value: "forward", time: 7),
            ]
        )
        #expect(
            host.received[1] == [
                TestRecord(key: "a", value: "side", time: 5),
                TestRecord(key: "a key that is long enough", value: "keyed", time: 6),
            ]
        )
        #expect(host.counter(0) == 3)
    }

    @Test("whatever room there is, what comes out is the same")
    func whateverRoomThereIsWhatComesOutIsTheSame() throws {
        for round in 0..<UInt64(400) {
            let seed = Self.firstSeed &+ round
            var random = SeededRandom(seed: seed)
            let records = Self.randomRecords(using: &random)
            let reference = try Self.host()
            try reference.process(records)
            var limits = TestHost.Limits()
            limits.recordsPerSegment = Int.random(in: 1...5, using: &random)
            limits.segmentsPerCallback = Int.random(in: 0...3, using: &random)
            let host = try Self.host(limits: limits)
            if Bool.random(using: &random) { host.keepStopping() }
            try host.process(records)
            #expect(host.received == reference.received, "seed \(seed)")
            #expect(host.rejected == reference.rejected, "seed \(seed)")
            #expect(host.counter(0) == reference.counter(0), "seed \(seed)")
            #expect(host.counter(0) == UInt64(records.count), "seed \(seed)")
        }
    }

    static func randomRecords(using random: inout SeededRandom) -> [TestRecord] {
        let words = [
            "a", "b", "side", "forward", "keyed", "count", "a-long-word-that-fills-the-arena",
        ]
        return (0..<Int.random(in: 1...12, using: &random)).map { index in
            var said = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                words.randomElement(using: &random) ?? ""
            }
            let key = ["k", "a key of more than 12 bytes"].randomElement(using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 {
                said = said.filter { $0 != "count" } + ["bad"]
            }
            return TestRecord(key: key, value: said.joined(separator: " "), time: Int64(index))
        }
    }

    @Test("a bad record leaves nothing behind")
    func aBadRecordLeavesNothingBehind() throws {
        let host = try Self.host()
        let values = ["a", "b side forward bad", "c"]
        try host.process(values.map { TestRecord(key: "k", value: $0) })
        #expect(host.received[0].map(\.value) == ["a", "c"])
        #expect(host.received[1].isEmpty)
        #expect(host.rejected == [1: "bad: b side forward bad"])
    }

    @Test("any other error ends the instance with its description")
    func anyOtherErrorEndsTheInstance() throws {
        let host = try Self.host()
        #expect(throws: TestHostError(code: APUS_FATAL, message: "it is broken")) {
            try host.process([TestRecord(key: "k", value: "fatal")])
        }
    }

    @Test("state without a key, and state that was not declared, are errors that say so")
    func stateThatIsNotThereIsAnError() throws {
        let hint = "the record has no key, or this is no stored property of the operator"
        #expect(throws: TestHostError(code: APUS_FATAL, message: "state 'count': \(hint)")) {
            try Self.host().process([TestRecord(key: nil, value: "count")])
        }
        #expect(throws: TestHostError(code: APUS_FATAL, message: "state 'undeclared': \(hint)")) {
            try Self.host().process([TestRecord(key: "k", value: "undeclared")])
        }
    }

    @Test("many values at once are those of one by one, bad records and all")
    func manyValuesAtOnceAreThoseOfOneByOne() throws {
        var limits = TestHost.Limits()
        limits.recordsPerSegment = 1
        limits.segmentsPerCallback = 0
        let host = try Self.host("many", limits: limits)
        let records = [
            ("a", "1"), ("b", "22"), ("a", "333"), ("c", "bad"), ("d", "1"), ("c", "4444"),
            ("d", "55555"), ("e", "bad"),
        ]
        try host.process(records.map { TestRecord(key: $0.0, value: $0.1) })
        #expect(host.received[0].map(\.value) == ["101", "102", "104", "101", "104", "106"])
        #expect(host.rejected == [3: "bad", 7: "bad"])
        #expect(host.state.storedKeys == ["a", "b", "c", "d"])
        #expect(host.callCount > 3)
    }

    @Test("timers come with their ids, payloads and keys")
    func timersComeWithTheirIDsPayloadsAndKeys() throws {
        let host = try Self.host()
        try host.fire(
            [0, 1, 0],
            ["x", "y", "z"].map { TestRecord(key: "k", value: $0, time: 9) }
        )
        let expected = ["reminder 0 x", "reminder 2 z"]
        #expect(host.received[0] == expected.map { TestRecord(key: "k", value: $0, time: 9) })
        #expect(host.rejected == [1: "a timer of k"])
    }

    @Test("a watermark may emit, as far as the host takes it")
    func aWatermarkMayEmit() throws {
        var limits = TestHost.Limits()
        limits.recordsPerSegment = 2
        limits.segmentsPerCallback = 1
        let host = try Self.host(limits: limits)
        try host.advance(to: 4)
        #expect(
            host.received[0]
                == Array(repeating: TestRecord(key: nil, value: "watermark", time: 4), count: 4)
        )
        let message = "more was emitted than the host takes from one call"
        #expect(throws: TestHostError(code: APUS_FATAL, message: message)) {
            try host.advance(to: 5)
        }
    }

    @Test("the configuration is read, and refused with a reason")
    func theConfigurationIsReadAndRefused() throws {
        let host = try Self.host(config: #"{"suffix":"!"}"#)
        try host.process([TestRecord(key: "k", value: "hello")])
        #expect(host.received[0].map(\.value) == ["hello!"])
        let cases = [
            ("[]", "not JSON: expected '{' at byte 0"),
            (#"{"suffix":1}"#, "field 'suffix' is a number; expected a string"),
            (#"{"sufix":"!"}"#, "field 'sufix' is unknown; expected suffix"),
        ]
        for (config, message) in cases {
            #expect(throws: TestHostError(code: APUS_CONFIG, message: message)) {
                _ = try Self.host(config: config)
            }
        }
    }

    @Test("declarations that do not fit are refused when the plugin is loaded")
    func declarationsThatDoNotFitAreRefused() {
        let cases = [
            (
                Component(KeylessOperator.self),
                "operator 'keyless': it declares state or timers, so it must be a KeyedOperator"
            ),
            (Component(TwinOperator.self), "operator 'twins': state 'sum' exists twice"),
        ]
        for (component, message) in cases {
            var error = apus_error()
            OperatorHarness.alone {
                let plugin = Plugin(id: "test", version: "1.0.0", vendor: "Apus", component)
                    .export(to: nil, &error)
                #expect(plugin == nil)
            }
            let text = withUnsafeBytes(of: error.message) {
                String(decoding: $0.prefix(Int(error.len)), as: UTF8.self)
            }
            #expect(text == message)
        }
    }

    @Test("declarations that change from one instance to the next are refused")
    func declarationsThatChangeAreRefused() throws {
        let message =
            "operator 'fickle' declares other outputs, states, timers or counters than before; "
            + "init() must create the same ones each time"
        #expect(throws: TestHostError(code: APUS_FATAL, message: message)) {
            _ = try Self.host("fickle")
        }
    }

    @Test("the description has everything in the order of its declaration")
    func theDescriptionHasEverythingInOrder() throws {
        let plugin = try #require(Self.plugin)
        let component = try #require(plugin.pointee.components[0]).pointee
        #expect(component.flags == APUS_KEYED | APUS_ACCEPTS_NULL_KEY)
        #expect(component.output_count == 2)
        #expect(component.state_count == 1)
        #expect(component.timer_count == 2)
        #expect(component.counter_count == 1)
        let state = try #require(component.states[0]).pointee
        #expect(state.fixed_len == 8)
        #expect(Bytes(start: state.name.data, count: Int(state.name.len)).text == "count")
        let timer = try #require(component.timers[1]).pointee
        #expect(timer.domain == UInt32(bitPattern: APUS_PROCESSING_TIME))
    }
}
