import ApusGraph
import Testing

@testable import ApusJobFile

/// A correct file becomes exactly the job that it describes.
@Suite("JobFileReader")
struct JobFileReaderTests {
    @Test("reads every section of the sample")
    func readsEverySectionOfTheSample() throws {
        let file = try JobFileSample.read(JobFileSample.text).get()
        let job = file.job
        #expect(file.warnings.isEmpty)
        #expect(job.name == "flights")
        #expect(job.parallelism == 2)
        #expect(job.maxParallelism == 1024)
        #expect(job.bufferTimeoutMicroseconds == 5_000)
        #expect(
            job.errors
                == ErrorHandling(policy: .deadLetter, deadLetterFile: "out/dead-letter.jsonl")
        )
        let csv = RecordFormat.Encoding.csv(delimiter: UInt8(ascii: ","), emit: .line)
        let format = RecordFormat(encoding: csv, nullValues: ["NA", ""])
        #expect(
            job.sources == [
                SourceDescription(
                    id: "departures",
                    kind: .file(
                        FileSourceDescription(path: "data/flights.csv.gz", format: format)
                    ),
                    watermark: WatermarkDescription(
                        timestamp: .calendar(fields: ["year", "month", "day", "hour", "minute"]),
                        outOfOrderMicroseconds: 86_400_000_000,
                        idleAfterMicroseconds: 30_000_000
                    ),
                    location: SourceLocation(line: 10, column: 7)
                )
            ]
        )
        let aircraft = try #require(job.operators.first)
        #expect(aircraft.plugin == "aircraft")
        #expect(aircraft.component == "aircraft")
        #expect(aircraft.inputs.map(\.text) == ["departures"])
        #expect(aircraft.key == .field(path: ["tailnum"]))
        #expect(aircraft.configuration.json() == #"{"limit":3,"names":["a","b"]}"#)
        #expect(job.sinks.map(\.id) == ["results", "unidentified"])
        #expect(
            job.sinks.map(\.kind) == [.file(path: "out/results.jsonl", appends: false), .stdout]
        )
        #expect(
            job.sinks.map { $0.inputs.map(\.text) } == [["aircraft"], ["aircraft.unidentified"]]
        )
    }

    @Test("what is left out has its default")
    func whatIsLeftOutHasItsDefault() throws {
        let job = try JobFileSample.read(
            """
            apiVersion: apus/v1
            kind: Job
            metadata: { name: small }
            spec:
              sources:
                - { id: a, plugin: stdin, watermark: { field: at.time } }
                - { id: b, plugin: generator, config: { kind: keyed } }
                - { id: c, plugin: file, config: { path: c.csv } }
              sinks:
                - { id: d, plugin: discard, inputs: [a, b, c] }
            """
        ).get().job
        #expect(job.parallelism == nil)
        #expect(job.maxParallelism == 1_024)
        #expect(job.bufferTimeoutMicroseconds == 5_000)
        #expect(job.errors.deadLetterFile == "small.dead-letter.jsonl")
        #expect(job.sources[0].kind == .stdin(RecordFormat(encoding: .jsonLines)))
        let watermark = try #require(job.sources[0].watermark)
        #expect(watermark.timestamp == .field(path: ["at", "time"], unit: .rfc3339))
        #expect(watermark.outOfOrderMicroseconds == 0)
        #expect(watermark.idleAfterMicroseconds == 30_000_000)
        let generator = GeneratorDescription(kind: .keyed(keyCount: 1_000_000, valueByteCount: 8))
        #expect(job.sources[1].kind == .generator(generator))
        guard case .file(let file) = job.sources[2].kind else {
            Issue.record("not a file")
            return
        }
        #expect(file.format.encoding == .csv(delimiter: UInt8(ascii: ","), emit: .json))
    }

    @Test("a source or operator that nobody reads is a warning")
    func aNodeThatNobodyReadsIsAWarning() throws {
        let file = try JobFileSample.read(
            """
            apiVersion: apus/v1
            kind: Job
            metadata: { name: small }
            spec:
              sources:
                - { id: a, plugin: stdin }
                - { id: b, plugin: stdin }
              operators:
                - { id: c, plugin: ./libc.so, input: a }
            """
        ).get()
        #expect(
            file.warningText == """
                warning: job.yaml:7:7: spec.sources[b]: nobody reads the source 'b'; what it emits \
                is dropped
                warning: job.yaml:9:7: spec.operators[c]: nobody reads the operator 'c'; what it \
                emits is dropped
                """
        )
    }

    @Test("types in config follow YAML 1.2 and JSON")
    func typesInConfigFollowYAMLAndJSON() throws {
        let config = #"[1, -2, 0x1F, 1.5, .5, 1e3, true, NO, null, ~, 007, 1:30, "5", .inf, 1_000]"#
        let job = try JobFileSample.read(
            replacing: "{ limit: 3, names: [a, b] }",
            with: config
        ).get().job
        #expect(
            job.operators[0].configuration.json()
                == #"[1,-2,31,1.5,0.5,1000.0,true,"NO",null,null,"007","1:30","5",".inf","1_000"]"#
        )
    }

    @Test("aliases stand for their anchors, and << merges")
    func aliasesStandForTheirAnchors() throws {
        let job = try JobFileSample.read(
            replacing: "{ limit: 3, names: [a, b] }",
            with: "{ x: &x { a: 1, b: 2 }, y: *x, z: { <<: *x, b: 3 } }"
        ).get().job
        #expect(
            job.operators[0].configuration.json()
                == #"{"x":{"a":1,"b":2},"y":{"a":1,"b":2},"z":{"b":3,"a":1}}"#
        )
    }

    @Test(
        "empty files are refused",
        arguments: ["", " \n\n", "# nothing\n", "---\n", "---\n...\n"]
    )
    func emptyFilesAreRefused(text: String) {
        #expect(
            JobFileSample.read(text).errorLines == [
                "job.yaml: the file is empty; expected a job, starting with 'apiVersion: apus/v1'"
            ]
        )
    }

    @Test("a file that is no mapping is refused", arguments: ["job", "- a", "[1]", "5"])
    func aFileThatIsNoMappingIsRefused(text: String) {
        #expect(JobFileSample.read(text).errorLines.count == 1)
        #expect(JobFileSample.read(text).errorLines[0].hasSuffix("expected a mapping"))
    }
}
