import ApusCore
import Synchronization

extension CheckpointAttempt {
    private var disk: any Disk { folder.disk }

    func adding(
        _ path: String,
        _ role: FileRole,
        _ logicalName: String
    ) throws(CheckpointError) -> FileEntry {
        guard let status = try CheckpointError.onDisk(try disk.status(path)), status.kind == .file
        else {
            throw CheckpointError(
                .attempt,
                "checkpoint \(number): \(path): expected a plain file, found none"
            )
        }
        if let hash = try knownHash(status) {
            return FileEntry(
                role: role,
                logicalName: logicalName,
                hash: hash,
                byteCount: status.byteCount
            )
        }
        let hash = try hash(path, status)
        let entry = FileEntry(
            role: role,
            logicalName: logicalName,
            hash: hash,
            byteCount: status.byteCount
        )
        protect(entry.contentName)
        let old = try CheckpointError.onDisk(
            try disk.status(folder.layout.file(entry.contentName))
        )
        if let old, try isTrusted(entry, old) { return entry }
        try place(path, status, hash, entry.contentName, replacing: old)
        created.append(entry.contentName)
        newByteCount += status.byteCount
        return entry
    }

    /// The hash of a file that was added before and still has its link in `files/`.
    private func knownHash(_ status: FileStatus) throws(CheckpointError) -> ContentHash? {
        let known = folder.state.withLock { $0.added[status.identity] }
        guard let known, known.byteCount == status.byteCount,
            known.modifiedNanoseconds == status.modifiedNanoseconds
        else { return nil }
        // Protected first: what is looked at must not be collected after the look.
        protect(known.contentName)
        let path = folder.layout.file(known.contentName)
        // The link keeps the identity from being given to another file.
        guard try CheckpointError.onDisk(try disk.status(path))?.identity == status.identity,
            folder.state.withLock({ $0.durableNames.contains(known.contentName) })
                || created.contains(known.contentName)
        else { return nil }
        return ContentHash(known.contentName.prefix(32))
    }

    private func hash(_ path: String, _ status: FileStatus) throws(CheckpointError) -> ContentHash {
        let found: (hash: ContentHash, byteCount: Int)
        do throws(DiskError) {
            found = try HashStream.hash(try disk.openForReading(path))
        } catch {
            throw CheckpointError(error)
        }
        guard found.byteCount == status.byteCount else {
            throw changed(path, "had \(status.byteCount) bytes, then \(found.byteCount)")
        }
        return found.hash
    }

    private func changed(_ path: String, _ what: String) -> CheckpointError {
        CheckpointError(
            .attempt,
            "checkpoint \(number): \(path): \(what); expected a file that nobody changes any more"
        )
    }

    /// Whether a file that is there will do.
    ///
    /// One that this attempt has brought onto the disk does, and one that a manifest names if it
    /// still has the bytes.  Of all others nobody knows whether they are on the disk, and
    /// synchronising them would not tell.
    private func isTrusted(
        _ entry: FileEntry,
        _ status: FileStatus
    ) throws(CheckpointError) -> Bool {
        if created.contains(entry.contentName) { return true }
        guard folder.state.withLock({ $0.durableNames.contains(entry.contentName) }) else {
            return false
        }
        guard let problem = try folder.verifier.problems([entry]).first else { return true }
        folder.warn(
            "\(folder.layout.root): damaged: \(problem); it is replaced by the file that "
                + "checkpoint \(number) brings"
        )
        return false
    }

    /// Puts a file into `files/`, its bytes on the disk, its name not yet.
    ///
    /// At no time is a name without a file that a checkpoint may need.
    private func place(
        _ path: String,
        _ status: FileStatus,
        _ hash: ContentHash,
        _ contentName: String,
        replacing old: FileStatus?
    ) throws(CheckpointError) {
        let temporary = temporary()
        let isLinked = try linkOrCopy(path, status, hash, to: temporary)
        Failpoint.hit(.c6Write)
        do throws(DiskError) {
            try disk.synchronizeFile(temporary)
        } catch {
            if isLinked {
                folder.state.withLock { state in
                    state.distrusted[status.identity] = WriterState.Distrusted(
                        hash: hash,
                        byteCount: status.byteCount,
                        modifiedNanoseconds: status.modifiedNanoseconds
                    )
                }
            }
            throw CheckpointError(error)
        }
        Failpoint.hit(.c6Fsync)
        folder.state.withLock { $0.forget(contentName) }
        let target = folder.layout.file(contentName)
        do throws(DiskError) {
            // Renaming one of two names of a file would do nothing, and that name may not be on the
            // disk; an attempt of this process made it, so no checkpoint needs it.
            let isSame = isLinked && old?.identity == status.identity
            if let old, isSame || old.kind != .file { try disk.removeTree(target) }
            try disk.rename(temporary, to: target)
        } catch {
            throw CheckpointError(error)
        }
        Failpoint.hit(.c6Rename)
        guard isLinked else { return }
        folder.state.withLock { state in
            state.added[status.identity] = WriterState.Added(
                contentName: contentName,
                byteCount: status.byteCount,
                modifiedNanoseconds: status.modifiedNanoseconds
            )
        }
    }

    private func linkOrCopy(
        _ path: String,
        _ status: FileStatus,
        _ hash: ContentHash,
        to temporary: String
    ) throws(CheckpointError) -> Bool {
        let mayLink = try mayLink(path, status, hash)
        do throws(DiskError) {
            if mayLink {
                do throws(DiskError) {
                    try disk.link(path, at: temporary)
                    Failpoint.hit(.c6Create)
                    return true
                } catch {
                    guard error.isWithoutLinks else { throw error }
                }
            }
            let copy = try disk.create(temporary)
            Failpoint.hit(.c6Create)
            let found = try HashStream.hash(try disk.openForReading(path), copyingTo: copy)
            try copy.close()
            guard found.hash != hash else { return false }
        } catch {
            throw CheckpointError(error)
        }
        throw changed(path, "other bytes when it was read the second time")
    }

    /// Whether a link to the file will do; a copy must be made of one that could not be
    /// synchronised, from the bytes that the kernel still has in memory.
    private func mayLink(
        _ path: String,
        _ status: FileStatus,
        _ hash: ContentHash
    ) throws(CheckpointError) -> Bool {
        guard let distrusted = folder.state.withLock({ $0.distrusted[status.identity] }),
            distrusted.byteCount == status.byteCount,
            distrusted.modifiedNanoseconds == status.modifiedNanoseconds
        else { return true }
        guard distrusted.hash == hash else {
            throw CheckpointError(
                .damaged,
                "\(path): damaged: after it could not be synchronised it has other bytes"
            )
        }
        return false
    }
}
