import ApusGraph

/// Sources, sinks and codecs of plugins, and the secrets that plugins may ask for.
extension JobDecoder {
    static let pluginRule = "the name of a plugin, or a path with a '/'"

    /// Reads a source or sink of a plugin; what `config` holds is the plugin's business.
    func decodeComponent<Key: JobFileKey>(
        _ plugin: String,
        _ reader: ObjectReader<Key>,
        component: Key,
        config: Key
    ) -> PluginComponent {
        PluginComponent(
            plugin: plugin,
            component: reader.string(component, expected: "the name of a component"),
            configuration: decodeConfiguration(
                configuration(reader.value(config), of: reader.node),
                at: reader.path(config)
            ),
            location: reader.node.location
        )
    }

    /// Refuses keys that only mean something for plugins.
    func refuse<Key: JobFileKey>(_ keys: [Key], for plugin: String, _ reader: ObjectReader<Key>) {
        for key in keys where reader.has(key) {
            reader.report(
                key,
                "'\(key.rawValue)' for '\(plugin)', which is built in",
                expected: "'\(key.rawValue)' only for a plugin"
            )
        }
    }

    /// The codec that a `format` names; `nil` when it names none.
    func decodeCodec<Key: JobFileKey>(_ reader: ObjectReader<Key>, _ key: Key) -> PluginComponent? {
        guard let node = reader.value(key), case .mapping = node.content else { return nil }
        let path = reader.path(key)
        guard let codec = ObjectReader<CodecKey>(node, path: path, log: log) else { return nil }
        codec.require(.plugin, Self.pluginRule)
        let plugin = codec.string(.plugin, expected: Self.pluginRule) ?? ""
        return decodeComponent(plugin, codec, component: .component, config: .config)
    }

    /// Reads `spec.secrets`.
    func decodeSecrets(_ spec: ObjectReader<SpecKey>) -> [SecretDescription] {
        guard let node = spec.value(.secrets), !node.isInvalid, !node.isNull else { return [] }
        guard case .mapping(let entries) = node.content else {
            spec.report(.secrets, node.summary, expected: "secrets by their names")
            return []
        }
        return entries.compactMap { entry in
            let path = spec.path(.secrets).key(entry.key)
            guard JobDescription.isValidName(entry.key) else {
                log.add(
                    entry.value,
                    path,
                    "the name \(DocumentNode.quoted(entry.key))",
                    expected: Self.nameRule
                )
                return nil
            }
            guard let reader = ObjectReader<SecretKey>(entry.value, path: path, log: log) else {
                return nil
            }
            return decodeOrigin(reader).map {
                SecretDescription(name: entry.key, origin: $0, location: entry.keyLocation)
            }
        }
    }

    private func decodeOrigin(_ reader: ObjectReader<SecretKey>) -> SecretDescription.Origin? {
        switch (reader.has(.env), reader.has(.file)) {
        case (false, false):
            log.add(
                reader.node,
                reader.path,
                "no place that the secret comes from",
                expected: "'env' or 'file'"
            )
            return nil
        case (true, true):
            reader.report(.file, "both 'env' and 'file'", expected: "one of the two")
            return nil
        case (true, false):
            return reader.string(.env, expected: "the name of a variable")
                .map { .environment($0) }
        case (false, true):
            return reader.string(.file, expected: "the path of a file").map { .file($0) }
        }
    }
}
