/// Whose folder it is: the file `FOLDER`, a ``SealedDocument``.
struct FolderRecord: Codable, Equatable, Sendable {
    /// The version of the format.
    var formatVersion = SealedDocument.formatVersion
    /// The folder's random id, 32 hexadecimal digits, which its manifests repeat.
    var folder: String
    /// The job that the folder belongs to.
    var job: String
    /// Whether a checkpoint was ever complete, so that finding none is an error.
    var hasHeldCheckpoint = false
}

/// The newest complete checkpoint: the file `CURRENT`, a ``SealedDocument``.
struct CurrentRecord: Codable, Equatable, Sendable {
    /// The version of the format.
    var formatVersion = SealedDocument.formatVersion
    /// The folder's id.
    var folder: String
    /// The job.
    var job: String
    /// The checkpoint's number.
    var number: UInt64
    /// The name of its manifest in `manifests/`.
    var manifest: String
    /// XXH3-128 of all bytes of that file, 32 hexadecimal digits.
    var manifestHash: String
}
