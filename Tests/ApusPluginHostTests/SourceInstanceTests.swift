import ApusMemory
import ApusPluginHost
import Synchronization
import Testing

/// Goal: whatever a plugin's source does short of crashing becomes an outcome that blames the
/// plugin, its version, node, subtask and callback.
@Suite("Source instances")
struct SourceInstanceTests {
    private static func split(_ name: String, _ position: UInt64? = nil) -> SourceInstance.Split {
        let bytes = position.map { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
        }
        return SourceInstance.Split(name: Array(name.utf8), position: bytes)
    }

    private static func error(_ callback: String, _ message: String) -> PluginError {
        PluginError(.failed, EndpointBench.subject("source", callback), message)
    }

    // MARK: - Splits

    @Test("splits are listed in the plugin's order")
    func splitsAreListed() throws {
        let source = try EndpointBench.source("splits=3")
        #expect(try source.listSplits() == [[97], [98], [99]])
    }

    @Test(
        "a list of splits that makes no sense is refused",
        arguments: [
            ("list-error", "the list is lost"),
            ("list-code", "returned 77, which is not a result that the ABI knows here"),
            ("list-twice", "broke the contract: it named 'a' twice"),
            (
                "list-empty",
                "broke the contract: it wrote 0 as the length of name 0, with 11 bytes behind it; "
                    + "expected 1 to 1024, and as many bytes"
            ),
            (
                "list-cut splits=1",
                "broke the contract: it wrote 9 as the length of name 0, with 1 bytes behind it; "
                    + "expected 1 to 1024, and as many bytes"
            ),
            ("list-odd splits=1", "broke the contract: it wrote 2 bytes too many"),
        ]
    )
    func badListsAreRefused(misdeed: String, message: String) throws {
        let source = try EndpointBench.source(misdeed)
        #expect(throws: Self.error("list_splits", message)) { try source.listSplits() }
    }

    @Test("a configuration that the plugin refuses names the node")
    func aRefusedConfiguration() throws {
        let error = #expect(throws: PluginError.self) {
            _ = try EndpointBench.source("refused")
        }
        #expect(error?.code == .badConfiguration)
        #expect(error?.subject == EndpointBench.subject("source", "create"))
        #expect(error?.message == "expected something else")
    }

    // MARK: - Records

    @Test("records come with key, value and time, from where the splits stood")
    func recordsComeFromTheirPositions() throws {
        let source = try EndpointBench.source("records=4")
        try source.open([Self.split("a", 2), Self.split("b")], nowMicroseconds: 1)
        #expect(source.poll(atMost: 16, watermark: .min, nowMicroseconds: 1) == .ended)
        var keys: [String] = []
        var times: [Int64] = []
        var values: [String] = []
        source.output.drain { batch in
            values += EndpointBench.values(batch)
            for index in 0..<batch.count {
                keys.append(String(decoding: batch.bytes(of: batch.keys + index), as: UTF8.self))
                times.append(batch.times[index])
            }
        }
        #expect(values == ["a:2", "a:3", "b:0", "b:1", "b:2", "b:3"])
        #expect(keys == ["a", "a", "b", "b", "b", "b"])
        #expect(times == [2, 3, 0, 1, 2, 3])
        #expect(try source.position(ofSplit: 1) == Self.split("b", 4).position)
        try source.close(nowMicroseconds: 1)
    }

    @Test("no more records come than were asked for, and the rest comes later")
    func pollsAreBounded() throws {
        let source = try EndpointBench.source("records=10")
        try source.open([Self.split("a")], nowMicroseconds: 1)
        var all: [String] = []
        var polls: [SourceInstance.Poll] = []
        for _ in 0..<4 {
            polls.append(source.poll(atMost: 3, watermark: .min, nowMicroseconds: 1))
            let part = EndpointBench.drained(source.output)
            #expect(part.count <= 3)
            all += part
        }
        #expect(polls == [.more, .more, .more, .ended])
        #expect(all == (0..<10).map { "a:\($0)" })
    }

    @Test(
        "a misdeed in poll is a failure with its name",
        arguments: [
            ("poll-code", "returned 77, which is not a result that the ABI knows here"),
            ("poll-negative", "returned -999, which is not a result that the ABI knows here"),
            ("poll-fatal", "the wire is cut"),
            ("poll-overrun", "broke the contract: it wrote behind the end of output 0"),
            (
                "poll-too-many",
                "broke the contract: it wrote 9 records, and at most 8 were asked for"
            ),
        ]
    )
    func misdeedsInPoll(misdeed: String, message: String) throws {
        let source = try EndpointBench.source("\(misdeed) records=100")
        try source.open([Self.split("a")], nowMicroseconds: 1)
        let poll = source.poll(atMost: 8, watermark: .min, nowMicroseconds: 1)
        #expect(poll == .failed(Self.error("poll", message)))
    }

    @Test("one that yields and never writes anything fails")
    func yieldingForEver() throws {
        let source = try EndpointBench.source("poll-yields")
        try source.open([Self.split("a")], nowMicroseconds: 1)
        let polls = (0..<3).map { _ in
            source.poll(atMost: 8, watermark: .min, nowMicroseconds: 1)
        }
        let message = "broke the contract: it yielded three times without a record"
        #expect(polls == [.more, .more, .failed(Self.error("poll", message))])
    }

    @Test("one that says there is more and gives nothing is asked less often")
    func silentForEver() throws {
        let source = try EndpointBench.source("poll-silent")
        try source.open([Self.split("a")], nowMicroseconds: 1)
        let polls = (0..<4).map { _ in
            source.poll(atMost: 8, watermark: .min, nowMicroseconds: 1)
        }
        #expect(polls == [.more, .more, .idle, .idle])
    }

    @Test("one that fails for now says why, and goes on")
    func failingForNow() throws {
        let source = try EndpointBench.source("poll-retry records=1")
        try source.open([Self.split("a")], nowMicroseconds: 1)
        let polls = (0..<4).map { _ in
            source.poll(atMost: 8, watermark: .min, nowMicroseconds: 1)
        }
        #expect(polls == [.retry("not now"), .retry("not now"), .retry("not now"), .ended])
    }

    @Test("open that fails is an error, and close is not called")
    func openThatFails() throws {
        let source = try EndpointBench.source("open-error")
        #expect(throws: Self.error("open", "it is locked")) {
            try source.open([Self.split("a")], nowMicroseconds: 1)
        }
    }

    @Test("one that waits wakes its thread by posting an event")
    func postingWakes() throws {
        let source = try EndpointBench.source("poll-posts")
        let rings = Rings()
        source.ring { rings.add() }
        try source.open([Self.split("a")], nowMicroseconds: 1)
        for count in 1...2 {
            #expect(source.poll(atMost: 8, watermark: .min, nowMicroseconds: 1) == .idle)
            #expect(rings.count == count)
        }
    }

    private final class Rings: Sendable {
        private let number: Mutex<Int> = Mutex(0)
        var count: Int { number.withLock { $0 } }
        func add() { number.withLock { $0 += 1 } }
    }

    // MARK: - Checkpoints

    @Test(
        "a position that cannot be told, or is too long, is an error",
        arguments: [
            ("position-error", "I am nowhere"),
            (
                "position-long",
                "broke the contract: it wrote more than 65536 bytes for split 0"
            ),
        ]
    )
    func badPositions(misdeed: String, message: String) throws {
        let source = try EndpointBench.source(misdeed)
        try source.open([Self.split("a")], nowMicroseconds: 1)
        #expect(throws: Self.error("write_position", message)) {
            try source.position(ofSplit: 0)
        }
    }

    @Test("a complete checkpoint is told, and may be put off or end the source")
    func checkpointsAreTold() throws {
        let position = try #require(Self.split("a", 1).position)
        func result(_ misdeed: String) throws -> CallResult {
            let source = try EndpointBench.source(misdeed)
            #expect(source.wantsCheckpoints)
            try source.open([Self.split("a")], nowMicroseconds: 1)
            return source.noteCheckpoint(ofSplit: 0, at: position, nowMicroseconds: 1)
        }
        #expect(try result("fine") == .done)
        #expect(try result("checkpointed-retry") == .retry("later"))
        #expect(
            try result("checkpointed-error")
                == .failed(Self.error("on_checkpointed", "no thanks"))
        )
    }
}
