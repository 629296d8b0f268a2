package import ApusCheckpoint
package import ApusCore
import ApusStore

/// Turns a savepoint into the first checkpoint of a new checkpoint folder.
package enum SavepointImport {
    /// Entries are ingested in slices of about so many bytes.
    private static let sliceByteCount = 64 << 20

    /// Makes a checkpoint out of a savepoint.
    ///
    /// It has the savepoint's number, so that the numbers of epochs go on where they were: sinks
    /// remember which they have delivered.
    ///
    /// - Parameters:
    ///   - path: The savepoint's folder.
    ///   - folder: A checkpoint folder without checkpoints, open for writing, of the same job.
    ///   - disk: The seam to files.
    ///   - nowMicroseconds: The time on the wall, since 1970.
    ///   - writerVersion: The version of Apus.
    ///   - sliceByteCount: When entries are ingested, for tests; nil for the usual.
    /// - Returns: The checkpoint's manifest, which is the newest one of the folder.
    /// - Throws: ``StateToolError``: the savepoint is damaged or another job's, or the folder has
    ///   checkpoints; the folder is as it was then.
    package static func openSavepoint(
        _ path: String,
        into folder: CheckpointFolder,
        disk: any Disk,
        nowMicroseconds: Int64,
        writerVersion: String,
        sliceByteCount: Int? = nil
    ) throws(StateToolError) -> Manifest {
        let savepoint = try Savepoint(path, disk: disk)
        try check(savepoint, folder)
        let work = try StateToolError.onFolder(try folder.workDirectory("savepoint"))
        let state = try TemporaryState(newAt: work + "/database", disk: disk)
        try fill(state, savepoint, work, sliceByteCount ?? self.sliceByteCount)
        let number = max(folder.nextNumber, savepoint.manifest.number)
        let attempt = try StateToolError.onFolder(try folder.begin(number))
        do throws(StateToolError) {
            try StateToolError.onStore(try state.database.checkpoint(to: attempt.directory))
            var manifest = savepoint.manifest
            manifest.number = number
            manifest.kind = .checkpoint
            manifest.createdMicroseconds = nowMicroseconds
            manifest.writerVersion = writerVersion
            manifest.files = try StateFiles.add(from: attempt.directory, to: attempt, disk: disk)
            for file in savepoint.manifest.files where file.role != .state {
                manifest.files.append(try add(file, of: savepoint, to: attempt, work, disk))
            }
            try StateToolError.onFolder(try attempt.commit(manifest))
        } catch {
            attempt.abandon()
            throw error
        }
        try state.close()
        return try StateToolError.onFolder(try folder.manifest(number))
    }

    private static func check(
        _ savepoint: Savepoint,
        _ folder: CheckpointFolder
    ) throws(StateToolError) {
        guard savepoint.manifest.job == folder.job else {
            throw StateToolError(
                .input,
                "\(savepoint.path): is of the job '\(savepoint.manifest.job)', and the checkpoint "
                    + "folder \(folder.path) is of '\(folder.job)'; give the job its old name"
            )
        }
        let there = try StateToolError.onFolder(try folder.list())
        guard there.isEmpty else {
            throw StateToolError(
                .input,
                "\(folder.path): holds checkpoints (the newest is \(there.last?.number ?? 0)), "
                    + "which the job would go on from; to start from the savepoint "
                    + "\(savepoint.path) give the job a new checkpoint folder"
            )
        }
    }

    private static func fill(
        _ state: TemporaryState,
        _ savepoint: Savepoint,
        _ work: String,
        _ sliceByteCount: Int
    ) throws(StateToolError) {
        let buffer = EntryBuffer()
        var count = 0
        func ingest() throws(StateToolError) {
            guard buffer.entryCount > 0 else { return }
            count += 1
            do throws(StoreError) {
                let run = try SortedRun.write([buffer], directory: work, name: "slice-\(count)")
                try state.database.ingest(run.paths)
            } catch {
                throw StateToolError(error)
            }
            buffer.reset()
        }
        try savepoint.verify { (_, entry) throws(StateToolError) in
            buffer.put(entry.key, entry.value)
            if buffer.byteCount >= sliceByteCount { try ingest() }
        }
        try ingest()
    }

    /// Adds a log; by way of a copy, because the savepoint's own file may be changed later.
    private static func add(
        _ file: FileEntry,
        of savepoint: Savepoint,
        to attempt: CheckpointAttempt,
        _ work: String,
        _ disk: any Disk
    ) throws(StateToolError) -> FileEntry {
        let copy = work + "/" + file.logicalName
        _ = try FilePieces.copy(savepoint.path(of: file), to: copy, disk: disk)
        let added = try StateToolError.onFolder(
            try attempt.add(copy, role: file.role, logicalName: file.logicalName)
        )
        guard added.contentName == file.contentName else {
            throw StateToolError(
                .input,
                "\(savepoint.path(of: file)): changed while it was read"
            )
        }
        return added
    }
}
