import Foundation
import Testing

/// Records that are malformed or refused are kept with place, reason and bytes, or fail the job.
@Suite("Integration: records with mistakes")
struct RecordErrorTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// A line of a dead-letter file.
    private struct Letter: Decodable, Equatable {
        var node: String
        var position: String
        var reason: String
        var key: String?
        var value: String?
        var valueBase64: String?

        private enum CodingKeys: String, CodingKey {
            case node, position, reason, key, value
            case valueBase64 = "value_base64"
        }
    }

    private func letters(_ name: String = "bad.jsonl") throws -> [Letter] {
        try workspace.lines(name).map { try JSONDecoder().decode(Letter.self, from: Data($0.utf8)) }
    }

    private static let errors = "errors: { dead-letter-file: bad.jsonl }"
    private static let timed =
        "plugin: file, config: { path: in.jsonl }, watermark: { field: at, unit: ms }"

    @Test("malformed lines: line, byte, reason and bytes; the others pass")
    func malformedLines() throws {
        var input = Data("{\"at\":1000}\n{\"at\":\n{\"no\":1}\n".utf8)
        input += Data("{\"at\":\"".utf8) + Data([0xff, 0xfe]) + Data("\"}\n".utf8)
        input += Data("\n{\"at\":\"soon\"}\n[1]\n{\"at\":2000}".utf8)
        try workspace.write("in.jsonl", input)
        try workspace.write(
            Job(spec: [Self.errors], sources: ["{ id: in, \(Self.timed) }"])
        )
        let run = try workspace.apus("run", "job.yaml", "--json")
        run.expect(
            status: 0,
            says: "rejected records were added to bad.jsonl",
            "the first one: 'in'"
        )
        #expect(workspace.lines("out.jsonl") == ["{\"at\":1000}", "{\"at\":2000}"])

        let letters = try letters()
        #expect(
            letters.map(\.position) == [
                "in.jsonl:2 (byte 12)", "in.jsonl:3 (byte 19)", "in.jsonl:4 (byte 28)",
                "in.jsonl:6 (byte 41)", "in.jsonl:7 (byte 55)",
            ]
        )
        #expect(letters.allSatisfy { $0.node == "in" && !$0.reason.isEmpty && $0.key == nil })
        #expect(
            letters.map(\.value) == ["{\"at\":", "{\"no\":1}", nil, "{\"at\":\"soon\"}", "[1]"]
        )
        let encoded = try #require(letters.dropFirst(2).first?.valueBase64)
        #expect(
            Data(base64Encoded: encoded) == Data("{\"at\":\"".utf8) + Data([0xff, 0xfe])
                + Data("\"}".utf8)
        )
        #expect(letters[1].reason.contains("'at'"))
        #expect(letters[3].reason.contains("'at'"))

        let summary = try run.summary()
        #expect(summary.deadLetters == 5)
        #expect(summary.deadLetterFile == "bad.jsonl")
        #expect(summary.sourceRecords == 2)
        #expect(try summary.node("in").rejected == 5)
    }

    @Test("malformed rows of CSV: the place counts lines of the file")
    func malformedRows() throws {
        try workspace.write("in.csv", "id,at\na,1\nb\n\"c\nd\",2\ne,x\nf,3,4\ng,5\n")
        let source = "plugin: file, config: { path: in.csv }, watermark: { field: at, unit: s }"
        try workspace.write(Job(spec: [Self.errors], sources: ["{ id: in, \(source) }"]))
        let run = try workspace.apus("run", "job.yaml")
        run.expect(status: 0, says: "3 records", "3 rejected")
        let letters = try letters()
        #expect(
            letters.map(\.position) == [
                "in.csv:3 (byte 10)", "in.csv:6 (byte 20)", "in.csv:7 (byte 24)",
            ]
        )
        #expect(letters.map(\.value) == ["b", "e,x", "f,3,4"])
    }

    @Test("records without the key of an operator")
    func missingKeys() throws {
        try workspace.write("in.jsonl", "{\"k\":\"a\"}\n{\"k\":null}\n{\"l\":1}\n{\"k\":\"b\"}\n")
        var job = Job.through("plugin: benchmark, component: keyed-count, key: k")
        job.spec = [Self.errors]
        try workspace.write(job)
        let run = try workspace.apus("run", "job.yaml", "-p", "2")
        run.expect(status: 0, says: "2 rejected", "bad.jsonl")
        let letters = try letters()
        #expect(letters.map(\.value) == ["{\"k\":null}", "{\"l\":1}"])
        #expect(letters.allSatisfy { $0.reason.contains("k") })
    }

    @Test("dead letters of several runs add up")
    func severalRuns() throws {
        try workspace.write("in.jsonl", "nonsense\n")
        try workspace.write(Job(spec: [Self.errors]))
        for _ in 0..<2 { try workspace.apus("run", "job.yaml").expect(status: 0) }
        #expect(try letters().map(\.value) == ["nonsense", "nonsense"])
    }

    @Test("records that an operator refuses: operator, reason and bytes")
    func refusedRecords() throws {
        try TinyPlugin(
            process: """
                for (uint32_t i = ctx->at; i < batch->count; i++) {
                    const uint8_t *data;
                    uint32_t len;
                    apus_value(batch, i, &data, &len);
                    if (len > 7) return apus_bad_record(ctx, i, "longer than 7 bytes");
                    if (apus_forward(ctx->outs[0], batch, i)) return apus_at(ctx, i, APUS_YIELD);
                }
                return APUS_OK;
                """
        ).build(in: workspace)
        try workspace.write("in.jsonl", "{\"n\":1}\n{\"n\":22}\n{\"n\":3}\n{\"n\":44}\n")
        var job = Job.through("plugin: ./libtiny.so")
        job.spec = [Self.errors]
        try workspace.write(job)
        try workspace.apus("run", "job.yaml").expect(status: 0, says: "middle: 4 in, 2 out, 2 rej")
        #expect(workspace.lines("out.jsonl") == ["{\"n\":1}", "{\"n\":3}"])
        let letters = try letters()
        #expect(letters.map(\.value) == ["{\"n\":22}", "{\"n\":44}"])
        #expect(letters.allSatisfy { $0.node == "middle" && $0.reason == "longer than 7 bytes" })
    }

    @Test("policy fail: the first malformed record ends the job")
    func policyFail() throws {
        try workspace.write("in.jsonl", "{\"n\":1}\nnonsense\n{\"n\":2}\n")
        try workspace.write(Job(spec: ["errors: { policy: fail, dead-letter-file: bad.jsonl }"]))
        let run = try workspace.apus("run", "job.yaml")
        run.expect(
            status: 1,
            says: "'in'",
            "in.jsonl:2 (byte 8): ",
            "not JSON",
            "The output so far is not complete."
        )
        #expect(!workspace.has("bad.jsonl"))
    }
}
