import ApusCore
import Synchronization

extension CheckpointFolder {
    /// A checkpoint that may be the one to go on from, or why it is not.
    private enum Candidate {
        case usable(Manifest)
        case unusable([String])
    }

    /// The newest checkpoint that can be used: as a rule the one that `CURRENT` names.
    ///
    /// If that one is damaged, the newest complete one before it is taken, and a warning says so:
    /// what came after it is processed again.  The writer that was given a checkpoint here goes on
    /// from it; the next one says so in its manifest.
    ///
    /// - Parameter verifyingFiles: Whether every byte is read and its hash compared; otherwise the
    ///   files must be there and have their lengths.
    /// - Returns: The manifest; nil only when the folder never held a complete checkpoint.
    /// - Throws: ``CheckpointError`` when there was a checkpoint and none can be used, naming all
    ///   that were tried; when a newer Apus wrote it; when the disk refuses to read.
    package func latest(verifyingFiles: Bool = true) throws(CheckpointError) -> Manifest? {
        var found = try search(verifyingFiles: verifyingFiles)
        // A reader has no lock: what it was looking at may have been replaced meanwhile.
        for _ in 0..<5 where !isWriter && !found.problems.isEmpty {
            let again = try search(verifyingFiles: verifyingFiles)
            if again.problems == found.problems { break }
            found = again
        }
        guard let manifest = found.manifest else {
            if found.problems.isEmpty { return nil }
            throw CheckpointError(
                .noneUsable,
                "\(layout.root): no checkpoint of the job '\(record.job)' can be used: "
                    + found.problems.joined(separator: "; ")
                    + ". Put back what is missing from a copy of the folder; or, to start without "
                    + "state, move this folder away or give the job another one"
            )
        }
        if !found.problems.isEmpty {
            warn(
                "\(layout.root): GOING BACK to checkpoint \(manifest.number), because the newest "
                    + "one cannot be used: \(found.problems.joined(separator: "; ")). What came "
                    + "after checkpoint \(manifest.number) is processed again"
            )
        }
        state.withLock { $0.previous = WriterState.Previous(manifest) }
        return manifest
    }

    /// Says that the job goes on from another checkpoint than that of ``latest(verifyingFiles:)``.
    ///
    /// Those that are left out are no longer part of the job's history.  They are not gone back to,
    /// and, unless they are savepoints, go once the next checkpoint is complete.
    ///
    /// - Parameter manifest: Of ``manifest(_:)``; nil when the job starts from nothing, or from
    ///   somewhere else.
    package func goOn(from manifest: Manifest?) {
        precondition(isWriter, "only the writer of a folder makes history")
        state.withLock { $0.previous = manifest.map(WriterState.Previous.init) }
    }

    /// The manifest of a checkpoint, whether or not its files are whole.
    ///
    /// - Parameter number: The checkpoint's number.
    /// - Returns: The manifest, which is whole and of this folder.
    /// - Throws: ``CheckpointError`` when there is none, or when it is damaged or of a newer Apus.
    package func manifest(_ number: UInt64) throws(CheckpointError) -> Manifest {
        switch try reader.manifest(number, of: record) {
        case .found(let manifest, _): return manifest
        case .missing:
            let there = try reader.manifestNumbers().map(String.init)
            throw CheckpointError(
                .noSuchCheckpoint,
                "\(layout.root): there is no checkpoint \(number); expected one of: "
                    + (there.isEmpty ? "none" : there.joined(separator: ", "))
            )
        case .damaged(let damage):
            throw CheckpointError(
                .damaged,
                "\(layout.manifest(number)): damaged: \(damage.reason)"
            )
        }
    }

    /// Whether output may have been delivered that a checkpoint does not know of.
    ///
    /// - Parameter manifest: Of this folder.
    /// - Returns: Whether it is not the newest one that was ever complete, or goes on from one that
    ///   was not.
    /// - Throws: ``CheckpointError`` when the disk refuses to read.
    package func isOutdated(_ manifest: Manifest) throws(CheckpointError) -> Bool {
        guard
            case .found(let current, _) = try reader.read(CurrentRecord.self, at: layout.current),
            foreign(current) == nil, current.number == manifest.number
        else { return true }
        guard let previous = manifest.previousNumber else { return false }
        return try reader.manifestNumbers().contains { previous < $0 && $0 < manifest.number }
    }

    /// Whether there was a complete checkpoint: the writer knows of its own as well.
    private var hasHeldCheckpoint: Bool {
        record.hasHeldCheckpoint || (isWriter && state.withLock { $0.isMarkedAsHeld })
    }

    private func search(
        verifyingFiles: Bool
    ) throws(CheckpointError) -> (manifest: Manifest?, problems: [String]) {
        let numbers = try reader.manifestNumbers()
        var problems: [String] = []
        var end = UInt64.max
        switch try reader.read(CurrentRecord.self, at: layout.current) {
        case .missing:
            // A first commit that was broken off looks like this, and is no reason to worry.
            if hasHeldCheckpoint { problems.append("CURRENT is missing") }
        case .damaged(let reason):
            problems.append("CURRENT is damaged: \(reason)")
        case .found(let current, _):
            if let foreign = foreign(current) {
                problems.append("CURRENT is damaged: \(foreign)")
                break
            }
            switch try candidate(current.number, current.manifestHash, verifyingFiles) {
            case .usable(let manifest): return (manifest, [])
            case .unusable(let reasons): problems += reasons
            }
            end = current.number
        }
        let history = try history(numbers)
        for number in numbers.reversed() where number < end && !history.isAbandoned(number) {
            switch try candidate(number, nil, verifyingFiles) {
            case .usable(let manifest): return (manifest, problems)
            case .unusable(let reasons): problems += reasons
            }
        }
        return (nil, problems)
    }

    /// Looks at a checkpoint; `hash` is what `CURRENT` says of its manifest.
    private func candidate(
        _ number: UInt64,
        _ hash: String?,
        _ verifyingFiles: Bool
    ) throws(CheckpointError) -> Candidate {
        let name = "manifests/" + FolderLayout.manifestName(number)
        let found: Manifest
        switch try reader.manifest(number, of: record) {
        case .missing: return .unusable(["\(name) is missing"])
        case .damaged(let damage): return .unusable(["\(name) is damaged: \(damage.reason)"])
        case .found(let manifest, let foundHash):
            if let hash, hash != foundHash.description {
                return .unusable(
                    ["\(name) has the hash \(foundHash), and CURRENT says \(hash)"]
                )
            }
            found = manifest
        }
        Failpoint.hit(.x3)
        let problems =
            verifyingFiles
            ? try verifier.problems(found.files) : try reader.lengthProblems(found)
        guard problems.isEmpty else {
            return .unusable(problems.map { "checkpoint \(number): \($0)" })
        }
        if verifyingFiles { Failpoint.hit(.x4) }
        return .usable(found)
    }

    /// Why `CURRENT`, whole as it is, is not the one of this folder.
    private func foreign(_ current: CurrentRecord) -> String? {
        if current.job != record.job {
            return "it is of the job '\(current.job)'; somebody put it there"
        }
        if current.folder != record.folder {
            return "it is of the checkpoint folder \(current.folder); somebody put it there"
        }
        guard current.manifest == FolderLayout.manifestName(current.number) else {
            return "it names the manifest \(current.manifest) for checkpoint \(current.number)"
        }
        return nil
    }

    /// What the manifests that can be read say of the job's history.
    private func history(_ numbers: [UInt64]) throws(CheckpointError) -> History {
        var history = History()
        for number in numbers {
            if case .found(let manifest, _) = try reader.manifest(number, of: record) {
                history.add(manifest)
            }
        }
        return history
    }
}
