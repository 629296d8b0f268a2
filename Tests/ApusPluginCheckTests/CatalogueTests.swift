import Testing

@testable import ApusPluginCheck

/// Goal: the parts of checks that need no plugin.
@Suite("The catalogue of checks")
struct CatalogueTests {
    @Test("ids and names are unlike each other, and in order")
    func idsAndNames() {
        let checks = CheckCatalogue.all
        #expect(Set(checks.map(\.id)).count == checks.count)
        #expect(Set(checks.map(\.name)).count == checks.count)
        #expect(checks.map(\.place) == checks.map(\.place).sorted())
        for check in checks {
            #expect(check.id.wholeMatch(of: /[A-J][0-9]{1,2}m?/) != nil, "\(check.id)")
            #expect(check.name.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil, "\(check.name)")
            #expect((1...10).contains(check.strictness))
            #expect(check.demand.count > 20 && !check.demand.hasSuffix("."), "\(check.demand)")
            #expect(CheckGroup(rawValue: String(check.id.prefix(1))) == check.group)
        }
    }

    @Test("semantic versions are told from others")
    func semanticVersions() {
        for good in ["0.0.0", "1.4.2", "1.4.2-beta.1", "10.20.30+build.5"] {
            #expect(DescriptionChecks.isSemantic(good), "\(good)")
        }
        for bad in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "v1.2.3", "1.2.3-", "1..3"] {
            #expect(!DescriptionChecks.isSemantic(bad), "\(bad)")
        }
    }

    @Test("the first difference between transcripts is told")
    func differences() {
        func transcript(_ values: [String], _ isOverdue: Bool = false) -> Transcript {
            var made = Transcript(outputCount: 1)
            made.outputs[0] = values.map {
                OutputRecord(key: [107], value: Array($0.utf8), time: 1)
            }
            made.hasOverdueTimers = isOverdue
            return made
        }
        let expected = transcript(["a", "b"])
        #expect(transcript(["a", "b"]).difference(from: expected, names: ["main"]) == nil)
        #expect(
            transcript(["a", "c"]).difference(from: expected, names: ["main"])
                == "record 1 of output 'main' is [key 'k', value 'c', time 1] instead of "
                + "[key 'k', value 'b', time 1]"
        )
        #expect(
            transcript(["a"]).difference(from: expected, names: ["main"])
                == "there are 1 instead of 2 records of output 'main'; the first that is missing: "
                + "[key 'k', value 'b', time 1]"
        )
        #expect(transcript(["b", "a"]).difference(from: expected, names: ["main"]) != nil)
        // Overdue timers fire when their batch is done: the order may be another one.
        #expect(transcript(["b", "a"], true).difference(from: expected, names: ["main"]) == nil)
    }

    @Test("bytes are told as text where they are text, cut when they are many")
    func bytes() {
        #expect(OutputRecord.text(nil) == "none")
        #expect(OutputRecord.text(Array("word".utf8)) == "'word'")
        #expect(OutputRecord.text([0, 255, 16]) == "0x00ff10")
        #expect(OutputRecord.text([UInt8](repeating: 120, count: 100)).hasSuffix("... (100 bytes)"))
    }

    @Test("a report for JUnit escapes what XML does not bear")
    func junit() {
        let check = CheckCatalogue.all[0]
        let result = CheckResult(
            check,
            component: "a<b",
            verdict: .fail,
            message: "1 & 2 \u{1} \"three\""
        )
        let report = CheckReport(file: "x.so", seed: 1, strictness: 5, results: [result])
        #expect(report.junit.contains(#"classname="a&lt;b""#))
        #expect(report.junit.contains(#"message="1 &amp; 2 ? &quot;three&quot;""#))
        #expect(report.junit.contains(#"tests="1" failures="1" skipped="0""#))
    }
}
