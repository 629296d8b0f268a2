import Synchronization

/// Keeps a plugin loaded, from its making until it is ended or nobody refers to it any more.
package final class PluginUse: Sendable {
    private let plugin: LoadedPlugin
    private let owner: String
    private let hasEnded: Atomic<Bool> = Atomic(false)

    init(_ plugin: LoadedPlugin, _ owner: String) {
        self.plugin = plugin
        self.owner = owner
    }

    deinit { end() }

    /// Ends it; nothing when that was done before.
    ///
    /// Any thread.
    package func end() {
        guard !hasEnded.exchange(true, ordering: .acquiringAndReleasing) else { return }
        plugin.endUse(by: owner)
    }
}
