import ApusCore
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// Goal: the maps of broadcast state, and snapshots of them that are walked while they change.
///
/// Method: random writes through the C functions against dictionaries, with a snapshot under way
/// most of the time, whose contents must be those of the moment when it began.
@Suite("Broadcast state")
struct BroadcastStateTests {
    private typealias Model = [[UInt8]: [UInt8]]

    /// A state with the context through which a plugin reaches it.
    private final class World {
        let state = BroadcastState(names: ["one", "two", "three"])
        let functions = BroadcastInterface.makeFunctions()
        let context = UnsafeMutablePointer<apus_ctx>.allocate(capacity: 1)

        init() {
            context.initialize(to: apus_ctx())
            context.pointee.broadcast_private = Unmanaged.passUnretained(state).toOpaque()
            state.isWritable = true
        }

        deinit { context.deallocate() }

        func put(_ index: UInt32, _ key: [UInt8], _ value: [UInt8]) -> Int32 {
            functions.put(context, index, key, UInt64(key.count), value, UInt64(value.count))
        }

        func remove(_ index: UInt32, _ key: [UInt8]) -> Int32 {
            functions.remove(context, index, key, UInt64(key.count))
        }

        func get(_ index: UInt32, _ key: [UInt8]) -> [UInt8]? {
            var found = apus_bytes()
            let code = functions.get(context, index, key, UInt64(key.count), &found)
            return code == APUS_OK ? [UInt8](found) : nil
        }
    }

    private static func sorted(_ model: Model) -> [BroadcastEntry] {
        model.sorted { [UInt8].isBefore($0.key, $1.key) }
            .map { BroadcastEntry(key: $0.key, value: $0.value) }
    }

    @Test("a snapshot has what there was when it began", arguments: 1...12 as ClosedRange<UInt64>)
    func snapshots(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let world = World()
        var models: [Model] = [[:], [:], [:]]
        var expected: [[BroadcastEntry]]?
        var snapshotCount = 0
        let keyCount = [5, 300, 3000][Int(seed % 3)]
        for step in 0..<12_000 {
            let index = Int.random(in: 0..<3, using: &random)
            var key = withUnsafeBytes(of: Int.random(in: 0..<keyCount, using: &random).bigEndian) {
                Array($0.suffix(2))
            }
            if Int.random(in: 0..<500, using: &random) == 0 { key = [] }
            switch Int.random(in: 0..<1000, using: &random) {
            case 0:
                #expect(world.functions.clear(world.context, UInt32(index)) == APUS_OK)
                models[index] = [:]
            case 1..<300:
                let old = models[index].removeValue(forKey: key)
                let code = world.remove(UInt32(index), key)
                #expect(code == (old == nil ? APUS_NOT_FOUND : APUS_OK), "seed \(seed), \(step)")
            default:
                let value = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                models[index][key] = value
                #expect(world.put(UInt32(index), key, value) == APUS_OK)
                #expect(world.get(UInt32(index), key) == value)
            }
            if expected == nil || Int.random(in: 0..<3000, using: &random) == 0 {
                world.state.beginSnapshot()
                expected = models.map(Self.sorted)
            }
            if Int.random(in: 0..<10, using: &random) == 0 {
                world.state.continueSnapshot { false }
            }
            if let snapshot = world.state.takeSnapshot() {
                #expect(snapshot.contents == expected, "seed \(seed), step \(step)")
                let bytes = BroadcastFile.encode(snapshot.contents)
                #expect(BroadcastFile.decode(bytes) == snapshot.contents, "seed \(seed)")
                expected = nil
                snapshotCount += 1
            }
        }
        #expect(snapshotCount > 5)
        for index in 0..<3 {
            let found = world.state.digests[index]
            let fresh = BroadcastState(names: ["one", "two", "three"])
            fresh.restore(models.map(Self.sorted))
            #expect(found == fresh.digests[index], "seed \(seed): the sum depends on the history")
            #expect(found.entryCount == models[index].count)
        }
    }

    @Test("digests tell maps apart")
    func digests() {
        func digest(_ entries: [(String, String)]) -> BroadcastDigest {
            let state = BroadcastState(names: ["one"])
            state.restore([
                entries.map { BroadcastEntry(key: Array($0.0.utf8), value: Array($0.1.utf8)) }
            ])
            return state.digests[0]
        }
        #expect(digest([("a", "1"), ("b", "2")]) == digest([("b", "2"), ("a", "1")]))
        #expect(digest([("a", "1"), ("b", "2")]) != digest([("a", "2"), ("b", "1")]))
        #expect(digest([("a", "")]) != digest([("", "a")]))
        #expect(digest([("a", "1")]) != digest([("a", "2")]))
        #expect(digest([]) != digest([("", "")]))
    }

    @Test("what is not allowed is refused with a code, and changes nothing")
    func refusals() {
        let world = World()
        #expect(world.put(0, [1], [2]) == APUS_OK)
        world.state.isWritable = false
        #expect(world.put(0, [1], [3]) == APUS_READ_ONLY)
        #expect(world.remove(0, [1]) == APUS_READ_ONLY)
        #expect(world.functions.clear(world.context, 0) == APUS_READ_ONLY)
        #expect(world.get(0, [1]) == [2])
        #expect(world.put(3, [1], [3]) == APUS_UNSUPPORTED)
        #expect(world.functions.put(world.context, 0, nil, 1, nil, 0) == APUS_UNSUPPORTED)
        #expect(world.functions.get(world.context, 0, [1], 1, nil) == APUS_UNSUPPORTED)
        world.state.isWritable = true
        #expect(world.functions.put(world.context, 0, [1], 1 << 31, [1], 1) == APUS_LIMIT)
        var cursor = apus_cursor_all()
        var entry = apus_entry()
        var count: UInt32 = 0
        let next = world.functions.next
        #expect(next?(world.context, 0, &cursor, &entry, 1, &count) == APUS_OK && count == 1)
        #expect(world.put(0, [9], []) == APUS_OK)
        #expect(next?(world.context, 0, &cursor, &entry, 1, &count) == APUS_STALE)
        var fresh = apus_cursor_all()
        #expect(next?(world.context, 0, &fresh, &entry, 1, &count) == APUS_OK)
        #expect(world.functions.clear(world.context, 0) == APUS_OK)
        #expect(next?(world.context, 0, &fresh, &entry, 1, &count) == APUS_STALE)
        world.context.pointee.broadcast_private = nil
        #expect(world.put(0, [1], [2]) == APUS_UNSUPPORTED)
    }

    @Test("a file that was cut off or changed in its counts is refused")
    func damagedFiles() {
        let contents = [
            [BroadcastEntry(key: [1], value: [2, 3]), BroadcastEntry(key: [2], value: [])], [],
        ]
        let bytes = BroadcastFile.encode(contents)
        #expect(BroadcastFile.decode(bytes) == contents)
        for count in bytes.indices { #expect(BroadcastFile.decode(Array(bytes[..<count])) == nil) }
        #expect(BroadcastFile.decode(bytes + [0]) == nil)
        for index in 0..<24 {
            var changed = bytes
            changed[index] ^= 0x81
            #expect(BroadcastFile.decode(changed) == nil, "byte \(index)")
        }
    }
}
