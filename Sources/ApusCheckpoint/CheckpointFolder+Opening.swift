package import ApusCore

extension CheckpointFolder {
    /// Opens (makes) the folder for one writing process: takes the lock, removes what attempts that
    /// were broken off have left.
    ///
    /// - Parameters:
    ///   - path: The folder; made with those above it when it is missing.
    ///   - job: The job's name; a folder belongs to one job.
    ///   - disk: The seam to files.
    ///   - entropy: Gives a new folder its id.
    ///   - threads: Verifies files with a second thread; nil uses the caller's alone.
    ///   - warn: Gets what a person should know though it is no error; on any thread.
    /// - Returns: The folder, whose lock ends with it.
    /// - Throws: ``CheckpointError`` when another process has it, when it is another job's or
    ///   holds something else, or when the disk refuses.
    package static func openForWriting(
        _ path: String,
        job: String,
        disk: any Disk,
        entropy: any Entropy,
        threads: (any Threads)? = nil,
        warn: @escaping @Sendable (String) -> Void
    ) throws(CheckpointError) -> CheckpointFolder {
        let opening = FolderOpening(
            FolderReader(layout: FolderLayout(root: try makeRoot(path, disk)), disk: disk),
            warn: warn
        )
        try opening.refuseForeignFolder()
        let lock = try opening.takeLock()
        // The lock ends with its process: whoever had it is gone.
        Failpoint.hit(.x2)
        let record = try opening.identify(job: job, entropy: entropy)
        try opening.makeSubfolders()
        let state = try opening.survey(record)
        try opening.sweep()
        Failpoint.hit(.x1)
        return CheckpointFolder(
            opening.reader,
            record: record,
            lock: lock,
            state: state,
            threads: threads,
            warn: warn
        )
    }

    /// Opens the folder for looking: no lock, nothing is changed.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - disk: The seam to files.
    ///   - threads: Verifies files with a second thread; nil uses the caller's alone.
    ///   - warn: Gets what a person should know though it is no error; on any thread.
    /// - Returns: The folder; a job may write to it meanwhile.
    /// - Throws: ``CheckpointError`` when there is no checkpoint folder at the path.
    package static func openForReading(
        _ path: String,
        disk: any Disk,
        threads: (any Threads)? = nil,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(CheckpointError) -> CheckpointFolder {
        let status = try CheckpointError.onDisk(try disk.status(path))
        guard status?.kind == .folder else {
            throw CheckpointError(
                .notAFolder,
                "\(path): there is no \(status == nil ? "such folder" : "folder, but a file"); "
                    + "expected the folder that a job's spec.checkpoint names"
            )
        }
        let root = try CheckpointError.onDisk(try disk.canonicalPath(path))
        let opening = FolderOpening(
            FolderReader(layout: FolderLayout(root: root), disk: disk),
            warn: warn
        )
        let record = try opening.identify()
        return CheckpointFolder(
            opening.reader,
            record: record,
            lock: nil,
            state: WriterState(nextNumber: 0, isMarkedAsHeld: true),
            threads: threads,
            warn: warn
        )
    }

    /// Makes the folder if it is missing, so that it is on the disk with those above it.
    private static func makeRoot(
        _ path: String,
        _ disk: any Disk
    ) throws(CheckpointError) -> String {
        do throws(DiskError) {
            var missing: [String] = []
            var next: String? = path
            while let folder = next, try disk.status(folder) == nil {
                missing.append(folder)
                next = FolderLayout.parent(of: folder)
            }
            if !missing.isEmpty { try disk.makeDirectory(path) }
            for folder in missing.reversed() {
                let parent = FolderLayout.parent(of: folder)
                try disk.synchronizeFolder(parent ?? (folder.hasPrefix("/") ? "/" : "."))
            }
            return try disk.canonicalPath(path)
        } catch {
            throw CheckpointError(error)
        }
    }
}
