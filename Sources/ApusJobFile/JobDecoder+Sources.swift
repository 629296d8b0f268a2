import ApusGraph

/// The formats of a file or of standard input, as `format:` names them.
enum RecordFormatName: String, CaseIterable {
    case jsonl
    case csv
}

/// What a generator can make, as `kind:` names it.
enum GeneratorKindName: String, CaseIterable {
    case keyed
    case impulse
}

extension JobDecoder {
    /// Reads one element of `spec.sources`; `nil` if it has no id.
    func decodeSource(_ node: DocumentNode, at path: DocumentPath) -> SourceDescription? {
        guard let reader = ObjectReader<SourceKey>(node, path: path, log: log) else { return nil }
        let id = id(reader, .id)
        let expected = JobProblem.oneOf(SourceKind.pluginNames) + ", or \(Self.pluginRule)"
        let plugin =
            reader.require(.plugin, expected) ? reader.string(.plugin, expected: expected) : nil
        let kind = plugin.flatMap { decodeKind($0, reader) }
        let parallelism = reader.integer(.parallelism, in: 1...JobDescription.maxParallelismMax)
        let watermark = reader.value(.watermark).map { node in
            // The stand-in keeps a wrong watermark from looking like none.
            decodeWatermark(node, at: reader.path(.watermark), mayBeOfRecord: kind?.givesTimes)
                ?? WatermarkDescription(timestamp: .field(path: [], unit: .rfc3339))
        }
        if plugin == "generator" && reader.has(.watermark) {
            reader.report(
                .watermark,
                "a watermark for a generator, which makes its own event times",
                remedy: "remove 'watermark:'"
            )
        }
        guard let id else { return nil }
        return SourceDescription(
            id: id,
            kind: kind ?? .stdin(RecordFormat(encoding: .jsonLines)),
            watermark: watermark,
            parallelism: parallelism,
            location: node.location
        )
    }

    private func decodeKind(_ plugin: String, _ reader: ObjectReader<SourceKey>) -> SourceKind? {
        guard SourceKind.pluginNames.contains(plugin) else {
            return .plugin(
                decodeComponent(plugin, reader, component: .component, config: .config)
            )
        }
        refuse([.component, .parallelism], for: plugin, reader)
        let path = reader.path(.config)
        let config = configuration(reader.value(.config), of: reader.node)
        switch plugin {
        case "file":
            return ObjectReader<FileSourceKey>(config, path: path, log: log).flatMap(decodeFile)
        case "stdin":
            return ObjectReader<StdinSourceKey>(config, path: path, log: log)
                .map { .stdin(decodeFormat($0, default: .jsonl)) }
        default:
            return ObjectReader<GeneratorKey>(config, path: path, log: log)
                .flatMap(decodeGenerator)
        }
    }

    /// A `config` that is left out is an empty mapping in the place of its owner.
    func configuration(_ node: DocumentNode?, of owner: DocumentNode) -> DocumentNode {
        if let node, !node.isNull { return node }
        var empty = node ?? owner
        empty.content = .mapping([])
        return empty
    }

    private func decodeFile(_ config: ObjectReader<FileSourceKey>) -> SourceKind? {
        config.require(.path, "the file to read")
        let path = config.string(.path, expected: "the file to read") ?? ""
        let name = path.hasSuffix(".gz") ? path.dropLast(3) : path[...]
        let format = decodeFormat(config, default: name.hasSuffix(".csv") ? .csv : .jsonl)
        let isFollowed = config.boolean(.follow) ?? false
        let file = FileSourceDescription(path: path, format: format, isFollowed: isFollowed)
        if file.isFollowed && file.isCompressed {
            config.report(
                .follow,
                "'follow: true' for a compressed file",
                expected: "a file whose name does not end in .gz"
            )
        }
        return .file(file)
    }

    private func decodeFormat<Key: RecordFormatKey>(
        _ config: ObjectReader<Key>,
        default defaultName: RecordFormatName
    ) -> RecordFormat {
        if let codec = decodeCodec(config, .format) {
            for key in [Key.emit, .nullValues, .delimiter] where config.has(key) {
                config.report(
                    key,
                    "'\(key.rawValue)' together with a codec",
                    expected: "'\(key.rawValue)' only for a format that is built in"
                )
            }
            return RecordFormat(encoding: .codec(codec))
        }
        let isNameWrong = config.has(.format)
        let chosen = config.choice(.format, RecordFormatName.self)
        let emit = config.choice(.emit, RecordFormat.Emission.self)
        let delimiter = decodeDelimiter(config)
        let nullValues = config.strings(.nullValues) ?? []
        switch chosen ?? defaultName {
        case .csv:
            let encoding = RecordFormat.Encoding.csv(
                delimiter: delimiter ?? UInt8(ascii: ","),
                emit: emit ?? .json
            )
            return RecordFormat(encoding: encoding, nullValues: nullValues)
        case .jsonl:
            if chosen != nil || !isNameWrong {
                refuseInJSON(config, emit)
            }
            return RecordFormat(encoding: .jsonLines, nullValues: nullValues)
        }
    }

    /// Reports what only means something for CSV.
    private func refuseInJSON<Key: RecordFormatKey>(
        _ config: ObjectReader<Key>,
        _ emit: RecordFormat.Emission?
    ) {
        if emit == .json {
            config.report(
                .emit,
                "'emit: json' for format jsonl",
                expected: "'line', as each line is a JSON object already"
            )
        }
        if config.has(.delimiter) {
            config.report(.delimiter, "a delimiter for format jsonl", expected: "format csv")
        }
    }

    private func decodeDelimiter<Key: RecordFormatKey>(_ config: ObjectReader<Key>) -> UInt8? {
        let expected = "one ASCII character other than a quote or a line break"
        guard let text = config.string(.delimiter, expected: expected) else { return nil }
        if text.utf8.count == 1, let byte = text.utf8.first, byte < 0x80,
            !"\"\n\r\0".utf8.contains(byte)
        {
            return byte
        }
        config.report(.delimiter, config.value(.delimiter)?.summary ?? "", expected: expected)
        return nil
    }

    private func decodeGenerator(_ config: ObjectReader<GeneratorKey>) -> SourceKind? {
        let kinds = GeneratorKindName.allCases.map(\.rawValue)
        config.require(.kind, JobProblem.oneOf(kinds))
        let kind = config.choice(.kind, GeneratorKindName.self)
        let keyCount = config.integer(.keys, in: 1...Int.max)
        let sizes =
            GeneratorDescription.defaultValueByteCount...GeneratorDescription.valueByteCountMax
        let valueByteCount = config.integer(.valueSize, in: sizes)
        if kind == .impulse {
            for key in [GeneratorKey.keys, .valueSize] where config.has(key) {
                config.report(key, "'\(key.rawValue)' for kind impulse", expected: "kind keyed")
            }
        }
        let seed = config.integer(.seed, in: 0...Int.max) ?? 1
        return .generator(
            GeneratorDescription(
                kind: kind == .impulse
                    ? .impulse
                    : .keyed(
                        keyCount: keyCount ?? GeneratorDescription.defaultKeyCount,
                        valueByteCount: valueByteCount
                            ?? GeneratorDescription.defaultValueByteCount
                    ),
                count: config.integer(.count, in: 0...Int.max),
                recordsPerSecond: config.integer(.rate, in: 1...Int.max),
                seed: UInt64(seed)
            )
        )
    }
}

extension SourceKind {
    /// Whether its records may have event times before anybody looks into them.
    fileprivate var givesTimes: Bool {
        switch self {
        case .plugin: true
        case .file(let file): file.format.isDecoded
        case .stdin(let format): format.isDecoded
        case .generator: false
        }
    }
}

extension RecordFormat {
    fileprivate var isDecoded: Bool {
        if case .codec = encoding { true } else { false }
    }
}
