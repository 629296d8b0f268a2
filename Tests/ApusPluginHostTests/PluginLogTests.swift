import ApusCore
import ApusPluginHost
import ApusTestPlugins
import Synchronization
import Testing

/// Goal: a plugin cannot flood the log.
///
/// Method: a clock by hand; one test at a time, because the log is one per process.
@Suite("Plugin log", .serialized)
struct PluginLogTests {
    /// A clock that stands still until it is moved.
    private final class HandClock: Clock {
        let nanoseconds: Atomic<Int64> = Atomic(0)
        func monotonicNanoseconds() -> Int64 { nanoseconds.load(ordering: .relaxed) }
        func wallMicroseconds() -> Int64 { 0 }
    }

    private struct Line: Equatable {
        var level: UInt32
        var owner: String
        var text: String
    }

    /// Keeps what is logged.
    private final class Pages: Sendable {
        private let lines: Mutex<[Line]> = Mutex([])
        func add(_ line: Line) { lines.withLock { $0.append(line) } }
        func take() -> [Line] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    private static let owner = "plugin test.hostile 6.6.6, operator op, subtask 3"
    private let clock = HandClock()
    private let pages = Pages()

    init() {
        PluginLog.install(clock: clock) { [pages] level, owner, text in
            pages.add(Line(level: level, owner: owner, text: text))
        }
    }

    private func moveClock(toSecond second: Int64) {
        clock.nanoseconds.store(second * 1_000_000_000, ordering: .relaxed)
    }

    @Test("more than 100 lines in a second are dropped, counted, and told")
    func moreThan100LinesInASecondAreDropped() throws {
        let bench = try InstanceBench(hostile: "log-flood")
        moveClock(toSecond: 10)
        #expect(bench.process(["250"]) == .done)
        let first = pages.take()
        #expect(first.count == 100)
        #expect(first.first == Line(level: 2, owner: Self.owner, text: "line 0"))
        #expect(first.last == Line(level: 2, owner: Self.owner, text: "line 99"))

        moveClock(toSecond: 11)
        #expect(bench.process(["2"]) == .done)
        #expect(
            pages.take() == [
                Line(
                    level: 3,
                    owner: Self.owner,
                    text: "150 more lines in that second were dropped"
                ),
                Line(level: 2, owner: Self.owner, text: "line 0"),
                Line(level: 2, owner: Self.owner, text: "line 1"),
            ]
        )

        moveClock(toSecond: 12)
        #expect(bench.process(["1"]) == .done)
        #expect(pages.take().count == 1)
    }

    @Test("each instance has its own quota")
    func eachInstanceHasItsOwnQuota() throws {
        moveClock(toSecond: 20)
        for _ in 1...3 {
            #expect(try InstanceBench(hostile: "log-flood").process(["150"]) == .done)
        }
        #expect(pages.take().count == 300)
    }

    @Test("lines under numbers that are nobody's share one quota")
    func linesUnderNumbersThatAreNobodysShareOneQuota() throws {
        moveClock(toSecond: 30)
        #expect(try InstanceBench(hostile: "log-flood").process(["#1000"]) == .done)
        let lines = pages.take()
        #expect(lines.count == 100)
        #expect(Set(lines.map(\.owner)) == ["unknown instance"])
    }

    @Test("a line that is not UTF-8 is repaired, a long one is cut at 4,096 bytes")
    func aLineThatIsNotUTF8IsRepairedALongOneIsCut() throws {
        moveClock(toSecond: 40)
        #expect(try InstanceBench(hostile: "log-oddly").process(["a"]) == .done)
        #expect(
            pages.take() == [
                Line(level: 99, owner: Self.owner, text: "no\u{fffd}utf8"),
                Line(level: 4, owner: Self.owner, text: String(repeating: "y", count: 4096)),
            ]
        )
    }
}
