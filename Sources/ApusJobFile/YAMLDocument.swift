import ApusGraph
import Yams

/// Turns the text of a YAML file into a tree of ``DocumentNode``.
///
/// Aliases are replaced by what they stand for, and `<<` merges mappings. Every limit that keeps a
/// hostile file from costing much is checked here.
struct YAMLDocument {
    private let log: ProblemLog
    private var valueCount = 0

    /// Reads a file; `nil` if it is not YAML, is empty or is too large, with the reason in `log`.
    static func read(_ text: String, log: ProblemLog) -> DocumentNode? {
        guard text.utf8.count <= JobFileReader.byteCountMax else {
            return refuse(
                "the file has \(text.utf8.count) bytes",
                expected: "at most \(JobFileReader.byteCountMax)",
                log
            )
        }
        guard !AliasGuard.isSuspicious(text) else {
            return refuse(
                "aliases together with keys that are not plain words",
                expected: "at most \(AliasGuard.aliasCountMax) aliases in such a file",
                log
            )
        }
        guard let node = compose(text, log) else { return nil }
        var document = YAMLDocument(log: log)
        return document.convert(node, path: DocumentPath(), depth: 1)
    }

    /// Reads one value of an override.
    ///
    /// - Returns: `nil` when it is not YAML, with the reason in `log`.
    static func readValue(_ text: String, override: String, log: ProblemLog) -> DocumentNode? {
        let inner = ProblemLog()
        if let node = read(text, log: inner), inner.isEmpty { return node }
        let reason = inner.errors(fileName: "").problems.first?.found ?? "it is empty"
        log.add(
            JobProblem(at: nil, override: override, path: "", found: "no YAML value: \(reason)")
        )
        return nil
    }

    private init(log: ProblemLog) {
        self.log = log
    }

    private static func refuse(
        _ found: String,
        expected: String? = nil,
        _ log: ProblemLog
    ) -> DocumentNode? {
        log.add(JobProblem(at: nil, path: "", found: found, expected: expected))
        return nil
    }

    private static func compose(_ text: String, _ log: ProblemLog) -> Node? {
        do {
            // The encoding is given because Yams otherwise looks into the process environment.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            if let node = try parser.singleRoot(), !isEmpty(node) { return node }
            log.add(
                JobProblem(
                    at: nil,
                    path: "",
                    found: "the file is empty",
                    expected: "a job, starting with 'apiVersion: apus/v1'"
                )
            )
        } catch let error as YamlError {
            log.add(JobProblem(error, in: text))
        } catch {
            log.add(JobProblem(at: nil, path: "", found: "not YAML: \(error)"))
        }
        return nil
    }

    /// Whether a document has nothing in it but perhaps a `---`.
    private static func isEmpty(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node else { return false }
        return scalar.string.isEmpty && scalar.style == .plain
    }

    // MARK: - Conversion

    private mutating func convert(_ node: Node, path: DocumentPath, depth: Int) -> DocumentNode {
        let mark = node.mark
        let location = SourceLocation(line: mark?.line ?? 1, column: mark?.column ?? 1)
        var result = DocumentNode(content: .invalid, location: location)
        valueCount += 1
        guard depth <= JobFileReader.depthMax else {
            log.add(
                result,
                path,
                "too many lists and mappings inside each other",
                expected: "at most \(JobFileReader.depthMax)"
            )
            return result
        }
        guard valueCount <= JobFileReader.valueCountMax else {
            if valueCount == JobFileReader.valueCountMax + 1 {
                log.add(
                    result,
                    path,
                    "too many values once the aliases are replaced",
                    expected: "at most \(JobFileReader.valueCountMax)"
                )
            }
            return result
        }
        switch node {
        case .scalar(let scalar):
            result.content = convert(scalar, at: result, path)
        case .sequence(let sequence):
            result.content = .list(
                sequence.enumerated().map { index, element in
                    convert(element, path: Self.path(path, index, element), depth: depth + 1)
                }
            )
        case .mapping(let mapping):
            result.content = .mapping(convert(mapping, path: path, depth: depth))
        case .alias:
            log.add(result, path, "an alias to nothing")
        }
        return result
    }

    private func convert(
        _ scalar: Node.Scalar,
        at node: DocumentNode,
        _ path: DocumentPath
    ) -> DocumentNode.Content {
        let tag = scalar.tag.rawValue
        if tag.isEmpty { return .scalar(.init(text: scalar.string, isPlain: true)) }
        if tag == Tag.Name.str.rawValue || tag == Tag.Name.nonSpecific.rawValue {
            return .scalar(.init(text: scalar.string, isPlain: false))
        }
        log.add(
            node,
            path,
            "the tag \(DocumentNode.quoted(tag))",
            expected: "a value without a tag"
        )
        return .invalid
    }

    private mutating func convert(
        _ mapping: Node.Mapping,
        path: DocumentPath,
        depth: Int
    ) -> [DocumentNode.Entry] {
        var entries: [DocumentNode.Entry] = []
        var merged: [DocumentNode.Entry] = []
        for (keyNode, valueNode) in mapping {
            guard case .scalar(let keyScalar) = keyNode else {
                let key = convert(keyNode, path: path, depth: depth + 1)
                log.add(key, path, "\(key.summary) as a key", expected: "a word as a key")
                continue
            }
            let key = keyScalar.string
            let value = convert(valueNode, path: path.key(key), depth: depth + 1)
            if key == "<<" {
                merged += mergedEntries(value, path.key(key))
                continue
            }
            let mark = keyNode.mark
            let location = SourceLocation(line: mark?.line ?? 1, column: mark?.column ?? 1)
            entries.append(.init(key: key, keyLocation: location, value: value))
        }
        // A key of the mapping itself wins over a merged one, an earlier merged one over a later.
        var known = Set(entries.map(\.key))
        for entry in merged where known.insert(entry.key).inserted { entries.append(entry) }
        return entries
    }

    private func mergedEntries(_ node: DocumentNode, _ path: DocumentPath) -> [DocumentNode.Entry] {
        switch node.content {
        case .mapping(let entries): return entries
        case .list(let nodes): return nodes.flatMap { mergedEntries($0, path) }
        case .invalid: return []
        case .scalar:
            log.add(node, path, node.summary, expected: "an alias of a mapping")
            return []
        }
    }

    private static func path(_ path: DocumentPath, _ index: Int, _ element: Node) -> DocumentPath {
        let id = element.mapping?.first { $0.key.scalar?.string == "id" }?.value.scalar?.string
        return path.element(index, DocumentNode(idForPath: id))
    }
}

extension DocumentNode {
    /// A stand-in that has an id and nothing else.
    fileprivate init(idForPath id: String?) {
        let location = SourceLocation(line: 1, column: 1)
        guard let id else {
            self.init(content: .mapping([]), location: location)
            return
        }
        let value = DocumentNode(
            content: .scalar(.init(text: id, isPlain: true)),
            location: location
        )
        self.init(
            content: .mapping([.init(key: "id", keyLocation: location, value: value)]),
            location: location
        )
    }
}
