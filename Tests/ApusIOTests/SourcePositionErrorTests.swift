import ApusCore
import ApusMemory
import Testing

@testable import ApusIO

/// A file that is not the one that was read is refused; so is a position that is damaged.
@Suite("Positions that are refused")
struct SourcePositionErrorTests {
    static let jsonLines = RecordParsing(format: .jsonLines)
    static let remedy =
        ": put back the file that the job was reading, or start the job without the checkpoint"

    let disk = MemoryDisk()

    func source(
        _ parsing: RecordParsing = jsonLines,
        follow: Bool = false
    ) throws(EndpointError) -> FileSource {
        try FileSource(path: "in", parsing: parsing, follow: follow, disk: disk)
    }

    /// The position behind the first two batches of ten records.
    func position(_ parsing: RecordParsing = jsonLines) throws -> [UInt8] {
        let source = try source(parsing)
        _ = try SourcePositionTests.read(source, batchCountMax: 2, recordCapacity: 10)
        return try #require(source.position)
    }

    func message(
        _ position: [UInt8],
        _ parsing: RecordParsing = jsonLines,
        follow: Bool = false
    ) throws -> String {
        let source = try source(parsing, follow: follow)
        let error = #expect(throws: EndpointError.self) { try source.seek(to: position) }
        return error?.description ?? ""
    }

    static let lines = (0..<2000).map { #"{"number":\#($0 + 10_000)}"# + "\n" }.joined()

    @Test("a file that was shortened, replaced or changed is refused")
    func aFileThatIsAnotherIsRefused() throws {
        let text = Array(Self.lines.utf8)
        disk["in"] = text
        let early = try position()
        let late: [UInt8]
        do {
            let source = try source()
            _ = try SourcePositionTests.read(source, batchCountMax: 100, recordCapacity: 10)
            late = try #require(source.position)
        }
        for position in [early, late] { try source().seek(to: position) }

        disk["in"] = Array(text.prefix(300))
        #expect(
            try message(early)
                == "in: the checkpoint was taken after 340 bytes of it, and it has only 300: it "
                + "was shortened or replaced" + Self.remedy
        )
        disk["in"] = Array(text.prefix(16_999))
        #expect(
            try message(late)
                == "in: the checkpoint was taken after 17000 bytes of it, and it has only 16999: "
                + "it was shortened or replaced" + Self.remedy
        )
        disk["in"] = []
        #expect(try message(late).contains("and it has only 0: "))

        // A byte of each sample; what is between them may be anything.
        for (offset, what) in [
            (0, "in: its first 4096 bytes had the hash "),
            (4095, "in: its first 4096 bytes had the hash "),
            (17_000 - 4096, "in: the 4096 bytes before byte 17000 had the hash "),
            (16_999, "in: the 4096 bytes before byte 17000 had the hash "),
        ] {
            var changed = text
            changed[offset] ^= 1
            disk["in"] = changed
            let message = try message(late)
            #expect(message.hasPrefix(what))
            #expect(message.hasSuffix("it was replaced or changed" + Self.remedy))
        }
        var changed = text
        changed[17_000] ^= 1
        disk["in"] = changed
        try source().seek(to: late)
    }

    @Test("a header line that is another is refused, however long it is")
    func aHeaderThatIsAnotherIsRefused() throws {
        let names = (0..<2000).map { "column\($0)" }.joined(separator: ",")
        let row = Array(repeating: "1", count: 2000).joined(separator: ",") + "\n"
        let rows = String(repeating: row, count: 30)
        disk["in"] = Array((names + "\n" + rows).utf8)
        let saved = try position(CSVTests.parsing(.json))
        try source(CSVTests.parsing(.line)).seek(to: saved)
        // Behind the first sample, and far before the second one.
        disk["in"] = Array((names.replacing("column999", with: "column99x") + "\n" + rows).utf8)
        let message = try message(saved, CSVTests.parsing(.json))
        #expect(message.hasPrefix("in: its header line had the hash "))
        #expect(message.hasSuffix(Self.remedy))
    }

    @Test("another format, and following what had ended, is refused")
    func otherSettingsAreRefused() throws {
        disk["in"] = Array("a;b\n1;2\n".utf8)
        let csv = CSVTests.parsing(.json, delimiter: UInt8(ascii: ";"))
        let saved = try position(csv)
        let remedy = ": change the format back, or start the job without the checkpoint"
        let start =
            "in: was read as CSV with ';' between fields when the checkpoint was taken, and "
        #expect(try message(saved) == start + "is to be read as JSON lines now" + remedy)
        #expect(
            try message(saved, CSVTests.parsing(.json, delimiter: 9))
                == start + "is to be read as CSV with tabs between fields now" + remedy
        )
        #expect(
            try message(saved, csv, follow: true)
                == "in: had ended when the checkpoint was taken, and is to be followed now: do not "
                + "follow it, or start the job without the checkpoint"
        )
    }

    @Test("a position that is damaged, of another kind or version is refused")
    func aDamagedPositionIsRefused() throws {
        disk["in"] = Array(Self.lines.utf8)
        let saved = try position()
        for count in 0..<saved.count {
            #expect(try message(Array(saved.prefix(count))).contains("is damaged"))
        }
        #expect(try message(saved + [0]).contains("is damaged"))
        for (index, byte) in [(2, 0), (2, 3), (5, 0xff), (13, 0xff), (20, 0), (21, 1)] {
            var damaged = saved
            damaged[index] = UInt8(byte)
            if index == 20 {
                damaged.replaceSubrange(13..<21, with: [UInt8](repeating: 0, count: 8))
            }
            #expect(try message(damaged).contains("is damaged"), "byte \(index)")
        }
        var newer = saved
        newer[1] = 2
        #expect(
            try message(newer)
                == "in: the checkpoint's position has version 2, and this program knows version 1: "
                + "use the program that wrote it"
        )
        let generator = GeneratorSource(kind: .impulse, clock: LinuxClock())
        let other = generator.position
        #expect(
            try message(try #require(other))
                == "in: the checkpoint has the position of a generator here, not of a file that is "
                + "read: the job was changed; change it back, or start it without the checkpoint"
        )
    }

    @Test("pipes and devices have no position")
    func pipesHaveNoPosition() throws {
        let device = try FileSource(path: "/dev/null", parsing: Self.jsonLines, disk: LinuxDisk())
        #expect(device.position == nil)
        disk["in"] = Array(Self.lines.utf8)
        let saved = try position()
        #expect {
            try device.seek(to: saved)
        } throws: {
            "\($0)".hasPrefix(
                "/dev/null: was a file when the checkpoint was taken, and now is a pipe"
            )
        }
        let stdin: any RecordSource = StdinSource(parsing: Self.jsonLines)
        #expect(try stdin.position == nil)
        #expect {
            try stdin.seek(to: saved)
        } throws: {
            "\($0)".hasPrefix("standard input cannot be resumed")
        }
    }

    @Test("real files go on, too, plain and followed")
    func realFilesGoOn() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Self.lines.utf8, to: "in")
        for follow in [false, true] {
            func source() throws(EndpointError) -> FileSource {
                try FileSource(
                    path: path,
                    parsing: Self.jsonLines,
                    follow: follow,
                    disk: LinuxDisk()
                )
            }
            let first = try source()
            let read = try SourcePositionTests.read(first, batchCountMax: 150, recordCapacity: 10)
            let second = try source()
            try second.seek(to: try #require(first.position as [UInt8]?))
            let rest = try ReadRecords(second)
            #expect(read.events.count + rest.records.count == 2000)
            #expect(rest.values.first == #"{"number":11500}"#)
            #expect(rest.last == (follow ? .nothingYet : .ended))
        }
    }
}
