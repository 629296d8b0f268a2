import ApusGraph

/// A `--set path=value` of the command line: replaces or adds one value of a document.
///
/// The path is dotted; an element of a list is addressed by its `id`, or by its position from 0.
/// A key that is not there is added, and the readers of the document then judge it like any other.
struct DocumentOverride {
    let path: String
    let value: String

    private var text: String { "\(path)=\(value)" }

    /// Applies the override; what is wrong with it goes to `log` and leaves the document as it was.
    func apply(to root: inout DocumentNode, log: ProblemLog) {
        let steps = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !steps.contains(""), steps.count < JobFileReader.depthMax else {
            refuse(DocumentPath(), "no path", expected: "a path such as spec.parallelism", log)
            return
        }
        guard let replacement = replacement(log) else { return }
        set(steps[...], in: &root, at: DocumentPath(), to: replacement, log)
    }

    /// The value as a node: YAML if it starts like a list, a mapping or a quoted string, otherwise
    /// the characters as they are.
    private func replacement(_ log: ProblemLog) -> DocumentNode? {
        var node = DocumentNode(
            content: .scalar(.init(text: value, isPlain: true)),
            location: SourceLocation(line: 1, column: 1)
        )
        if let first = value.first, "[{\"'".contains(first) {
            guard let parsed = YAMLDocument.readValue(value, override: text, log: log) else {
                return nil
            }
            node = parsed
        }
        mark(&node)
        return node
    }

    private func mark(_ node: inout DocumentNode) {
        node.override = text
        switch node.content {
        case .scalar, .invalid:
            break
        case .list(var nodes):
            for index in nodes.indices { mark(&nodes[index]) }
            node.content = .list(nodes)
        case .mapping(var entries):
            for index in entries.indices { mark(&entries[index].value) }
            node.content = .mapping(entries)
        }
    }

    private func set(
        _ steps: ArraySlice<String>,
        in node: inout DocumentNode,
        at path: DocumentPath,
        to value: DocumentNode,
        _ log: ProblemLog
    ) {
        guard let step = steps.first else {
            let location = node.location
            node = value
            node.location = location
            return
        }
        if case .scalar(let scalar) = node.content, case .null = PlainScalar(scalar) {
            node.content = .mapping([])
        }
        switch node.content {
        case .mapping(var entries):
            let next = path.key(step)
            if let index = entries.firstIndex(where: { $0.key == step }) {
                set(steps.dropFirst(), in: &entries[index].value, at: next, to: value, log)
            } else {
                var child = DocumentNode(content: .mapping([]), location: node.location)
                child.override = text
                set(steps.dropFirst(), in: &child, at: next, to: value, log)
                entries.append(.init(key: step, keyLocation: node.location, value: child))
            }
            node.content = .mapping(entries)
        case .list(var nodes):
            let position = Int(step).flatMap { nodes.indices.contains($0) ? $0 : nil }
            guard let index = nodes.firstIndex(where: { $0.id == step }) ?? position else {
                refuseElement(step, nodes, path, log)
                return
            }
            let next = path.element(index, nodes[index])
            set(steps.dropFirst(), in: &nodes[index], at: next, to: value, log)
            node.content = .list(nodes)
        case .scalar:
            refuse(path, "'\(step)' inside \(node.summary)", expected: "a mapping or a list", log)
        case .invalid:
            break
        }
    }

    private func refuseElement(
        _ step: String,
        _ nodes: [DocumentNode],
        _ path: DocumentPath,
        _ log: ProblemLog
    ) {
        let ids = nodes.compactMap(\.id)
        log.add(
            JobProblem(
                at: nil,
                override: text,
                path: path.text,
                found: "no element with the id '\(step)'",
                expected: ids.isEmpty ? nil : JobProblem.oneOf(ids),
                suggestion: NearestWord.find(step, among: ids)
            )
        )
    }

    private func refuse(_ path: DocumentPath, _ found: String, expected: String, _ log: ProblemLog)
    {
        log.add(
            JobProblem(at: nil, override: text, path: path.text, found: found, expected: expected)
        )
    }
}
