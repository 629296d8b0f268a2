import ApusMemory
import ApusPluginHost
import ApusState
import ApusTestPlugins
import Testing

/// Goal: whatever a plugin does short of crashing becomes an outcome that blames the right plugin,
/// operator, subtask and callback.
///
/// Method: the hostile plugin, one component per misdeed.
@Suite("Operator instances")
struct OperatorInstanceTests {
    /// A component whose `process` fails, and what is said of it.
    struct Misdeed: Sendable, CustomTestStringConvertible {
        let component: String
        let message: String
        var testDescription: String { component }

        init(_ component: String, _ message: String) {
            self.component = component
            self.message = message
        }
    }

    private static let misdeeds = [
        Misdeed("throw-error", "threw an exception: the process is on fire"),
        Misdeed(
            "throw-int",
            "threw an exception: something that is not a std::exception was thrown"
        ),
        Misdeed("throw-text", "threw an exception: a plain text"),
        Misdeed("throw-null-text", "threw an exception: a null pointer was thrown"),
        Misdeed("code-12345", "returned 12345, which is not a result that the ABI knows"),
        Misdeed("code-minus-999", "returned -999, which is not a result that the ABI knows"),
        Misdeed("fatal", "I give up: 3 of 4 engines are gone"),
        Misdeed("fatal-silent", "failed with code -2 and no message"),
        Misdeed("message-not-utf8", "a\u{fffd}\u{fffd}b"),
        Misdeed("message-too-long", String(repeating: "x", count: 480)),
        Misdeed(
            "yield-behind-the-end",
            "broke the contract: it stopped at record 8 of 0..<3"
        ),
        Misdeed(
            "record-behind-the-end",
            "broke the contract: it reported record 3 of 0..<3"
        ),
        Misdeed(
            "overrun-count",
            "broke the contract: it wrote behind the end of output 0"
        ),
        Misdeed(
            "overrun-arena",
            "broke the contract: it wrote behind the end of output 0"
        ),
    ]

    @Test("a misdeed in process is a failure with its name", arguments: misdeeds)
    func aMisdeedInProcessIsAFailureWithItsName(misdeed: Misdeed) throws {
        let bench = try InstanceBench(hostile: misdeed.component)
        try bench.instance.open(nowMicroseconds: 1)
        let outcome = bench.process(["1", "2", "3"])
        #expect(
            outcome
                == .failed(
                    PluginError(.failed, InstanceBench.subject("process"), misdeed.message)
                )
        )
    }

    // MARK: - Create, open, close, destroy

    @Test("a misdeed in create is an error, and nothing is destroyed")
    func aMisdeedInCreateIsAnError() {
        func error(_ component: String) -> PluginError? {
            #expect(throws: PluginError.self) {
                _ = try InstanceBench(hostile: component, configuration: "[1]")
            }
        }
        let subject = InstanceBench.subject("create")
        #expect(
            error("throw-in-create")
                == PluginError(.failed, subject, "threw an exception: no instance today")
        )
        #expect(
            error("code-in-create")
                == PluginError(
                    .failed,
                    subject,
                    "returned 12345, which is not a result that the ABI knows"
                )
        )
        #expect(
            error("refuse-configuration")
                == PluginError(.badConfiguration, subject, "expected a map, found [1]")
        )
        #expect(
            error("refuse-silently")
                == PluginError(
                    .badConfiguration,
                    subject,
                    "failed with code -7 and no message"
                )
        )
    }

    @Test("a misdeed in open is an error")
    func aMisdeedInOpenIsAnError() throws {
        let subject = InstanceBench.subject("open")
        let thrown = #expect(throws: PluginError.self) {
            try InstanceBench(hostile: "throw-in-open").instance.open(nowMicroseconds: 1)
        }
        #expect(thrown == PluginError(.failed, subject, "threw an exception: the door is stuck"))
        let given = #expect(throws: PluginError.self) {
            try InstanceBench(hostile: "fatal-in-open").instance.open(nowMicroseconds: 1)
        }
        #expect(given == PluginError(.failed, subject, "cannot begin like this"))
    }

    @Test("an exception in close is an error")
    func anExceptionInCloseIsAnError() throws {
        let bench = try InstanceBench(hostile: "throw-in-close")
        try bench.instance.open(nowMicroseconds: 1)
        let error = #expect(throws: PluginError.self) {
            try bench.instance.close(watermark: 5, nowMicroseconds: 7)
        }
        #expect(
            error
                == PluginError(
                    .failed,
                    InstanceBench.subject("close"),
                    "threw an exception: the door does not shut"
                )
        )
    }

    @Test("an exception in destroy harms nobody")
    func anExceptionInDestroyHarmsNobody() throws {
        let bench = try InstanceBench(hostile: "throw-in-destroy")
        #expect(bench.process(["1"]) == .done)
    }

    @Test("what is written in open and close can be drained")
    func whatIsWrittenInOpenAndCloseCanBeDrained() throws {
        let plugin = try PluginWorld().loader.load(try TestPlugin.probe())
        let bench = try InstanceBench(plugin, "life")
        try bench.instance.open(nowMicroseconds: 1)
        #expect(bench.drain().map(\.text) == ["open"])
        #expect(bench.process(["a longer value than a view holds"]) == .done)
        #expect(bench.drain().map(\.text) == ["a longer value than a view holds"])
        try bench.instance.close(watermark: 5, nowMicroseconds: 7)
        #expect(bench.drain().map(\.text) == ["close"])
        #expect(bench.instance.counters.map(\.value) == [1])
    }

    // MARK: - Time

    @Test("an exception in on_timers is a failure")
    func anExceptionInOnTimersIsAFailure() throws {
        let bench = try InstanceBench(hostile: "throw-in-timers")
        #expect(bench.process(["a", "b"]) == .done)
        #expect(
            bench.fireTimers(upTo: 100)
                == .failed(
                    PluginError(
                        .failed,
                        InstanceBench.subject("on_timers"),
                        "threw an exception: the bell is broken"
                    )
                )
        )
    }

    @Test("a misdeed in on_watermark is a failure")
    func aMisdeedInOnWatermarkIsAFailure() throws {
        let subject = InstanceBench.subject("on_watermark")
        #expect(
            try InstanceBench(hostile: "throw-in-watermark").instance
                .onWatermark(9, nowMicroseconds: 7)
                == .failed(PluginError(.failed, subject, "threw an exception: time flies"))
        )
        #expect(
            try InstanceBench(hostile: "code-in-watermark").instance
                .onWatermark(9, nowMicroseconds: 7)
                == .failed(
                    PluginError(
                        .failed,
                        subject,
                        "returned 777, which is not a result that the ABI knows"
                    )
                )
        )
    }

    // MARK: - Progress

    @Test("a yield without progress is forgiven twice")
    func aYieldWithoutProgressIsForgivenTwice() throws {
        let bench = try InstanceBench(hostile: "yield-forever")
        #expect(bench.process(["a", "b"]) == .again(at: 0))
        #expect(bench.process(from: 0) == .again(at: 0))
        #expect(
            InstanceBench.error(bench.process(from: 0))?.message
                == "broke the contract: it yielded three times without progress at record 0"
        )
    }

    @Test("a yield behind the last record is the end")
    func aYieldBehindTheLastRecordIsTheEnd() throws {
        #expect(try InstanceBench(hostile: "yield-at-the-end").process(["a", "b"]) == .done)
    }

    @Test("going backwards is a failure")
    func goingBackwardsIsAFailure() throws {
        let yields = try InstanceBench(hostile: "yield-backwards")
        #expect(yields.process(["a", "b", "c", "d"]) == .again(at: 2))
        #expect(
            InstanceBench.error(yields.process(from: 2))?.message
                == "broke the contract: it stopped at record 1 of 2..<4"
        )
        let records = try InstanceBench(hostile: "record-backwards")
        #expect(records.process(["a", "b", "c"]) == .again(at: 1))
        #expect(
            InstanceBench.error(records.process(from: 1))?.message
                == "broke the contract: it reported record 0 of 1..<3"
        )
    }

    @Test("a bad record is told with its reason, or that there is none")
    func aBadRecordIsToldWithItsReason() throws {
        let bench = try InstanceBench(hostile: "every-record-is-bad")
        #expect(
            bench.process(["peas", "beans"])
                == .badRecord(at: 0, reason: "I do not like peas")
        )
        #expect(
            bench.process(from: 1) == .badRecord(at: 1, reason: "I do not like beans")
        )
        #expect(
            try InstanceBench(hostile: "bad-without-reason").process(["a"])
                == .badRecord(at: 0, reason: "no reason given")
        )
    }

    @Test("an explosion of records comes in bounded portions, complete and in order")
    func anExplosionOfRecordsComesInBoundedPortions() throws {
        let total = 5_000_000
        let bench = try InstanceBench(hostile: "explode")
        bench.load([String(total), "2"])
        var next = 0
        var callCount = 0
        var at = 0
        while at < 2 {
            let outcome = bench.process(from: at)
            var portion = 0
            bench.instance.outputs[0].drain { batch in
                portion += batch.arenaUsed + batch.count * 48
                // The first and the last of each batch: enough to see a gap.
                for index in [0, batch.count - 1] {
                    let value = batch.bytes(of: batch.values + index).loadUnaligned(as: UInt64.self)
                    #expect(value == UInt64((next + index) % total))
                }
                next += batch.count
            }
            callCount += 1
            #expect(portion <= 64 << 20 + 64 << 10, "the limit, and the batch that reached it")
            switch outcome {
            case .done: at = 2
            case .again(let record): at = record
            default: Issue.record("\(outcome)")
            }
        }
        #expect(next == total + 2)
        #expect(callCount == 4, "240 MB in portions of 64 MiB")
    }

    // MARK: - State

    @Test("no wrong use of state or timers is accepted, in no callback")
    func noWrongUseOfStateOrTimersIsAccepted() throws {
        let bench = try InstanceBench(hostile: "abuse-state")
        try bench.instance.open(nowMicroseconds: 1)
        #expect(InstanceBench.error(bench.process(["a", "-"]))?.message == "refused")
        let watermark = bench.instance.onWatermark(9, nowMicroseconds: 7)
        #expect(InstanceBench.error(watermark)?.message == "refused")
        try bench.instance.close(watermark: 9, nowMicroseconds: 7)
        #expect(bench.instance.counters.map(\.value) == [2], "2 means refused")
        #expect(bench.instance.state?.keyCount == 0)
    }
}
