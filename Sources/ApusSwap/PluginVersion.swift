/// A version of an operator: a component of a plugin file, told by the file's content.
package struct PluginVersion: Codable, Equatable, Sendable {
    /// SHA-256 of the file's content, in hexadecimal; this is what tells versions apart.
    package var sha256: String
    /// The file, as somebody named it; for messages.
    package var file: String
    /// The plugin's id.
    package var plugin: String
    /// The version that the plugin gives itself; two files can have the same.
    package var version: String
    /// The component's id.
    package var component: String

    /// Creates a version.
    ///
    /// - Parameters:
    ///   - sha256: Of the file's content, in hexadecimal.
    ///   - file: The file.
    ///   - plugin: The plugin's id.
    ///   - version: The version that the plugin gives itself.
    ///   - component: The component's id.
    package init(
        sha256: String,
        file: String,
        plugin: String,
        version: String,
        component: String
    ) {
        self.sha256 = sha256
        self.file = file
        self.plugin = plugin
        self.version = version
        self.component = component
    }

    /// `com.example.fraud 1.4.2 (27c3b5bcb6f2)`.
    package var text: String { "\(plugin) \(version) (\(sha256.prefix(12)))" }

    /// Whether it is the same component of the same file content, whatever the file is called.
    package func isSame(as other: PluginVersion) -> Bool {
        sha256 == other.sha256 && component == other.component
    }
}
