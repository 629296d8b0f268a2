import ApusCore
import CApusGuard

/// How a loaded plugin is, as `apus plugin ls` prints it.
package struct PluginStatus: Codable, Equatable, Sendable {
    /// What state a plugin can be in.
    package enum State: String, Codable, Sendable {
        /// Operators use it.
        case inUse = "in-use"
        /// It is there, and nobody has used it yet.
        case loaded
        /// Nobody uses it any more.
        case retired
        /// It was to be unloaded, and cannot be.
        case resident
    }

    /// A user.
    package struct User: Codable, Equatable, Sendable {
        /// The operator's id.
        package let name: String
        /// How many instances, and the job itself, refer to the plugin.
        package let count: Int
    }

    /// The number of this loading.
    package let number: Int
    /// The plugin's id.
    package let id: String
    /// Its version.
    package let version: String
    /// SHA-256 of its file.
    package let sha256: String
    /// The file, as the user named it.
    package let file: String
    /// The language.
    package let language: String
    /// What state it is in.
    package let state: State
    /// Who uses it.
    package let users: [User]
    /// The bytes of memory that its segments take.
    package let mappedByteCount: Int
    /// The threads that it may have started and that run.
    package let threadCount: Int
    /// Why it could not be unloaded; empty when it can.
    package let reasons: [ResidencyReason]

    init(_ plugin: LoadedPlugin, _ residency: PluginResidency) {
        number = plugin.number
        id = plugin.description.id
        version = plugin.description.version
        sha256 = plugin.contentHash
        file = plugin.file
        language = plugin.report.contents?.language ?? "unknown"
        users = plugin.users.map { User(name: $0.owner, count: $0.count) }
        mappedByteCount = residency.byteCount
        threadCount = residency.threadCount
        reasons = residency.reasons
        if !users.isEmpty {
            state = .inUse
        } else if case .resident = plugin.stage {
            state = .resident
        } else {
            state = plugin.wasUsed ? .retired : .loaded
        }
    }
}
