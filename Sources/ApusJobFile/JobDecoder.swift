import ApusGraph

/// Reads the keys of a document into a ``ApusGraph/JobDescription``.
///
/// Whatever is missing or wrong goes to the log and is replaced by a stand-in, so that the rest of
/// the file, and the graph, can be judged all the same.
struct JobDecoder {
    let log: ProblemLog

    /// What a document says.
    struct Decoded {
        let job: JobDescription
        /// Whether every node has an id; otherwise every message about the graph would be a guess.
        let isGraphKnown: Bool
    }

    /// The words that the top of a job file must have.
    static let apiVersion = "apus/v1"
    static let kind = "Job"

    /// What a name and an id look like.
    static let nameRule = "1 to 63 characters a-z, 0-9 and '-', not starting with '-'"

    /// Reads the whole document; `nil` if it has nothing that could be a job.
    func decode(_ root: DocumentNode, fileName: String) -> Decoded? {
        guard let reader = ObjectReader<RootKey>(root, path: DocumentPath(), log: log) else {
            return nil
        }
        expect(reader, .apiVersion, Self.apiVersion)
        expect(reader, .kind, Self.kind)
        let name = decodeName(reader) ?? "job"
        guard reader.require(.spec, "what the job consists of") else { return nil }
        guard let node = reader.value(.spec) else { return nil }
        guard let spec = ObjectReader<SpecKey>(node, path: reader.path(.spec), log: log) else {
            return nil
        }
        return decodeSpec(spec, name: name, fileName: fileName)
    }

    private func expect(_ reader: ObjectReader<RootKey>, _ key: RootKey, _ word: String) {
        guard reader.require(key, "'\(key.rawValue): \(word)'") else { return }
        _ = reader.word(key, among: [word])
    }

    private func decodeName(_ reader: ObjectReader<RootKey>) -> String? {
        guard reader.require(.metadata, "'metadata: { name: ... }'") else { return nil }
        guard let node = reader.value(.metadata) else { return nil }
        let path = reader.path(.metadata)
        guard let metadata = ObjectReader<MetadataKey>(node, path: path, log: log) else {
            return nil
        }
        guard metadata.require(.name, "the name of the job") else { return nil }
        return self.name(metadata, .name)
    }

    private func decodeSpec(
        _ spec: ObjectReader<SpecKey>,
        name: String,
        fileName: String
    ) -> Decoded {
        let maxParallelism =
            spec.integer(.maxParallelism, in: 1...JobDescription.maxParallelismMax)
            ?? JobDescription.defaultMaxParallelism
        let parallelism = spec.integer(.parallelism, in: 1...JobDescription.maxParallelismMax)
        let bufferTimeout = spec.duration(.bufferTimeout)
        let errors = decodeErrors(spec, jobName: name)
        let durability = decodeDurability(spec)
        let callLimits = decodeCallLimits(spec)
        let secrets = decodeSecrets(spec)
        let sources = nodes(spec, .sources, decodeSource)
        let operators = nodes(spec, .operators, decodeOperator)
        let sinks = nodes(spec, .sinks, decodeSink)
        let job = JobDescription(
            fileName: fileName,
            name: name,
            parallelism: parallelism,
            maxParallelism: maxParallelism,
            bufferTimeoutMicroseconds: bufferTimeout
                ?? JobDescription.defaultBufferTimeoutMicroseconds,
            errors: errors,
            durability: durability,
            callLimits: callLimits,
            secrets: secrets,
            sources: sources ?? [],
            operators: operators ?? [],
            sinks: sinks ?? []
        )
        let isGraphKnown = sources != nil && operators != nil && sinks != nil
        return Decoded(job: job, isGraphKnown: isGraphKnown)
    }

    /// The elements of a list of nodes; `nil` if it is no list, or one has no id.
    private func nodes<Description>(
        _ spec: ObjectReader<SpecKey>,
        _ key: SpecKey,
        _ decode: (DocumentNode, DocumentPath) -> Description?
    ) -> [Description]? {
        guard let elements = spec.elements(key) else { return nil }
        let descriptions = elements.compactMap(decode)
        return descriptions.count == elements.count ? descriptions : nil
    }

    private func decodeErrors(_ spec: ObjectReader<SpecKey>, jobName: String) -> ErrorHandling {
        var result = ErrorHandling(jobName: jobName)
        guard let node = spec.value(.errors) else { return result }
        guard let errors = ObjectReader<ErrorsKey>(node, path: spec.path(.errors), log: log) else {
            return result
        }
        result.policy = errors.choice(.policy, ErrorHandling.Policy.self) ?? result.policy
        result.deadLetterFile = errors.string(.deadLetterFile) ?? result.deadLetterFile
        return result
    }

    // MARK: - Shared by sources, operators and sinks

    /// The name or id of a key, if it is one.
    func name<Key: JobFileKey>(_ reader: ObjectReader<Key>, _ key: Key) -> String? {
        guard let text = reader.string(key, expected: Self.nameRule) else { return nil }
        if JobDescription.isValidName(text) { return text }
        reader.report(key, reader.value(key)?.summary ?? "", expected: Self.nameRule)
        return nil
    }

    /// The id of a node; a bad one still names the node, so that its readers find it.
    func id<Key: JobFileKey>(_ reader: ObjectReader<Key>, _ key: Key) -> String? {
        guard reader.require(key, "an id that never changes: \(Self.nameRule)") else { return nil }
        return name(reader, key) ?? reader.node.id
    }

    /// A dotted name of a field, split at the dots.
    func fieldPath<Key: JobFileKey>(_ reader: ObjectReader<Key>, _ key: Key) -> [String]? {
        guard let text = reader.string(key, expected: "the name of a field") else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.contains("") else { return parts }
        reader.report(
            key,
            reader.value(key)?.summary ?? "",
            expected: "the name of a field, or names joined by single dots"
        )
        return nil
    }

    /// The outputs that `input` or `inputs` names; empty if there are none.
    func inputs<Key: JobFileKey>(
        _ reader: ObjectReader<Key>,
        _ inputKey: Key,
        _ inputsKey: Key
    ) -> [PortReference] {
        if reader.has(inputKey) && reader.has(inputsKey) {
            reader.report(inputsKey, "both 'input' and 'inputs'", expected: "one of the two")
        }
        let expected = "'node' or 'node.port'"
        if let node = reader.value(inputKey) {
            let path = reader.path(inputKey)
            return [reference(node, at: path, reader, expected)].compactMap { $0 }
        }
        guard let node = reader.value(inputsKey), !node.isInvalid else { return [] }
        guard case .list(let nodes) = node.content else {
            reader.report(inputsKey, node.summary, expected: "a list of \(expected)")
            return []
        }
        return nodes.enumerated().compactMap { index, node in
            reference(node, at: reader.path(inputsKey).element(index, node), reader, expected)
        }
    }

    /// The outputs that `broadcast` names; empty if there are none.
    func broadcasts<Key: JobFileKey>(
        _ reader: ObjectReader<Key>,
        _ key: Key
    ) -> [PortReference] {
        let expected = "'node' or 'node.port'"
        guard let node = reader.value(key), !node.isInvalid else { return [] }
        guard case .list(let nodes) = node.content else {
            reader.report(key, node.summary, expected: "a list of \(expected)")
            return []
        }
        return nodes.enumerated().compactMap { index, node in
            reference(node, at: reader.path(key).element(index, node), reader, expected)
        }
    }

    private func reference<Key: JobFileKey>(
        _ node: DocumentNode,
        at path: DocumentPath,
        _ reader: ObjectReader<Key>,
        _ expected: String
    ) -> PortReference? {
        let text = reader.string(node, at: path, expected: expected, mayBeEmpty: false)
        guard let text else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard !parts.contains("") else {
            log.add(node, path, node.summary, expected: expected)
            return nil
        }
        return PortReference(
            node: String(parts[0]),
            port: parts.count == 2 ? String(parts[1]) : nil,
            location: node.location
        )
    }
}
