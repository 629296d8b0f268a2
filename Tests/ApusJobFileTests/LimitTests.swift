import Testing

@testable import ApusJobFile

/// A file cannot cost much more than its size, whatever is in it.
@Suite("Job file: limits")
struct LimitTests {
    @Test("a file above 1 MiB is refused")
    func aFileAboveOneMebibyteIsRefused() {
        let text = JobFileSample.text + "\n#" + String(repeating: "x", count: 1 << 20)
        #expect(
            JobFileSample.read(text).errorLines == [
                "job.yaml: the file has \(text.utf8.count) bytes; expected at most 1048576"
            ]
        )
    }

    @Test("nesting above 64 is refused", arguments: [65, 900, 100_000])
    func deepNestingIsRefused(depth: Int) throws {
        let config = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let result = JobFileSample.read(replacing: "{ limit: 3, names: [a, b] }", with: config)
        let line = try #require(result.errorLines.first)
        #expect(line.contains("too many lists") || line.contains("not YAML"))
    }

    @Test("nesting up to 64 is read")
    func nestingUpToTheLimitIsRead() {
        // The configuration is the fifth level of the document.
        let config = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        let result = JobFileSample.read(replacing: "{ limit: 3, names: [a, b] }", with: config)
        #expect(result.errorLines.isEmpty)
    }

    /// Ten levels of lists, each with ten aliases of the level before: ten billion values.
    static let levels = (1...10).map { level in
        "&l\(level) [" + Array(repeating: "*l\(level - 1)", count: 10).joined(separator: ", ") + "]"
    }

    @Test("aliases that multiply are refused")
    func aliasesThatMultiplyAreRefused() {
        let config = "[&l0 x, \(Self.levels.joined(separator: ", "))]"
        let result = JobFileSample.read(replacing: "{ limit: 3, names: [a, b] }", with: config)
        #expect(result.errorLines.count == 1)
        #expect(result.errorLines[0].contains("too many values once the aliases are replaced"))
    }

    @Test("aliases that multiply in keys are refused before they are hashed")
    func aliasesThatMultiplyInKeysAreRefused() {
        let config = "[&l0 x, \(Self.levels.joined(separator: ", ")), { ? *l10 : 1 }]"
        let result = JobFileSample.read(replacing: "{ limit: 3, names: [a, b] }", with: config)
        #expect(
            result.errorLines == [
                "job.yaml: aliases together with keys that are not plain words; "
                    + "expected at most 8 aliases in such a file"
            ]
        )
    }

    @Test("at most 200 problems are listed")
    func atMostTwoHundredProblemsAreListed() {
        let keys = (0..<250).map { "  x\($0): 1\n" }.joined()
        let result = JobFileSample.read(replacing: "spec:\n", with: "spec:\n" + keys)
        #expect(result.errorLines.count == 201)
        #expect(result.errorLines.last == "job.yaml: 50 more problems")
    }

    @Test("a thousand states that contradict the sources are refused, each at its line at first")
    func manyContradictionsAreRefused() {
        let states = (0..<1_000).map { "s.\($0): {ttl: 1d, time: event}" }.joined(separator: ",\n")
        let text = DurableSample.text.replacing("      watermark: { field: at }\n", with: "")
            .replacing(DurableSample.expiries, with: "      state: {\n\(states) }")
        let lines = JobFileSample.read(text).errorLines
        #expect(lines.count == 201)
        #expect(
            lines.first?.hasPrefix("job.yaml:28:22: spec.operators[tickets].state.s.0.t") == true
        )
        #expect(lines.last == "job.yaml: 800 more problems")
    }

    @Test("more than 1,000 nodes are refused")
    func tooManyNodesAreRefused() {
        let sinks = (0..<1_000).map { "    - { id: s\($0), plugin: stdout, input: x }\n" }.joined()
        let result = JobFileSample.read(JobFileSample.text + "\n" + sinks)
        #expect(
            result.errorLines == [
                "job.yaml:5:3: spec: 1004 sources, operators and sinks; expected at most 1000"
            ]
        )
    }
}
