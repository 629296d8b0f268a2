import ApusMemory
import Testing

@testable import ApusIO

/// CSV as RFC 4180 has it, wherever chunks cut it; what is not, is located and set aside.
@Suite("CSV")
struct CSVTests {
    static func parsing(
        _ emission: RecordFormat.Emission,
        delimiter: UInt8 = UInt8(ascii: ","),
        nullValues: [String] = [],
        timestamp: RecordParsing.Timestamp = .none,
        key: [String]? = nil
    ) -> RecordParsing {
        RecordParsing(
            format: .csv(delimiter: delimiter, emit: emission),
            nullValues: nullValues,
            timestamp: timestamp,
            keyField: key
        )
    }

    /// A header and rows with everything that quotes allow.
    static let text = #"""
        \#u{feff}id,"na""me",text\#r
        1,plain,x\#r
        2,"quoted","a,b"\#r
        \#r
        3,"say ""hi""","two
        lines"\#r
        ,,\#r
        5,\#u{e9}\,"\#ttab"
        """#

    static let objects = [
        #"{"id":"1","na\"me":"plain","text":"x"}"#,
        #"{"id":"2","na\"me":"quoted","text":"a,b"}"#,
        #"{"id":"3","na\"me":"say \"hi\"","text":"two\nlines"}"#,
        #"{"id":null,"na\"me":null,"text":null}"#,
        "{\"id\":\"5\",\"na\\\"me\":\"\u{e9}\\\\\",\"text\":\"\\ttab\"}",
    ]

    @Test("rows become objects, wherever chunks end", arguments: 1...130)
    func rowsBecomeObjects(chunkByteCount: Int) throws {
        let read = try ReadRecords(
            Self.text,
            Self.parsing(.json, nullValues: [""], key: ["na\"me"]),
            chunkByteCount: chunkByteCount
        )
        #expect(read.values == Self.objects)
        #expect(
            read.records.map(\.key) == ["plain", "quoted", "say \"hi\"", nil, "\u{e9}\\"]
        )
        #expect(read.rejected.isEmpty)
    }

    @Test("rows stay as they are, wherever chunks end", arguments: 1...130)
    func rowsStayAsTheyAre(chunkByteCount: Int) throws {
        let read = try ReadRecords(
            Self.text,
            Self.parsing(.line, key: ["text"]),
            chunkByteCount: chunkByteCount
        )
        #expect(
            read.values == [
                "1,plain,x", "2,\"quoted\",\"a,b\"", "3,\"say \"\"hi\"\"\",\"two\nlines\"", ",,",
                "5,\u{e9}\\,\"\ttab\"",
            ]
        )
        #expect(read.records.map(\.key) == ["x", "a,b", "two\nlines", "", "\ttab"])
    }

    @Test("control characters are escaped")
    func controlCharactersAreEscaped() throws {
        let read = try ReadRecords("a\n\u{1}\u{1f}\u{7f}\"\n", Self.parsing(.json))
        #expect(read.reasons == ["a quote inside field 1, which does not begin with one"])
        let quoted = try ReadRecords("a\n\"\u{1}\u{1f}\u{7f}\"\"\"\n", Self.parsing(.json))
        #expect(quoted.values == ["{\"a\":\"\\u0001\\u001f\u{7f}\\\"\"}"])
    }

    @Test("the delimiter can be another one")
    func theDelimiterCanBeAnotherOne() throws {
        let read = try ReadRecords(
            "a;b\n1,5;\"x;y\"\n",
            Self.parsing(.json, delimiter: UInt8(ascii: ";"))
        )
        #expect(read.values == [#"{"a":"1,5","b":"x;y"}"#])
    }

    @Test(
        "malformed rows are set aside with their place",
        arguments: [
            ("1", "1 fields, but 2 in the header"), ("1,2,3", "3 fields, but 2 in the header"),
            ("1,a\"b", "a quote inside field 2, which does not begin with one"),
            ("\"1\"x,2", "text behind the closing quote of field 1"),
            ("\"1\" ,2", "text behind the closing quote of field 1"),
        ]
    )
    func malformedRowsAreSetAside(row: String, reason: String) throws {
        for emission in [RecordFormat.Emission.json, .line] {
            let read = try ReadRecords(
                "a,b\n\"x\ny\",2\n\(row)\n3,4\n",
                Self.parsing(emission),
                chunkByteCount: 5
            )
            #expect(read.records.count == 2)
            #expect(read.reasons == [reason])
            #expect(read.rejected.first?.position == "input:4 (byte 12)")
            #expect(read.rejected.first?.bytes == Array(row.utf8))
        }
    }

    @Test("a quote that is not closed takes the rest, up to the limit")
    func aQuoteThatIsNotClosedTakesTheRest() throws {
        let atEnd = try ReadRecords("a\n1\n\"2\n3\n", Self.parsing(.line), chunkByteCount: 3)
        #expect(atEnd.values == ["1"])
        #expect(atEnd.reasons == ["the quote that begins field 1 is not closed"])

        let rows = (0..<50).map { "\($0)" }
        let read = try ReadRecords(
            "a\n1\n\"2\n" + rows.joined(separator: "\n") + "\nx\"x\n",
            Self.parsing(.line),
            chunkByteCount: 8,
            recordByteCountMax: 40
        )
        #expect(read.values.first == "1")
        #expect(read.values.last == "49")
        #expect(
            read.reasons == [
                "longer than 40 bytes; perhaps a quote is not closed",
                "a quote inside field 1, which does not begin with one",
            ]
        )
        #expect(read.rejected.first?.position == "input:3 (byte 4)")
        #expect(read.rejected.last?.position.hasPrefix("input:54 ") == true)
    }

    @Test("stray quotes in a long row take no quadratic time")
    func strayQuotesTakeNoQuadraticTime() throws {
        let row = String(repeating: "x\"", count: 500_000)
        let read = try ReadRecords("a\n\(row)\n1\n", Self.parsing(.line), chunkByteCount: 65_536)
        #expect(read.values == ["1"])
    }

    @Test("invalid UTF-8 is malformed in JSON and kept in lines")
    func invalidUTF8IsMalformedInJSON() throws {
        let bytes: [UInt8] = Array("a\n".utf8) + [0xff, 0x0a]
        #expect(try ReadRecords(bytes, Self.parsing(.json)).reasons == ["not UTF-8"])
        #expect(try ReadRecords(bytes, Self.parsing(.line)).records.count == 1)
    }

    @Test(
        "the header must be one",
        arguments: [
            ("", "input: there is no header line"), ("\n\n", "input: there is no header line"),
            ("a,b,a\n1,2,3", "input: the header line: the column 'a' stands there twice"),
            (
                "a,\"b\n1,2",
                "input: the header line: the quote that begins field 2 is not closed"
            ),
            (
                "a,b\n1,2",
                "input: the header line: there is no column 'k.l'; there are 'a', 'b'"
            ),
        ]
    )
    func theHeaderMustBeOne(text: String, message: String) {
        #expect(throws: EndpointError(message)) {
            try ReadRecords(text, Self.parsing(.json, key: ["k", "l"]))
        }
    }

    @Test("times come from columns")
    func timesComeFromColumns() throws {
        let one = Self.parsing(
            .line,
            nullValues: ["NA"],
            timestamp: .field(path: ["at"], unit: .rfc3339),
            key: ["k"]
        )
        let read = try ReadRecords(
            "k,at\nx,\"2013-01-01T05:15:00Z\"\nNA,2013-01-01T05:15:00Z\nx,NA\nx,5\n",
            one
        )
        #expect(read.records.map(\.time) == [1_357_017_300_000_000, 1_357_017_300_000_000])
        #expect(read.records.map(\.key) == ["x", nil])
        #expect(
            read.reasons == [
                "no event time: field 'at' is 'NA', which means no value",
                "no event time: field 'at' is '5', "
                    + "which is not an RFC 3339 time such as 2013-01-01T05:15:00Z",
            ]
        )
        let parts = Self.parsing(.json, timestamp: .parts(["y", "m", "d", "h", "i", "s"]))
        let readParts = try ReadRecords("y,m,d,h,i,s\n2013,1,1,5,15,30\n2013,1,1,24,0,0\n", parts)
        #expect(readParts.records.map(\.time) == [1_357_017_330_000_000, 1_357_084_800_000_000])
    }
}
