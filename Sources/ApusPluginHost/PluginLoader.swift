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
        let bytes = try read(path)
        let hash = FileDigest.sha256(bytes)
        let report = FileReport.make(bytes, file: path, sha256: hash)
        if let finding = report.refusal() { throw finding.error(path) }
        if let plugin = loaded.withLock({ $0[hash] }) { return plugin }
        let image = "\(imageDirectory)/\(hash)/plugin.so"
        do {
            try disk.makeDirectory(imageDirectory)
            try disk.makeDirectory("\(imageDirectory)/\(hash)")
            try disk.writeAtomically(bytes, to: image, mode: 0o500)
        } catch {
            throw PluginError(.unreadable, path, "\(error) (the private copy of the plugin)")
        }
        let plugin = try open(image, report)
        loaded.withLock { $0[hash] = plugin }
        return plugin
    }

    /// Inspects a file and runs nothing of it.
    ///
    /// - Throws: ``PluginError`` when it cannot be read.
    package func inspect(_ path: String) throws(PluginError) -> FileReport {
        let bytes = try read(path)
        return FileReport.make(bytes, file: path, sha256: FileDigest.sha256(bytes))
    }

    private func read(_ path: String) throws(PluginError) -> [UInt8] {
        do {
            return try disk.readPlainFile(path, maximumByteCount: Self.fileByteCountMax)
        } catch {
            throw PluginError(.unreadable, path, "\(error.reason); is the path right?")
        }
    }

    private func open(
        _ image: String,
        _ report: FileReport
    ) throws(PluginError) -> LoadedPlugin {
        let file = report.file
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
        if description.abiMinor >= ApusNote.firstMinor, report.contents?.note == nil {
            throw PluginError(
                .incompatible,
                file,
                "says that it was made for ABI 0.\(description.abiMinor), and has no note "
                    + ".note.apus, which plugins have from 0.\(ApusNote.firstMinor) on; write "
                    + "APUS_PLUGIN_NOTE of apus/note.h in one source file"
            )
        }
        var components: [UnsafePointer<apus_component>] = []
        for index in description.components.indices {
            if let component = plugin.pointee.components[index] { components.append(component) }
        }
        return LoadedPlugin(
            file: file,
            contentHash: report.sha256,
            description: description,
            components: components
        )
    }
}
