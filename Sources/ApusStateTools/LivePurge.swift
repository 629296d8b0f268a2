import ApusCheckpoint
package import ApusCore
import ApusState

/// Removes keys, or a state of them, from a running job: `apus state purge --live`.
///
/// The keys are found in a checkpoint that the job has just taken, and all that they have is
/// written to a file.  Only then is the job told to remove them, chunk by chunk; it leaves those
/// that were written since.
package struct LivePurge {
    /// Keys of one operator that are to go.
    package struct Chunk: Sendable {
        /// The operator's id.
        package let operatorName: String
        /// The keys, each with the second of its last write.
        package internal(set) var keys: [(key: [UInt8], written: UInt32)] = []
        /// The bytes of the keys.
        var byteCount = 0
    }

    /// What became of a chunk.
    package struct Counts: Sendable {
        /// Keys that are gone.
        package var removed: Int
        /// Keys that were written since, and stay.
        package var touched: Int
        /// Keys that had gone by themselves.
        package var missing: Int

        /// Creates counts.
        package init(removed: Int, touched: Int, missing: Int) {
            self.removed = removed
            self.touched = touched
            self.missing = missing
        }
    }

    /// The most keys of a chunk, and about how many bytes they may have together.
    static let chunkKeyCount = 2000
    static let chunkByteCount = 1 << 20

    /// So often it is told how far the work is.
    static let progressKeyCount = 100_000

    private let purge: StatePurge

    /// Creates a purge.
    ///
    /// - Parameter purge: What is to go.
    package init(_ purge: StatePurge) {
        self.purge = purge
    }

    /// Writes the file, then has the job remove the keys.
    ///
    /// - Parameters:
    ///   - reader: A checkpoint that the job has just taken.
    ///   - operators: The ids of the operators that run.
    ///   - tombstones: Where what is removed is written; there is no file yet.
    ///   - disk: The seam to files.
    ///   - remove: Has the job remove a chunk.
    /// - Returns: The counts.
    /// - Throws: ``StateToolError``, and what `remove` throws: the file stays then, and holds all
    ///   that may be gone.
    package func run(
        _ reader: StateSnapshotReader,
        operators: Set<String>,
        tombstones: String,
        disk: any Disk,
        remove: (Chunk) throws -> Counts
    ) throws -> LivePurgeReport {
        var report = LivePurgeReport(reader.manifest, purge.selection)
        let file = try StatePurge.create(tombstones, disk)
        do throws(StateToolError) {
            let title = purge.selection.title
            let export = try StateExport(reader.manifest, what: title, to: file)
            try write(reader, operators, export, &report)
            try export.finish(isDurable: true)
            let folder = StatePurge.parent(of: tombstones)
            try StateToolError.onDisk(try disk.synchronizeFolder(folder))
        } catch {
            // Nothing was removed, so that the file says what is not true.
            try? disk.remove(tombstones)  // and the error that is thrown is the reason
            throw error
        }
        guard report.selectedKeyCount > 0 else {
            try StateToolError.onDisk(try disk.remove(tombstones))
            return report
        }
        report.tombstones = tombstones
        var chunks: [String: Chunk] = [:]
        // A second walk rather than a list of millions of keys in memory.
        try forEachSelected(reader) { key, _ in
            let name = reader.directory.name(key.operatorNumber)
            var chunk = chunks.removeValue(forKey: name) ?? Chunk(operatorName: name)
            chunk.keys.append((key.key, key.written.seconds))
            chunk.byteCount += key.key.count
            if chunk.keys.count >= Self.chunkKeyCount || chunk.byteCount >= Self.chunkByteCount {
                try send(chunk, &report, remove)
            } else {
                chunks[name] = chunk
            }
        }
        for chunk in chunks.values { try send(chunk, &report, remove) }
        return report
    }

    private func write(
        _ reader: StateSnapshotReader,
        _ operators: Set<String>,
        _ export: StateExport,
        _ report: inout LivePurgeReport
    ) throws(StateToolError) {
        let directory = reader.directory
        let scope = try purge.scope(directory)
        try reader.forEachKey(of: scope.operatorNumber) { (key) throws(StateToolError) in
            report.scannedKeyCount += 1
            guard try purge.isSelected(key, scope, directory) else { return }
            let name = directory.name(key.operatorNumber)
            guard operators.contains(name) else {
                throw StateToolError(
                    .input,
                    "operator '\(name)' does not run in this job; stop the job and purge its "
                        + "state without --live, or name another one with --operator"
                )
            }
            guard !isInUse(key, reader) else {
                report.inUseKeyCount += 1
                return
            }
            let found = try reader.content(of: key.key, operatorNumber: key.operatorNumber)
            guard let content = found else {
                throw reader.damage("a key in group \(key.group) that is not its own")
            }
            try export.add(content, slot: try purge.slot(key.operatorNumber, directory))
            report.add(key, name)
            if report.selectedKeyCount % Self.progressKeyCount == 0 {
                purge.progress("\(report.selectedKeyCount) keys written to the file so far")
            }
        }
    }

    /// Whether a key was written in the second of the checkpoint, or later: a further write in
    /// that second could not be told from it, so the key counts as one that is in use.
    private func isInUse(_ key: KeySummary, _ reader: StateSnapshotReader) -> Bool {
        key.written >= CoarseTime(microseconds: reader.manifest.createdMicroseconds)
    }

    private func forEachSelected(
        _ reader: StateSnapshotReader,
        _ body: (KeySummary, StateSnapshotReader) throws -> Void
    ) throws {
        let scope = try purge.scope(reader.directory)
        // The reader passes on errors of its own kind alone.
        var failure: (any Error)?
        try reader.forEachKey(of: scope.operatorNumber) { (key) throws(StateToolError) in
            guard failure == nil, try purge.isSelected(key, scope, reader.directory),
                !isInUse(key, reader)
            else { return }
            do { try body(key, reader) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func send(
        _ chunk: Chunk,
        _ report: inout LivePurgeReport,
        _ remove: (Chunk) throws -> Counts
    ) throws {
        let before = report.handledKeyCount
        report.add(try remove(chunk))
        let now = report.handledKeyCount
        guard before / Self.progressKeyCount != now / Self.progressKeyCount else { return }
        purge.progress("\(now) of \(report.selectedKeyCount) keys")
    }
}
