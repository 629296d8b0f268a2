public import CApusPlugin

// SAFETY: the pointers behind these names are the host's, valid for the life of the process, for
// the call, and for ever; operators hand them on and cannot do anything else with them.

/// The host, as the entry function of a plugin gets it.
public typealias ApusHost = UnsafePointer<apus_host>?

/// Where the entry function leaves the reason why a plugin cannot be used.
public typealias ApusErrorSlot = UnsafeMutablePointer<apus_error>?

/// What the entry function of a plugin returns.
public typealias ApusPluginDescription = UnsafePointer<apus_plugin>?

/// A plugin: a shared library with one or more operators.
///
/// It exports one function, which is all that is needed besides the operators themselves:
///
/// ```swift
/// public import ApusSDK
///
/// @c(apus_plugin_v0)
/// public func apusPlugin(_ host: ApusHost, _ error: ApusErrorSlot) -> ApusPluginDescription {
///     Plugin(id: "com.example.shout", version: "1.0.0", vendor: "Example", Component(Shout.self))
///         .export(to: host, error)
/// }
/// ```
public struct Plugin {
    let id: String
    let version: String
    let vendor: String
    let components: [Component]

    /// Describes a plugin.
    ///
    /// - Parameters:
    ///   - id: Its name in the world, such as `com.example.fraud`.
    ///   - version: A semantic version.
    ///   - vendor: Who to ask.
    ///   - components: Its operators, at most 16.
    public init(id: String, version: String, vendor: String, _ components: Component...) {
        self.id = id
        self.version = version
        self.vendor = vendor
        self.components = components
    }

    /// Checks the plugin and tells the host of it: for the entry function alone.
    ///
    /// What does not fit together, such as two states of one name, is written to `error`, and the
    /// host refuses the plugin with that message.
    public func export(to host: ApusHost, _ error: ApusErrorSlot) -> ApusPluginDescription {
        HostLog.host = host
        do {
            return try PluginTable(self).publish()
        } catch let problem {
            _ = ErrorSlot.fill(error, APUS_CONFIG, problem.reason)
            return nil
        }
    }

    /// Describes the plugin to the host of a test, beside whatever this library has published.
    ///
    /// Whoever calls this, or creates instances of what it describes, does so one at a time.
    package func exportUnderTest(
        to host: ApusHost,
        _ error: ApusErrorSlot
    ) -> ApusPluginDescription {
        if HostLog.host == nil { HostLog.host = host }
        do {
            return try PluginTable(self).publish(isUnderTest: true)
        } catch let problem {
            _ = ErrorSlot.fill(error, APUS_CONFIG, problem.reason)
            return nil
        }
    }
}
