import ApusCore

/// What the writing process remembers of its folder.
///
/// Nothing is decided by it alone that the disk can tell: what may be deleted follows from the
/// manifests that are there.
struct WriterState: Sendable {
    /// A file that was added, found again by its identity.
    struct Added: Equatable {
        let contentName: String
        let byteCount: Int
        let modifiedNanoseconds: Int64
    }

    /// A file whose bytes could not be brought onto the disk, and the hash that it had then.
    struct Distrusted {
        let hash: ContentHash
        let byteCount: Int
        let modifiedNanoseconds: Int64
    }

    /// The number of the next attempt.
    var nextNumber: UInt64
    /// A checkpoint that a later one goes on from.
    struct Previous {
        let number: UInt64
        /// Nil when its manifest cannot be read.
        let kind: Manifest.Kind?

        init(number: UInt64, kind: Manifest.Kind?) {
            self.number = number
            self.kind = kind
        }

        init(_ manifest: Manifest) {
            self.init(number: manifest.number, kind: manifest.kind)
        }
    }

    /// The checkpoint that the job goes on from; nil when it starts from nothing.
    var previous: Previous?
    /// Whether `FOLDER` says that there was a complete checkpoint.
    var isMarkedAsHeld: Bool
    /// Names in `files/` that are on the disk, bytes and name: a manifest has them, or their
    /// folder was synchronised after them.
    var durableNames: Set<String> = []
    /// Files in `files/` by identity, which no other file gets as long as they are there.
    var added: [FileIdentity: Added] = [:]
    /// Files that must not be linked: synchronising them failed, and would succeed the next time
    /// with the bytes gone.
    var distrusted: [FileIdentity: Distrusted] = [:]
    /// What attempts that are under way have added or taken over, by number.
    var attempts: [UInt64: Set<String>] = [:]

    init(nextNumber: UInt64, isMarkedAsHeld: Bool) {
        self.nextNumber = nextNumber
        self.isMarkedAsHeld = isMarkedAsHeld
    }

    /// Forgets a file that is no longer in `files/`.
    mutating func forget(_ contentName: String) {
        durableNames.remove(contentName)
        added = added.filter { $0.value.contentName != contentName }
    }
}
