package import ApusCore
import CApusGuard
import CApusPlugin
import Glibc
import Synchronization

/// Loads plugin files, and unloads them where that can be done.
///
/// What is loaded is never the user's file but a private copy named after its content, so that
/// overwriting the file harms no running job, and the same path with new content is a new plugin.
/// Before any code of the file runs, its ELF headers are checked; docs/loader.md has the list.
/// The control thread: one load or unload at a time, each may take some 10 ms.
package final class PluginLoader: Sendable {
    private static let fileByteCountMax = 512 << 20

    private struct Shelf {
        var plugins: [String: LoadedPlugin] = [:]
        var lastNumber = 0
        /// Who is blamed for what loading does, by file: such texts are never freed.
        var sites: [String: CallSite] = [:]

        mutating func site(_ owner: String) -> CallSite {
            if let site = sites[owner] { return site }
            let site = CallSite(owner)
            sites[owner] = site
            return site
        }
    }

    let disk: any Disk
    private let store: ImageStore
    private let shelf: Mutex<Shelf> = Mutex(Shelf())

    /// Creates a loader.
    ///
    /// - Parameters:
    ///   - disk: Where the files are.
    ///   - imageDirectory: Where the copies go; made when missing, for the owner only.
    package init(disk: any Disk, imageDirectory: String) {
        self.disk = disk
        store = ImageStore(disk: disk, folder: imageDirectory)
    }

    // MARK: - Before any code runs

    /// Inspects a file and runs nothing of it.
    ///
    /// - Returns: What it tells, and whether it may be loaded.
    /// - Throws: ``PluginError`` when it cannot be read.
    package func inspect(_ path: String) throws(PluginError) -> FileReport {
        let bytes = try read(path)
        return FileReport.make(bytes, file: path, sha256: FileDigest.sha256(bytes))
    }

    /// Checks a file and makes a private copy; runs nothing of it.
    ///
    /// - Returns: The copy, and what the file tells.
    /// - Throws: ``PluginError`` that names the file, what was expected, and what was found.
    package func stage(_ path: String) throws(PluginError) -> StagedPlugin {
        let bytes = try read(path)
        let report = FileReport.make(
            bytes,
            file: path,
            sha256: FileDigest.sha256(bytes)
        )
        if let finding = report.refusal() { throw finding.error(path) }
        do {
            let image = try store.put(bytes, sha256: report.sha256)
            return StagedPlugin(image: image, report: report)
        } catch {
            throw PluginError(.unreadable, path, "\(error) (the private copy of the plugin)")
        }
    }

    /// Checks a plugin again that was staged, with other rules.
    ///
    /// - Parameters:
    ///   - plugin: The plugin; its copy is what is read.
    ///   - allowedLibraries: Libraries that it may need besides the usual ones.
    ///   - strictly: Whether a warning is a reason to refuse it.
    /// - Returns: The same plugin with what was noticed this time.
    /// - Throws: ``PluginError`` when it is refused.
    package func recheck(
        _ plugin: StagedPlugin,
        allowing allowedLibraries: Set<String>,
        strictly: Bool
    ) throws(PluginError) -> StagedPlugin {
        let bytes: [UInt8]
        do {
            bytes = try disk.readPrivateFile(
                plugin.image,
                maximumByteCount: Self.fileByteCountMax
            )
        } catch {
            throw PluginError(
                .unreadable,
                plugin.file,
                "\(error) (the private copy of the plugin)"
            )
        }
        let report = FileReport.make(
            bytes,
            file: plugin.file,
            sha256: FileDigest.sha256(bytes),
            allowedLibraries: allowedLibraries
        )
        if let finding = report.refusal(strictly: strictly) { throw finding.error(plugin.file) }
        return StagedPlugin(image: plugin.image, report: report)
    }

    /// The content of a plugin that is loaded, from its private copy: the user's file may have
    /// been replaced meanwhile.
    ///
    /// - Throws: ``PluginError`` when the copy is gone or has changed.
    package func content(of plugin: LoadedPlugin) throws(PluginError) -> [UInt8] {
        let bytes = try read(plugin.image)
        let found = FileDigest.sha256(bytes)
        guard found == plugin.contentHash else {
            throw PluginError(
                .unreadable,
                plugin.image,
                "the private copy of \(plugin.file): expected the SHA-256 \(plugin.contentHash), "
                    + "found \(found); somebody has changed it"
            )
        }
        return bytes
    }

    private func read(_ path: String) throws(PluginError) -> [UInt8] {
        do {
            return try disk.readPlainFile(path, maximumByteCount: Self.fileByteCountMax)
        } catch {
            throw PluginError(.unreadable, path, "\(error.reason); is the path right?")
        }
    }

    // MARK: - What was found out

    /// What was noted beside a plugin's copy under a name; nil when nothing was.
    package func note(_ name: String, of plugin: StagedPlugin) -> [UInt8]? {
        store.verdict(plugin.sha256, name)
    }

    /// Notes something beside a plugin's copy.
    ///
    /// - Throws: ``DiskError``; nothing depends on it.
    package func setNote(
        _ name: String,
        of plugin: StagedPlugin,
        to bytes: [UInt8]
    ) throws(DiskError) {
        try store.note(bytes, plugin.sha256, name)
    }

    // MARK: - Loading

    /// Loads a plugin, or returns it when the same content is loaded already.
    ///
    /// - Throws: ``PluginError`` that names the file, what was expected, and what was found.
    package func load(_ path: String) throws(PluginError) -> LoadedPlugin {
        try load(try stage(path))
    }

    /// Loads a plugin that was staged, or returns it when the same content is loaded already.
    ///
    /// - Throws: ``PluginError`` that names the file, what was expected, and what was found.
    package func load(_ staged: StagedPlugin) throws(PluginError) -> LoadedPlugin {
        try shelf.withLock { shelf throws(PluginError) in
            if let plugin = shelf.plugins[staged.sha256] {
                // One that could not be unloaded is as good as it ever was.
                plugin.become(.loaded)
                return plugin
            }
            try Self.checkRuntimes(staged, shelf.plugins.values)
            let site = shelf.site("plugin \(staged.file)")
            let plugin = try open(staged, site: site, number: shelf.lastNumber + 1)
            shelf.lastNumber += 1
            shelf.plugins[staged.sha256] = plugin
            return plugin
        }
    }

    /// What is loaded now, in the order of loading.
    package var plugins: [LoadedPlugin] {
        shelf.withLock { $0.plugins.values.sorted { $0.number < $1.number } }
    }

    /// A second runtime of a kind that a process can hold once.
    private static func checkRuntimes(
        _ staged: StagedPlugin,
        _ loaded: some Collection<LoadedPlugin>
    ) throws(PluginError) {
        guard staged.report.isOneRuntime,
            let other = loaded.first(where: { $0.report.isOneRuntime })
        else { return }
        throw PluginError(
            .incompatible,
            staged.file,
            "its runtime can be in a process once only (ONE_RUNTIME, as with Go), and "
                + "\(other.description.id) \(other.description.version) (\(other.file)) has one "
                + "already; expected no other such plugin: run it in a job of its own"
        )
    }

    private func open(
        _ staged: StagedPlugin,
        site: CallSite,
        number: Int
    ) throws(PluginError) -> LoadedPlugin {
        let threads = ThreadCensus.now(disk)
        let ((handle, plugin), changes) = try ProcessChange.undoing { () throws(PluginError) in
            let handle = try map(staged, site)
            do throws(PluginError) {
                return (handle, try enter(handle, staged.file, site))
            } catch {
                releaseRefused(handle, staged, site)
                throw error
            }
        }
        do throws(PluginError) {
            let description = try describe(plugin, staged)
            var components: [UnsafePointer<apus_component>] = []
            for index in description.components.indices {
                if let component = plugin.pointee.components[index] { components.append(component) }
            }
            for change in changes {
                PluginLog.say(
                    "plugin \(description.id) \(description.version)",
                    UInt32(APUS_LOG_WARNING),
                    change.text
                )
            }
            return LoadedPlugin(
                number: number,
                image: (try? disk.canonicalPath(staged.image))  // It was mapped: it is there.
                    ?? staged.image,
                report: staged.report,
                description: description,
                changes: changes,
                components: components,
                handle: handle,
                earlierThreads: threads
            )
        } catch {
            releaseRefused(handle, staged, site)
            throw error
        }
    }

    /// Unmaps a plugin that was refused after it was mapped; one that may have left threads or
    /// pointers behind stays.
    private func releaseRefused(
        _ handle: UnsafeMutableRawPointer,
        _ staged: StagedPlugin,
        _ site: CallSite
    ) {
        guard let contents = staged.report.contents, contents.residency.isEmpty,
            contents.threadStarters.isEmpty, contents.otherLibraries.isEmpty
        else { return }
        release(handle, site)
    }

    private func describe(
        _ plugin: UnsafePointer<apus_plugin>,
        _ staged: StagedPlugin
    ) throws(PluginError) -> PluginDescription {
        let description = try DescriptionReader(file: staged.file).read(plugin)
        if description.abiMinor >= ApusNote.firstMinor, staged.report.contents?.note == nil {
            throw PluginError(
                .incompatible,
                staged.file,
                "says that it was made for ABI 0.\(description.abiMinor), and has no note "
                    + ".note.apus, which plugins have from 0.\(ApusNote.firstMinor) on; write "
                    + "APUS_PLUGIN_NOTE of apus/note.h in one source file"
            )
        }
        return description
    }

    private func map(
        _ staged: StagedPlugin,
        _ site: CallSite
    ) throws(PluginError) -> UnsafeMutableRawPointer {
        var error = CallSite.emptyError
        if let handle = apus_guard_load(site.pointer, staged.image, &error) { return handle }
        let reason = CallSite.message(of: &error) ?? "unknown reason"
        throw PluginError(
            .notLoadable,
            staged.file,
            reason.replacing(staged.image, with: "the file", maxReplacements: 4)
                + (reason.contains("failed to map segment")
                    ? " (its private copy in \(store.folder); if programs may not run there, "
                        + "set APUS_CACHE to another folder)" : "")
        )
    }

    private func enter(
        _ handle: UnsafeMutableRawPointer,
        _ file: String,
        _ site: CallSite
    ) throws(PluginError) -> UnsafePointer<apus_plugin> {
        guard let entry = dlsym(handle, APUS_ENTRY_NAME) else {
            throw PluginError(.notAPlugin, file, "\(APUS_ENTRY_NAME) cannot be found after loading")
        }
        var error = CallSite.emptyError
        // SAFETY: the entry function is called as its header declares it; the guard catches what
        // it throws; what it returns is checked by DescriptionReader before it is used.
        if let plugin = apus_guard_entry(site.pointer, entry, HostTable.pointer, &error) {
            return plugin
        }
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

    private func release(_ handle: UnsafeMutableRawPointer, _ site: CallSite) {
        var error = CallSite.emptyError
        _ = apus_guard_unload(site.pointer, handle, &error)
    }

    // MARK: - Unloading

    /// Unloads a plugin that nobody uses, if it can be unloaded.
    ///
    /// - Parameters:
    ///   - plugin: The plugin.
    ///   - isTrial: Whether to find out what would become of it, and leave it as it is.
    /// - Returns: What has become of it: gone, or still there and why.
    /// - Throws: ``PluginError`` when somebody uses it; it is as it was.
    package func unload(
        _ plugin: LoadedPlugin,
        isTrial: Bool = false
    ) throws(PluginError) -> PluginUnloading {
        try shelf.withLock { shelf throws(PluginError) in
            guard shelf.plugins[plugin.contentHash] === plugin else {
                throw PluginError(.failed, plugin.file, "is not loaded any more")
            }
            let users = isTrial ? plugin.users.map(\.owner) : plugin.retire() ?? []
            guard users.isEmpty else {
                throw PluginError(
                    .failed,
                    plugin.file,
                    "is used by \(users.joined(separator: ", ")); expected nobody: stop the job, "
                        + "or wait until these operators have ended"
                )
            }
            let before = PluginResidency(plugin, disk)
            guard !isTrial, before.reasons.isEmpty else {
                if !isTrial { plugin.become(.resident(before.reasons)) }
                return PluginUnloading(plugin, before, isUnloaded: false, isTrial: isTrial)
            }
            release(plugin.handle, shelf.site("plugin \(plugin.file)"))
            if PluginResidency.isMapped(plugin, disk) {
                // Its handle is given back: only a fresh load may use what is left of it.
                shelf.plugins[plugin.contentHash] = nil
                return PluginUnloading(
                    plugin,
                    before.adding(.linker),
                    isUnloaded: false,
                    isTrial: false
                )
            }
            shelf.plugins[plugin.contentHash] = nil
            return PluginUnloading(plugin, before, isUnloaded: true, isTrial: false)
        }
    }

    /// How a plugin is: who uses it, what it takes, why it would stay.
    package func status(of plugin: LoadedPlugin) -> PluginStatus {
        // Under the lock, so that nobody unloads it while it is looked at.
        shelf.withLock { shelf in
            let isThere = shelf.plugins[plugin.contentHash] === plugin
            return PluginStatus(plugin, isThere ? PluginResidency(plugin, disk) : .none)
        }
    }
}

extension FileReport {
    /// Whether a process can hold one library of its kind only.
    var isOneRuntime: Bool {
        contents?.note?.isOneRuntime == true || contents?.residency.contains(.go) == true
    }
}
