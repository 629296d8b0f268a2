import ApusControl
import ApusPluginHost

extension JobMethods {
    /// The methods about plugins.
    var pluginMethods: [ControlMethod] {
        [
            ControlMethod("plugin.load", run: loadPlugin),
            ControlMethod("plugin.list") { _ in listPlugins() },
            ControlMethod("plugin.unload", run: unloadPlugin),
        ]
    }

    /// Which file to load.
    struct PluginToLoad: Codable {
        /// Its path, from the root.
        var file: String
    }

    /// Which plugin to unload.
    struct PluginToUnload: Codable {
        /// Its number, its id, or the beginning of its hash.
        var plugin: String
        /// Whether to find out what would become of it, and do nothing.
        var isTrial: Bool
    }

    /// The plugins of the process.
    struct PluginList: Codable {
        var job: String
        var plugins: [PluginStatus]
    }

    private func loadPlugin(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let wish = try call.parameters(PluginToLoad.self)
        guard wish.file.hasPrefix("/") else {
            throw ControlError(
                .badParameters,
                "file: expected a path from the root, found '\(wish.file)'"
            )
        }
        do {
            let plugin = try admission.load(wish.file)
            return admission.world.loader.status(of: plugin)
        } catch {
            throw ControlError(.failed, "\(error)")
        }
    }

    private func listPlugins() -> PluginList {
        let loader = admission.world.loader
        return PluginList(job: job, plugins: loader.plugins.map(loader.status))
    }

    private func unloadPlugin(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let wish = try call.parameters(PluginToUnload.self)
        let plugin = try find(wish.plugin)
        do {
            return try admission.world.loader.unload(plugin, isTrial: wish.isTrial)
        } catch {
            throw ControlError(.refused, "job '\(job)': \(error)")
        }
    }

    /// The fewest digits of a hash that name a plugin.
    private static let digitCountMin = 6

    private func find(_ name: String) throws(ControlError) -> LoadedPlugin {
        let plugins = admission.world.loader.plugins
        let found = plugins.filter { plugin in
            "\(plugin.number)" == name || plugin.description.id == name
                || (name.utf8.count >= Self.digitCountMin && plugin.contentHash.hasPrefix(name))
        }
        if found.count == 1 { return found[0] }
        let names = plugins.map {
            "\($0.number) (\($0.description.id) \($0.description.version), "
                + "\($0.contentHash.prefix(12)))"
        }
        throw ControlError(
            .refused,
            "job '\(job)' has \(found.isEmpty ? "no plugin" : "\(found.count) plugins") "
                + "'\(name)': expected the number, the id, or at least \(Self.digitCountMin) "
                + "digits of the hash of one of \(names.joined(separator: ", "))"
        )
    }
}
