import ApusPluginHost
package import ApusSwap

extension JobEnvironment.Implementation {
    /// The version as the swap journal knows it.
    package var version: PluginVersion {
        PluginVersion(
            sha256: plugin.contentHash,
            file: plugin.file,
            plugin: plugin.description.id,
            version: plugin.description.version,
            component: description.id
        )
    }
}
