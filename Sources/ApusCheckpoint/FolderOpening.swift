import ApusCore

/// The steps of opening a checkpoint folder.
struct FolderOpening {
    let reader: FolderReader
    private let warn: @Sendable (String) -> Void
    private var layout: FolderLayout { reader.layout }
    private var disk: any Disk { reader.disk }

    init(_ reader: FolderReader, warn: @escaping @Sendable (String) -> Void) {
        self.reader = reader
        self.warn = warn
    }

    /// Refuses a folder that holds something else: `work/` in it is emptied, after all.
    func refuseForeignFolder() throws(CheckpointError) {
        let names = try reader.names(in: layout.root)
        guard !names.contains(FolderLayout.identityName),
            !names.contains(FolderLayout.currentName),
            try reader.manifestNumbers().isEmpty
        else { return }
        let foreign = names.filter { name in
            name != FolderLayout.lockName && name != "lost+found"
                && name != FolderLayout.identityName + FolderLayout.temporaryEnd
        }
        guard let first = foreign.first else { return }
        throw CheckpointError(
            .notAFolder,
            "\(layout.root): holds \(foreign.count) things, '\(first)' among them, and no FOLDER; "
                + "expected a checkpoint folder, or a new or empty one"
        )
    }

    /// Keeps other writers out.
    func takeLock() throws(CheckpointError) -> any FileLock {
        do throws(DiskError) {
            return try disk.lock(layout.lock, .writer)
        } catch {
            guard error.isLocked else { throw CheckpointError(error) }
            throw CheckpointError(
                .locked,
                "\(layout.root): another process writes checkpoints there: \(error); "
                    + "stop it first, or give this job a folder of its own; `apus state purge` and "
                    + "`undo` change the state of a running job with --live",
                cause: error
            )
        }
    }

    /// Whose folder it is, for readers.
    func identify() throws(CheckpointError) -> FolderRecord {
        let damage: String
        switch try reader.read(FolderRecord.self, at: layout.identity) {
        case .found(let record, _):
            try refuseForeign(record)
            return record
        case .missing: damage = "missing"
        case .damaged(let reason): damage = "damaged: \(reason)"
        }
        if let record = try recordOfOthers() {
            warn("\(layout.identity): \(damage); whose folder it is says a checkpoint in it")
            return record
        }
        throw CheckpointError(
            .notAFolder,
            "\(layout.identity): \(damage), and no checkpoint says whose folder it is; expected "
                + "the folder that a job's spec.checkpoint names, with its FOLDER; put FOLDER "
                + "back from a copy"
        )
    }

    /// Whose folder it is, for the writer: makes it the job's if it is nobody's.
    func identify(job: String, entropy: any Entropy) throws(CheckpointError) -> FolderRecord {
        var record: FolderRecord
        switch try reader.read(FolderRecord.self, at: layout.identity) {
        case .found(let found, _):
            try refuseForeign(found)
            return try check(found, job)
        case .damaged(let reason):
            guard let other = try recordOfOthers() else {
                throw CheckpointError(
                    .damaged,
                    "\(layout.identity): damaged: \(reason); expected the folder's id and the job "
                        + "'\(job)', and neither CURRENT nor any manifest can be read to write it "
                        + "again; put FOLDER back from a copy, or move the folder away if there is "
                        + "nothing in it that you need"
                )
            }
            warn("\(layout.identity): damaged: \(reason); written again from what CURRENT says")
            record = try check(other, job)
        case .missing:
            if let other = try recordOfOthers() {
                warn("\(layout.identity): missing; written again from what CURRENT says")
                record = try check(other, job)
            } else if try reader.manifestNumbers().isEmpty, !disk.exists(layout.current) {
                let id = ContentHash(high: entropy.seed(), low: entropy.seed())
                record = FolderRecord(folder: id.description, job: job)
            } else {
                throw CheckpointError(
                    .damaged,
                    "\(layout.identity): missing, and neither CURRENT nor any manifest can "
                        + "be read to tell whose folder it is; put a copy of it in its place, or "
                        + "give the job another folder to start without state"
                )
            }
        }
        try Self.write(record, layout, disk)
        return record
    }

    /// Writes `FOLDER`.
    static func write(
        _ record: FolderRecord,
        _ layout: FolderLayout,
        _ disk: any Disk
    ) throws(CheckpointError) {
        let temporary = layout.identity + FolderLayout.temporaryEnd
        let file = DurableFile(disk: disk, path: layout.identity, temporary: temporary)
        do throws(DiskError) {
            try disk.removeTree(temporary)
        } catch {
            throw CheckpointError(error)
        }
        try file.write(SealedDocument.encode(record))
        try file.publish()
        try CheckpointError.onDisk(try disk.synchronizeFolder(layout.root))
    }

    /// Refuses a `FOLDER` that was put there from elsewhere: all else in the folder would look
    /// foreign beside it.
    private func refuseForeign(_ record: FolderRecord) throws(CheckpointError) {
        var others: [(name: String, record: FolderRecord)] = []
        if case .found(let current, _) = try reader.read(CurrentRecord.self, at: layout.current) {
            let record = FolderRecord(folder: current.folder, job: current.job)
            others.append((FolderLayout.currentName, record))
        }
        for number in try reader.manifestNumbers().reversed() {
            // Each of them that agrees is enough, and as a rule the first one does.
            if others.contains(where: { $0.record.folder == record.folder }) { return }
            let path = layout.manifest(number)
            guard case .found(let manifest, _) = try reader.read(Manifest.self, at: path) else {
                continue
            }
            others.append(
                (layout.short(path), FolderRecord(folder: manifest.folder, job: manifest.job))
            )
        }
        guard let first = others.first,
            !others.contains(where: { $0.record.folder == record.folder })
        else { return }
        throw CheckpointError(
            .damaged,
            "\(layout.identity): damaged: it is of the checkpoint folder \(record.folder) of the "
                + "job '\(record.job)'; expected \(first.record.folder) of the job "
                + "'\(first.record.job)', as \(others.map(\.name).joined(separator: ", ")) say; "
                + "somebody put it there; put the right FOLDER back, or remove this one: it is "
                + "written again then"
        )
    }

    private func check(
        _ record: FolderRecord,
        _ job: String
    ) throws(CheckpointError) -> FolderRecord {
        guard record.job == job else {
            throw CheckpointError(
                .wrongJob,
                "\(layout.root): FOLDER says that it holds the checkpoints of the job "
                    + "'\(record.job)', not of '\(job)'; give the job a folder of its own, or its "
                    + "old name back"
            )
        }
        return record
    }

    /// Whose folder it is according to `CURRENT`, else to the newest manifest that can be read.
    private func recordOfOthers() throws(CheckpointError) -> FolderRecord? {
        if case .found(let current, _) = try reader.read(CurrentRecord.self, at: layout.current) {
            return FolderRecord(folder: current.folder, job: current.job, hasHeldCheckpoint: true)
        }
        for number in try reader.manifestNumbers().reversed() {
            let path = layout.manifest(number)
            guard case .found(let manifest, _) = try reader.read(Manifest.self, at: path) else {
                continue
            }
            return FolderRecord(
                folder: manifest.folder,
                job: manifest.job,
                hasHeldCheckpoint: true
            )
        }
        return nil
    }

    /// Makes the folders in the folder.
    func makeSubfolders() throws(CheckpointError) {
        do throws(DiskError) {
            var isChanged = false
            for name in FolderLayout.subfolders {
                let path = layout.root + "/" + name
                isChanged = try disk.status(path) == nil || isChanged
                try disk.makeDirectory(path)
            }
            if isChanged { try disk.synchronizeFolder(layout.root) }
        } catch {
            throw CheckpointError(error)
        }
    }

    /// What the disk tells the writer: which numbers were given, which files are safe.
    func survey(_ record: FolderRecord) throws(CheckpointError) -> WriterState {
        var numbers: [UInt64] = [0]
        for folder in [layout.manifests, layout.attempts] {
            // Also of "00000000000000000007.json.tmp".
            numbers += try reader.names(in: folder).compactMap(FolderLayout.attemptNumber)
        }
        numbers += try reader.names(in: layout.trash).compactMap(FolderLayout.manifestNumber)
        var previous: UInt64?
        if case .found(let current, _) = try reader.read(CurrentRecord.self, at: layout.current) {
            previous = current.number
            numbers.append(min(current.number, FolderLayout.numberEnd - 1))
        }
        var state = WriterState(
            nextNumber: (numbers.max() ?? 0) + 1,
            isMarkedAsHeld: record.hasHeldCheckpoint
        )
        state.previous = previous.map { WriterState.Previous(number: $0, kind: nil) }
        for number in try reader.manifestNumbers() {
            // A manifest got its name after its files had been synchronised, they and their names.
            if case .found(let manifest, _) = try reader.manifest(number, of: record) {
                state.durableNames.formUnion(manifest.contentNames)
                if number == previous { state.previous = WriterState.Previous(manifest) }
            }
        }
        return state
    }

    /// Removes what was left behind by a process that ended in the middle of something.
    func sweep() throws(CheckpointError) {
        do throws(DiskError) {
            for entry in try disk.list(layout.work) {
                try disk.removeTree(layout.work + "/" + entry.name)
            }
            for folder in [layout.root, layout.manifests, layout.files] {
                for entry in try disk.list(folder)
                where entry.name.hasSuffix(FolderLayout.temporaryEnd) && !entry.isFolder {
                    try disk.remove(folder + "/" + entry.name)
                }
            }
            let attempts = try disk.list(layout.attempts).map { layout.attempts + "/" + $0.name }
            for attempt in attempts.dropLast() { try disk.removeTree(attempt) }
            // The newest one stays, empty: it holds the number.
            guard let newest = attempts.last else { return }
            for entry in try disk.list(newest) { try disk.removeTree(newest + "/" + entry.name) }
        } catch {
            throw CheckpointError(error)
        }
    }
}
