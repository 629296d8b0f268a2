/// What a garbage collection did, or would do.
package struct GarbageReport: Codable, Equatable, Sendable {
    /// A file and its length.
    package struct File: Codable, Equatable, Sendable {
        /// The name, without the folder's.
        package let name: String
        /// Its length.
        package let byteCount: Int
    }

    /// A checkpoint that stays, and why.
    package struct Kept: Codable, Equatable, Sendable {
        /// Its number.
        package let number: UInt64
        /// Why.
        package let reason: Reason
    }

    /// Why a checkpoint stays.
    package enum Reason: String, Codable, Sendable {
        /// `CURRENT` names it.
        case current
        /// It is among the newest complete ones.
        case retained
        /// A person has to remove it.
        case savepoint
        /// Somebody reads it.
        case leased
        /// It is newer than `CURRENT` says: perhaps about to be complete.
        case newer
        /// It is damaged, and not old enough to go.
        case damaged
        /// It is of another job or folder.
        case foreign
    }

    /// Whether nothing was done.
    package internal(set) var isDryRun: Bool
    /// The checkpoints that stay.
    package internal(set) var kept: [Kept] = []
    /// The checkpoints that go: their manifests were moved to the trash.
    package internal(set) var removed: [UInt64] = []
    /// The files that nothing needs: they were moved to the trash, and go with the next collection.
    package internal(set) var marked: [File] = []
    /// The files that an earlier collection had marked: they were deleted.
    package internal(set) var deleted: [File] = []
    /// What somebody should look at.
    package internal(set) var notes: [String] = []

    init(isDryRun: Bool) {
        self.isDryRun = isDryRun
    }

    /// The bytes that the next collection will free.
    package var markedByteCount: Int { marked.reduce(0) { $0 + $1.byteCount } }

    /// The bytes that were freed.
    package var deletedByteCount: Int { deleted.reduce(0) { $0 + $1.byteCount } }
}
