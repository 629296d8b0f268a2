import ApusGraph

extension JobDecoder {
    /// Reads one element of `spec.operators`; `nil` if it has no id.
    func decodeOperator(_ node: DocumentNode, at path: DocumentPath) -> OperatorDescription? {
        guard let reader = ObjectReader<OperatorKey>(node, path: path, log: log) else {
            return nil
        }
        let id = id(reader, .id)
        let function = decodeFunction(reader)
        let pluginRule = "the name of a plugin, or a path with a '/'"
        if !reader.has(.function) { reader.require(.plugin, pluginRule) }
        let plugin = reader.string(.plugin, expected: pluginRule)
        let component = reader.string(.component, expected: "the name of a component")
        let inputs = inputs(reader, .input, .inputs)
        let broadcasts = broadcasts(reader, .broadcast)
        let key = decodeKey(reader)
        let expiries = decodeExpiries(reader)
        let async = decodeAsync(reader)
        let config = configuration(reader.value(.config), of: node)
        let configuration = decodeConfiguration(config, at: reader.path(.config))
        guard let id else { return nil }
        return OperatorDescription(
            id: id,
            plugin: plugin ?? "",
            component: component,
            function: function,
            inputs: inputs,
            broadcasts: broadcasts,
            key: key,
            expiries: expiries,
            async: async,
            configuration: configuration,
            location: node.location
        )
    }

    private func decodeKey(_ reader: ObjectReader<OperatorKey>) -> KeySelector? {
        guard let node = reader.value(.key), !node.isInvalid else { return nil }
        if node.isWord("@key") { return .recordKey }
        let expected = "the name of a field, or \"@key\""
        guard let text = reader.string(.key, expected: expected) else { return nil }
        if text.hasPrefix("@") {
            let nearest = NearestWord.find(text, among: ["@key"])
            reader.report(.key, node.summary, expected: expected, suggestion: nearest)
            return nil
        }
        return fieldPath(reader, .key).map { .field(path: $0) }
    }

    /// Any value as configuration for a plugin.
    func decodeConfiguration(
        _ node: DocumentNode,
        at path: DocumentPath
    ) -> ConfigurationValue {
        switch node.content {
        case .invalid:
            return .null
        case .list(let nodes):
            return .list(
                nodes.enumerated().map { index, node in
                    decodeConfiguration(node, at: path.element(index, node))
                }
            )
        case .mapping(let entries):
            return .map(
                entries.map { entry in
                    .init(entry.key, decodeConfiguration(entry.value, at: path.key(entry.key)))
                }
            )
        case .scalar(let scalar):
            switch PlainScalar(scalar) {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .integer(let value): return .integer(value)
            case .number(let value): return .number(value)
            case .string(let value): return .string(value)
            case .outOfRange:
                log.add(
                    node,
                    path,
                    node.summary,
                    expected: "a number of 64 bits",
                    remedy: "put it in quotes to pass it as a string"
                )
                return .null
            }
        }
    }
}
