import CApusGuard
import CApusPlugin
import Synchronization

/// A plugin whose file is loaded and whose description is checked.
///
/// Its code and constants are there until ``PluginLoader/unload(_:isTrial:)`` takes them away,
/// which it does not as long as anybody uses the plugin: whoever calls into it, or keeps a pointer
/// that it returned, has a ``PluginUse``.  After that, this object is only a record of what was.
package final class LoadedPlugin: @unchecked Sendable {
    // @unchecked because the pointers lead to constants of the plugin, which do not change.

    /// What becomes of a plugin.
    enum Stage {
        /// It is there for whoever wants it.
        case loaded
        /// It was to be unloaded and could not be.
        case resident([ResidencyReason])
        /// Its code is gone.
        case unloaded
    }

    private struct Usage {
        var stage = Stage.loaded
        var users: [String: Int] = [:]
        var wasUsed = false
    }

    /// The number of this loading, unlike that of all others in the process.
    package let number: Int
    /// The file, as the user named it.
    package let file: String
    /// SHA-256 of the file's content, in hexadecimal.
    package let contentHash: String
    /// Where its private copy is, without links: as /proc/self/maps has it.
    let image: String
    /// What the file tells.
    package let report: FileReport
    /// What it says of itself.
    package let description: PluginDescription
    /// What it changed of the process while it was loaded; most is put back.
    package let changes: [ProcessChange]
    // SAFETY: checked by DescriptionReader; valid as long as the plugin is loaded.
    let components: [UnsafePointer<apus_component>]
    // SAFETY: of dlopen; given back by PluginLoader alone.
    let handle: UnsafeMutableRawPointer
    /// The threads of the process before it was loaded.
    let earlierThreads: Set<Int32>
    private let usage = Mutex(Usage())

    init(
        number: Int,
        image: String,
        report: FileReport,
        description: PluginDescription,
        changes: [ProcessChange],
        components: [UnsafePointer<apus_component>],
        handle: UnsafeMutableRawPointer,
        earlierThreads: Set<Int32>
    ) {
        self.number = number
        self.image = image
        self.file = report.file
        self.contentHash = report.sha256
        self.report = report
        self.description = description
        self.changes = changes
        self.components = components
        self.handle = handle
        self.earlierThreads = earlierThreads
    }

    /// The private copy of the file that is loaded: it cannot change.
    package var imagePath: String { image }

    // MARK: - Use

    /// Keeps the plugin loaded as long as the result is there.
    ///
    /// - Parameter owner: Who uses it: the operator's id.
    /// - Returns: The use; ends with its last reference.
    /// - Throws: ``PluginError`` when it was unloaded.
    package func use(by owner: String) throws(PluginError) -> PluginUse {
        try beginUse(by: owner)
        return PluginUse(self, owner)
    }

    /// Keeps the plugin loaded until the process ends.
    ///
    /// - Parameter owner: Who uses it: the operator's id.
    /// - Throws: ``PluginError`` when it was unloaded.
    package func keep(for owner: String) throws(PluginError) { try beginUse(by: owner) }

    private func beginUse(by owner: String) throws(PluginError) {
        let isThere = usage.withLock { usage in
            if case .unloaded = usage.stage { return false }
            usage.users[owner, default: 0] += 1
            usage.wasUsed = true
            return true
        }
        guard isThere else {
            throw PluginError(
                .notLoadable,
                file,
                "was unloaded (it had number \(number)); load it again"
            )
        }
    }

    func endUse(by owner: String) {
        usage.withLock { usage in
            let count = (usage.users[owner] ?? 0) - 1
            usage.users[owner] = count > 0 ? count : nil
        }
    }

    /// Who uses it, sorted, and how often.
    package var users: [(owner: String, count: Int)] {
        usage.withLock { $0.users }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Whether anybody has ever used it.
    var wasUsed: Bool { usage.withLock { $0.wasUsed } }

    /// What has become of it.
    var stage: Stage { usage.withLock { $0.stage } }

    /// Takes it away from those to come.
    ///
    /// - Returns: Who uses it, and then nothing has changed; nil when nobody does.
    func retire() -> [String]? {
        usage.withLock { usage in
            guard usage.users.isEmpty else { return usage.users.keys.sorted() }
            usage.stage = .unloaded
            return nil
        }
    }

    /// Says what has become of it.
    func become(_ stage: Stage) { usage.withLock { $0.stage = stage } }

    // MARK: - Components

    /// The index of a component.
    ///
    /// - Parameters:
    ///   - id: Nil means the only one of its kind.
    ///   - kind: What it is to be.
    /// - Returns: Its index in the description.
    /// - Throws: ``PluginError`` that lists what there is.
    package func componentIndex(
        _ id: String?,
        _ kind: ComponentKind = .operator
    ) throws(PluginError) -> Int {
        let kinds = description.components.map { ComponentChoice.Entry($0.id, $0.kind) }
        return try ComponentChoice(file: file, components: kinds).index(of: id, kind)
    }
}
