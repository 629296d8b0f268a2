import ApusGraph

extension JobDecoder {
    /// Reads one element of `spec.sinks`; `nil` if it has no id.
    func decodeSink(_ node: DocumentNode, at path: DocumentPath) -> SinkDescription? {
        guard let reader = ObjectReader<SinkKey>(node, path: path, log: log) else { return nil }
        let id = id(reader, .id)
        let plugin =
            reader.require(.plugin, JobProblem.oneOf(SinkKind.pluginNames))
            ? reader.word(.plugin, among: SinkKind.pluginNames) : nil
        let kind = plugin.flatMap { decodeKind($0, reader) }
        let inputs = inputs(reader, .input, .inputs)
        let delivery = reader.choice(.delivery, DeliveryGuarantee.self)
        guard let id else { return nil }
        return SinkDescription(
            id: id,
            kind: kind ?? .discard,
            inputs: inputs,
            delivery: delivery,
            location: node.location
        )
    }

    private func decodeKind(_ plugin: String, _ reader: ObjectReader<SinkKey>) -> SinkKind? {
        let path = reader.path(.config)
        let config = configuration(reader.value(.config), of: reader.node)
        if plugin == "file" {
            guard let file = ObjectReader<FileSinkKey>(config, path: path, log: log) else {
                return nil
            }
            file.require(.path, "the file to write")
            return .file(
                path: file.string(.path, expected: "the file to write") ?? "",
                appends: file.boolean(.append) ?? false
            )
        }
        _ = ObjectReader<NoKey>(config, path: path, log: log)
        return plugin == "stdout" ? .stdout : .discard
    }
}
