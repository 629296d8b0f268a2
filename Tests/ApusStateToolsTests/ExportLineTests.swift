import ApusCore
import ApusIO
import ApusTestSupport
import Foundation
import Testing

@testable import ApusCheckpoint
@testable import ApusState
@testable import ApusStateTools

/// Lines of the export format are JSON, come back as they were, and say what is wrong with them.
@Suite("The export format")
struct ExportLineTests {
    @Test("bytes of all kinds come back", arguments: [1, 2, 3])
    func bytesComeBack(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let texts = ["", "a\"b\\c/", "ä€😀", "tab\there", "\u{0}", "\u{202e}x", "\u{7f}", "0xff"]
        for round in 0..<500 {
            let key =
                round < texts.count
                ? Array(texts[round].utf8) : generator.bytes(generator.number(in: 0...6))
            var line = ExportLine()
            ExportLine.set(key, &line.key, &line.keyHex)
            line.what = round < texts.count ? texts[round] : nil
            line.number = Int64(bitPattern: generator.next())
            line.id = generator.next()
            line.refreshed = generator.isOnce(in: 2) ? "x" : nil
            let back = try ExportLine(Array(line.json.utf8), at: "x:1")
            #expect(back == line, "seed \(seed)")
            #expect(back.what.map { Array($0.utf8) } == line.what.map { Array($0.utf8) })
            #expect(!line.json.contains("\n"))
            let again =
                back.key.map { Array($0.utf8) } ?? ByteText.bytes(hexadecimal: back.keyHex ?? "")
            #expect(again == key, "seed \(seed)")
        }
    }

    private func directory() -> OperatorDirectory {
        OperatorDirectory(
            Manifest(
                job: "demo",
                number: 1,
                createdMicroseconds: 0,
                writerVersion: "0",
                maxParallelism: 4,
                parallelism: 1,
                operators: [SampleOperator.tickets.declaration(keyCount: 0)]
            )
        )
    }

    @Test(
        "a wrong line says what is wrong with it",
        arguments: [
            (#"{"operator":"tickets""#, "expected a JSON object of the export format"),
            (#"[1]"#, "expected a JSON object of the export format"),
            (#"{"operatr":"tickets"}"#, "no member 'operatr'"),
            (#"{"operator":7}"#, "member 'operator'"),
            (#"{"key":"a"}"#, "'operator' is missing"),
            (#"{"operator":"ticket","key":"a"}"#, "did you mean 'tickets'?"),
            (#"{"operator":"tickets"}"#, "'key' is missing"),
            (
                #"{"operator":"tickets","key":"a","keyHex":"61"}"#,
                "'key' and 'keyHex': expected one"
            ),
            (#"{"operator":"tickets","keyHex":"6"}"#, "pairs of hexadecimal digits, found '6'"),
            (#"{"operator":"tickets","key":"a"}"#, "'kind' is missing"),
            (#"{"operator":"tickets","key":"a","kind":"value"}"#, "'state' is missing"),
            (
                #"{"operator":"tickets","key":"a","kind":"value","state":"txt"}"#,
                "there is no state 'txt'"
            ),
            (
                #"{"operator":"tickets","key":"a","kind":"value","state":"count"}"#,
                "state 'count' is of the kind 'counter', found kind 'value'"
            ),
            (
                #"{"operator":"tickets","key":"a","kind":"counter","state":"count"}"#,
                "'number' is missing"
            ),
            (
                #"{"operator":"tickets","key":"a","kind":"value","state":"eight","value":"1"}"#,
                "has values of 8 bytes, found 1 bytes"
            ),
            (
                #"{"operator":"tickets","key":"a","kind":"list","state":"list","value":"1"}"#,
                "'index' is missing"
            ),
            (
                #"{"operator":"tickets","key":"a","kind":"map","state":"map","value":"1"}"#,
                "'mapKey' is missing"
            ),
            (
                #"{"operator":"tickets","key":"a","kind":"timer","timer":"due","id":1}"#,
                "'timeMicroseconds' is missing"
            ),
            (
                #"{"operator":"tickets","key":"a","kind":"timer","timer":"due","id":1,"#
                    + #""timeMicroseconds":1,"domain":"processing"}"#,
                "timer 'due' is one of event time"
            ),
            (#"{"operator":"tickets","key":"a","written":"today"}"#, "expected a time as 2026"),
        ]
    )
    func mistakes(line: String, message: String) {
        #expect {
            let line = try ExportLine(Array(line.utf8), at: "file:3")
            if line.written != nil { _ = try line.times() }
            _ = try line.item(directory())
        } throws: { error in
            "\(error)".contains(message)
        }
    }

    @Test("a file that is cut off, or has too much, is refused")
    func wholeFiles() throws {
        let world = try StateWorld()
        let path = world.root + "/lines.jsonl"
        let head = #"{"apusStateExport":1,"job":"demo","checkpoint":1,"maxParallelism":16}"#
        let line = #"{"operator":"tickets","key":"a","kind":"counter","state":"count","number":1}"#
        func read(_ lines: [String], needsHead: Bool = false) throws -> Int {
            try world.write(lines.joined(separator: "\n"), to: path)
            let reader = try ExportReader(path, needsHead: needsHead, disk: world.disk)
            var count = 0
            while try reader.next() != nil { count += 1 }
            return count
        }
        let end = #"{"apusStateExportEnd":2}"#
        #expect(try read([head, line, "", line, end, ""], needsHead: true) == 2)
        #expect(try read([line, line, line]) == 3)
        let mistakes: [([String], Bool, String)] = [
            ([], false, "found none"),
            ([line], true, "lines.jsonl:1: expected the first line"),
            ([head, line, line], false, "was cut off"),
            ([head, line, end], false, "lines.jsonl:3: expected 2 lines in front of it, found 1"),
            ([head, line, line, end, line], false, "expected nothing behind the last line"),
            ([head, line, head], false, "expected one first line, found two"),
            ([head.replacing(":1,", with: ":2,")], false, "its format is 2, this Apus reads 1"),
        ]
        for (lines, needsHead, message) in mistakes {
            #expect {
                _ = try read(lines, needsHead: needsHead)
            } throws: { error in
                "\(error)".contains(message)
            }
        }
    }

    @Test("lines of a list must follow each other")
    func listLines() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 1, keyCount: 5)
        let path = world.root + "/lines.jsonl"
        let start =
            #"{"operator":"tickets","key":"n","state":"list","kind":"list","value":"v","index":"#
        try world.write(start + "0}\n" + start + "2}\n", to: path)
        let reader = try world.reader()
        let lines = StateImport(path, existing: .replace, isUndo: false, disk: world.disk) { _ in }
        #expect {
            _ = try lines.dryRun(reader)
        } throws: { error in
            "\(error)".contains("lines.jsonl:2: expected index 1 of the list 'list', found 2")
        }
        try reader.close()
    }

    @Test("what a purge of another job has written is refused")
    func otherJob() throws {
        let world = try StateWorld()
        try world.makeCheckpoint(seed: 1, keyCount: 5)
        let path = world.root + "/lines.jsonl"
        let head = #"{"apusStateExport":1,"job":"other","checkpoint":1,"maxParallelism":16}"#
        try world.write(head + "\n{\"apusStateExportEnd\":0}\n", to: path)
        let reader = try world.reader()
        for isUndo in [true, false] {
            let lines = StateImport(path, existing: .keep, isUndo: isUndo, disk: world.disk) { _ in
            }
            if isUndo {
                #expect {
                    _ = try lines.dryRun(reader)
                } throws: { error in
                    "\(error)".contains("of the job 'other', and the checkpoint is of 'demo'")
                }
            } else {
                #expect(try lines.dryRun(reader).lineCount == 0)
            }
        }
        try reader.close()
    }
}
