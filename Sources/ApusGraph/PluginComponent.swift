/// A component of a plugin that a job uses as a source, a sink or a codec.
package struct PluginComponent: Sendable, Hashable {
    /// A name on the plugin path, or a path with a slash.
    package var plugin: String

    /// The component inside the plugin; `nil` for the only one of its kind.
    package var component: String?

    /// What the component is configured with.
    package var configuration: ConfigurationValue

    /// Where it stands in the job file.
    package var location: SourceLocation

    /// Creates a reference; see the properties.
    package init(
        plugin: String,
        component: String? = nil,
        configuration: ConfigurationValue = .map([]),
        location: SourceLocation
    ) {
        self.plugin = plugin
        self.component = component
        self.configuration = configuration
        self.location = location
    }

    /// A few words for people.
    var summary: String {
        "plugin \(plugin)" + (component.map { ", component \($0)" } ?? "")
    }
}
