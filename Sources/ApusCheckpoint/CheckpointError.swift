package import ApusCore

/// Why something could not be done with a checkpoint folder.
package struct CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What callers may want to tell apart.
    package enum Kind: Equatable, Sendable {
        /// Another process writes to the folder.
        case locked
        /// The folder belongs to another job.
        case wrongJob
        /// A newer Apus wrote it.
        case newerFormat
        /// There is no checkpoint folder at the path, or it holds what is not ours.
        case notAFolder
        /// There is no checkpoint of the number.
        case noSuchCheckpoint
        /// A checkpoint is not what was written.
        case damaged
        /// There were checkpoints, and none can be used.
        case noneUsable
        /// The attempt has failed before, or its manifest does not fit it.
        case attempt
        /// The disk refused.
        case disk
    }

    /// What happened.
    package let kind: Kind
    /// What was found where, what was expected, and what to do.
    package let description: String
    /// What the disk said, for ``Kind/disk`` and ``Kind/locked``.
    package let cause: DiskError?

    /// Creates an error.
    package init(_ kind: Kind, _ description: String, cause: DiskError? = nil) {
        self.kind = kind
        self.description = description
        self.cause = cause
    }

    /// Whether the reason is a full disk.
    package var isOutOfSpace: Bool { cause?.isOutOfSpace ?? false }

    /// Turns a refusal of the disk into an error of this kind.
    static func onDisk<Result>(
        _ operation: @autoclosure () throws(DiskError) -> Result
    ) throws(CheckpointError) -> Result {
        do throws(DiskError) {
            return try operation()
        } catch {
            throw CheckpointError(error)
        }
    }

    init(_ cause: DiskError) {
        self.init(.disk, cause.description, cause: cause)
    }
}
