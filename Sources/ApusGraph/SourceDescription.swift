/// A node where records enter the job.
package struct SourceDescription: Sendable, Hashable {
    /// The id of the node, stable for the life of the job.
    package var id: String

    /// What the source reads, and how.
    package var kind: SourceKind

    /// Where event times come from; `nil` gives the records none.
    package var watermark: WatermarkDescription?

    /// How many subtasks the source of a plugin has at most; `nil` for as many as the job's
    /// parallelism.
    package var parallelism: Int?

    /// Where the source stands in the job file.
    package var location: SourceLocation

    /// Creates a source; see the properties.
    package init(
        id: String,
        kind: SourceKind,
        watermark: WatermarkDescription? = nil,
        parallelism: Int? = nil,
        location: SourceLocation
    ) {
        self.id = id
        self.kind = kind
        self.watermark = watermark
        self.parallelism = parallelism
        self.location = location
    }

    /// What turns the bytes of a file or of standard input into records; `nil` for a format that
    /// is built in.
    package var codec: PluginComponent? {
        let format: RecordFormat
        switch kind {
        case .file(let file): format = file.format
        case .stdin(let stdin): format = stdin
        case .generator, .plugin: return nil
        }
        if case .codec(let component) = format.encoding { return component }
        return nil
    }

    /// Whether nothing parses its records before they are sent.
    package var isUnparsed: Bool {
        if case .plugin = kind { true } else { codec != nil }
    }
}

/// What a source reads: one of the components that are built in, or one of a plugin.
package enum SourceKind: Sendable, Hashable {
    /// The records of a file.
    case file(FileSourceDescription)
    /// The records of standard input.
    case stdin(RecordFormat)
    /// Records made up on the spot, for benchmarks and tests.
    case generator(GeneratorDescription)
    /// Whatever a plugin brings.
    case plugin(PluginComponent)

    /// The names of the built-in sources, as `plugin:` takes them.
    package static let pluginNames = ["file", "stdin", "generator"]
}

/// The configuration of the `file` source.
package struct FileSourceDescription: Sendable, Hashable {
    /// The file to read; it is decompressed when its name ends in `.gz`.
    package var path: String

    /// How the bytes of the file become records.
    package var format: RecordFormat

    /// Whether the source waits at the end of the file for more.
    package var isFollowed: Bool

    /// Creates a configuration; see the properties.
    package init(path: String, format: RecordFormat, isFollowed: Bool = false) {
        self.path = path
        self.format = format
        self.isFollowed = isFollowed
    }

    /// Whether the file is decompressed while it is read.
    package var isCompressed: Bool { path.hasSuffix(".gz") }
}

/// How a stream of bytes becomes records.
package struct RecordFormat: Sendable, Hashable {
    /// What the bytes are.
    package enum Encoding: Sendable, Hashable {
        /// One JSON object per line; the record is the line.
        case jsonLines
        /// Comma-separated values with a header row; `delimiter` is an ASCII byte.
        case csv(delimiter: UInt8, emit: Emission)
        /// What the codec of a plugin makes of it.
        case codec(PluginComponent)
    }

    /// What the record of a CSV row is.
    package enum Emission: String, Sendable, CaseIterable {
        /// A JSON object whose keys are the names in the header row.
        case json
        /// The row as it stands in the file.
        case line
    }

    /// What the bytes are.
    package var encoding: Encoding

    /// The field values that count as "no value" when a key or a time is taken from the record.
    package var nullValues: [String]

    /// Creates a format; see the properties.
    package init(encoding: Encoding, nullValues: [String] = []) {
        self.encoding = encoding
        self.nullValues = nullValues
    }

    /// Whether only the source itself can find a named field: the record is a row without header.
    package var hidesFields: Bool {
        if case .csv(_, .line) = encoding { true } else { false }
    }
}

/// The configuration of the `generator` source.
package struct GeneratorDescription: Sendable, Hashable {
    /// What is generated.
    package enum Kind: Sendable, Hashable {
        /// Records with one of `keyCount` keys and a value of `valueByteCount` bytes.
        case keyed(keyCount: Int, valueByteCount: Int)
        /// Records without a key.
        case impulse
    }

    /// The number of different keys when the author gives none.
    package static let defaultKeyCount = 1_000_000

    /// The size of a value when the author gives none, and the smallest possible.
    package static let defaultValueByteCount = 8

    /// The largest size of a value: a batch must hold at least one.
    package static let valueByteCountMax = 256 * 1_024

    /// What is generated.
    package var kind: Kind

    /// How many records all subtasks together generate; `nil` for no end.
    package var count: Int?

    /// Records per second of all subtasks together; `nil` for as fast as they can.
    package var recordsPerSecond: Int?

    /// The start of the pseudo-random sequence; equal seeds give equal records.
    package var seed: UInt64

    /// Creates a configuration; see the properties.
    package init(kind: Kind, count: Int? = nil, recordsPerSecond: Int? = nil, seed: UInt64 = 1) {
        self.kind = kind
        self.count = count
        self.recordsPerSecond = recordsPerSecond
        self.seed = seed
    }

    /// Whether the records carry a key.
    package var emitsKeys: Bool {
        if case .keyed = kind { true } else { false }
    }
}
