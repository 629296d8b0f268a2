import ApusCore
import Synchronization

/// A checkpoint in the making: files are added, then the manifest is committed.
///
/// One thread at a time.  After the first failure nothing more is accepted; it must be abandoned.
package final class CheckpointAttempt {
    /// How far the attempt has come.
    enum Phase: Equatable {
        /// Files may be added.
        case open
        /// Something failed; `CURRENT` was not touched.
        case failed
        /// Giving `CURRENT` its new content failed or was not confirmed: after a crash the
        /// checkpoint may be the newest one or not.
        case inDoubt
        /// `CURRENT` names it.
        case committed
        /// It is given up.
        case abandoned
    }

    /// The checkpoint's number.
    package let number: UInt64
    /// The bytes that this checkpoint adds to those that were there before.
    package internal(set) var newByteCount = 0

    let folder: CheckpointFolder
    var phase: Phase = .open
    /// Whether the manifest may have its name.
    var hasManifest = false
    /// The files that this attempt has put into `files/`.
    var created: [String] = []
    private var temporaryCount = 0

    init(_ number: UInt64, of folder: CheckpointFolder) {
        self.number = number
        self.folder = folder
    }

    /// A folder that does not exist yet, for the hard-link checkpoint of a database.
    ///
    /// It is in the file system of the checkpoint folder, and goes when the attempt ends.
    package var directory: String { folder.layout.attempt(number) + "/state" }

    /// Takes a file into the checkpoint: hash, fsync, a link under its content name.
    ///
    /// The file itself stays where it is and must not be changed from here on: the checkpoint has
    /// a link to it, or a copy where the file system cannot link.  A file that was added before,
    /// and has the same identity, length and time, is not read again.
    ///
    /// - Parameters:
    ///   - path: A plain file.
    ///   - role: What it is for.
    ///   - logicalName: What it is called where it is used; a relative path.
    /// - Returns: The entry for the manifest.
    /// - Throws: ``CheckpointError``; the attempt has failed then.
    package func add(
        _ path: String,
        role: FileRole,
        logicalName: String
    ) throws(CheckpointError) -> FileEntry {
        try checkOpen()
        precondition(FileEntry.isRelativePath(logicalName), "'\(logicalName)' leads elsewhere")
        do throws(CheckpointError) {
            return try adding(path, role, logicalName)
        } catch {
            phase = .failed
            throw error
        }
    }

    /// Takes over a file of an earlier checkpoint, for example a log that is still undelivered.
    ///
    /// - Parameter file: From a manifest of this folder.
    /// - Throws: ``CheckpointError`` when it is not there any more; the attempt has failed then.
    package func carry(_ file: FileEntry) throws(CheckpointError) {
        try checkOpen()
        protect(file.contentName)
        do throws(CheckpointError) {
            if let problem = file.problem {
                throw CheckpointError(.attempt, "checkpoint \(number): \(problem)")
            }
            if let problem = try folder.reader.lengthProblem(file) {
                throw CheckpointError(.damaged, "\(folder.layout.root): \(problem)")
            }
            guard folder.state.withLock({ $0.durableNames.contains(file.contentName) }) else {
                throw CheckpointError(
                    .attempt,
                    "checkpoint \(number): \(file.contentName) is of no checkpoint of this folder"
                )
            }
        } catch {
            phase = .failed
            throw error
        }
    }

    func checkOpen() throws(CheckpointError) {
        guard phase != .open else { return }
        throw CheckpointError(
            .attempt,
            "checkpoint \(number) of \(folder.layout.root): the attempt has ended; begin a new one"
        )
    }

    /// Keeps a file from being collected as long as the attempt lasts.
    func protect(_ contentName: String) {
        folder.state.withLock { _ = $0.attempts[number]?.insert(contentName) }
    }

    /// A name for a file that is being written into `files/`; each is used once.
    func temporary() -> String {
        temporaryCount += 1
        let name = "\(FolderLayout.digits(number))-\(temporaryCount)"
        return folder.layout.file(name + FolderLayout.temporaryEnd)
    }
}
