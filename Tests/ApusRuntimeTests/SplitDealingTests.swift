import ApusCheckpoint
import ApusCore
import ApusMemory
import ApusPluginHost
import Testing

@testable import ApusRuntime

/// Goal: every split has one reader, which begins where the last one stood, at any parallelism.
@Suite("Splits of plugins' sources")
struct SplitDealingTests {
    private static func name(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func split(_ name: String, _ position: [UInt8]?) -> SourceInstance.Split {
        SourceInstance.Split(name: self.name(name), position: position)
    }

    private static func state(
        _ subtask: Int,
        of count: Int,
        _ splits: [SourceInstance.Split],
        vanished: [SourceInstance.Split] = [],
        newest: Int64? = nil,
        watermark: Int64? = nil
    ) -> SourceState {
        SourceState(
            id: "in",
            kind: "plugin",
            subtask: subtask,
            subtaskCount: count,
            position: SplitPositions(splits: splits, vanished: vanished).bytes,
            newestMicroseconds: newest,
            watermarkMicroseconds: watermark
        )
    }

    @Test("at the start each split begins at its beginning, and all subtasks get some")
    func aStart() throws {
        let dealing = try SplitDealing(["a", "b", "c"].map(Self.name), from: [], to: 2)
        #expect(dealing.hands[0].splits == [Self.split("a", nil), Self.split("c", nil)])
        #expect(dealing.hands[1].splits == [Self.split("b", nil)])
        #expect(dealing.hands.allSatisfy { $0.watermark == .min })
        #expect(dealing.missing.isEmpty)
    }

    @Test("positions survive any sequence of parallelisms", arguments: 1...8 as ClosedRange<UInt64>)
    func anyParallelism(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let names = (0..<Int.random(in: 0...20, using: &random)).map { Self.name("split \($0)") }
        var positions: [[UInt8]: [UInt8]] = [:]
        var old: [SourceState] = []
        for _ in 0..<10 {
            let count = Int.random(in: 1...7, using: &random)
            let dealing = try SplitDealing(names.shuffled(using: &random), from: old, to: count)
            var seen: Set<[UInt8]> = []
            old = dealing.hands.enumerated().map { subtask, hand in
                let splits = hand.splits.map { split in
                    #expect(seen.insert(split.name).inserted, "seed \(seed)")
                    #expect(split.position == positions[split.name], "seed \(seed)")
                    let position = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                    positions[split.name] = position
                    return SourceInstance.Split(name: split.name, position: position)
                }
                return Self.state(subtask, of: count, splits)
            }
            #expect(seen == Set(names), "seed \(seed)")
        }
    }

    @Test("event time is that of the slowest subtask that had one of the splits")
    func eventTime() throws {
        let old = [
            Self.state(0, of: 2, [Self.split("a", [1])], newest: 100, watermark: 90),
            Self.state(1, of: 2, [Self.split("b", [2])], newest: 50, watermark: 40),
        ]
        let same = try SplitDealing(["a", "b"].map(Self.name), from: old, to: 2)
        #expect(same.hands.map(\.watermark) == [90, 40])
        #expect(same.hands.map(\.newestTime) == [100, 50])
        let one = try SplitDealing(["a", "b"].map(Self.name), from: old, to: 1)
        #expect(one.hands.map(\.watermark) == [40])
        // A split that nobody had may have records as old as any.
        let more = try SplitDealing(["a", "b", "c"].map(Self.name), from: old, to: 2)
        #expect(more.hands.map(\.watermark) == [40, 40])
    }

    @Test("a split that is gone is told once, and goes on where it was when it comes back")
    func aVanishedSplit() throws {
        let first = [Self.state(0, of: 1, [Self.split("a", [1]), Self.split("b", [2])])]
        let without = try SplitDealing(["a"].map(Self.name), from: first, to: 1)
        #expect(without.missing == [Self.split("b", [2])])
        #expect(without.hands[0].splits == [Self.split("a", [1])])
        let second = [Self.state(0, of: 1, without.hands[0].splits, vanished: without.vanished)]
        let still = try SplitDealing(["a"].map(Self.name), from: second, to: 1)
        #expect(still.missing.isEmpty)
        #expect(still.vanished == [Self.split("b", [2])])
        let back = try SplitDealing(["a", "b"].map(Self.name), from: second, to: 1)
        #expect(back.hands[0].splits == [Self.split("a", [1]), Self.split("b", [2])])
        #expect(back.vanished.isEmpty)
    }

    @Test("a position that is damaged at any byte, or another's, is refused or another position")
    func damagedPositions() throws {
        let whole = SplitPositions(
            splits: [Self.split("a", [1, 2, 3]), Self.split("b", nil)],
            vanished: [Self.split("c", [])]
        )
        #expect(try SplitPositions(whole.bytes) == whole)
        for count in 0..<whole.bytes.count {
            #expect(throws: EndpointError.self) {
                _ = try SplitPositions(Array(whole.bytes.prefix(count)))
            }
        }
        #expect(throws: EndpointError.self) { _ = try SplitPositions(whole.bytes + [0]) }
        #expect(throws: EndpointError.self) { _ = try SplitPositions([0x46, 1]) }
    }
}
