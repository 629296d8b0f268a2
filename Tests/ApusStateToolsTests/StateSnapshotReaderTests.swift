import ApusCore
import ApusIO
import ApusTestSupport
import Testing

@testable import ApusCheckpoint
@testable import ApusState
@testable import ApusStateTools

/// What operators wrote is what the reader finds.
@Suite("Reading the state of a checkpoint")
struct StateSnapshotReaderTests {
    /// What a reader says of a key, in the model's form.
    static func model(_ content: KeyContent, _ sample: SampleOperator) -> StateModel.Key {
        var key = StateModel.Key()
        key.writtenMicroseconds = content.row.written.microseconds
        for value in content.row.values {
            switch content.collections[value.slot] {
            case .list(let values): key.slots[value.slot] = .list(values)
            case .map(let entries):
                let pairs = entries.map { ($0.key, $0.value) }
                key.slots[value.slot] = .map(Dictionary(uniqueKeysWithValues: pairs))
            case nil:
                if sample.slots[value.slot].kind == .counter {
                    key.slots[value.slot] = .counter(BigEndian.integer(value.bytes))
                } else {
                    key.slots[value.slot] = .value(value.bytes)
                }
            }
        }
        key.timers = Set(
            content.row.timers.map {
                ModelTimer(
                    key: content.key,
                    name: $0.name,
                    id: $0.id,
                    time: $0.timeMicroseconds,
                    payload: $0.payload
                )
            }
        )
        return key
    }

    @Test("finds each value, entry and timer", arguments: 1...4 as ClosedRange<UInt64>)
    func findsEverything(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 120)
        let reader = try world.reader()
        var counts: [UInt16: Int] = [:]
        try reader.forEachContent { content throws(StateToolError) in
            counts[content.operatorNumber, default: 0] += 1
            guard content.operatorNumber != 7 else { return true }
            let sample: SampleOperator = content.operatorNumber == 1 ? .tickets : .aircraft
            let expected = world.model[sample.number, content.key]
            #expect(Self.model(content, sample) == expected, "seed \(seed), \(content)")
            return true
        }
        #expect(counts == world.model.keys.mapValues(\.count), "seed \(seed)")
        for (number, keys) in world.model.keys where number != 7 {
            for key in keys.keys {
                let found = try reader.content(of: key, operatorNumber: number)
                #expect(found?.key == key, "seed \(seed)")
            }
        }
        #expect(try reader.content(of: Array("nobody".utf8), operatorNumber: 1) == nil)
        try reader.close()
    }

    @Test("summaries count what contents hold", arguments: 5...7 as ClosedRange<UInt64>)
    func summariesCountWhatContentsHold(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 90)
        let reader = try world.reader()
        var count = 0
        let orphanCount = try reader.forEachKey { (key) throws(StateToolError) in
            count += 1
            let content = try reader.content(of: key.key, operatorNumber: key.operatorNumber)
            guard let content else { throw reader.damage("a missing key") }
            #expect(key.byteCount == content.byteCount, "seed \(seed)")
            #expect(key.timerCount == content.row.timers.count, "seed \(seed)")
            #expect(key.written == content.row.written, "seed \(seed)")
            #expect(Set(key.slots.keys) == Set(content.row.values.map(\.slot)), "seed \(seed)")
            for (slot, collection) in content.collections where key.operatorNumber != 7 {
                let expected =
                    switch collection {
                    case .list(let values): values.count
                    case .map(let entries): entries.count
                    }
                #expect(key.slots[slot]?.entryCount == expected, "seed \(seed)")
            }
        }
        #expect(orphanCount == 0)
        #expect(count == world.model.keys.values.reduce(0) { $0 + $1.count })
        try reader.close()
    }

    @Test("leaves the checkpoint and its surroundings as they were")
    func leavesEverythingAsItWas() throws {
        let world = try StateWorld()
        let manifest = try world.makeCheckpoint(seed: 9, keyCount: 40)
        let before = try Self.tree(world.root, world)
        let reader = try world.reader()
        _ = try StateSurvey(reader)
        #expect(try Self.tree(world.root, world) != before, "there is a temporary folder")
        try reader.close()
        try reader.close()
        #expect(try Self.tree(world.root, world) == before)
        do { _ = try world.reader() }
        #expect(try Self.tree(world.root, world) == before, "one that was not closed")
        try world.openForReading().verify(manifest)
    }

    static func tree(_ path: String, _ world: StateWorld) throws -> [String] {
        try world.disk.list(path).flatMap { entry -> [String] in
            let name = path + "/" + entry.name
            if entry.isFolder { return [name] + (try tree(name, world)) }
            guard let status = try world.disk.status(name) else { return [] }
            return ["\(name) \(status.byteCount) \(status.modifiedNanoseconds)"]
        }
    }

    @Test("keys come in their order, over all groups, with prefix, start and limit")
    func keysInOrder() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 11, keyCount: 200)
        let reader = try world.reader()
        let all = (world.model.keys[1] ?? [:]).keys.sorted { $0.lexicographicallyPrecedes($1) }
        func keys(_ prefix: [UInt8], _ from: [UInt8], _ limit: Int) throws -> [[UInt8]] {
            try reader.keys(of: 1, prefix: prefix, from: from, limit: limit).map(\.key)
        }
        #expect(try keys([], [], 1000) == all)
        #expect(try keys([], [], 7) == Array(all.prefix(7)))
        #expect(try keys([], all[20], 5) == Array(all[20..<25]))
        let prefix = Array("key-1".utf8)
        let fitting = all.filter { $0.starts(with: prefix) }
        #expect(!fitting.isEmpty)
        #expect(try keys(prefix, [], 1000) == fitting)
        #expect(try keys(prefix, [0xff], 1000) == [])
        #expect(try keys(prefix, fitting[1], 1000) == Array(fitting.dropFirst()))
        try reader.close()
    }

    @Test("stored keys and rows come back as they were", arguments: 1...3 as ClosedRange<UInt64>)
    func storedFormsComeBack(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 60)
        let reader = try world.reader()
        var rowCount = 0
        var wakes: Set<StoredKey> = []
        var expectedWakes: Set<StoredKey> = []
        try reader.forEachEntry { (key, entry) in
            #expect(key.bytes == entry.key, "seed \(seed)")
            if case .wake = key { wakes.insert(key) }
            guard case .row(let group, let number, let bytes) = key else { return true }
            rowCount += 1
            let row = StoredRow(entry.value)
            #expect(row?.bytes == entry.value, "seed \(seed)")
            #expect(group == StoredKey.group(of: bytes, groupCount: 16))
            for domain: UInt8 in [0, 1] {
                guard let time = row?.wakeMicroseconds(domain: domain) else { continue }
                expectedWakes.insert(
                    .wake(
                        operatorNumber: number,
                        domain: domain,
                        time: time,
                        group: group,
                        key: bytes
                    )
                )
            }
            for end in entry.value.indices.dropLast() {
                // A row that is cut off is none, unless it is cut between two fields.
                let cut = StoredRow(Array(entry.value[..<end]))
                #expect(cut == nil || cut?.bytes.count == end, "seed \(seed)")
            }
            return true
        }
        #expect(rowCount > 100)
        #expect(wakes == expectedWakes, "seed \(seed)")
        #expect(!wakes.isEmpty)
        try reader.close()
    }
}
