import ApusCore
import Crypto
import Foundation

/// A private key for plugins: a file of one line, `apus-ed25519 NAME BASE64`.
struct SigningKey {
    let name: String
    private let key: Curve25519.Signing.PrivateKey

    private static let word = "apus-ed25519"
    private static let fileMode: UInt32 = 0o600
    private static let byteCountMax = 4096

    /// Makes a key.
    init(name: String) {
        self.name = name
        key = Curve25519.Signing.PrivateKey()
    }

    /// Reads a key that nobody else can change.
    ///
    /// - Throws: ``PluginsLockError`` that says what is wrong with the file.
    init(_ path: String, disk: any Disk) throws(PluginsLockError) {
        let bytes: [UInt8]
        do {
            bytes = try disk.readPrivateFile(path, maximumByteCount: Self.byteCountMax)
        } catch {
            throw PluginsLockError(path, "\(error.reason) (the key to sign with)")
        }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0.isNewline }
        guard words.count == 3, words[0] == Self.word,
            let secret = Data(base64Encoded: String(words[2])),
            let key = try? Curve25519.Signing.PrivateKey(  // Said as the guard fails.
                rawRepresentation: secret
            )
        else {
            throw PluginsLockError(
                path,
                "not a key: expected the line '\(Self.word) NAME BASE64' that `apus plugin "
                    + "keygen` writes"
            )
        }
        name = String(words[1])
        self.key = key
    }

    /// Writes the key to a new file.
    ///
    /// - Throws: ``PluginsLockError``; a file that exists is left alone.
    func write(to path: String, disk: any Disk) throws(PluginsLockError) {
        guard !disk.exists(path) else {
            throw PluginsLockError(path, "exists; expected a new file, for a key is never replaced")
        }
        let line = "\(Self.word) \(name) \(key.rawRepresentation.base64EncodedString())\n"
        do {
            try disk.writeAtomically(Array(line.utf8), to: path, mode: Self.fileMode)
        } catch {
            throw PluginsLockError(path, error.reason)
        }
    }

    /// The key that belongs to it, as a list has it.
    var publicKey: PluginsLock.Key {
        PluginsLock.Key(
            name: name,
            publicKey: key.publicKey.rawRepresentation.base64EncodedString()
        )
    }

    /// Signs an entry.
    ///
    /// - Throws: ``PluginsLockError`` when the library cannot sign.
    func sign(
        _ entry: PluginsLock.Entry
    ) throws(PluginsLockError) -> PluginsLock.Signature {
        do {
            let value = try key.signature(for: entry.signedText)
            return PluginsLock.Signature(key: name, value: value.base64EncodedString())
        } catch {
            throw PluginsLockError("key '\(name)'", "cannot sign: \(error)")
        }
    }
}
