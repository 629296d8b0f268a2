/// What can be told of a manifest that is not what was written.
struct DamagedManifest: Sendable {
    /// What is wrong.
    let reason: String
    /// Whether it is whole, but belongs elsewhere.
    let isForeign: Bool
    /// Whether all names in it are known: it is at least JSON with the right members.
    let isLegible: Bool
    /// The files that it names, as far as they can be told.
    let contentNames: Set<String>
    /// Its kind; nil when that cannot be told.
    let kind: Manifest.Kind?

    init(reason: String, isForeign: Bool = false, manifest: Manifest) {
        self.reason = reason
        self.isForeign = isForeign
        isLegible = true
        contentNames = manifest.contentNames
        kind = manifest.kind
    }

    /// Looks at the bytes that are left, if any could be read.
    init(reason: String, bytes: [UInt8] = []) {
        self.reason = reason
        isForeign = false
        let salvaged = SealedDocument.salvage(Manifest.self, from: bytes)
        isLegible = salvaged != nil
        let text = String(decoding: bytes, as: UTF8.self)
        // The names that JSON gives may be damaged, so what looks like a name counts as well.
        contentNames = Self.contentNames(in: text).union(salvaged?.contentNames ?? [])
        kind = salvaged?.kind ?? Self.kind(in: text)
    }

    private static func contentNames(in text: String) -> Set<String> {
        let words = text.utf8.split { byte in
            !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                && !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                && byte != UInt8(ascii: "-")
        }
        return Set(words.map { String(Substring($0)) }.filter(FileEntry.isContentName))
    }

    private static func kind(in text: String) -> Manifest.Kind? {
        let found = [Manifest.Kind.checkpoint, .savepoint].filter { kind in
            text.contains("\n  \"kind\" : \"\(kind.rawValue)\"")
        }
        return found.count == 1 ? found.first : nil
    }
}
