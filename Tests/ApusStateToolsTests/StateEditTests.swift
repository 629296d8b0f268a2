import ApusCore
import ApusIO
import ApusTestSupport
import Testing

@testable import ApusCheckpoint
@testable import ApusState
@testable import ApusStateTools

/// Purge, undo and import make new checkpoints that hold what they should and nothing else.
@Suite("Changing the state of a checkpoint")
struct StateEditTests {
    private func purge(
        _ world: StateWorld,
        _ expression: String,
        operatorName: String? = nil,
        stateName: String? = nil,
        tombstones: String = "tombstones.jsonl"
    ) throws -> PurgeReport {
        var selection = try StatePurge.Selection(where: expression)
        selection.operatorName = operatorName
        selection.stateName = stateName
        let folder = try world.openForWriting()
        defer { folder.close() }
        guard let base = try folder.latest() else { throw Mismatch("no checkpoint") }
        var notes: [String] = []
        let report = try StatePurge(
            selection,
            nowMicroseconds: StateWorld.now,
            progress: { notes.append($0) }
        )
        .run(
            folder,
            base,
            tombstones: world.root + "/" + tombstones,
            disk: world.disk,
            writerVersion: "0.1",
            sliceByteCount: 4 << 10
        )
        #expect(report.byteCount < 16_000 || !notes.isEmpty, "there is progress")
        return report
    }

    private func importFile(
        _ world: StateWorld,
        _ path: String,
        _ existing: StateImport.Existing,
        isUndo: Bool
    ) throws -> StateImport.Report {
        let folder = try world.openForWriting()
        defer { folder.close() }
        guard let base = try folder.latest() else { throw Mismatch("no checkpoint") }
        return try StateImport(
            path,
            existing: existing,
            isUndo: isUndo,
            disk: world.disk,
            progress: { _ in }
        )
        .run(
            folder,
            base,
            nowMicroseconds: StateWorld.now,
            writerVersion: "0.1",
            sliceByteCount: 4 << 10
        )
    }

    private func check(_ world: StateWorld, _ model: StateModel) throws {
        let folder = try world.openForReading()
        guard let latest = try folder.latest() else { throw Mismatch("no checkpoint") }
        for sample in [SampleOperator.tickets, .aircraft] {
            let declared = latest.operators.first { $0.id == sample.id }
            let count = declared?.subtasks.reduce(0) { $0 + $1.keyCount }
            #expect(count == (model.keys[sample.number] ?? [:]).count, "keys of \(sample.id)")
        }
        let all = world.model.keys[1]?.keys.map { $0 } ?? []
        try world.checkRestored(folder, latest, holds: model, alsoWithout: all)
    }

    /// All entries of a checkpoint's database.
    static func entries(_ world: StateWorld, _ number: UInt64? = nil) throws -> [StateEntry] {
        let reader = try world.reader(number)
        var entries: [StateEntry] = []
        try reader.forEachEntry { _, entry in
            entries.append(entry)
            return true
        }
        try reader.close()
        return entries
    }

    /// Entries by key, lists as their values: segments may be cut elsewhere.
    static func canonical(_ world: StateWorld, _ number: UInt64? = nil) throws -> [KeyContent] {
        let reader = try world.reader(number)
        var contents: [KeyContent] = []
        try reader.forEachContent { content in
            var content = content
            content.byteCount = 0
            content.row.timers.sort { ($0.name, $0.id) < ($1.name, $1.id) }
            contents.append(content)
            return true
        }
        try reader.close()
        return contents
    }

    @Test("a purge takes away what it says, and undo brings all of it back", arguments: [1, 2, 3])
    func purgeAndUndo(seed: UInt64) throws {
        let world = try StateWorld()
        let first = try world.makeCheckpoint(seed: seed, keyCount: 150)
        let before = try Self.entries(world)
        let contents = try Self.canonical(world)
        let report = try purge(world, "idle >= 7d")
        var model = world.model
        var count = 0
        for (number, keys) in world.model.keys {
            for (key, held) in keys
            where StateWorld.now - held.writtenMicroseconds >= 7 * 86_400_000_000 {
                model[number, key] = StateModel.Key()
                count += 1
            }
        }
        #expect(count > 20)
        #expect(report.keyCount == count && report.newCheckpoint == first.number + 1)
        try check(world, model)
        #expect(try Self.entries(world, first.number) == before, "the old one is as it was")

        let undo = try importFile(world, world.root + "/tombstones.jsonl", .keep, isUndo: true)
        #expect(undo.newKeyCount == count && undo.keptCount == 0)
        try check(world, world.model)
        #expect(try Self.canonical(world) == contents)
        let folder = try world.openForReading()
        let latest = try folder.latest()
        #expect(latest?.number == first.number + 2)
        #expect(latest?.sinks == first.sinks && latest?.sources == first.sources)
        #expect(latest?.inFlight == first.inFlight && latest?.operators == first.operators)
        let logs = { (manifest: Manifest?) in manifest?.files.filter { $0.role != .state } }
        #expect(logs(latest) == logs(first))
        if let latest { try folder.verify(latest) }
    }

    @Test("a purge of one state leaves the others", arguments: [4, 5])
    func purgeOneState(seed: UInt64) throws {
        for (slot, name) in ["text", "eight", "count", "list", "map", "brief"].enumerated() {
            let world = try StateWorld()
            try world.makeCheckpoint(seed: seed, keyCount: 60)
            let contents = try Self.canonical(world)
            let report = try purge(
                world,
                "key like \"*\" and size >= 0B",
                operatorName: "tickets",
                stateName: name
            )
            var model = world.model
            for (key, held) in world.model.keys[1] ?? [:] {
                var left = held
                left.slots[slot] = nil
                model[1, key] = left
            }
            let holders = world.model.keys[1]?.values.filter { $0.slots[slot] != nil }.count
            #expect(report.keyCount == holders)
            try check(world, model)
            _ = try importFile(world, world.root + "/tombstones.jsonl", .keep, isUndo: true)
            try check(world, world.model)
            var restored = try Self.canonical(world)
            // What was put back may not make a row expire that was cut down meanwhile.
            for index in restored.indices {
                restored[index].row.expires = contents[index].row.expires
            }
            #expect(restored == contents)
        }
    }

    @Test("a purge of what the job has no longer goes by numbers")
    func purgeRetired() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 6, keyCount: 40)
        let contents = try Self.canonical(world)
        let report = try purge(world, "key like '*'", operatorName: "#7")
        #expect(report.keyCount == world.model.keys[7]?.count)
        let left = try Self.entries(world).compactMap { StoredKey($0.key)?.operatorNumber }
        #expect(!left.contains(7) && left.contains(1))
        _ = try importFile(world, world.root + "/tombstones.jsonl", .keep, isUndo: true)
        #expect(try Self.canonical(world) == contents)
    }

    @Test("a purge of nothing makes no checkpoint and no file")
    func purgeNothing() throws {
        let world = try StateWorld()
        let first = try world.makeCheckpoint(seed: 7, keyCount: 20)
        let report = try purge(world, "size > 1GiB and expired")
        #expect(report.keyCount == 0 && report.newCheckpoint == nil)
        #expect(try world.openForReading().latest()?.number == first.number)
        #expect(try world.disk.status(world.root + "/tombstones.jsonl") == nil)
    }

    @Test("a file for what is purged that exists is left alone, and nothing is purged")
    func existingTombstones() throws {
        let world = try StateWorld()
        let first = try world.makeCheckpoint(seed: 8, keyCount: 20)
        try world.write("precious", to: world.root + "/tombstones.jsonl")
        #expect(throws: StateToolError.self) { try purge(world, "key like '*'") }
        let bytes = try world.disk.readAll(
            world.root + "/tombstones.jsonl",
            maximumByteCount: 100
        )
        #expect(bytes == Array("precious".utf8))
        #expect(try world.openForReading().latest()?.number == first.number)
    }

    @Test("a dry run counts what a purge takes")
    func dryRun() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 9, keyCount: 100)
        var selection = try StatePurge.Selection(where: "key like 'key-*' and idle > 2d")
        selection.operatorName = "tickets"
        let reader = try world.reader()
        let dry = try StatePurge(selection, nowMicroseconds: StateWorld.now) { _ in }
            .dryRun(reader)
        try reader.close()
        let wet = try purge(world, selection.expression, operatorName: "tickets")
        #expect(dry.keyCount == wet.keyCount && dry.keyCount > 0)
        #expect(dry.entryCount == wet.entryCount && dry.byteCount == wet.byteCount)
        #expect(dry.examples == wet.examples && dry.scannedKeyCount == wet.scannedKeyCount)
        #expect(dry.text.contains("--yes") && !wet.text.contains("--yes"))
    }

    @Test("what was exported can be imported into an empty job", arguments: [10, 11])
    func exportAndImport(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 80)
        let contents = try Self.canonical(world)
        let path = world.root + "/export.jsonl"
        let reader = try world.reader()
        let export = try StateExport(reader, what: "all", to: try world.disk.create(path))
        try reader.forEachContent { (content) throws(StateToolError) in
            try export.add(content)
            return true
        }
        try export.finish(isDurable: false)
        try reader.close()
        let lines = export.lineCount
        _ = try purge(world, "key like '*'")
        #expect(try Self.entries(world).isEmpty)
        let report = try importFile(world, path, .replace, isUndo: false)
        #expect(report.lineCount == lines && report.appliedCount == lines)
        #expect(try Self.canonical(world) == contents)
        try check(world, world.model)
        // Once more changes nothing but takes all lines.
        let again = try importFile(world, path, .replace, isUndo: false)
        #expect(again.newKeyCount == 0 && again.appliedCount == lines)
        try check(world, world.model)
        let kept = try importFile(world, path, .keep, isUndo: false)
        #expect(kept.appliedCount == 0 && kept.keptCount == lines && kept.newCheckpoint == nil)
    }

    @Test("undo keeps what has come since, import replaces it")
    func keepsAndReplaces() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 12, keyCount: 10)
        let path = world.root + "/lines.jsonl"
        func lines(_ texts: [String]) throws {
            try world.write(texts.joined(separator: "\n") + "\n", to: path)
        }
        let start = #"{"operator":"tickets","key":"new","#
        try lines([
            start + #""state":"text","kind":"value","value":"one"}"#,
            start + #""state":"count","kind":"counter","number":-7}"#,
            start + #""state":"list","kind":"list","index":0,"value":"a"}"#,
            start + #""state":"list","kind":"list","index":1,"valueHex":"00ff"}"#,
            start + #""state":"map","kind":"map","mapKey":"k","value":"v"}"#,
            "",
            start + #""kind":"timer","timer":"due","domain":"event","id":3,"timeMicroseconds":9}"#,
        ])
        let first = try importFile(world, path, .replace, isUndo: false)
        #expect(first.newKeyCount == 1 && first.appliedCount == 6)
        let key = Array("new".utf8)
        var model = world.model
        model[1, key] = StateModel.Key(
            slots: [
                0: .value(Array("one".utf8)), 2: .counter(-7),
                3: .list([Array("a".utf8), [0, 0xff]]),
                4: .map([Array("k".utf8): Array("v".utf8)]),
            ],
            timers: [ModelTimer(key: key, name: 0, id: 3, time: 9, payload: [])],
            writtenMicroseconds: 0
        )
        try check(world, model)
        let reader = try world.reader()
        let written = try reader.content(of: key, operatorNumber: 1)?.row.written
        #expect(written?.microseconds == StateWorld.now, "lines without a time are written now")
        try reader.close()

        try lines([
            start + #""state":"text","kind":"value","value":"two"}"#,
            start + #""state":"list","kind":"list","index":0,"value":"b"}"#,
            start + #""state":"map","kind":"map","mapKey":"k","value":"w"}"#,
            start + #""state":"map","kind":"map","mapKey":"l","value":"x"}"#,
            start + #""state":"eight","kind":"value","value":"12345678"}"#,
            start + #""kind":"timer","timer":"due","domain":"event","id":3,"timeMicroseconds":5}"#,
            start + #""kind":"timer","timer":"due","domain":"event","id":4,"timeMicroseconds":6}"#,
        ])
        let kept = try importFile(world, path, .keep, isUndo: false)
        #expect(kept.appliedCount == 3 && kept.keptCount == 4 && kept.changedKeyCount == 1)
        model[1, key].slots[4] = .map([
            Array("k".utf8): Array("v".utf8), Array("l".utf8): Array("x".utf8),
        ])
        model[1, key].slots[1] = .value(Array("12345678".utf8))
        model[1, key].timers.insert(ModelTimer(key: key, name: 0, id: 4, time: 6, payload: []))
        try check(world, model)

        let replaced = try importFile(world, path, .replace, isUndo: false)
        #expect(replaced.appliedCount == 7)
        model[1, key].slots[0] = .value(Array("two".utf8))
        model[1, key].slots[3] = .list([Array("b".utf8)])
        model[1, key].slots[4] = .map([
            Array("k".utf8): Array("w".utf8), Array("l".utf8): Array("x".utf8),
        ])
        model[1, key].timers = [
            ModelTimer(key: key, name: 0, id: 3, time: 5, payload: []),
            ModelTimer(key: key, name: 0, id: 4, time: 6, payload: []),
        ]
        try check(world, model)
    }

    @Test("a checkpoint that is not the newest can be the base")
    func olderBase() throws {
        let world = try StateWorld()
        let first = try world.makeCheckpoint(seed: 13, keyCount: 30)
        _ = try purge(world, "key like '*'")
        let folder = try world.openForWriting()
        defer { folder.close() }
        let base = try folder.manifest(first.number)
        folder.goOn(from: base)
        let report = try StatePurge(
            try StatePurge.Selection(where: "key = \"abc\""),
            nowMicroseconds: StateWorld.now,
            progress: { _ in }
        )
        .run(
            folder,
            base,
            tombstones: world.root + "/second.jsonl",
            disk: world.disk,
            writerVersion: "0.1"
        )
        #expect(report.newCheckpoint == first.number + 2)
        #expect(try folder.latest()?.previousNumber == first.number)
    }
}
