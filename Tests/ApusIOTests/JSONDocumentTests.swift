import ApusCore
import Foundation
import Glibc
import Testing

@testable import ApusIO

/// The parser must find what is there, refuse what is not JSON, and read no byte it may not.
@Suite("JSON documents")
struct JSONDocumentTests {
    /// Fields as text, for comparison.
    static func fields(_ json: String, _ paths: [String]) throws -> [String] {
        let keys = paths.map { $0.split(separator: ".").map(String.init) }
        return try GuardedBytes(Array(json.utf8), behind: 0).parse(JSONDocument(paths: keys)).get()
    }

    @Test("finds fields of every kind, raw or unescaped")
    func findsFieldsOfEveryKind() throws {
        let json = """
            { "s" : "a\\n\\"\\u00e9\\ud83d\\ude00", "i":-12 , "u":18446744073709551615,
            "d": -1.50e+2, "z":-0, "t":true,"f" : false ,"n":null, "o" : {"x":[1,{"y":"}"}]} ,
            "a":[ 1, "]" ], "e":"", "k\\u0065y":"escaped key", "deep":{"er":{"est": 7}} , "s":2}
            """
        let found = try Self.fields(
            json,
            [
                "s", "i", "u", "d", "z", "t", "f", "n", "o", "a", "e", "key", "deep.er.est",
                "deep.er", "o.x", "missing", "deep.missing", "s.x", "deep.er.est.x",
            ]
        )
        #expect(
            found == [
                "a\n\"\u{e9}\u{1f600}", "-12", "18446744073709551615", "-1.50e+2", "-0", "true",
                "false", "null", "nested", "nested", "", "escaped key", "7", "nested", "nested",
                "missing", "missing", "missing", "missing",
            ]
        )
    }

    @Test("every truncation is refused, with and without padding behind it")
    func everyTruncationIsRefused() throws {
        let json = Array(#"{"a":{"b":[1,2.5e3,"x\u00e9"]},"c":null,"d":"12"}"#.utf8)
        let document = JSONDocument(paths: [["d"]])
        for behind in [0, 63, 64, 200] {
            for count in 0..<json.count {
                let bytes = GuardedBytes(Array(json.prefix(count)), behind: behind)
                #expect(throws: MalformedRecord.self, "\(count)") {
                    try bytes.parse(document).get()
                }
            }
            #expect(try GuardedBytes(json, behind: behind).parse(document).get() == ["12"])
        }
    }

    @Test("what is behind a document does not matter")
    func whatIsBehindDoesNotMatter() throws {
        let document = JSONDocument(paths: [["a"]])
        for tail in [#","b":2}"#, "\"", "\\", "}", "9", "{\"a\":2}", "\u{1}"] {
            let bytes = Array((#"{"a":1}"# + tail).utf8) + [UInt8](repeating: 0xff, count: 64)
            try bytes.withUnsafeBufferPointer { buffer in
                let start = try #require(buffer.baseAddress)
                try document.parse(ByteRange(start, count: 7), readableByteCount: bytes.count)
                guard case .text(let text) = document.field(0) else { throw MissingField() }
                #expect(text.copy() == [UInt8(ascii: "1")])
                #expect(throws: MalformedRecord.self) {
                    try document.parse(ByteRange(start, count: 6), readableByteCount: bytes.count)
                }
            }
        }
    }

    @Test("mutated documents are parsed alike wherever they lie, and never too generously")
    func mutatedDocuments() throws {
        let seed = LinuxEntropy().seed()
        var random = SplitMix64(seed: seed)
        let samples = [
            #"{"id":1000001,"type":"t","c":{"id":"c1\u00e9","n":null},"d":[1.5,-1e3],"open":true}"#,
            #"{ "a" : { "b" : "x\\\"y" } , "c":{"id":42},"e":[[],{}],"f":"" }"#,
        ].map { Array($0.utf8) }
        let alphabet =
            Array("{}[]\",:\\0123456789eE+-.tfnul \n\t\u{1}xé".utf8) + [0xff, 0x80, 0xc0]
        let document = JSONDocument(paths: [["c", "id"], ["a", "b"], ["f"]])
        var accepted = 0
        for round in 0..<20_000 {
            var bytes = samples[Int(random.next() % 2)]
            for _ in 0...random.next() % 3 {
                let index = Int(random.next() % UInt64(bytes.count))
                let byte = alphabet[Int(random.next() % UInt64(alphabet.count))]
                switch random.next() % 4 {
                case 0: bytes[index] = byte
                case 1: bytes.insert(byte, at: index)
                case 2: bytes.remove(at: index)
                default: bytes.swapAt(index, Int(random.next() % UInt64(bytes.count)))
                }
            }
            let alone = GuardedBytes(bytes, behind: 0).parse(document)
            let padded = GuardedBytes(bytes, behind: 64).parse(document)
            #expect(alone == padded, "seed \(seed), round \(round)")
            guard case .success(let fields) = alone else { continue }
            accepted += 1
            let peer = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(peer != nil, "seed \(seed), round \(round): accepted \(text)")
            // Of a key that stands twice we take the first, Foundation the last.
            if let string = peer?["f"] as? String, text.split(separator: "\"f\"").count == 2 {
                #expect(fields[2] == string, "seed \(seed), round \(round): \(text)")
            }
        }
        #expect(accepted > 1000, "seed \(seed): most mutations should not hit the syntax")
    }
}

/// A field that a test had counted on.
struct MissingField: Error {}

/// Bytes that end, after some more readable ones, right before memory that must not be touched.
struct GuardedBytes: ~Copyable {
    private let pages: UnsafeMutableRawPointer
    private let byteCount: Int
    private let start: UnsafeMutablePointer<UInt8>
    private let count: Int
    private let behind: Int

    init(_ bytes: [UInt8], behind: Int) {
        let page = Int(getpagesize())
        byteCount = (bytes.count + behind + page - 1) / page * page + page
        pages = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        mprotect(pages + (byteCount - page), page, PROT_NONE)
        start = (pages + (byteCount - page - behind - bytes.count))
            .bindMemory(to: UInt8.self, capacity: bytes.count + behind)
        for (index, byte) in bytes.enumerated() { start[index] = byte }
        for index in 0..<behind { start[bytes.count + index] = UInt8(ascii: "}") }
        count = bytes.count
        self.behind = behind
    }

    deinit {
        munmap(pages, byteCount)
    }

    /// Parses the bytes; the fields as text.
    func parse(_ document: JSONDocument) -> Result<[String], MalformedRecord> {
        do throws(MalformedRecord) {
            try document.parse(
                ByteRange(start, count: count),
                readableByteCount: count + behind
            )
        } catch {
            return .failure(error)
        }
        return .success(
            (0..<document.pathCount).map { index in
                switch document.field(index) {
                case .missing: "missing"
                case .null: "null"
                case .nested: "nested"
                case .text(let text): String(decoding: text.buffer, as: UTF8.self)
                }
            }
        )
    }
}
