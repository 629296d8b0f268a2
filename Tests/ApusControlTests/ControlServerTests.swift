import ApusCore
import ApusIO
import Foundation
import Synchronization
import Testing

@testable import ApusControl

/// Whatever comes over the socket ends at most its own connection.
@Suite("Control server")
struct ControlServerTests {
    private let place: SocketPlace

    init() throws {
        place = try SocketPlace()
    }

    private struct Sum: Codable, Equatable {
        var numbers: [Int]
    }

    private static let add = ControlMethod("test.add") { call throws(ControlError) in
        try call.parameters(Sum.self).numbers.reduce(0, +)
    }

    private static let count = ControlMethod("test.count") { call throws(ControlError) in
        for number in 1...3 { call.tell(ControlProgress("counting", done: number, total: 3)) }
        return ["end"]
    }

    private static let refuse = ControlMethod("test.refuse") { _ throws(ControlError) in
        throw ControlError(.refused, "not today")
    }

    private func withServer(
        _ limits: ControlLimits = ControlLimits(),
        methods: [ControlMethod] = [],
        _ body: () throws -> Void
    ) throws {
        let server = ControlServer(
            try LinuxSockets().listen(place.path),
            methods: [Self.add, Self.count, Self.refuse] + methods,
            threads: LinuxThreads(),
            clock: LinuxClock(),
            limits: limits
        )
        defer { server.close() }
        try body()
    }

    private func connect() throws -> any ConnectedSocket { try LinuxSockets().connect(place.path) }

    /// Sends text and reads lines until there are so many, or the end.
    private func lines(
        _ socket: any ConnectedSocket,
        _ text: String,
        count: Int
    ) throws -> [String] {
        try socket.write(Array(text.utf8), timeoutMilliseconds: 5_000)
        var bytes: [UInt8] = []
        while bytes.count(where: { $0 == 10 }) < count {
            let more = try #require(try socket.read(timeoutMilliseconds: 10_000), "no answer")
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func works() throws -> Bool {
        let client = try ControlClient(place.path, sockets: LinuxSockets())
        return try client.ask("test.add", Sum(numbers: [20, 22]), as: Int.self) == 42
    }

    @Test("requests on one connection are answered in their order, with their ids")
    func requests() throws {
        try withServer {
            let answers = try lines(
                try connect(),
                """
                {"id":7,"method":"test.add","params":{"numbers":[1,2]}}
                {"id":"x","method":"test.refuse"}

                """,
                count: 2
            )
            #expect(
                answers == [
                    #"{"id":7,"result":3}"#,
                    #"{"error":{"code":"refused","message":"not today"},"id":"x"}"#,
                ]
            )
        }
    }

    @Test("progress comes before the result")
    func progress() throws {
        try withServer {
            let client = try ControlClient(place.path, sockets: LinuxSockets())
            var seen: [Int?] = []
            let result = try client.ask("test.count", ControlNothing(), as: [String].self) {
                seen.append($0.done)
            }
            #expect(result == ["end"])
            #expect(seen == [1, 2, 3])
        }
    }

    @Test(
        "what is no request is answered with an error, and the connection goes on",
        arguments: [
            ("\u{0}\u{1}\u{ff} rubbish", "bad-request", "not valid JSON"),
            ("", "bad-request", "not valid JSON"),
            ("[1,2]", "bad-request", "expected {"),
            (#"{"id":1}"#, "bad-request", "'method' is missing"),
            (#"{"id":{},"method":"test.add"}"#, "bad-request", "'id'"),
            (#"{"id":1,"method":"test.sub"}"#, "unknown-method", "one of: test.add, test.count"),
            (#"{"id":1,"method":"test.add"}"#, "bad-parameters", "'params' is missing"),
            (
                #"{"id":1,"method":"test.add","params":{"numbers":"x"}}"#, "bad-parameters",
                "params.numbers"
            ),
            ("[*100000", "bad-request", "found a line that is none"),
        ]
    )
    func wrongLines(short: String, code: String, words: String) throws {
        let line = short == "[*100000" ? String(repeating: "[", count: 100_000) : short
        try withServer {
            let good = #"{"id":2,"method":"test.add","params":{"numbers":[4]}}"#
            let answers = try lines(try connect(), "\(line)\n\(good)\n", count: 2)
            #expect(answers.count == 2)
            #expect(answers.first?.contains("\"code\":\"\(code)\"") == true, "\(answers)")
            #expect(answers.first?.contains(words) == true, "\(answers)")
            #expect(answers.last == #"{"id":2,"result":4}"#)
        }
    }

    @Test("a line that is too long ends its connection with a reason, and no other")
    func tooLong() throws {
        var limits = ControlLimits()
        limits.lineByteCountMax = 1_000
        try withServer(limits) {
            let answers = try lines(
                try connect(),
                String(repeating: "x", count: 1_001),
                count: 2
            )
            #expect(answers.count == 1)
            #expect(answers.first?.contains("more than 1000 bytes") == true)
            #expect(try works())
        }
    }

    @Test("half a line, with or without a hang-up, holds nobody up")
    func halfLine() throws {
        var limits = ControlLimits()
        limits.lineMilliseconds = 50
        try withServer(limits) {
            let stuck = try connect()
            try stuck.write(Array(#"{"id":1,"#.utf8), timeoutMilliseconds: 1_000)
            let gone = try connect()
            try gone.write(Array(#"{"id":1,"meth"#.utf8), timeoutMilliseconds: 1_000)
            gone.shutDown()
            #expect(try works())
            #expect(try lines(stuck, "", count: 1).first?.contains("has no end") == true)
            #expect(try stuck.read(timeoutMilliseconds: 10_000) == [], "it is closed")
        }
    }

    @Test("who is silent is closed, unless something is lent to it")
    func idle() throws {
        final class Loan: Sendable {
            let flag: Flag
            init(_ flag: Flag) { self.flag = flag }
            deinit { flag.set() }
        }
        final class Flag: Sendable {
            private let value: Atomic<Bool> = Atomic(false)
            var isSet: Bool { value.load(ordering: .acquiring) }
            func set() { value.store(true, ordering: .releasing) }
        }
        let flag = Flag()
        var limits = ControlLimits()
        limits.idleMilliseconds = 50
        let lend = ControlMethod("test.lend") { call throws(ControlError) in
            call.keepUntilTheEnd(Loan(flag))
            return true
        }
        try withServer(limits, methods: [lend]) {
            let silent = try connect()
            let borrower = try connect()
            let answer = try lines(borrower, "{\"id\":1,\"method\":\"test.lend\"}\n", count: 1)
            #expect(answer == [#"{"id":1,"result":true}"#])
            #expect(try silent.read(timeoutMilliseconds: 10_000) == [])
            #expect(try borrower.read(timeoutMilliseconds: 300) == nil, "it is open")
            #expect(!flag.isSet)
            borrower.shutDown()
            for _ in 0..<1_000 where !flag.isSet {
                LinuxThreads.sleep(milliseconds: 5)
            }
            #expect(flag.isSet, "what was lent is back")
        }
    }

    @Test("more connections than may be are told so; a place that is free again is used")
    func busy() throws {
        var limits = ControlLimits()
        limits.connectionCountMax = 2
        try withServer(limits) {
            do {
                let others = try (0..<2).map { _ in try connect() }
                // Both are noted once they are answered.
                for other in others {
                    let text = "{\"id\":1,\"method\":\"test.refuse\"}\n"
                    #expect(try lines(other, text, count: 1).count == 1)
                }
                let error = #expect(throws: ControlError.self) { try works() }
                #expect(error?.code == .busy)
                #expect(error?.message.contains("2 others are connected") == true)
                for other in others { other.shutDown() }
            }
            var isFree = false
            for _ in 0..<200 where !isFree {
                do { isFree = try works() } catch { LinuxThreads.sleep(milliseconds: 10) }
            }
            #expect(isFree)
        }
    }

    @Test("one that does not read its answers is dropped")
    func slowReader() throws {
        var limits = ControlLimits()
        limits.writeMilliseconds = 50
        limits.connectionCountMax = 1
        let much = ControlMethod("test.much") { _ throws(ControlError) in
            String(repeating: "x", count: 2 << 20)
        }
        try withServer(limits, methods: [much]) {
            let slow = try connect()
            let text = "{\"id\":1,\"method\":\"test.much\"}\n"
            try slow.write(Array(text.utf8), timeoutMilliseconds: 1_000)
            // The one place is free again only when the slow one is dropped.
            var isFree = false
            for _ in 0..<1_000 where !isFree {
                do { isFree = try works() } catch { LinuxThreads.sleep(milliseconds: 10) }
            }
            #expect(isFree)
            var byteCount = 0
            while let bytes = try slow.read(timeoutMilliseconds: 10_000), !bytes.isEmpty {
                byteCount += bytes.count
            }
            #expect(byteCount < 2 << 20, "the rest was not waited for")
        }
    }

    @Test("random bytes in random pieces end nobody else's connection", arguments: 1...20)
    func randomBytes(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let pieces = [
            "{", "}", "\"id\":", "1", ",", "\"method\":", "\"test.add\"", "\n", "\u{0}", "[", "é",
            #"{"id":1,"method":"test.add","params":{"numbers":[1]}}"#, "\n",
        ]
        var limits = ControlLimits()
        limits.connectionCountMax = 32
        try withServer(limits) {
            for _ in 0..<10 {
                let socket = try connect()
                for _ in 0..<Int.random(in: 0..<40, using: &random) {
                    let piece = Array((pieces.randomElement(using: &random) ?? "").utf8)
                    try socket.write(piece, timeoutMilliseconds: 1_000)
                }
                if random.next() % 2 == 0 { socket.shutDown() }
            }
            #expect(try works(), "seed \(seed)")
        }
    }

    @Test("closing answers what is at work, and removes the socket")
    func closing() throws {
        let hasBegun = Atomic(false)
        let slow = ControlMethod("test.slow") { _ throws(ControlError) in
            hasBegun.store(true, ordering: .releasing)
            LinuxThreads.sleep(milliseconds: 200)
            return "done"
        }
        let socket: any ConnectedSocket
        let server = ControlServer(
            try LinuxSockets().listen(place.path),
            methods: [slow],
            threads: LinuxThreads(),
            clock: LinuxClock()
        )
        socket = try connect()
        let text = "{\"id\":1,\"method\":\"test.slow\"}\n"
        try socket.write(Array(text.utf8), timeoutMilliseconds: 1_000)
        while !hasBegun.load(ordering: .acquiring) { LinuxThreads.sleep(milliseconds: 1) }
        server.close()
        #expect(try lines(socket, "", count: 1) == [#"{"id":1,"result":"done"}"#])
        #expect(!FileManager.default.fileExists(atPath: place.path))
        let error = #expect(throws: ControlError.self) { try works() }
        #expect(error?.code == .nobody)
    }

    @Test("a job that ends while it is asked is said to have ended")
    func endedMeanwhile() throws {
        let listener = try LinuxSockets().listen(place.path)
        let client = try ControlClient(place.path, sockets: LinuxSockets())
        let accepted = try listener.accept(timeoutMilliseconds: 1_000)
        accepted?.shutDown()
        let error = #expect(throws: ControlError.self) {
            try client.ask("job.status", ControlNothing(), as: Int.self)
        }
        #expect(error?.code == .ended)
        #expect(error?.message.contains("has ended before it answered") == true)
        listener.close()
    }
}
