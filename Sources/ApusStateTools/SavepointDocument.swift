import ApusCheckpoint
import Foundation

/// `savepoint.json`: a manifest of the kind savepoint as a sealed document.
///
///     offset      bytes
///     0           one JSON object, UTF-8, keys sorted, indented: the members of a checkpoint's
///                 manifest; "formatVersion" is one of
///     n           one newline
///     n + 1       "xxh3-128 ", then XXH3-128 (seed 0) of the bytes 0 ... n in 32 lower-case
///                 hexadecimal digits, then one newline, which is the last byte
///
/// The form is the one of all documents of a checkpoint folder.  The files that the manifest names
/// lie beside it, under their logical names.
enum SavepointDocument {
    /// Longer ones are not read.
    static let byteCountMax = 256 << 20

    private static let newestFormatVersion = 2
    private static let prefix = "xxh3-128 "
    private static let lastLineByteCount = prefix.utf8.count + 32 + 1

    /// The bytes of a document.
    static func encode(_ manifest: Manifest) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let json: Data
        do {
            json = try encoder.encode(manifest)
        } catch {
            preconditionFailure("numbers and texts are always JSON: \(error)")
        }
        let body = Array(json) + [10]
        return body + Array("\(prefix)\(ContentDigest.digits(of: body))\n".utf8)
    }

    /// Reads a document.
    static func decode(_ bytes: [UInt8], _ path: String) throws(StateToolError) -> Manifest {
        guard bytes.count > lastLineByteCount else {
            throw damage(path, "it has \(bytes.count) bytes and so no line with its hash")
        }
        let body = Array(bytes.dropLast(lastLineByteCount))
        let expected = "\(prefix)\(ContentDigest.digits(of: body))\n"
        guard bytes.suffix(lastLineByteCount).elementsEqual(expected.utf8) else {
            throw damage(
                path,
                "its last line is not `\(expected.dropLast())`, the hash of the bytes before it"
            )
        }
        let version: Int
        let manifest: Manifest
        do {
            let decoder = JSONDecoder()
            version = try decoder.decode(Version.self, from: Data(body)).formatVersion
            guard (1...newestFormatVersion).contains(version) else {
                throw StateToolError(
                    .input,
                    "\(path): its format is \(version), this Apus reads formats up to "
                        + "\(newestFormatVersion); use the Apus that wrote it"
                )
            }
            manifest = try decoder.decode(Manifest.self, from: Data(body))
        } catch let error as StateToolError {
            throw error
        } catch {
            throw damage(path, "it is not the JSON that was expected: \(error)")
        }
        guard manifest.kind == .savepoint else {
            throw StateToolError(
                .input,
                "\(path): expected a manifest of the kind 'savepoint', found "
                    + "'\(manifest.kind.rawValue)'"
            )
        }
        return manifest
    }

    /// The entry of a file in a manifest.
    ///
    /// By way of JSON, because only a checkpoint's own attempt makes entries directly.
    static func entry(
        _ role: FileRole,
        name: String,
        byteCount: Int,
        hash: String
    ) -> FileEntry {
        let fields = Fields(
            role: role,
            logicalName: name,
            contentName: "\(hash)-\(byteCount)",
            byteCount: byteCount,
            hash: hash
        )
        do {
            return try JSONDecoder().decode(
                FileEntry.self,
                from: try JSONEncoder().encode(fields)
            )
        } catch {
            preconditionFailure("the members are those of an entry: \(error)")
        }
    }

    private static func damage(_ path: String, _ what: String) -> StateToolError {
        StateToolError(
            .input,
            "\(path): damaged: \(what); make the savepoint again, or put back a copy of the file"
        )
    }

    private struct Version: Decodable {
        let formatVersion: Int
    }

    private struct Fields: Encodable {
        let role: FileRole
        let logicalName: String
        let contentName: String
        let byteCount: Int
        let hash: String
    }
}
