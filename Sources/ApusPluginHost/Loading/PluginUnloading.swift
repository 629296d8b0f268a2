/// What has become of a plugin that was to be unloaded.
package struct PluginUnloading: Codable, Equatable, Sendable {
    /// The number that it was loaded under.
    package let number: Int
    /// The plugin's id.
    package let id: String
    /// Its version.
    package let version: String
    /// SHA-256 of its file.
    package let sha256: String
    /// Whether nothing was done, but only found out.
    package let isTrial: Bool
    /// Whether its code is gone; in a trial, whether it could go.
    package let isUnloaded: Bool
    /// The bytes of memory that it took, and takes still when it is not unloaded.
    package let byteCount: Int
    /// The threads that it may have started and that run.
    package let threadCount: Int
    /// Why it is still there.
    package let reasons: [ResidencyReason]

    init(
        _ plugin: LoadedPlugin,
        _ residency: PluginResidency,
        isUnloaded: Bool,
        isTrial: Bool
    ) {
        number = plugin.number
        id = plugin.description.id
        version = plugin.description.version
        sha256 = plugin.contentHash
        self.isTrial = isTrial
        self.isUnloaded = isTrial ? residency.reasons.isEmpty : isUnloaded
        byteCount = residency.byteCount
        threadCount = residency.threadCount
        reasons = residency.reasons
    }
}
