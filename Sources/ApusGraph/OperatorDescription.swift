/// A node that turns records into other records with code from a plugin.
package struct OperatorDescription: Sendable, Hashable {
    /// The id of the node, stable for the life of the job: the state is stored under it.
    package var id: String

    /// The plugin: a bare name that is looked up on the plugin path, or a path with a `/`; empty
    /// for an operator that is a C function.
    package var plugin: String

    /// The component inside the plugin; `nil` when the plugin has exactly one operator.
    package var component: String?

    /// The C function that is called in the place of a plugin; `nil` for an operator of a plugin.
    package var function: FunctionDescription?

    /// What the operator reads; the position is the index of the input.
    package var inputs: [PortReference]

    /// What it reads in full in every subtask; the position is the index of the broadcast input.
    package var broadcasts: [PortReference]

    /// The key of the records that arrive; `nil` for an operator without keyed state.
    package var key: KeySelector?

    /// When its state expires, in the author's order; no state occurs twice.
    package var expiries: [ExpiryDescription]

    /// How it makes asynchronous calls; `nil` when the job file does not say.
    package var async: AsyncDescription?

    /// What the plugin gets as its configuration.
    package var configuration: ConfigurationValue

    /// Where the operator stands in the job file.
    package var location: SourceLocation

    /// Creates an operator; see the properties.
    package init(
        id: String,
        plugin: String,
        component: String? = nil,
        function: FunctionDescription? = nil,
        inputs: [PortReference],
        broadcasts: [PortReference] = [],
        key: KeySelector? = nil,
        expiries: [ExpiryDescription] = [],
        async: AsyncDescription? = nil,
        configuration: ConfigurationValue = .map([]),
        location: SourceLocation
    ) {
        self.id = id
        self.plugin = plugin
        self.component = component
        self.function = function
        self.inputs = inputs
        self.broadcasts = broadcasts
        self.key = key
        self.expiries = expiries
        self.async = async
        self.configuration = configuration
        self.location = location
    }

    /// When a state expires; `nil` for never.
    package func expiry(ofState name: String) -> ExpiryDescription? {
        expiries.first { $0.stateName == name }
    }
}

/// One output of a node, as a reader names it: `node` or `node.port`.
package struct PortReference: Sendable, Hashable {
    /// The id of the node that is read.
    package var node: String

    /// The name of the output; `nil` for the main one.
    package var port: String?

    /// Where the reference stands in the job file.
    package var location: SourceLocation

    /// Creates a reference; see the properties.
    package init(node: String, port: String? = nil, location: SourceLocation) {
        self.node = node
        self.port = port
        self.location = location
    }

    /// The reference as the job file has it.
    package var text: String { port.map { "\(node).\($0)" } ?? node }
}

/// Where the key of a record comes from.
package enum KeySelector: Sendable, Hashable {
    /// A field of the record, by its path from the top.
    case field(path: [String])
    /// The key that the record already carries, written `@key`.
    case recordKey

    /// The selector as the job file has it.
    package var text: String {
        switch self {
        case .field(let path): path.joined(separator: ".")
        case .recordKey: "@key"
        }
    }
}
