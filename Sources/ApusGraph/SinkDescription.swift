/// A node where records leave the job.
package struct SinkDescription: Sendable, Hashable {
    /// The id of the node, stable for the life of the job.
    package var id: String

    /// Where the records go.
    package var kind: SinkKind

    /// What turns records into bytes; `nil` writes each value as a line.
    package var codec: PluginComponent?

    /// Whether all records are to come together in one subtask, where a sink could have several.
    package var isSingle: Bool

    /// What the sink reads.
    package var inputs: [PortReference]

    /// What the sink promises, as the author said it; in a ``PhysicalPlan`` never `nil`.
    package var delivery: DeliveryGuarantee?

    /// Where the sink stands in the job file.
    package var location: SourceLocation

    /// Creates a sink; see the properties.
    package init(
        id: String,
        kind: SinkKind,
        inputs: [PortReference],
        delivery: DeliveryGuarantee? = nil,
        codec: PluginComponent? = nil,
        isSingle: Bool = false,
        location: SourceLocation
    ) {
        self.id = id
        self.kind = kind
        self.inputs = inputs
        self.delivery = delivery
        self.codec = codec
        self.isSingle = isSingle
        self.location = location
    }
}

/// Where a sink writes: one of the components that are built in, or one of a plugin.
package enum SinkKind: Sendable, Hashable {
    /// A file, one record per line; `appends` keeps what is already there.
    ///
    /// A path that ends in `/` is a folder of part files.
    case file(path: String, appends: Bool)
    /// Standard output, one record per line.
    case stdout
    /// Nowhere.
    case discard
    /// Wherever a plugin takes it.
    case plugin(PluginComponent)

    /// The names of the built-in sinks, as `plugin:` takes them.
    package static let pluginNames = ["file", "stdout", "discard"]

    /// Whether the sink writes a folder of part files, each with a whole checkpoint's output.
    package var isFolder: Bool {
        if case .file(let path, _) = self { path.hasSuffix("/") } else { false }
    }
}
