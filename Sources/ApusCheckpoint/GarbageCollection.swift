import ApusCore
import Synchronization

/// Decides which checkpoints and files nothing needs, going by the manifests on the disk, and
/// removes them in two steps: into the trash now, deleted by the next collection.
///
/// What stays:
/// - the checkpoint that `CURRENT` names, and the newest complete ones of the job's history;
/// - savepoints, what somebody reads, what is newer than `CURRENT`, what belongs to another folder;
/// - a damaged one, until as many complete ones are newer as are retained; as long as one stays
///   whose manifest cannot be read to the end, no file goes at all, because it may need any;
/// - the files of all these, and those of attempts that are under way.
struct GarbageCollection {
    let folder: CheckpointFolder
    private let retainedCount: Int
    private var report: GarbageReport
    private var reachable: Set<String> = []
    private var isIllegible = false
    private var leases: [any FileLock] = []
    private var disk: any Disk { folder.disk }
    private var layout: FolderLayout { folder.layout }

    init(_ folder: CheckpointFolder, retaining count: Int, isDryRun: Bool) {
        self.folder = folder
        // One could be damaged without anybody having noticed.
        retainedCount = max(2, count)
        report = GarbageReport(isDryRun: isDryRun)
    }

    mutating func run() throws(CheckpointError) -> GarbageReport {
        let current = try currentNumber()
        let going = try choose(current)
        for names in folder.state.withLock({ Array($0.attempts.values) }) {
            reachable.formUnion(names)
        }
        try emptyTrash()
        try removeManifests(going)
        try removeFiles()
        return report
    }

    /// The number in `CURRENT`; nil when there is no checkpoint.
    private func currentNumber() throws(CheckpointError) -> UInt64? {
        let problem: String
        switch try folder.reader.read(CurrentRecord.self, at: layout.current) {
        case .found(let current, _): return current.number
        case .missing:
            if try folder.reader.manifestNumbers().isEmpty { return nil }
            problem = "missing"
        case .damaged(let reason): problem = "damaged: \(reason)"
        }
        throw CheckpointError(
            .damaged,
            "\(layout.current): \(problem); nothing is deleted until a checkpoint is complete again"
        )
    }

    // MARK: Checkpoints

    /// Notes which checkpoints stay and what they need; returns those that go.
    private mutating func choose(_ current: UInt64?) throws(CheckpointError) -> [UInt64] {
        var found: [(number: UInt64, finding: FolderReader.ManifestFinding)] = []
        var history = History()
        var kinds: [UInt64: Manifest.Kind] = [:]
        for number in try folder.reader.manifestNumbers() {
            let finding = try folder.reader.manifest(number, of: folder.record)
            if case .found(let manifest, _) = finding {
                history.add(manifest)
                if let previous = manifest.previousNumber {
                    kinds[previous] = manifest.previousKind
                }
            }
            found.append((number, finding))
        }
        var completeCount = 0
        var going: [UInt64] = []
        for (number, finding) in found.reversed() {
            switch finding {
            case .missing: continue
            case .found(let manifest, _):
                let isComplete = try folder.reader.lengthProblems(manifest).isEmpty
                let isPast = number <= current ?? 0 && !history.isAbandoned(number)
                var reason = reason(
                    manifest,
                    current,
                    isAbandoned: history.isAbandoned(number),
                    isComplete: isComplete,
                    completeCount
                )
                if isComplete, isPast, manifest.kind == .checkpoint { completeCount += 1 }
                if reason == nil { reason = try lease(number) }
                if let reason {
                    keep(number, reason, manifest.contentNames)
                } else {
                    going.append(number)
                }
            case .damaged(let damage):
                var reason = reason(
                    damage,
                    damage.kind ?? kinds[number],
                    isCurrent: number == current,
                    completeCount
                )
                if reason == nil { reason = try lease(number) }
                if let reason {
                    keep(number, reason, damage.contentNames)
                    note(number, damage)
                } else {
                    going.append(number)
                }
            }
        }
        report.kept.reverse()
        return going.reversed()
    }

    private func reason(
        _ manifest: Manifest,
        _ current: UInt64?,
        isAbandoned: Bool,
        isComplete: Bool,
        _ completeCount: Int
    ) -> GarbageReport.Reason? {
        if manifest.number == current { return .current }
        if manifest.kind == .savepoint { return .savepoint }
        if isAbandoned { return nil }
        if manifest.number > current ?? 0 { return .newer }
        if completeCount < retainedCount { return isComplete ? .retained : .damaged }
        return nil
    }

    private func reason(
        _ damage: DamagedManifest,
        _ kind: Manifest.Kind?,
        isCurrent: Bool,
        _ completeCount: Int
    ) -> GarbageReport.Reason? {
        if isCurrent { return .current }
        if damage.isForeign { return .foreign }
        // Were it whole, it would go.
        if kind == .checkpoint, completeCount >= retainedCount { return nil }
        return kind == .savepoint ? .savepoint : .damaged
    }

    /// Takes a checkpoint for removal, or says that somebody reads it.
    private mutating func lease(_ number: UInt64) throws(CheckpointError) -> GarbageReport.Reason? {
        do throws(DiskError) {
            let lock = try disk.lock(layout.manifest(number), .exclusive)
            // A look must not keep readers out.
            if report.isDryRun { lock.release() } else { leases.append(lock) }
            return nil
        } catch {
            guard error.isLocked else { throw CheckpointError(error) }
            return .leased
        }
    }

    private mutating func keep(
        _ number: UInt64,
        _ reason: GarbageReport.Reason,
        _ names: Set<String>
    ) {
        report.kept.append(GarbageReport.Kept(number: number, reason: reason))
        reachable.formUnion(names)
    }

    private mutating func note(_ number: UInt64, _ damage: DamagedManifest) {
        report.notes.append("\(layout.manifest(number)): damaged: \(damage.reason)")
        if !damage.isLegible, !isIllegible {
            isIllegible = true
            report.notes.append(
                "no file is deleted as long as that manifest is there, because it may need any"
            )
        }
    }

    // MARK: Removal

    /// The second step: deletes what an earlier collection has put into the trash.
    private mutating func emptyTrash() throws(CheckpointError) {
        for name in try folder.reader.names(in: layout.trash) {
            let path = layout.trash + "/" + name
            guard let status = try CheckpointError.onDisk(try disk.status(path)) else { continue }
            let home = layout.file(name)
            if FileEntry.isContentName(name), reachable.contains(name) || isIllegible {
                // Somebody brought back a manifest that needs it.
                if try CheckpointError.onDisk(try disk.status(home)) == nil {
                    report.notes.append("\(path): needed again; put back")
                    if !report.isDryRun {
                        try CheckpointError.onDisk(try disk.rename(path, to: home))
                    }
                    continue
                }
                if isIllegible { continue }
            }
            report.deleted.append(GarbageReport.File(name: name, byteCount: status.byteCount))
            if report.isDryRun { continue }
            try CheckpointError.onDisk(try disk.removeTree(path))
            Failpoint.hit(.c15)
        }
    }

    /// The first step for manifests: they go before their files do, so that none is without them.
    private mutating func removeManifests(_ numbers: [UInt64]) throws(CheckpointError) {
        report.removed = numbers
        guard !report.isDryRun, !numbers.isEmpty else { return }
        for number in numbers {
            let name = FolderLayout.manifestName(number)
            try CheckpointError.onDisk(
                try disk.rename(layout.manifest(number), to: layout.trash + "/" + name)
            )
            Failpoint.hit(.c14)
        }
        for lease in leases { lease.release() }
        try CheckpointError.onDisk(try disk.synchronizeFolder(layout.manifests))
    }

    /// The first step for files that no manifest needs.
    private mutating func removeFiles() throws(CheckpointError) {
        if isIllegible { return }
        for name in try folder.reader.names(in: layout.files) where !reachable.contains(name) {
            let path = layout.file(name)
            guard FileEntry.isContentName(name) else {
                if !name.hasSuffix(FolderLayout.temporaryEnd) {
                    report.notes.append("\(path): not a file of Apus; left alone")
                }
                continue
            }
            guard let status = try CheckpointError.onDisk(try disk.status(path)) else { continue }
            report.marked.append(GarbageReport.File(name: name, byteCount: status.byteCount))
            if report.isDryRun { continue }
            folder.state.withLock { $0.forget(name) }
            try CheckpointError.onDisk(try disk.rename(path, to: layout.trash + "/" + name))
            Failpoint.hit(.c14)
        }
    }
}

extension CheckpointFolder {
    /// Removes checkpoints that are too old, and files that none needs, in two steps: they
    /// go into the trash now and are deleted by the next collection.
    ///
    /// Savepoints stay, and so does what somebody reads.  What stays is decided by the manifests on
    /// the disk alone.
    ///
    /// - Parameters:
    ///   - count: So many complete checkpoints stay, at least 2.
    ///   - isDryRun: Whether to say what would go, and do nothing; allowed to readers.
    /// - Returns: What went, what stays, and what somebody should look at.
    /// - Throws: ``CheckpointError`` when `CURRENT` cannot be read or the disk refuses; a part
    ///   may have been done, and the next collection goes on.
    @discardableResult
    package func collectGarbage(
        retaining count: Int = 2,
        isDryRun: Bool
    ) throws(CheckpointError) -> GarbageReport {
        precondition(isDryRun || isWriter, "only the writer of a folder deletes")
        var collection = GarbageCollection(self, retaining: count, isDryRun: isDryRun)
        return try collection.run()
    }
}
