import ApusGraph
import Foundation
import Testing

@testable import ApusJobFile

/// `docs/job.schema.json`, `docs/job-file.md` and the reader say the same.
///
/// The schema is read as YAML, of which JSON is a part, so that it and the examples are trees of
/// the same kind.
@Suite("Job file: schema and documentation")
struct SchemaTests {
    static func document(_ name: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/\(name)").standardized
        return try String(contentsOf: root, encoding: .utf8)
    }

    static func schema() throws -> Schema {
        Schema(root: try tree(document("job.schema.json")))
    }

    static func tree(_ text: String) throws -> ConfigurationValue {
        let log = ProblemLog()
        let node = try #require(YAMLDocument.read(text, log: log))
        #expect(log.isEmpty)
        return Schema.value(node)
    }

    /// The blocks of the manual that are whole job files.
    static func examples() throws -> [String] {
        try document("job-file.md").components(separatedBy: "```yaml\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```").first }
    }

    /// The keys that the reader knows, by the name of their definition in the schema.
    static let keys: [(definition: String, names: [String])] = [
        ("root", RootKey.names), ("metadata", MetadataKey.names), ("spec", SpecKey.names),
        ("errors", ErrorsKey.names), ("checkpoint", CheckpointKey.names),
        ("state", StateKey.names), ("memory", MemoryKey.names), ("expiry", ExpiryKey.names),
        ("plugins", PluginsKey.names), ("async", AsyncKey.names),
        ("source", SourceKey.names), ("operator", OperatorKey.names),
        ("function", FunctionKey.names),
        ("sink", SinkKey.names), ("watermark", WatermarkKey.names), ("empty", NoKey.names),
        ("file-source", FileSourceKey.names), ("stdin-source", StdinSourceKey.names),
        ("generator", GeneratorKey.names), ("file-sink", FileSinkKey.names),
        ("stdout-sink", StdoutSinkKey.names), ("codec", CodecKey.names),
        ("secret", SecretKey.names),
    ]

    @Test("the schema has exactly the keys that the reader knows", arguments: keys)
    func theSchemaHasExactlyTheKeysThatTheReaderKnows(
        definition: String,
        names: [String]
    ) throws {
        let properties = try Self.schema().definition(definition)?["properties"]
        #expect(properties?.keys == names)
    }

    @Test("no other definition of the schema has keys")
    func noOtherDefinitionOfTheSchemaHasKeys() throws {
        let schema = try Self.schema()
        let withKeys = try #require(schema.root["$defs"]).entries
            .filter { $0.value["properties"] != nil }
        #expect(Set(withKeys.map(\.key)) == Set(Self.keys.map(\.definition)))
    }

    @Test(
        "the schema has exactly the words that the reader knows",
        arguments: [
            ("source.plugin", SourceKind.pluginNames), ("sink.plugin", SinkKind.pluginNames),
            ("errors.policy", ErrorHandling.Policy.allCases.map(\.rawValue)),
            ("spec.delivery", DeliveryGuarantee.allCases.map(\.rawValue)),
            ("sink.delivery", DeliveryGuarantee.allCases.map(\.rawValue)),
            ("state.backend", StateStorage.backendNames),
            ("expiry.refresh", ExpiryDescription.Refresh.allCases.map(\.rawValue)),
            ("expiry.time", ExpiryDescription.Time.allCases.map(\.rawValue)),
            ("function.as", FunctionDescription.UseName.allCases.map(\.rawValue)),
            ("function.no-value", FunctionDescription.NoValue.allCases.map(\.rawValue)),
            ("watermark.unit", WatermarkDescription.Unit.allCases.map(\.rawValue)),
            ("generator.kind", GeneratorKindName.allCases.map(\.rawValue)),
            ("file-source.format", RecordFormatName.allCases.map(\.rawValue)),
            ("stdin-source.emit", RecordFormat.Emission.allCases.map(\.rawValue)),
        ]
    )
    func theSchemaHasExactlyTheWordsThatTheReaderKnows(path: String, words: [String]) throws {
        let schema = try Self.schema()
        let parts = path.components(separatedBy: ".")
        let property = schema.definition(parts[0])?["properties"]?[parts[1]]
        #expect(schema.words(try #require(property)) == words)
    }

    @Test("every example of the manual is a job, and valid by the schema")
    func everyExampleOfTheManualIsAJob() throws {
        let examples = try Self.examples()
        #expect(examples.count >= 2)
        for example in examples {
            let result = JobFileSample.read(example)
            #expect(result.errorLines.isEmpty)
            #expect(try result.get().warnings.isEmpty)
            #expect(try Self.schema().problems(of: Self.tree(example)).isEmpty)
        }
    }

    @Test("the manual names every key")
    func theManualNamesEveryKey() throws {
        let manual = try Self.document("job-file.md")
        for name in Self.keys.flatMap(\.names) {
            let forms = ["`\(name)`", "`\(name).", ".\(name)`"]
            #expect(forms.contains(where: manual.contains), "\(name)")
        }
    }

    @Test(
        "the schema refuses what the reader refuses about state and checkpoints",
        arguments: CheckpointErrorTests.cases + DurabilityErrorTests.cases + CallLimitTests.cases
    )
    func theSchemaRefusesWhatTheReaderRefusesAboutState(mistake: Mistake) throws {
        let beyondSchema = [
            // Numbers inside of texts.
            "an interval below the range", "an interval above the range",
            "a min-pause above the range", "a timeout of zero", "an io-limit below the range",
            "a budget below the range", "a budget beyond all machines", "a ttl below the range",
            "a ttl of zero", "a call-timeout below the range", "a call-timeout above the range",
            // Rules that tie one value to another.
            "an alignment-timeout that cannot come", "memory with checkpoint",
            "memory with dir and checkpoint", "a database in the folder of checkpoints",
            "a database that holds the folder of checkpoints",
            "a database that is the folder of checkpoints", "a folder with at-least-once",
            "event time without watermark", "a folder without checkpoint",
            "exactly-once without checkpoint", "rocksdb without dir and checkpoint",
            "a database folder without database",
        ]
        let text = DurableSample.text.replacing(mistake.old, with: mistake.new)
        let problems = try Self.schema().problems(of: Self.tree(text))
        // Both ways, so that a name in the list that the schema refuses is found as well.
        #expect(problems.isEmpty == beyondSchema.contains(mistake.name))
    }

    @Test("the schema accepts the sample with every key about state")
    func theSchemaAcceptsTheSampleWithEveryKeyAboutState() throws {
        #expect(try Self.schema().problems(of: Self.tree(DurableSample.text)).isEmpty)
    }

    @Test(
        "the schema refuses what the reader refuses",
        arguments: DocumentErrorTests.cases + ValueErrorTests.cases
    )
    func theSchemaRefusesWhatTheReaderRefuses(mistake: Mistake) throws {
        let beyondSchema = [
            // Not YAML at all, or no value of JSON.
            "an unquoted @key", "a duplicate key", "a tab", "an open bracket", "a second document",
            "a control character", "a tag", "a list as a key", "an undefined alias",
            // Variables are replaced after the schema has seen the file.
            "an unset variable", "an open variable", "a bad variable name",
            "a variable of the wrong type",
            // Rules that tie one value to another, or to the range of a type.
            "a unit for several time fields", "follow for a compressed file",
            "a delimiter of two characters", "a delimiter for jsonl", "emit json for jsonl",
            "a huge number", "a duration beyond 64 bits", "no time field",
        ]
        let text = JobFileSample.text.replacing(mistake.old, with: mistake.new)
        guard !beyondSchema.contains(mistake.name) else { return }
        #expect(try !Self.schema().problems(of: Self.tree(text)).isEmpty)
    }
}
