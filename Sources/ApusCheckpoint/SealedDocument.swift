import Foundation

/// A small file that says of itself whether it is whole: the manifests, `CURRENT`, `FOLDER`.
///
///     offset      bytes
///     0           one JSON object, UTF-8, keys sorted, indented, without escaped slashes;
///                 "formatVersion" is a member of it
///     n           one newline
///     n + 1       "xxh3-128 ", then XXH3-128 (seed 0) of the bytes 0 ... n in 32 lower-case
///                 hexadecimal digits, then one newline, which is the last byte
///
/// A change that an older reader must not overlook raises the format version, and such a reader
/// refuses the file. Other members may be added; who does not know them leaves them out of account.
/// The last line stays as it is in all versions.
enum SealedDocument {
    /// The version that this program writes where nothing needs a newer one.
    static let formatVersion = 1

    /// The newest version that this program reads.
    static let newestFormatVersion = 2

    /// Longer files are not read: no manifest is.
    static let byteCountMax = 256 << 20

    /// Why a document cannot be used.
    enum Problem: Error, Equatable {
        /// It is not what was written; the reason, as in "CURRENT is damaged: ...".
        case damaged(String)
        /// A newer program wrote it.
        case newerFormat(Int)
    }

    private static let prefix = "xxh3-128 "
    private static let lastLineByteCount = prefix.utf8.count + 32 + 1

    /// The bytes of a document.
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let json: Data
        do {
            json = try encoder.encode(value)
        } catch {
            preconditionFailure("numbers and texts are always JSON: \(error)")
        }
        var bytes = Array(json)
        bytes.append(UInt8(ascii: "\n"))
        let hash = HashStream.hash(bytes)
        bytes.append(contentsOf: "\(prefix)\(hash)\n".utf8)
        return bytes
    }

    /// Reads a document.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: [UInt8]
    ) throws(Problem) -> Value {
        guard bytes.count > lastLineByteCount else {
            throw .damaged("it has \(bytes.count) bytes and so no line with its hash")
        }
        let body = Array(bytes.dropLast(lastLineByteCount))
        let expected = "\(prefix)\(HashStream.hash(body))\n"
        guard bytes.suffix(lastLineByteCount).elementsEqual(expected.utf8) else {
            throw .damaged(
                "its last line is not `\(expected.dropLast())`, the hash of the bytes before it"
            )
        }
        return try parse(type, body)
    }

    /// Reads what may be a document although its hash is wrong; nil when it is not even JSON.
    static func salvage<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) -> Value? {
        guard bytes.count > lastLineByteCount else { return nil }
        return try? parse(type, Array(bytes.dropLast(lastLineByteCount)))  // known to be damaged
    }

    private static func parse<Value: Decodable>(
        _ type: Value.Type,
        _ json: [UInt8]
    ) throws(Problem) -> Value {
        do {
            let decoder = JSONDecoder()
            let version = try decoder.decode(Version.self, from: Data(json)).formatVersion
            guard version <= newestFormatVersion else { throw Problem.newerFormat(version) }
            guard version >= 1 else { throw Problem.damaged("its format version is \(version)") }
            return try decoder.decode(type, from: Data(json))
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .damaged("it is not the JSON that was expected: \(error)")
        }
    }

    private struct Version: Decodable {
        let formatVersion: Int
    }
}
