import ApusCore
import ApusMemory
import Foundation
import Testing

@testable import ApusIO

/// Each rejected record must be found again, whole, whatever its bytes are.
@Suite("DeadLetterFile")
struct DeadLetterFileTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func letters(_ policy: DeadLetterFile.Policy = .deadLetter) -> DeadLetterFile {
        DeadLetterFile(path: folder.file("out/dead.jsonl"), policy: policy, disk: LinuxDisk())
    }

    func lines() throws -> [[String: Any]] {
        try folder.read("out/dead.jsonl").split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test("no record is glued to a line that was cut off")
    func noRecordIsGluedToACutOffLine() throws {
        _ = try LinuxDisk().openForWriting(folder.file("out/dead.jsonl"), appending: true)
        try folder.append(#"{"node":"cut"#, to: "out/dead.jsonl")
        for _ in 0..<2 {
            let letters = letters()
            try letters.add(RejectedRecord(position: "", reason: "r", bytes: []), node: "n")
            try letters.close()
        }
        let lines = try folder.read("out/dead.jsonl").split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        #expect(
            lines.map { String($0.prefix(11)) } == [
                #"{"node":"cu"#, #"{"node":"n""#, #"{"node":"n""#, "",
            ]
        )
    }

    @Test("a record becomes one line")
    func aRecordBecomesOneLine() throws {
        let letters = letters()
        try letters.close()
        #expect(!LinuxDisk().exists(folder.file("out")))
        let record = RejectedRecord(
            position: "in.csv:17 (byte 4711)",
            reason: "a \"reason\"",
            bytes: Array("a\tb\\\u{e9}".utf8),
            key: Array("k".utf8),
            time: EventTime(microseconds: 1_357_017_300_000_000)
        )
        try letters.add(record, node: "departures")
        try letters.flush()
        #expect(
            try folder.read("out/dead.jsonl")
                == #"{"node":"departures","position":"in.csv:17 (byte 4711)","#
                + #""reason":"a \"reason\"","time":"2013-01-01T05:15:00Z","key":"k","#
                + "\"value\":\"a\\tb\\\\\u{e9}\"}\n"
        )
        try letters.add(RejectedRecord(position: "", reason: "r", bytes: []), node: "n")
        try letters.close()
        let last = try #require(try lines().last)
        #expect(last["time"] is NSNull)
        #expect(last["key"] is NSNull)
        #expect(last["value"] as? String == "")
        #expect(letters.count == 2)
    }

    @Test("what is not UTF-8 is kept in base 64")
    func whatIsNotUTF8IsKeptInBase64() throws {
        let letters = letters()
        for count in 0..<20 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 0xff &- $0 * 7) }
            try letters.add(
                RejectedRecord(position: "", reason: "", bytes: bytes + [0xff], key: [0x80]),
                node: "n"
            )
            let line = try #require(try lines().last)
            #expect(line["value"] == nil)
            #expect(
                line["value_base64"] as? String == Data(bytes + [0xff]).base64EncodedString()
            )
            #expect(line["key_base64"] as? String == "gA==")
        }
    }

    @Test("a large value is cut, between characters, and says so")
    func aLargeValueIsCut() throws {
        let letters = letters()
        let text = "x" + String(repeating: "\u{e9}", count: 1 << 19)
        for bytes in [Array(text.utf8), [0xff] + Array(text.utf8)] {
            try letters.add(RejectedRecord(position: "", reason: "", bytes: bytes), node: "n")
            let line = try #require(try lines().last)
            #expect(line["truncated"] as? Bool == true)
            #expect(line["byte_count"] as? Int == bytes.count)
        }
        let values = try lines()
        #expect((values[0]["value"] as? String)?.utf8.count == (1 << 20) - 1)
        #expect(text.hasPrefix(try #require(values[0]["value"] as? String)))
        let decoded = Data(base64Encoded: try #require(values[1]["value_base64"] as? String))
        #expect(decoded?.count == 1 << 20)
    }

    @Test("records of several threads do not mix, and extend what is there")
    func recordsOfSeveralThreadsDoNotMix() throws {
        let letters = letters()
        try letters.add(RejectedRecord(position: "", reason: "", bytes: []), node: "first")
        try letters.close()
        let again = self.letters()
        let threads = (0..<4).map { number in
            LinuxThreads().start(name: "writer") {
                for index in 0..<250 {
                    let bytes = [UInt8](repeating: 65, count: index * 10)
                    do {
                        try again.add(
                            RejectedRecord(position: "\(index)", reason: "", bytes: bytes),
                            node: "\(number)"
                        )
                    } catch {
                        Issue.record(error)
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        try again.close()
        #expect(again.count == 1000)
        #expect(try lines().count == 1001)
    }

    @Test("the policy to fail names node, place and reason, and keeps nothing")
    func thePolicyToFail() throws {
        let letters = letters(.fail)
        let record = RejectedRecord(position: "in:1 (byte 0)", reason: "not UTF-8", bytes: [])
        let message = "a record was rejected, and errors.policy is fail: in:1 (byte 0): not UTF-8"
        #expect(throws: EndpointError(message)) { try letters.add(record, node: "a") }
        #expect(letters.count == 0)
        #expect(!LinuxDisk().exists(folder.file("out")))
    }

    @Test("a record that cannot be kept is an error")
    func aRecordThatCannotBeKeptIsAnError() {
        let letters = DeadLetterFile(path: "/dev/full", policy: .deadLetter, disk: LinuxDisk())
        let record = RejectedRecord(position: "", reason: "", bytes: [])
        let message = "dead letters: cannot write /dev/full: No space left on device"
        let error = EndpointError(message, isRetryable: true)
        #expect(throws: error) { try letters.add(record, node: "a") }
        #expect(letters.count == 0)
    }

    @Test("a record that met a full disk can be added again, and gets a line of its own")
    func aRecordThatMetAFullDisk() throws {
        let disk = MemoryDisk()
        let whole = try {
            let letters = DeadLetterFile(path: "out/whole", policy: .deadLetter, disk: disk)
            try letters.add(RejectedRecord(position: "2", reason: "", bytes: [65]), node: "n")
            return try #require(disk.text("out/whole"))
        }()
        for byteCount in 0..<whole.utf8.count {
            let path = "out/\(byteCount)"
            let letters = DeadLetterFile(path: path, policy: .deadLetter, disk: disk)
            try letters.add(RejectedRecord(position: "1", reason: "", bytes: [65]), node: "n")
            let before = try #require(disk.text(path))
            let record = RejectedRecord(position: "2", reason: "", bytes: [65])
            // The line, and then the line feed behind the piece, or the line again.
            disk.failWrite(1, afterByteCount: byteCount)
            disk.failWrite(2, afterByteCount: 0)
            for _ in 0..<3 {
                do {
                    try letters.add(record, node: "n")
                } catch {
                    #expect(error.isRetryable)
                }
            }
            let piece = String(whole.prefix(byteCount))
            #expect(disk.text(path) == before + piece + (byteCount == 0 ? "" : "\n") + whole)
            #expect(letters.count == 2)
            try letters.close()
        }
    }

    @Test("what was kept before an error is made durable at the end")
    func whatWasKeptBeforeAnError() throws {
        let disk = MemoryDisk()
        let letters = DeadLetterFile(path: "out/dead", policy: .deadLetter, disk: disk)
        let record = RejectedRecord(position: "", reason: "", bytes: [65])
        try letters.add(record, node: "n")
        let kept = try #require(disk.text("out/dead"))
        disk.failWrite(1, afterByteCount: 5)
        #expect(throws: EndpointError.self) { try letters.add(record, node: "n") }
        try letters.close()
        try disk.synchronizeFolder("out")
        disk.revive(losingPower: true)
        #expect(disk.text("out/dead")?.hasPrefix(kept) == true)
    }
}
