import ApusGraph

/// Small pieces of jobs for the tests of the graph and of the plan.
enum GraphSample {
    static func at(_ line: Int) -> SourceLocation {
        SourceLocation(line: line, column: 7)
    }

    /// A file of JSON lines, or of raw CSV rows.
    static func file(_ id: String, csvLines: Bool = false, line: Int = 1) -> SourceDescription {
        let encoding: RecordFormat.Encoding =
            csvLines ? .csv(delimiter: UInt8(ascii: ","), emit: .line) : .jsonLines
        let name = csvLines ? "\(id).csv" : "\(id).jsonl"
        return SourceDescription(
            id: id,
            kind: .file(
                FileSourceDescription(path: name, format: RecordFormat(encoding: encoding))
            ),
            location: at(line)
        )
    }

    static func generator(_ id: String, _ kind: GeneratorDescription.Kind) -> SourceDescription {
        SourceDescription(
            id: id,
            kind: .generator(GeneratorDescription(kind: kind)),
            location: at(1)
        )
    }

    /// An operator; inputs as in a job file, `node` or `node.port`.
    static func node(
        _ id: String,
        _ inputs: [String],
        key: KeySelector? = nil,
        line: Int = 2
    ) -> OperatorDescription {
        OperatorDescription(
            id: id,
            plugin: "plugin-\(id)",
            inputs: inputs.map { reference($0, line) },
            key: key,
            location: at(line)
        )
    }

    static func sink(
        _ id: String,
        _ inputs: [String],
        _ kind: SinkKind = .stdout,
        line: Int = 3
    ) -> SinkDescription {
        SinkDescription(
            id: id,
            kind: kind,
            inputs: inputs.map { reference($0, line) },
            location: at(line)
        )
    }

    private static func reference(_ text: String, _ line: Int) -> PortReference {
        let parts = text.split(separator: ".").map(String.init)
        return PortReference(
            node: parts[0],
            port: parts.count > 1 ? parts[1] : nil,
            location: SourceLocation(line: line, column: 14)
        )
    }

    static let plain = OperatorSignature(outputs: ["main"], isKeyed: false, inputCount: 2)
    static let keyed = OperatorSignature(outputs: ["main", "late"], isKeyed: true, inputCount: 2)

    static let tail = KeySelector.field(path: ["tail"])
}
