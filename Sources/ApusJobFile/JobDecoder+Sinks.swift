import ApusGraph

extension JobDecoder {
    /// Reads one element of `spec.sinks`; `nil` if it has no id.
    func decodeSink(_ node: DocumentNode, at path: DocumentPath) -> SinkDescription? {
        guard let reader = ObjectReader<SinkKey>(node, path: path, log: log) else { return nil }
        let id = id(reader, .id)
        let expected = JobProblem.oneOf(SinkKind.pluginNames) + ", or \(Self.pluginRule)"
        let plugin =
            reader.require(.plugin, expected) ? reader.string(.plugin, expected: expected) : nil
        var codec: PluginComponent?
        let kind = plugin.flatMap { decodeKind($0, reader, &codec) }
        let isSingle = decodeIsSingle(reader)
        let inputs = inputs(reader, .input, .inputs)
        let delivery = reader.choice(.delivery, DeliveryGuarantee.self)
        guard let id else { return nil }
        return SinkDescription(
            id: id,
            kind: kind ?? .discard,
            inputs: inputs,
            delivery: delivery,
            codec: codec,
            isSingle: isSingle,
            location: node.location
        )
    }

    /// Whether a sink of a plugin is to have one subtask.
    private func decodeIsSingle(_ reader: ObjectReader<SinkKey>) -> Bool {
        guard reader.has(.parallelism) else { return false }
        let count = reader.integer(.parallelism, in: 1...JobDescription.maxParallelismMax)
        if let count, count != 1 {
            reader.report(
                .parallelism,
                "\(count)",
                expected: "1, or no 'parallelism:' for as many subtasks as what it reads"
            )
        }
        return true
    }

    private func decodeKind(
        _ plugin: String,
        _ reader: ObjectReader<SinkKey>,
        _ codec: inout PluginComponent?
    ) -> SinkKind? {
        guard SinkKind.pluginNames.contains(plugin) else {
            return .plugin(
                decodeComponent(plugin, reader, component: .component, config: .config)
            )
        }
        refuse([.component, .parallelism], for: plugin, reader)
        let path = reader.path(.config)
        let config = configuration(reader.value(.config), of: reader.node)
        if plugin == "file" {
            guard let file = ObjectReader<FileSinkKey>(config, path: path, log: log) else {
                return nil
            }
            file.require(.path, "the file to write")
            codec = decodeFormat(file, .format)
            return .file(
                path: file.string(.path, expected: "the file to write") ?? "",
                appends: file.boolean(.append) ?? false
            )
        }
        if plugin == "stdout" {
            codec = ObjectReader<StdoutSinkKey>(config, path: path, log: log)
                .flatMap { decodeFormat($0, .format) }
            return .stdout
        }
        _ = ObjectReader<NoKey>(config, path: path, log: log)
        return .discard
    }

    /// The codec of a sink; the values themselves need none.
    private func decodeFormat<Key: JobFileKey>(
        _ reader: ObjectReader<Key>,
        _ key: Key
    ) -> PluginComponent? {
        guard let node = reader.value(key), !node.isNull else { return nil }
        if case .mapping = node.content { return decodeCodec(reader, key) }
        if !node.isInvalid {
            reader.report(key, node.summary, expected: "a codec: '{ plugin: ... }'")
        }
        return nil
    }
}
