/// Keeps a plugin loaded, from its making until nobody refers to it any more.
package final class PluginUse: Sendable {
    private let plugin: LoadedPlugin
    private let owner: String

    init(_ plugin: LoadedPlugin, _ owner: String) {
        self.plugin = plugin
        self.owner = owner
    }

    deinit { plugin.endUse(by: owner) }
}
