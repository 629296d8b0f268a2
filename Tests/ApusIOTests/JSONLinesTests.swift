import ApusMemory
import Testing

@testable import ApusIO

/// JSON lines must come out as they went in, wherever chunks cut them, and mistakes be located.
@Suite("JSON lines")
struct JSONLinesTests {
    static let parsing = RecordParsing(format: .jsonLines)

    @Test("records are the lines, whatever the line ends", arguments: ["\n", "\r\n"])
    func recordsAreTheLines(lineEnd: String) throws {
        let lines = [#"{"a":1}"#, #"{"b":"a longer line than fits in place"}"#, "{}"]
        let text = lines.joined(separator: lineEnd)
        for end in ["", lineEnd, lineEnd + lineEnd] {
            let read = try ReadRecords(text + end, Self.parsing)
            #expect(read.records == lines.map { ReadRecord($0) })
            #expect(read.rejected.isEmpty)
            #expect(read.last == .ended)
        }
    }

    @Test("chunks may end anywhere", arguments: 1...80)
    func chunksMayEndAnywhere(chunkByteCount: Int) throws {
        let lines =
            (0..<20).map {
                #"{"number":\#($0),"padding":"\#(String(repeating: "x", count: $0 * 3))"}"#
            }
            + ["", "{}"]
        let text = "\u{feff}" + lines.joined(separator: "\r\n")
        var parsing = Self.parsing
        parsing.keyField = ["number"]
        let read = try ReadRecords(text, parsing, chunkByteCount: chunkByteCount)
        #expect(read.values == lines.filter { !$0.isEmpty })
        #expect(read.records.map(\.key) == (0..<20).map { "\($0)" } + [nil])
    }

    @Test("an empty input has no records", arguments: ["", "\n", "\r\n\n", "\u{feff}"])
    func anEmptyInputHasNoRecords(text: String) throws {
        let read = try ReadRecords(text, Self.parsing)
        #expect(read.records.isEmpty && read.rejected.isEmpty)
    }

    @Test(
        "what is not one JSON object is malformed",
        arguments: [
            ("{", "out of place"), ("nonsense", "not JSON"), ("[1]", "not an object"),
            ("12", "not an object"), (#"{"a":1} x"#, "out of place"),
            (#"{"a":1}{}"#, "out of place"),
            (#"{"a":01}"#, "number"), (#"{"a":"\x"}"#, "escape"), (#"{"a":tru}"#, "true"),
            ("{\"a\":\"\u{1}\"}", "control character"), (#"{"a":"b}"#, "without end"),
            ("  ", "white"),
            (#"{"a":1,}"#, "out of place"), (#"{"a":123456789012345678901234567890}"#, "64 bits"),
            (#"{"a":NaN}"#, "not JSON"),
        ]
    )
    func whatIsNotOneJSONObjectIsMalformed(line: String, reason: String) throws {
        let read = try ReadRecords("{}\n\r\n\(line)\n{}\n", Self.parsing)
        #expect(read.values == ["{}", "{}"])
        try #require(read.rejected.count == 1)
        #expect(read.rejected[0].reason.contains(reason), "\(read.rejected[0].reason)")
        #expect(read.rejected[0].position == "input:3 (byte 5)")
        #expect(read.rejected[0].bytes == Array(line.utf8))
    }

    @Test("nesting has a limit")
    func nestingHasALimit() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        }
        let read = try ReadRecords(nested(1000) + "\n" + nested(1100), Self.parsing)
        #expect(read.values == [nested(1000)])
        #expect(read.reasons == ["JSON nested more than 1024 deep"])
    }

    @Test("invalid UTF-8 is malformed")
    func invalidUTF8IsMalformed() throws {
        let line = Array(#"{"a":""#.utf8) + [0xff] + Array(#""}"#.utf8)
        let read = try ReadRecords(line, Self.parsing)
        #expect(read.reasons == ["not UTF-8"])
        #expect(read.rejected.first?.bytes == line)
    }

    @Test("a line that is too long is set aside, and the next one read", arguments: [1, 10, 1000])
    func aLineThatIsTooLongIsSetAside(chunkByteCount: Int) throws {
        let long = #"{"a":"\#(String(repeating: "x", count: 200))"}"#
        let exact = #"{"a":"\#(String(repeating: "x", count: 92))"}"#
        #expect(exact.utf8.count == 100)
        let read = try ReadRecords(
            "{}\n\(long)\n\(exact)\n\(long)",
            Self.parsing,
            chunkByteCount: chunkByteCount,
            recordByteCountMax: 100
        )
        #expect(read.values == ["{}", exact])
        #expect(read.reasons == Array(repeating: "longer than 100 bytes", count: 2))
        #expect(read.rejected.map(\.position) == ["input:2 (byte 3)", "input:4 (byte 313)"])
        #expect(read.rejected.allSatisfy { long.utf8.starts(with: $0.bytes) })
    }

    @Test("a large line comes whole and its arena grows")
    func aLargeLineComesWhole() throws {
        let line = #"{"a":"\#(String(repeating: "x", count: 3 << 20))","k":"key"}"#
        var parsing = Self.parsing
        parsing.keyField = ["k"]
        let read = try ReadRecords(line + "\n" + line, parsing, chunkByteCount: 4096)
        #expect(read.records == Array(repeating: ReadRecord(line, key: "key"), count: 2))
    }

    @Test("keys come from any depth, unescaped; what is missing is no key")
    func keysComeFromAnyDepth() throws {
        let lines = [
            #"{"a":{"b":"short"}}"#, #"{"a":{"b":"longer than twelve bytes \u00e9\n"}}"#,
            #"{"a":{"b":12}}"#, #"{"a":{"b":1.50}}"#, #"{"a":{"b":true}}"#, #"{"a":{"b":""}}"#,
            #"{"a":{"b":null}}"#, #"{"a":{"b":[1]}}"#, #"{"a":{}}"#, #"{"a":7}"#, #"{"b":1}"#,
            #"{"a":{"b":"NA"}}"#,
        ]
        let parsing = RecordParsing(
            format: .jsonLines,
            nullValues: ["NA"],
            keyField: ["a", "b"]
        )
        let read = try ReadRecords(lines.joined(separator: "\n"), parsing)
        #expect(read.values == lines)
        #expect(
            read.records.map(\.key) == [
                "short", "longer than twelve bytes \u{e9}\n", "12", "1.50", "true", "", nil, nil,
                nil,
                nil, nil, nil,
            ]
        )
    }

    @Test("times are read from one field")
    func timesAreReadFromOneField() throws {
        let lines = [
            #"{"t":1.5}"#, #"{"t":"2"}"#, #"{"t":-1}"#, #"{}"#, #"{"t":null}"#, #"{"t":"x"}"#,
            #"{"t":{}}"#, #"{"t":"NA"}"#,
        ]
        let parsing = RecordParsing(
            format: .jsonLines,
            nullValues: ["NA"],
            timestamp: .field(path: ["t"], unit: .seconds)
        )
        let read = try ReadRecords(lines.joined(separator: "\n"), parsing)
        #expect(read.records.map(\.time) == [1_500_000, 2_000_000, -1_000_000])
        #expect(
            read.reasons == [
                "no event time: field 't' is missing", "no event time: field 't' is null",
                "no event time: field 't' is 'x', which is not a time in seconds since 1970",
                "no event time: field 't' is an object or array",
                "no event time: field 't' is 'NA', which means no value",
            ]
        )
    }

    @Test("times are read from parts, beside a key")
    func timesAreReadFromParts() throws {
        let parsing = RecordParsing(
            format: .jsonLines,
            timestamp: .parts(["y", "m", "d", "h", "i"]),
            keyField: ["k"]
        )
        let read = try ReadRecords(
            """
            {"y":2013,"m":"01","d":1,"h":5,"i":15,"k":"x"}
            {"y":2013,"m":2,"d":30,"h":5,"i":15,"k":"x"}
            {"y":2013,"m":2,"d":1.5,"h":5,"i":15,"k":"x"}
            {"y":2013,"m":2,"d":1,"h":5,"k":"x"}
            """,
            parsing
        )
        #expect(read.records.map(\.time) == [1_357_017_300_000_000])
        #expect(read.records.map(\.key) == ["x"])
        #expect(
            read.reasons == [
                "no event time: 2013-2-30 5:15:0 is not a date and time",
                "no event time: field 'd' is '1.5', which is not a whole number",
                "no event time: field 'i' is missing",
            ]
        )
    }

    @Test("a failing read is an error of the source")
    func aFailingReadIsAnErrorOfTheSource() throws {
        let file = MemoryFile(Array("{}\n{}\n".utf8))
        file.failingOffset = 4
        let reader = RecordReader(
            name: "input",
            file: file,
            parsing: Self.parsing,
            endPolicy: .ends
        )
        let batch = RecordBatch(recordCapacity: 8, arenaCapacity: 64)
        #expect(try reader.read(into: batch) { _ in } == .advanced)
        #expect(throws: EndpointError("cannot read input: Input/output error")) {
            try reader.read(into: batch) { _ in }
        }
    }

    @Test("what rejecting throws ends the read")
    func whatRejectingThrowsEndsTheRead() {
        let reader = RecordReader(
            name: "input",
            file: MemoryFile(Array("x\n".utf8)),
            parsing: Self.parsing,
            endPolicy: .ends
        )
        let batch = RecordBatch(recordCapacity: 8, arenaCapacity: 64)
        #expect(throws: EndpointError("enough")) {
            try reader.read(into: batch) { _ throws(EndpointError) in
                throw EndpointError("enough")
            }
        }
    }
}
