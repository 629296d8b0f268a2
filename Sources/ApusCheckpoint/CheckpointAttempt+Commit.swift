import ApusCore
import Synchronization

extension CheckpointAttempt {
    private var disk: any Disk { folder.disk }
    private var layout: FolderLayout { folder.layout }

    /// Makes the checkpoint the newest one: files, then manifest, then `CURRENT`, each on the disk
    /// before the next.
    ///
    /// - Parameter manifest: Its files are those that ``add(_:role:logicalName:)`` returned and
    ///   ``carry(_:)`` took; folder and previous number are filled in here.
    /// - Throws: ``CheckpointError``; the checkpoint before is the newest one then, except when the
    ///   very last step was not confirmed: then either may be, after a crash, and both are whole.
    package func commit(_ manifest: Manifest) throws(CheckpointError) {
        try checkOpen()
        precondition(manifest.number == number, "the manifest is the one of this attempt")
        precondition(manifest.job == folder.record.job, "the manifest is of this folder's job")
        do throws(CheckpointError) {
            try check(manifest)
            var manifest = manifest
            manifest.folder = folder.record.folder
            manifest.formatVersion = manifest.neededFormatVersion
            let previous = folder.state.withLock { $0.previous }
            manifest.previousNumber = previous?.number
            manifest.previousKind = previous?.kind
            let bytes = SealedDocument.encode(manifest)

            try CheckpointError.onDisk(try disk.synchronizeFolder(layout.files))
            let added = created
            folder.state.withLock { $0.durableNames.formUnion(added) }
            Failpoint.hit(.c7)
            try writeManifest(bytes)
            try switchCurrent(HashStream.hash(bytes))
        } catch {
            if phase == .open { phase = .failed }
            throw error
        }
        phase = .committed
        folder.state.withLock { state in
            state.previous = WriterState.Previous(manifest)
            state.attempts[number] = nil
        }
        removeAttemptFolder()
        folder.markAsHeld()
    }

    /// Gives the attempt up: removes what it has added, so that its space is free again.
    ///
    /// Its number is not given again.  Nothing when it has ended before.  An attempt whose last
    /// step was not confirmed leaves its files to the garbage collection.
    package func abandon() {
        guard phase != .committed, phase != .abandoned else { return }
        let isInDoubt = phase == .inDoubt
        phase = .abandoned
        if !isInDoubt { removeAdded() }
        folder.state.withLock { $0.attempts[number] = nil }
        removeAttemptFolder()
    }

    private func check(_ manifest: Manifest) throws(CheckpointError) {
        if let problem = manifest.problem {
            throw CheckpointError(.attempt, "checkpoint \(number): \(problem)")
        }
        let own = folder.state.withLock { $0.attempts[number] ?? [] }
        guard let foreign = manifest.files.first(where: { !own.contains($0.contentName) }) else {
            return
        }
        throw CheckpointError(
            .attempt,
            "checkpoint \(number): the file '\(foreign.logicalName)' was neither added nor carried"
        )
    }

    private func writeManifest(_ bytes: [UInt8]) throws(CheckpointError) {
        let path = layout.manifest(number)
        let file = DurableFile(
            disk: disk,
            path: path,
            temporary: path + FolderLayout.temporaryEnd
        )
        guard try CheckpointError.onDisk(try disk.status(path)) == nil else {
            throw CheckpointError(.attempt, "\(path): exists; somebody put it there")
        }
        try file.write(bytes)
        Failpoint.hit(.c10)
        hasManifest = true
        try file.publish()
        try CheckpointError.onDisk(try disk.synchronizeFolder(layout.manifests))
        Failpoint.hit(.c11)
    }

    private func switchCurrent(_ manifestHash: ContentHash) throws(CheckpointError) {
        let current = CurrentRecord(
            folder: folder.record.folder,
            job: folder.record.job,
            number: number,
            manifest: FolderLayout.manifestName(number),
            manifestHash: manifestHash.description
        )
        let name = layout.current + "." + FolderLayout.digits(number)
        let file = DurableFile(
            disk: disk,
            path: layout.current,
            temporary: name + FolderLayout.temporaryEnd
        )
        try file.write(SealedDocument.encode(current))
        phase = .inDoubt
        try file.publish()
        try CheckpointError.onDisk(try disk.synchronizeFolder(layout.root))
        Failpoint.hit(.c12)
    }

    private func removeAdded() {
        do throws(CheckpointError) {
            if hasManifest {
                let path = layout.manifest(number)
                if disk.exists(path) { try CheckpointError.onDisk(try disk.remove(path)) }
                // Before its files: a manifest that comes back after a power cut must be whole.
                try CheckpointError.onDisk(try disk.synchronizeFolder(layout.manifests))
            }
            guard !created.isEmpty else { return }
            let needed = try neededByOthers()
            for name in created where !needed.contains(name) {
                folder.state.withLock { $0.forget(name) }
                try CheckpointError.onDisk(try disk.remove(layout.file(name)))
            }
        } catch {
            folder.warn(
                "checkpoint \(number) was given up, and not all of it could be removed: \(error); "
                    + "the garbage collection comes by again"
            )
        }
    }

    /// What other attempts have and manifests on the disk name, whoever brought it.
    private func neededByOthers() throws(CheckpointError) -> Set<String> {
        var names = folder.state.withLock { state in
            state.attempts.filter { $0.key != number }.values.reduce(into: Set<String>()) {
                $0.formUnion($1)
            }
        }
        for other in try folder.reader.manifestNumbers() {
            switch try folder.reader.manifest(other, of: folder.record) {
            case .missing: continue
            case .found(let manifest, _): names.formUnion(manifest.contentNames)
            case .damaged(let damage):
                guard damage.isLegible else {
                    throw CheckpointError(
                        .damaged,
                        "\(layout.manifest(other)): damaged: \(damage.reason); it may need any file"
                    )
                }
                names.formUnion(damage.contentNames)
            }
        }
        return names
    }

    private func removeAttemptFolder() {
        // The newest folder itself holds the number; what is in it has been linked or copied.
        do throws(DiskError) {
            for entry in try disk.list(layout.attempt(number)) {
                try disk.removeTree(layout.attempt(number) + "/" + entry.name)
            }
            if phase == .committed { return }
            let temporaries = "\(FolderLayout.digits(number))-"
            for entry in try disk.list(layout.files)
            where entry.name.hasPrefix(temporaries)
                && entry.name.hasSuffix(FolderLayout.temporaryEnd)
            {
                try disk.remove(layout.files + "/" + entry.name)
            }
        } catch {
            folder.warn("the folder of checkpoint attempt \(number) stays for now: \(error)")
        }
    }
}

extension CheckpointFolder {
    /// Notes in `FOLDER` that a checkpoint was complete, so that none is an error from now on.
    func markAsHeld() {
        guard state.withLock({ !$0.isMarkedAsHeld }) else { return }
        var held = record
        held.hasHeldCheckpoint = true
        do throws(CheckpointError) {
            try FolderOpening.write(held, layout, disk)
            state.withLock { $0.isMarkedAsHeld = true }
        } catch {
            warn("\(layout.identity) could not be written and will be with the next one: \(error)")
        }
    }
}
