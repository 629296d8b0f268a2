import ApusGraph
import Testing

@testable import ApusJobFile

/// Variables and overrides change values, never the shape of the file.
@Suite("Job file: variables and overrides")
struct VariableTests {
    static func config(_ text: String, _ environment: [String: String]) throws -> String {
        let result = JobFileSample.read(
            replacing: "{ limit: 3, names: [a, b] }",
            with: text,
            environment: environment
        )
        return try result.get().job.operators[0].configuration.json()
    }

    @Test(
        "a variable is replaced before its value is typed",
        arguments: [
            ("${A}", "5"), ("\"${A}\"", "\"5\""), ("${A}0", "50"), ("x${A}y${A}", "\"x5y5\""),
            ("${B:true}", "true"), ("${B:}", "{}"), ("${B:a:b}", "\"a:b\""), ("${A:7}", "5"),
            ("$${A}", "\"${A}\""), ("$A", "\"$A\""), ("a$", "\"a$\""), ("$$", "\"$$\""),
            ("${C}", "\"[1, 2]\""),
        ]
    )
    func aVariableIsReplacedBeforeItsValueIsTyped(text: String, json: String) throws {
        #expect(try Self.config(text, ["A": "5", "C": "[1, 2]"]) == json)
    }

    @Test("keys are not replaced")
    func keysAreNotReplaced() throws {
        #expect(try Self.config(#"{ "${A}": 1 }"#, ["A": "5"]) == #"{"${A}":1}"#)
    }

    @Test("overrides replace and add values")
    func overridesReplaceAndAddValues() throws {
        let job = try JobFileSample.read(
            replacing: "path: data/flights.csv.gz",
            with: "path: ${UNSET}",
            overrides: [
                ("spec.parallelism", "4"),
                ("spec.sources.departures.config.path", "x.csv"),
                ("spec.operators.aircraft.config.names.0", "c"),
                ("spec.operators.aircraft.config.new.deep", "[1, {a: 2}]"),
                ("spec.operators.aircraft.config.text", "\"5\""),
                ("spec.operators.aircraft.key", "@key"),
                ("spec.sinks.results.config.path", "2026"),
                ("metadata.name", "other"),
            ]
        ).get().job
        #expect(job.parallelism == 4)
        #expect(job.name == "other")
        #expect(job.operators[0].key == .recordKey)
        #expect(job.sinks[0].kind == .file(path: "2026", appends: false))
        guard case .file(let file) = job.sources[0].kind else {
            Issue.record("not a file")
            return
        }
        #expect(file.path == "x.csv")
        #expect(
            job.operators[0].configuration.json()
                == #"{"limit":3,"names":["c","b"],"new":{"deep":[1,{"a":2}]},"text":"5"}"#
        )
    }

    @Test(
        "a wrong override is reported with itself as its place",
        arguments: [
            (
                "spec.paralelism", "4",
                "spec: unknown key 'paralelism'; expected one of parallelism, max-parallelism, "
                    + "buffer-timeout, errors, checkpoint, state, memory, plugins, delivery, "
                    + "secrets, sources, operators, sinks; "
                    + "did you mean 'parallelism'?"
            ),
            (
                "spec.sources.departurs.plugin", "file",
                "spec.sources: no element with the id 'departurs'; expected 'departures'; "
                    + "did you mean 'departures'?"
            ),
            (
                "spec.parallelism", "many",
                "spec.parallelism: the string 'many'; expected an integer from 1 to 32768"
            ),
            (
                "spec.parallelism.x", "1",
                "spec.parallelism: 'x' inside the number '2'; expected a mapping or a list"
            ),
            (
                "spec..x", "1", "no path; expected a path such as spec.parallelism"
            ),
            (
                "spec.errors", "{",
                "no YAML value: not YAML: while parsing a flow node (line 2): "
                    + "did not find expected node content"
            ),
        ]
    )
    func aWrongOverrideIsReportedWithItselfAsItsPlace(path: String, value: String, text: String) {
        let result = JobFileSample.read(JobFileSample.text, overrides: [(path, value)])
        #expect(result.errorLines == ["--set \(path)=\(value): \(text)"])
    }

    @Test(
        "durations are whole numbers with units",
        arguments: [
            ("0s", 0), ("7us", 7), ("5ms", 5_000), ("1s", 1_000_000), ("1h30m", 5_400_000_000),
            ("2d", 172_800_000_000), ("1m1s1ms1us", 61_001_001),
        ] as [(String, Int64)]
    )
    func durationsAreWholeNumbersWithUnits(text: String, microseconds: Int64) {
        #expect(DurationParser.parse(text) == .success(microseconds))
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "s", "5", "5 s", "-1s", "1.5h", "1h30"]
    )
    func whatIsNoDurationIsRefused(text: String) {
        #expect(throws: DurationParser.Failure.self) { try DurationParser.parse(text).get() }
    }
}
