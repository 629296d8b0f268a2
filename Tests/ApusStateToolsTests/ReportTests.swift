import ApusTestSupport
import Foundation
import Testing

@testable import ApusCheckpoint
@testable import ApusState
@testable import ApusStateTools

/// Reports agree with what the operators hold.
@Suite("Reports about state")
struct ReportTests {
    @Test("a survey counts keys, entries, bytes and oldest writes", arguments: [1, 2])
    func survey(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 100)
        let reader = try world.reader()
        let survey = try StateSurvey(reader, groupLimit: 3)
        #expect(survey.operators.map(\.id) == ["tickets", "#7", "aircraft"])
        for found in survey.operators {
            let keys = world.model.keys[found.number] ?? [:]
            #expect(found.keyCount == keys.count && found.scannedKeyCount == keys.count)
            #expect(found.keyCountOrigin == (found.number == 7 ? .scan : .manifest))
            #expect(found.timerCount == keys.values.reduce(0) { $0 + $1.timers.count })
            let oldest = keys.values.map(\.writtenMicroseconds).min() ?? 0
            #expect(found.oldestWrite == TimeText.text(microseconds: oldest))
            guard found.number != 7 else { continue }
            for (slot, state) in found.states.enumerated() {
                let holders = keys.values.compactMap { $0.slots[slot] }
                #expect(state.keyCount == holders.count)
                let entryCount = holders.reduce(0) { count, content in
                    switch content {
                    case .value, .counter: count + 1
                    case .list(let values): count + values.count
                    case .map(let entries): count + entries.count
                    }
                }
                #expect(state.entryCount == entryCount)
            }
        }
        var byteCount = 0
        try reader.forEachEntry { _, entry in
            byteCount += entry.key.count + entry.value.count
            return true
        }
        #expect(survey.operators.reduce(0) { $0 + $1.byteCount } == byteCount)
        #expect(survey.groups.count == 3 && survey.orphanCount == 0)
        let largest = survey.groups.map(\.byteCount)
        #expect(largest == largest.sorted(by: >))
        let whole = try StateSurvey(reader, groupLimit: 1000)
        #expect(Array(whole.groups.prefix(3)) == survey.groups)
        #expect(
            whole.groups.reduce(0) { $0 + $1.keyCount }
                == world.model.keys.values.reduce(0) { $0 + $1.count }
        )
        let text = survey.text
        #expect(text.contains("the keys of tickets, aircraft are counters of the manifest"))
        #expect(survey.sizeText.contains("(keys and timers)"))
        try reader.close()
    }

    @Test("a manifest that counts otherwise than the scan is told of")
    func disagreement() throws {
        let world = try StateWorld()
        var manifest = try world.makeCheckpoint(seed: 3, keyCount: 20)
        manifest.operators[0].subtasks[0].keyCount = 999
        let folder = try world.openForReading()
        let reader = try StateSnapshotReader(
            folder,
            manifest,
            disk: world.disk,
            entropy: world.entropy
        )
        let survey = try StateSurvey(reader)
        #expect(survey.operators[0].keyCount == 999)
        #expect(survey.text.contains("note: tickets: the manifest counts 999 keys, the scan has"))
        try reader.close()
    }

    @Test("the largest and the oldest keys come first", arguments: [4, 5])
    func top(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 150)
        let reader = try world.reader()
        var all: [KeySummary] = []
        try reader.forEachKey { (key) in all.append(key) }
        for order in TopReport.Order.allCases {
            let report = try TopReport(reader, by: order, operatorNumber: nil, limit: 12)
            #expect(report.keys.count == 12 && report.keyCount == all.count)
            switch order {
            case .bytes:
                #expect(
                    report.keys.map(\.byteCount)
                        == Array(all.map(\.byteCount).sorted(by: >).prefix(12))
                )
            case .entries:
                #expect(
                    report.keys.map(\.entryCount)
                        == Array(all.map(\.entryCount).sorted(by: >).prefix(12))
                )
            case .age:
                let oldest = all.map(\.written).sorted().prefix(12).map { TimeText.text($0) }
                #expect(report.keys.map(\.written) == oldest)
            }
        }
        let one = try TopReport(reader, by: .bytes, operatorNumber: 300, limit: 1000)
        #expect(one.keyCount == world.model.keys[300]?.count)
        try reader.close()
    }

    @Test("timers come in the order in which they fire", arguments: [6, 7])
    func timers(seed: UInt64) throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: seed, keyCount: 100)
        let reader = try world.reader()
        let all = world.model.keys.values.flatMap { $0.values.flatMap(\.timers) }
        let report = try TimerReport(reader, TimerReport.Filter(), limit: 10)
        #expect(report.timerCount == all.count)
        let times = all.map(\.time).sorted()
        #expect(report.timers.map(\.timer.timeMicroseconds) == Array(times.prefix(10)))
        #expect(report.names.reduce(0) { $0 + $1.count } == all.count)
        var filter = TimerReport.Filter()
        filter.operatorNumber = 1
        filter.domain = 1
        let polls = try TimerReport(reader, filter, limit: 5)
        #expect(polls.timerCount == world.model.timers(.tickets, .processing).count)
        #expect(polls.names.map(\.name) == ["poll"])
        filter.name = "due"
        #expect(try TimerReport(reader, filter, limit: 5).timerCount == 0)
        let most = polls.keys.map(\.timerCount)
        #expect(most == most.sorted(by: >) && most.count == 5)
        try reader.close()
    }

    @Test("a key's report shows text, numbers and digits")
    func keyReport() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 8, keyCount: 5)
        let directory = try world.reader().directory
        var row = StoredRow()
        row.written = CoarseTime(microseconds: StateWorld.now)
        row.expires = CoarseTime(microseconds: StateWorld.now + 60_000_000)
        row.values = [
            StoredRow.Value(slot: 0, schemaVersion: 2, bytes: Array("plain".utf8)),
            StoredRow.Value(slot: 1, schemaVersion: 1, bytes: [42, 0, 0, 0, 0, 0, 0, 0]),
            StoredRow.Value(
                slot: 2,
                schemaVersion: 1,
                bytes: [0xff] + .init(repeating: 0xff, count: 7)
            ),
            StoredRow.Value(slot: 3, schemaVersion: 3, bytes: []),
            StoredRow.Value(slot: 4, schemaVersion: 1, bytes: []),
            StoredRow.Value(slot: 5, schemaVersion: 1, bytes: [27, 91]),
        ]
        row.values[5].refreshed = CoarseTime(microseconds: StateWorld.now)
        row.timers = [
            StoredRow.Timer(domain: 1, name: 1, id: 9, timeMicroseconds: 2_000_000, payload: []),
            StoredRow.Timer(domain: 0, name: 0, id: 8, timeMicroseconds: 1, payload: [65]),
        ]
        var content = KeyContent(operatorNumber: 1, group: 3, key: [0, 1], row: row)
        content.collections = [
            3: .list([Array("a".utf8), [0]]),
            4: .map([StateEntry(key: Array("k".utf8), value: Array("v".utf8))]),
        ]
        content.byteCount = 99
        #expect(
            KeyReport(content, directory).text == """
                tickets  0x0001
                  key group 3, 99 bytes, written 2026-11-23T00:00:00Z, expires 2026-11-23T00:01:00Z
                  text: value, schema 2 = 'plain'
                  eight: value, schema 1 = 42 (0x2a00000000000000)
                  count: counter, schema 1 = -1
                  list: list, schema 3, 2 values
                    [0] 'a'
                    [1] 0x00
                  map: map, schema 1, 1 entries
                    'k' -> 'v'
                  brief: value, schema 1, refreshed 2026-11-23T00:00:00Z = 0x1b5b
                  timer due 8: event time 1970-01-01T00:00:00.000001Z, payload 'A'
                  timer poll 9: processing time 1970-01-01T00:00:02Z
                """
        )
        let json = try JSONEncoder().encode(KeyReport(content, directory))
        #expect(String(decoding: json, as: UTF8.self).contains("\"number\":42"))
    }

    @Test("times and sizes read as people write them")
    func texts() {
        #expect(TimeText.coarseTime("2026-11-23T00:00:00Z")?.microseconds == StateWorld.now)
        for wrong in [
            "", "2026-11-23", "2026-13-23T00:00:00Z", "1999-01-01T00:00:00Z",
            "2026-11-23T00:00:0aZ",
        ] {
            #expect(TimeText.coarseTime(wrong) == nil, "\(wrong)")
        }
        for seconds: UInt32 in [1, 86_400, 1_000_000_000, .max] {
            let time = CoarseTime(seconds: seconds)
            #expect(TimeText.text(time).flatMap(TimeText.coarseTime) == time)
        }
        #expect(TimeText.text(microseconds: .max) == "9223372036854775807 us")
        #expect(SizeText.text(1023) == "1023 B" && SizeText.text(1536) == "1.5 KiB")
        #expect(SizeText.text(3 << 30) == "3.0 GiB")
        #expect(ByteText.shown(Array("0xff".utf8)) == "0x30786666")
        #expect(ByteText.text(Array("a\u{1b}[1m".utf8)) == nil && ByteText.text([0xc3]) == nil)
        #expect(ByteText.text(Array("ä€".utf8)) == "ä€")
    }
}
