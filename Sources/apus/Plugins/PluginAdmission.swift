import ApusCore
import ApusPluginHost

/// Who may come in: a plugin's way from its file into the process.
///
/// The file's checks, the list of plugins, the scan in a child process, and then the loading.
struct PluginAdmission {
    /// How a list is used.
    struct List {
        /// Its path, for messages.
        let path: String
        let content: PluginsLock
        /// Whether plugins that are not on it come in all the same.
        let allowsUnlisted: Bool
    }

    let world: World
    /// The list of the plugins that may be loaded; nil for all of them.
    var list: List?

    /// Finds the list for a job: the one that the user names, or `plugins.lock` beside the job
    /// file.
    ///
    /// - Throws: ``PluginsLockError`` when it cannot be read.
    static func forJob(
        _ world: World,
        named path: String?,
        folder: String,
        allowsUnlisted: Bool
    ) throws(PluginsLockError) -> PluginAdmission {
        let beside = folder == "." ? PluginsLock.fileName : "\(folder)/\(PluginsLock.fileName)"
        guard let path = path ?? (world.disk.exists(beside) ? beside : nil) else {
            return PluginAdmission(world: world)
        }
        let bytes: [UInt8]
        do {
            bytes = try world.disk.readPlainFile(path, maximumByteCount: PluginsLock.byteCountMax)
        } catch {
            throw PluginsLockError(path, "\(error.reason) (the list of plugins)")
        }
        let content = try PluginsLock.read(bytes, file: path)
        let list = List(path: path, content: content, allowsUnlisted: allowsUnlisted)
        return PluginAdmission(world: world, list: list)
    }

    /// Describes a plugin; nothing of it comes into this process.
    ///
    /// - Throws: ``PluginError`` that says why it may not come in.
    func describe(_ path: String) throws -> PluginReport {
        try examine(path).report
    }

    /// Loads a plugin.
    ///
    /// - Throws: ``PluginError`` that says why it may not come in.
    func load(_ path: String) throws -> LoadedPlugin {
        try world.loader.load(try examine(path).plugin)
    }

    private func examine(_ path: String) throws -> (plugin: StagedPlugin, report: PluginReport) {
        let (plugin, entry) = try stage(path)
        let verdict = try PluginScan(world: world).verdict(on: plugin)
        guard let report = verdict.report else {
            throw PluginError(.notLoadable, path, "the scan said nothing of it")
        }
        if let entry, let list, (report.id, report.version) != (entry.id, entry.version) {
            throw PluginError(
                .notLoadable,
                path,
                "says that it is \(report.id) \(report.version): expected \(entry.id) "
                    + "\(entry.version), as \(list.path) has it; write the entry with "
                    + "`apus plugin lock`"
            )
        }
        if list?.content.isStrict == true, let warning = verdict.warnings.first {
            throw PluginError(
                .notLoadable,
                path,
                "\(warning) (a reason to refuse it, because \(list?.path ?? "the list") is strict)"
            )
        }
        return (plugin, report)
    }

    /// Checks the file and finds its entry; nil for one that needs none.
    private func stage(
        _ path: String
    ) throws(PluginError) -> (plugin: StagedPlugin, entry: PluginsLock.Entry?) {
        guard let list else { return (try world.loader.stage(path), nil) }
        // Once to know which entry it is, and what that allows; then as strictly as that says.
        let first = try world.loader.stage(path)
        let entry: PluginsLock.Entry?
        do throws(PluginError) {
            entry = try list.content.entry(of: first, list.path)
        } catch {
            let isListed = list.content.plugins.contains { $0.sha256 == first.sha256 }
            guard list.allowsUnlisted, !isListed else { throw error }
            Console.note("warning: \(error.description)")
            return (first, nil)
        }
        let libraries = Set(entry?.libraries ?? [])
        let report = try world.loader.recheck(
            first,
            allowing: libraries,
            strictly: list.content.isStrict
        )
        return (report, entry)
    }
}
