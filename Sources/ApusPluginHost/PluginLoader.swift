package import ApusCore
import ApusMemory
import CApusGuard
import CApusPlugin
import CApusShims
import Glibc
import Synchronization

/// Loads plugin files.
///
/// What is loaded is never the user's file but a private copy named after its content, so that
/// overwriting the file harms no running job, and the same path with new content is a new plugin.
/// Before any code of the file runs, its ELF headers are checked and its entry function looked up.
package final class PluginLoader: Sendable {
    private static let fileByteCountMax = 512 << 20

    private let disk: any Disk
    private let imageDirectory: String
    private let loaded: Mutex<[String: LoadedPlugin]> = Mutex([:])

    /// Creates a loader.
    ///
    /// - Parameters:
    ///   - disk: Where the files are.
    ///   - imageDirectory: Where the copies go; made when missing, for the owner only.
    package init(disk: any Disk, imageDirectory: String) {
        self.disk = disk
        self.imageDirectory = imageDirectory
    }

    /// Loads a plugin, or returns it when the same content is loaded already.
    ///
    /// The control thread; may take some 10 ms.
    ///
    /// - Throws: ``PluginError`` that names the file, what was expected, and what was found.
    package func load(_ path: String) throws(PluginError) -> LoadedPlugin {
        let bytes: [UInt8]
        do {
            bytes = try disk.readAll(path, maximumByteCount: Self.fileByteCountMax)
        } catch {
            throw PluginError(.unreadable, path, "\(error.reason); is the path right?")
        }
        try Self.checkFile(bytes, path)
        let hash = KeyHash.wide(bytes)
        if let plugin = loaded.withLock({ $0[hash] }) { return plugin }
        let image = "\(imageDirectory)/\(hash)/plugin.so"
        do {
            try disk.makeDirectory(imageDirectory)
            try disk.makeDirectory("\(imageDirectory)/\(hash)")
            try disk.writeAtomically(bytes, to: image, mode: 0o500)
        } catch {
            throw PluginError(.unreadable, path, "\(error) (the private copy of the plugin)")
        }
        let plugin = try open(image, file: path, hash: hash)
        loaded.withLock { $0[hash] = plugin }
        return plugin
    }

    /// Checks all that can be known without running code.
    static func checkFile(_ bytes: [UInt8], _ path: String) throws(PluginError) {
        let symbols = try ElfFile(bytes: bytes, file: path).definedSymbols()
        if symbols.contains(APUS_ENTRY_NAME) { return }
        let prefix = "apus_plugin_v"
        if let other = symbols.first(where: { $0.hasPrefix(prefix) }) {
            throw PluginError(
                .incompatible,
                path,
                "made for ABI major \(other.dropFirst(prefix.count)), this host has major "
                    + "\(APUS_ABI_MAJOR); compile it with this version's headers"
            )
        }
        throw PluginError(
            .notAPlugin,
            path,
            "a shared library, but not an Apus plugin: it does not export \(APUS_ENTRY_NAME); "
                + "define it with APUS_EXPORT"
        )
    }

    private func open(
        _ image: String,
        file: String,
        hash: String
    ) throws(PluginError) -> LoadedPlugin {
        let site = CallSite("plugin \(file)")
        var error = CallSite.emptyError
        guard let handle = apus_guard_load(site.pointer, image, &error) else {
            let reason = CallSite.message(of: &error) ?? "unknown reason"
            throw PluginError(
                .notLoadable,
                file,
                reason.replacing(image, with: "the file", maxReplacements: 4)
                    + (reason.contains("failed to map segment")
                        ? " (its private copy in \(imageDirectory); if programs may not run there, "
                            + "set APUS_CACHE to another folder)" : "")
            )
        }
        guard let entry = dlsym(handle, APUS_ENTRY_NAME) else {
            throw PluginError(.notAPlugin, file, "\(APUS_ENTRY_NAME) cannot be found after loading")
        }
        // SAFETY: the entry function is called as its header declares it; the guard catches what
        // it throws; what it returns is checked by DescriptionReader before it is used.
        guard let plugin = apus_guard_entry(site.pointer, entry, HostTable.pointer, &error) else {
            if error.code == APUS_EXCEPTION {
                throw PluginError(
                    .notLoadable,
                    file,
                    "the entry function threw an exception: "
                        + (CallSite.message(of: &error) ?? "without a text")
                )
            }
            throw PluginError(
                .incompatible,
                file,
                "refused to load: "
                    + (CallSite.message(of: &error) ?? "the entry function returned NULL")
            )
        }
        let description = try DescriptionReader(file: file).read(plugin)
        var components: [UnsafePointer<apus_component>] = []
        for index in description.components.indices {
            if let component = plugin.pointee.components[index] { components.append(component) }
        }
        return LoadedPlugin(
            file: file,
            contentHash: hash,
            description: description,
            components: components
        )
    }
}
