import ApusCore
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// Goal: the lists of operator state, and snapshots of them that are walked while they change.
///
/// Method: random writes through the C functions against arrays, with a snapshot under way most of
/// the time, whose contents must be those of the moment when it began.
@Suite("Operator state")
struct OperatorStateListsTests {
    /// Lists with the context through which a plugin reaches them.
    private final class World {
        let lists: OperatorStateLists
        let functions = OperatorStateInterface.makeFunctions()
        let context = UnsafeMutablePointer<apus_ctx>.allocate(capacity: 1)

        init(budget: MemoryBudget? = nil) {
            lists = OperatorStateLists(names: ["one", "two", "three"], budget: budget)
            context.initialize(to: apus_ctx())
            context.pointee.operator_state_private = Unmanaged.passUnretained(lists).toOpaque()
        }

        deinit { context.deallocate() }

        func append(_ index: UInt32, _ item: [UInt8]) -> Int32 {
            functions.append(context, index, item, UInt64(item.count))
        }

        func set(_ index: UInt32, _ position: Int, _ item: [UInt8]) -> Int32 {
            functions.set(context, index, UInt64(position), item, UInt64(item.count))
        }

        func truncate(_ index: UInt32, _ count: Int) -> Int32 {
            functions.truncate(context, index, UInt64(count))
        }

        func get(_ index: UInt32, _ position: Int) -> [UInt8]? {
            var found = apus_bytes()
            let code = functions.get(context, index, UInt64(position), &found)
            return code == APUS_OK ? [UInt8](found) : nil
        }

        func items(_ index: UInt32) -> OperatorStateItems {
            var count: UInt64 = 0
            #expect(functions.count(context, index, &count) == APUS_OK)
            return (0..<Int(count)).compactMap { get(index, $0) }
        }
    }

    private static func item(
        _ random: inout SplitMix64,
        longest: Int = 40
    ) -> [UInt8] {
        (0..<Int.random(in: 0...longest, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
    }

    /// What a snapshot holds, by way of the file.
    private static func contents(_ snapshot: OperatorStateSnapshot) -> [OperatorStateItems]? {
        OperatorStateFile.decode(OperatorStateFile.encode([snapshot]))?.first
    }

    @Test("a snapshot has what there was when it began", arguments: 1...12 as ClosedRange<UInt64>)
    func snapshots(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let world = World()
        var models: [OperatorStateItems] = [[], [], []]
        var expected: [OperatorStateItems]?
        var snapshotCount = 0
        let truncation = [3, 30, 300][Int(seed % 3)]
        for step in 0..<12_000 {
            let index = Int.random(in: 0..<3, using: &random)
            let count = models[index].count
            let item = Self.item(&random)
            switch Int.random(in: 0..<3 * truncation, using: &random) {
            case 0:
                let left = Int.random(in: 0...count + 2, using: &random)
                models[index] = Array(models[index].prefix(left))
                #expect(world.truncate(UInt32(index), left) == APUS_OK)
            case 1..<truncation where count > 0:
                let position = Int.random(in: 0..<count, using: &random)
                models[index][position] = item
                #expect(world.set(UInt32(index), position, item) == APUS_OK)
                #expect(world.get(UInt32(index), position) == item, "seed \(seed), \(step)")
            default:
                models[index].append(item)
                #expect(world.append(UInt32(index), item) == APUS_OK)
            }
            if expected == nil || Int.random(in: 0..<3000, using: &random) == 0 {
                // Also while one is under way, which is given up.
                world.lists.beginSnapshot()
                expected = models
            }
            guard Int.random(in: 0..<20, using: &random) == 0 else { continue }
            world.lists.continueSnapshot { false }
            if let found = world.lists.takeSnapshot() {
                #expect(Self.contents(found) == expected, "seed \(seed), step \(step)")
                snapshotCount += 1
                expected = nil
            }
        }
        #expect(snapshotCount > 3, "seed \(seed)")
        for index in 0..<3 { #expect(world.items(UInt32(index)) == models[index], "seed \(seed)") }
    }

    @Test("a step of a snapshot ends after some items or bytes")
    func stepsAreShort() {
        let world = World()
        for _ in 0..<4 { _ = world.append(0, Array(repeating: 7, count: 40_000)) }
        for number in 0..<1000 { _ = world.append(2, [UInt8(number & 255)]) }
        world.lists.beginSnapshot()
        var stepCount = 0
        while world.lists.isSnapshotting {
            world.lists.continueSnapshot { false }
            stepCount += 1
        }
        // Two of the large items each, the empty list, 256 of the small ones each.
        #expect(stepCount == 2 + 1 + 4)
        #expect(world.lists.takeSnapshot()?.itemCounts == [4, 0, 1000])
        #expect(world.lists.takeSnapshot() == nil)
    }

    @Test("an item may be stored out of the list itself")
    func storesItsOwnBytes() {
        let world = World()
        _ = world.append(0, [1, 2, 3, 4, 5])
        var bytes = apus_bytes()
        #expect(world.functions.get(world.context, 0, 0, &bytes) == APUS_OK)
        #expect(world.functions.set(world.context, 0, 0, bytes.data + 1, 3) == APUS_OK)
        #expect(world.functions.get(world.context, 0, 0, &bytes) == APUS_OK)
        #expect(world.functions.append(world.context, 0, bytes.data, bytes.len) == APUS_OK)
        #expect(world.items(0) == [[2, 3, 4], [2, 3, 4]])
    }

    @Test("what cannot be is refused")
    func refusals() {
        let world = World()
        var count: UInt64 = 0
        var bytes = apus_bytes()
        #expect(world.functions.count(world.context, 3, &count) == APUS_UNSUPPORTED)
        #expect(world.functions.count(world.context, 0, nil) == APUS_UNSUPPORTED)
        #expect(world.functions.get(world.context, 0, 0, nil) == APUS_UNSUPPORTED)
        #expect(world.functions.get(world.context, 0, 0, &bytes) == APUS_NOT_FOUND)
        #expect(world.functions.get(world.context, 0, .max, &bytes) == APUS_NOT_FOUND)
        #expect(world.functions.set(world.context, 0, 0, nil, 0) == APUS_NOT_FOUND)
        #expect(world.functions.append(world.context, 0, nil, 1) == APUS_UNSUPPORTED)
        #expect(world.functions.append(world.context, 0, &count, 1 << 31) == APUS_LIMIT)
        #expect(world.functions.append(world.context, 0, nil, 0) == APUS_OK)
        #expect(world.functions.truncate(world.context, 0, .max) == APUS_OK)
        #expect(world.functions.truncate(world.context, 3, 0) == APUS_UNSUPPORTED)
        #expect(world.items(0) == [[]])
        world.context.pointee.operator_state_private = nil
        #expect(world.functions.append(world.context, 0, nil, 0) == APUS_UNSUPPORTED)
    }

    @Test("what they use counts in the budget", arguments: 1...4 as ClosedRange<UInt64>)
    func budget(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let budget = MemoryBudget(byteCount: 1 << 20)
        do {
            let world = World(budget: budget)
            var byteCount = 0
            for _ in 0..<3000 {
                let item = Self.item(&random, longest: 900)
                _ = world.append(1, item)
                byteCount += item.count
            }
            // Blocks are larger than what is in them, by half at most; 16 bytes refer to each.
            #expect(budget.usedByteCount > byteCount, "seed \(seed)")
            #expect(budget.usedByteCount < byteCount * 3 / 2 + 3000 * 40, "seed \(seed)")
            #expect(world.truncate(1, 0) == APUS_OK)
            #expect(budget.usedByteCount < BudgetShare.stepByteCount, "seed \(seed)")
            for _ in 0..<3000 { _ = world.append(1, Self.item(&random)) }
            #expect(budget.usedByteCount > 3000 * 16)
        }
        #expect(budget.usedByteCount == 0)
    }

    // MARK: - Who gets what

    @Test("items are dealt out evenly and in order", arguments: 1...30 as ClosedRange<UInt64>)
    func split(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let old = (0..<Int.random(in: 1...9, using: &random)).map { _ in
            (0..<Int.random(in: 0...20, using: &random)).map { _ in Self.item(&random) }
        }
        let all = old.flatMap { $0 }
        for count in 1...12 {
            let dealt = (0..<count).map {
                OperatorStateRedistribution.split.items(of: old, forSubtask: $0, of: count)
            }
            #expect(dealt.flatMap { $0 } == all, "seed \(seed), \(count) subtasks")
            if count == old.count {
                #expect(dealt == old, "seed \(seed)")
            } else {
                let counts = dealt.map(\.count)
                let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
                #expect(spread <= 1, "seed \(seed), \(count) subtasks")
            }
            for subtask in 0..<count {
                let found = OperatorStateRedistribution.union.items(
                    of: old,
                    forSubtask: subtask,
                    of: count
                )
                #expect(found == all, "seed \(seed), \(count) subtasks")
            }
        }
    }

    // MARK: - The file

    @Test("a file gives back what was written, and nothing when it was cut or changed")
    func file() {
        let subtasks: [[OperatorStateItems]] = [
            [[[1, 2, 3], []], []], [[], [[4]]], [[[5], [6, 7]], [[]]],
        ]
        let bytes = OperatorStateFile.encode(subtasks)
        #expect(OperatorStateFile.decode(bytes) == subtasks)
        for count in 0..<bytes.count {
            #expect(OperatorStateFile.decode(Array(bytes[..<count])) == nil, "\(count) bytes")
        }
        #expect(OperatorStateFile.decode(bytes + [0]) == nil)
        // Magic, version, numbers of lists and subtasks, number of items, first length.
        for at in [0, 7, 8, 12, 15, 16, 19, 20, 27, 28, 31] {
            var wrong = bytes
            wrong[at] ^= 0x40
            #expect(OperatorStateFile.decode(wrong) == nil, "byte \(at)")
        }
        var empty = bytes
        empty.replaceSubrange(12..<16, with: [0, 0, 0, 0])
        #expect(OperatorStateFile.decode(empty) == nil)
    }
}
