import ApusPluginHost
import Crypto
import Foundation

/// The list of the plugins that may be loaded: `plugins.lock`, whose format is in
/// docs/formats/plugins-lock.md.
struct PluginsLock: Codable, Equatable {
    /// A plugin that may be loaded.
    struct Entry: Codable, Equatable {
        /// The plugin's id and version.
        var id: String
        var version: String
        /// SHA-256 of the file, in hexadecimal.
        var sha256: String
        /// The file's name without its folder, for messages.
        var file: String
        /// Libraries that it may need besides the usual ones.
        var libraries: [String]?
        var signature: Signature?
        /// Why it may be loaded no longer.
        var revoked: String?

        /// What is signed.
        var signedText: Data {
            Data("apus-plugin-v1\n\(id)\n\(version)\n\(sha256)\n".utf8)
        }
    }

    /// An ed25519 signature.
    struct Signature: Codable, Equatable {
        /// The name of the key.
        var key: String
        /// In base64.
        var value: String
    }

    /// A key that is trusted.
    struct Key: Codable, Equatable {
        var name: String
        /// The 32 bytes of the public key in base64.
        var publicKey: String
    }

    var apiVersion = Self.currentVersion
    var kind = Self.documentKind
    /// Whether a file is refused for warnings, too.
    var strict: Bool?
    /// When there are any, each plugin must be signed with one of them.
    var keys: [Key] = []
    var plugins: [Entry] = []

    static let fileName = "plugins.lock"
    static let byteCountMax = 4 << 20
    private static let currentVersion = "apus/v1"
    private static let documentKind = "PluginsLock"

    /// Whether a file is refused for warnings, too.
    var isStrict: Bool { strict ?? false }

    // MARK: - Reading

    /// Reads a list.
    ///
    /// - Throws: ``PluginsLockError`` that says what is wrong with it.
    static func read(_ bytes: [UInt8], file: String) throws(PluginsLockError) -> PluginsLock {
        let lock: PluginsLock
        do {
            lock = try JSONDecoder().decode(PluginsLock.self, from: Data(bytes))
        } catch {
            throw PluginsLockError(file, "not a list of plugins: \(reason(error))")
        }
        guard lock.apiVersion == currentVersion, lock.kind == documentKind else {
            throw PluginsLockError(
                file,
                "expected apiVersion \(currentVersion) and kind \(documentKind), found "
                    + "\(lock.apiVersion) and \(lock.kind)"
            )
        }
        for entry in lock.plugins
        where entry.sha256.utf8.count != 64 || Hexadecimal.bytes(entry.sha256) == nil {
            throw PluginsLockError(
                file,
                "\(entry.id) \(entry.version): expected a sha256 of 64 digits 0-9a-f, found "
                    + "'\(entry.sha256)'; write it with `apus plugin lock`"
            )
        }
        for key in lock.keys where key.value == nil {
            throw PluginsLockError(
                file,
                "key '\(key.name)': expected 32 bytes in base64, found '\(key.publicKey)'; "
                    + "`apus plugin keygen` prints them"
            )
        }
        return lock
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            "\(place(context)) has no '\(key.stringValue)'"
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context):
            "\(place(context)) is of the wrong type"
        default: "expected JSON"
        }
    }

    private static func place(_ context: DecodingError.Context) -> String {
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
        return path.isEmpty ? "it" : String(path.joined().drop { $0 == "." })
    }

    // MARK: - Asking

    /// The entry of a file.
    ///
    /// - Throws: ``PluginError`` when it is not listed, revoked, or not signed as it must be.
    func entry(of plugin: StagedPlugin, _ lockFile: String) throws(PluginError) -> Entry {
        guard let entry = plugins.first(where: { $0.sha256 == plugin.sha256 }) else {
            throw notListed(plugin, lockFile)
        }
        if let reason = entry.revoked {
            throw PluginError(
                .notLoadable,
                plugin.file,
                "\(entry.id) \(entry.version) is revoked in \(lockFile): \(reason); use another "
                    + "version"
            )
        }
        if !keys.isEmpty { try checkSignature(entry, plugin, lockFile) }
        return entry
    }

    private func notListed(_ plugin: StagedPlugin, _ lockFile: String) -> PluginError {
        let name = (plugin.file as NSString).lastPathComponent
        let fix =
            "list it with `apus plugin lock \(plugin.file) --to \(lockFile)`, or run with "
            + "--allow-unlisted while you develop"
        guard let other = plugins.last(where: { $0.file == name }) else {
            return PluginError(
                .notLoadable,
                plugin.file,
                "is not listed in \(lockFile): expected one of \(plugins.count) plugins there, "
                    + "found sha256 \(plugin.sha256); \(fix)"
            )
        }
        return PluginError(
            .notLoadable,
            plugin.file,
            "is not the file that is listed in \(lockFile) as \(other.id) \(other.version): "
                + "expected sha256 \(other.sha256), found \(plugin.sha256); \(fix)"
        )
    }

    private func checkSignature(
        _ entry: Entry,
        _ plugin: StagedPlugin,
        _ lockFile: String
    ) throws(PluginError) {
        let names = keys.map(\.name).joined(separator: ", ")
        let fix = "sign it with `apus plugin lock \(plugin.file) --to \(lockFile) --sign KEYFILE`"
        func refused(_ what: String) -> PluginError {
            PluginError(
                .notLoadable,
                plugin.file,
                "\(entry.id) \(entry.version) in \(lockFile) \(what); \(fix)"
            )
        }
        guard let signature = entry.signature else {
            throw refused("is not signed: expected a signature by one of the keys \(names)")
        }
        guard let key = keys.first(where: { $0.name == signature.key })?.value else {
            throw refused(
                "is signed with '\(signature.key)': expected one of the keys \(names)"
            )
        }
        guard let value = Data(base64Encoded: signature.value),
            key.isValidSignature(value, for: entry.signedText)
        else {
            throw refused(
                "has a signature by '\(signature.key)' that does not fit its id, version and sha256"
            )
        }
    }
}

extension PluginsLock.Key {
    /// The key; nil when the text is none.
    var value: Curve25519.Signing.PublicKey? {
        guard let bytes = Data(base64Encoded: publicKey) else { return nil }
        return try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)  // Then it is none.
    }
}
