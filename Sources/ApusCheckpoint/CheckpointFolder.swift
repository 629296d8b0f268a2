import ApusCore
import Synchronization

/// The checkpoints of one job on the disk; see ``FolderLayout`` for how they lie there.
///
/// Reading is for any thread.  Attempts and garbage collection are for one thread at a time, the
/// checkpoint thread of the process that has the folder open for writing.
package final class CheckpointFolder: Sendable {
    let layout: FolderLayout
    let disk: any Disk
    let reader: FolderReader
    let verifier: FileVerifier
    /// Whose folder it is.
    let record: FolderRecord
    let warn: @Sendable (String) -> Void
    /// Keeps other writers out; nil for readers.
    private let lock: (any FileLock)?
    let state: Mutex<WriterState>

    init(
        _ reader: FolderReader,
        record: FolderRecord,
        lock: (any FileLock)?,
        state: WriterState,
        threads: (any Threads)?,
        warn: @escaping @Sendable (String) -> Void
    ) {
        layout = reader.layout
        disk = reader.disk
        self.reader = reader
        self.record = record
        self.lock = lock
        self.state = Mutex(state)
        self.warn = warn
        verifier = FileVerifier(reader, threads: threads)
    }

    /// The folder's path, links resolved.
    package var path: String { layout.root }

    /// The job that the folder belongs to.
    package var job: String { record.job }

    /// The number that the next attempt gets: one more than any that was ever given.
    package var nextNumber: UInt64 { state.withLock { $0.nextNumber } }

    /// Whether the folder is open for writing.
    var isWriter: Bool { lock != nil }

    /// Begins a checkpoint: notes its number, so that it is never given again.
    ///
    /// - Parameter number: ``nextNumber``, or a higher one.
    /// - Returns: The attempt, which ends with its commit or by being abandoned.
    /// - Throws: ``CheckpointError`` when the disk refuses.
    package func begin(_ number: UInt64) throws(CheckpointError) -> CheckpointAttempt {
        precondition(isWriter, "only the writer of a folder makes checkpoints")
        precondition(number < FolderLayout.numberEnd, "a job does not live for 2^63 checkpoints")
        let isNew = state.withLock { state in
            guard number >= state.nextNumber else { return false }
            state.nextNumber = number + 1
            state.attempts[number] = []
            return true
        }
        precondition(isNew, "the number \(number) was given before")
        do throws(DiskError) {
            try disk.makeDirectory(layout.attempt(number))
            try disk.synchronizeFolder(layout.attempts)
        } catch {
            state.withLock { _ = $0.attempts.removeValue(forKey: number) }
            throw CheckpointError(error)
        }
        Failpoint.hit(.c1)
        removeOldAttempts()
        return CheckpointAttempt(number, of: self)
    }

    /// A folder of the job's own, in the same file system: for the local database, epoch logs.
    ///
    /// Everything in these folders goes when the checkpoint folder is opened for writing.
    ///
    /// - Parameter name: The folder's name, without slashes.
    /// - Returns: Its path; the folder exists.
    /// - Throws: ``CheckpointError`` when the disk refuses.
    package func workDirectory(_ name: String) throws(CheckpointError) -> String {
        precondition(isWriter, "only the writer of a folder works in it")
        precondition(FileEntry.isRelativePath(name) && !name.contains("/"), "one name")
        let path = layout.work + "/" + name
        try CheckpointError.onDisk(try disk.makeDirectory(path))
        return path
    }

    /// The path of a checkpoint's file, for reading.
    ///
    /// - Parameter file: From a manifest of this folder.
    /// - Returns: Its path in `files/`.
    package func path(of file: FileEntry) -> String { layout.file(file.contentName) }

    /// Lets other writers in; attempts that are under way must have ended.
    ///
    /// Nothing when that was done before, and nothing for readers.
    package func close() { lock?.release() }

    deinit { close() }

    /// Removes the folders of attempts that have ended, except the newest, which holds the number.
    private func removeOldAttempts() {
        let live = Set(state.withLock { Array($0.attempts.keys) })
        guard let newest = live.max() else { return }
        do throws(CheckpointError) {
            for name in try reader.names(in: layout.attempts) {
                let number = FolderLayout.attemptNumber(name) ?? 0
                if number < newest, !live.contains(number) {
                    try CheckpointError.onDisk(try disk.removeTree(layout.attempts + "/" + name))
                }
            }
        } catch {
            // It takes space and does no harm; the next attempt comes by again.
            warn("a folder of an old checkpoint attempt stays for now: \(error)")
        }
    }
}
