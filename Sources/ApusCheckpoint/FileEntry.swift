/// What a file of a checkpoint is for.
package enum FileRole: String, Codable, CaseIterable, Sendable {
    /// A part of the state database.
    case state
    /// The sealed output of an epoch that a sink may not have delivered.
    case outbox
    /// Records that were on their way between two tasks.
    case inFlight
    /// The broadcast state of an operator.
    case broadcast
    /// The operator state of an operator.
    case operatorState
}

/// A file of a checkpoint, as its manifest names it.
package struct FileEntry: Codable, Hashable, Sendable {
    /// What it is for.
    package let role: FileRole
    /// What it is called where it is used: "000123.sst", "OPTIONS-000007".
    package let logicalName: String
    /// What it is called in `files/`: hash, "-", length.
    package let contentName: String
    /// Its length.
    package let byteCount: Int
    /// XXH3-128 of its bytes, 32 hexadecimal digits.
    package let hash: String

    /// Creates the entry of a file with these contents.
    init(role: FileRole, logicalName: String, hash: ContentHash, byteCount: Int) {
        self.role = role
        self.logicalName = logicalName
        self.hash = hash.description
        self.byteCount = byteCount
        contentName = Self.contentName(hash, byteCount: byteCount)
    }

    /// The name of a file with these contents.
    static func contentName(_ hash: ContentHash, byteCount: Int) -> String {
        "\(hash)-\(byteCount)"
    }

    /// Whether a name is one that ``contentName(_:byteCount:)`` makes.
    static func isContentName(_ name: some StringProtocol) -> Bool {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, ContentHash(parts[0]) != nil, let length = Int(parts[1]) else {
            return false
        }
        return length >= 0 && String(length) == parts[1]
    }

    /// What is wrong with the entry as it was read; nil when nothing is.
    ///
    /// Names become paths, so that they are not taken on trust.
    var problem: String? {
        guard let hash = ContentHash(hash), byteCount >= 0,
            contentName == Self.contentName(hash, byteCount: byteCount)
        else {
            return "the file '\(logicalName)' is called \(contentName), which is not its hash "
                + "\(hash) and length \(byteCount)"
        }
        guard Self.isRelativePath(logicalName) else {
            return "the file \(contentName) is called '\(logicalName)', which leads elsewhere"
        }
        return nil
    }

    /// Whether a name stays in the folder that it is put into.
    static func isRelativePath(_ name: String) -> Bool {
        !name.utf8.contains(0)
            && name.split(separator: "/", omittingEmptySubsequences: false)
                .allSatisfy { !["", ".", ".."].contains($0) }
    }
}
