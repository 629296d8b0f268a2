/// What differs between the nodes of two descriptions of one job.
///
/// Where things stand in the job file makes no difference, and neither does their order.
package struct JobDifference: Sendable, Equatable {
    /// What a node is.
    package enum Kind: String, Sendable, Codable {
        case source
        case `operator`
        case sink
    }

    /// What becomes of a node.
    package enum Fate: String, Sendable, Codable {
        /// Only the new description has it.
        case added
        /// Only the old description has it.
        case removed
        /// Both have it, and it is not the same.
        case changed
        /// Both have it, and say the same of it.
        case same
    }

    /// A node of either description.
    package struct Node: Sendable, Equatable, Codable {
        /// Its id.
        package var id: String
        /// What it is.
        package var kind: Kind
        /// What becomes of it.
        package var fate: Fate
        /// What of it is not the same, in the words of the job file: "inputs", "config".
        package var aspects: [String]
    }

    /// All nodes: those of the new description in its order, and then those that go.
    package let nodes: [Node]

    /// Compares two descriptions.
    package init(from old: JobDescription, to new: JobDescription) {
        let before = Self.parts(of: old)
        let after = Self.parts(of: new)
        var nodes: [Node] = []
        for part in after {
            guard let same = before.first(where: { $0.id == part.id && $0.kind == part.kind })
            else {
                nodes.append(Node(id: part.id, kind: part.kind, fate: .added, aspects: []))
                continue
            }
            let aspects = zip(same.aspects, part.aspects).filter { $0.value != $1.value }
                .map(\.1.name)
            let fate = aspects.isEmpty ? Fate.same : .changed
            nodes.append(Node(id: part.id, kind: part.kind, fate: fate, aspects: aspects))
        }
        for part in before
        where !after.contains(where: { $0.id == part.id && $0.kind == part.kind }) {
            nodes.append(Node(id: part.id, kind: part.kind, fate: .removed, aspects: []))
        }
        self.nodes = nodes
    }

    // MARK: - The parts that are compared

    private struct Part {
        var id: String
        var kind: Kind
        var aspects: [(name: String, value: AnyHashable)]
    }

    private static let nowhere = SourceLocation(line: 1, column: 1)

    private static func parts(of job: JobDescription) -> [Part] {
        job.sources.map(part) + job.operators.map(part) + job.sinks.map(part)
    }

    private static func part(_ source: SourceDescription) -> Part {
        Part(
            id: source.id,
            kind: .source,
            aspects: [
                ("plugin", placeless(source.kind)), ("watermark", source.watermark),
                ("parallelism", source.parallelism),
            ]
        )
    }

    private static func part(_ node: OperatorDescription) -> Part {
        var function = node.function
        function?.location = nowhere
        let expiries = node.expiries.map { expiry in
            var copy = expiry
            copy.location = nowhere
            return copy
        }
        return Part(
            id: node.id,
            kind: .operator,
            aspects: [
                ("plugin", [node.plugin, node.component ?? ""]), ("function", function),
                ("input", node.inputs.map(\.text)), ("broadcast", node.broadcasts.map(\.text)),
                ("key", node.key), ("state", Set(expiries)), ("async", node.async),
                ("config", node.configuration),
            ]
        )
    }

    private static func part(_ sink: SinkDescription) -> Part {
        var kind = sink.kind
        if case .plugin(let component) = kind { kind = .plugin(placeless(component)) }
        return Part(
            id: sink.id,
            kind: .sink,
            aspects: [
                ("plugin", kind), ("codec", sink.codec.map(placeless)),
                ("input", sink.inputs.map(\.text)), ("delivery", sink.delivery),
                ("single", sink.isSingle),
            ]
        )
    }

    private static func placeless(_ component: PluginComponent) -> PluginComponent {
        var copy = component
        copy.location = nowhere
        return copy
    }

    private static func placeless(_ kind: SourceKind) -> SourceKind {
        switch kind {
        case .generator: return kind
        case .plugin(let component): return .plugin(placeless(component))
        case .file(var file):
            file.format = placeless(file.format)
            return .file(file)
        case .stdin(let format): return .stdin(placeless(format))
        }
    }

    private static func placeless(_ format: RecordFormat) -> RecordFormat {
        guard case .codec(let component) = format.encoding else { return format }
        var copy = format
        copy.encoding = .codec(placeless(component))
        return copy
    }
}
