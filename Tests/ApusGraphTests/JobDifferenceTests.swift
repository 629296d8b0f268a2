import ApusGraph
import Testing

@Suite("Differences between job files")
struct JobDifferenceTests {
    private static func place(_ line: Int) -> ApusGraph.SourceLocation {
        ApusGraph.SourceLocation(line: line, column: 1)
    }

    private static func job(line: Int = 1) -> JobDescription {
        let codec = PluginComponent(plugin: "codecs", location: place(line))
        return JobDescription(
            name: "orders",
            sources: [
                SourceDescription(
                    id: "in",
                    kind: .file(
                        FileSourceDescription(
                            path: "in.bin",
                            format: RecordFormat(encoding: .codec(codec))
                        )
                    ),
                    location: place(line)
                )
            ],
            operators: [
                OperatorDescription(
                    id: "limits",
                    plugin: "fraud",
                    inputs: [PortReference(node: "in", location: place(line + 1))],
                    key: .recordKey,
                    configuration: .map([]),
                    location: place(line + 1)
                )
            ],
            sinks: [
                SinkDescription(
                    id: "out",
                    kind: .discard,
                    inputs: [PortReference(node: "limits", location: place(line + 2))],
                    codec: codec,
                    location: place(line + 2)
                )
            ]
        )
    }

    private static func fates(_ old: JobDescription, _ new: JobDescription) -> [String] {
        JobDifference(from: old, to: new).nodes.map { node in
            ([node.kind.rawValue, node.id, node.fate.rawValue] + node.aspects)
                .joined(separator: " ")
        }
    }

    @Test("Where things stand makes none")
    func places() {
        #expect(
            Self.fates(Self.job(), Self.job(line: 40))
                == ["source in same", "operator limits same", "sink out same"]
        )
    }

    @Test("Each aspect of a node is named as in the job file")
    func aspects() {
        var new = Self.job()
        new.operators[0].inputs = [
            PortReference(node: "in", port: "late", location: Self.place(2))
        ]
        new.operators[0].key = .field(path: ["card"])
        new.operators[0].component = "other"
        new.sinks[0].kind = .stdout
        new.sources[0].parallelism = 2
        #expect(
            Self.fates(Self.job(), new) == [
                "source in changed parallelism", "operator limits changed plugin input key",
                "sink out changed plugin",
            ]
        )
    }

    @Test("Nodes come and go; one of another kind is another node")
    func comings() {
        var new = Self.job()
        new.operators[0].id = "rules"
        new.sources[0].id = "out"
        new.sinks[0].id = "in"
        #expect(
            Self.fates(Self.job(), new) == [
                "source out added", "operator rules added", "sink in added",
                "source in removed", "operator limits removed", "sink out removed",
            ]
        )
    }
}
