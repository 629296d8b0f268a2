package import ApusCheckpoint
package import ApusCore
import ApusState

/// Brings lines of the export format into state: `apus state import` and `apus state undo`.
///
/// Nothing is changed in place: the result is a new checkpoint.
package struct StateImport {
    /// What becomes of a value that is there already.
    package enum Existing: String, CaseIterable, Sendable {
        /// The line's takes its place.
        case replace
        /// It stays, and the line is left out.
        case keep
    }

    /// What an import did, or would do.
    package struct Report: Encodable, Equatable, Sendable {
        /// The checkpoint that it goes on from.
        package let checkpoint: UInt64
        /// The file.
        package let file: String
        /// What becomes of values that are there already.
        package let existing: String
        /// Whether nothing was done.
        package internal(set) var isDryRun = true
        /// The lines that were read, without the first and the last.
        package internal(set) var lineCount = 0
        /// The lines that add something, or replace something.
        package internal(set) var appliedCount = 0
        /// The lines that were left out, because there is something already.
        package internal(set) var keptCount = 0
        /// The keys that there were not before.
        package internal(set) var newKeyCount = 0
        /// The keys that change.
        package internal(set) var changedKeyCount = 0
        /// The new checkpoint; nil when there is none.
        package internal(set) var newCheckpoint: UInt64?

        /// The report as text.
        package var text: String {
            let verb = isDryRun ? "would bring" : "brought"
            let last =
                newCheckpoint.map {
                    "the result is checkpoint \($0), which the job goes on from"
                }
                ?? (isDryRun && appliedCount > 0
                    ? "nothing was changed: this is a dry run; --yes does it"
                    : "nothing was changed")
            return """
                \(verb) \(appliedCount) of \(lineCount) lines of \(file) into the state of \
                checkpoint \(checkpoint): \(newKeyCount) new keys, \(changedKeyCount) changed; \
                \(keptCount) lines left out, because there is something already
                \(last)
                """
        }
    }

    private let path: String
    private let existing: Existing
    private let isUndo: Bool
    private let disk: any Disk
    private let progress: (String) -> Void

    /// Creates an import.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - existing: What becomes of values that are there already.
    ///   - isUndo: Whether the file must be one that a purge has written, of the same job.
    ///   - disk: The seam to files.
    ///   - progress: Gets a sentence after each slice.
    package init(
        _ path: String,
        existing: Existing,
        isUndo: Bool,
        disk: any Disk,
        progress: @escaping (String) -> Void
    ) {
        self.path = path
        self.existing = existing
        self.isUndo = isUndo
        self.disk = disk
        self.progress = progress
    }

    /// Counts what would change.
    ///
    /// - Parameter reader: The checkpoint's state.
    /// - Returns: The counts.
    /// - Throws: ``StateToolError`` that names the line that is wrong, or when a file is damaged.
    package func dryRun(_ reader: StateSnapshotReader) throws(StateToolError) -> Report {
        try read(reader, edit: nil, nowMicroseconds: 0)
    }

    /// Makes the new checkpoint; none when nothing changes.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint folder, open for writing.
    ///   - base: The checkpoint to go on from, of `latest()` or `manifest(_:)` with `goOn(from:)`.
    ///   - nowMicroseconds: The time on the wall, since 1970.
    ///   - writerVersion: The version of Apus.
    ///   - sliceByteCount: When a slice is ingested, for tests; nil for the usual.
    /// - Returns: The counts.
    /// - Throws: ``StateToolError``; the checkpoints are as they were.
    package func run(
        _ folder: CheckpointFolder,
        _ base: Manifest,
        nowMicroseconds: Int64,
        writerVersion: String,
        sliceByteCount: Int? = nil
    ) throws(StateToolError) -> Report {
        let edit = try StateEdit(
            folder,
            base,
            disk: disk,
            sliceByteCount: sliceByteCount ?? StateEdit.sliceByteCount
        )
        var report = try read(edit.reader, edit: edit, nowMicroseconds: nowMicroseconds)
        report.isDryRun = false
        if report.appliedCount > 0 {
            let manifest = try edit.commit(
                createdMicroseconds: nowMicroseconds,
                writerVersion: writerVersion
            )
            report.newCheckpoint = manifest.number
        }
        try edit.close()
        return report
    }

    /// Reads the file key by key: lines of a key that follow each other are taken together.
    private func read(
        _ reader: StateSnapshotReader,
        edit: StateEdit?,
        nowMicroseconds: Int64
    ) throws(StateToolError) -> Report {
        // What somebody has written by hand is written now: it must not have expired long ago.
        let now = isUndo ? CoarseTime(seconds: 0) : CoarseTime(microseconds: nowMicroseconds)
        let file = try ExportReader(path, needsHead: isUndo, disk: disk)
        if let head = file.head { try check(head, reader.manifest) }
        var report = Report(
            checkpoint: reader.manifest.number,
            file: path,
            existing: existing.rawValue
        )
        var merge: KeyMerge?
        var own = OwnStateMerge(reader, existing)
        while let line = try file.next() {
            report.lineCount += 1
            do throws(StateToolError) {
                if line.isOwnState, !isUndo {
                    try own.add(line)
                    continue
                }
                let found = try line.item(reader.directory)
                if let current = merge,
                    current.isOf(found.operatorNumber, found.key) == false
                {
                    try finish(current, edit, &report)
                    merge = nil
                }
                var current: KeyMerge
                if let merge {
                    current = merge
                } else {
                    let number = found.operatorNumber
                    // What an earlier slice has changed is in the database then.
                    try edit?.ingestSliceIfChanged(number, found.key)
                    current = try KeyMerge(reader, number, found.key, existing)
                }
                // Alone with its arrays, which would be copied with each line otherwise.
                merge = nil
                try current.add(found.item, try line.times(unlessKnown: now))
                merge = current
            } catch {
                throw error.kind == .input
                    ? StateToolError(.input, "\(file.place): \(error.description)") : error
            }
        }
        if let merge { try finish(merge, edit, &report) }
        report.appliedCount += own.appliedCount
        report.keptCount += own.keptCount
        if let edit { own.apply(to: edit) }
        return report
    }

    private func finish(
        _ merge: KeyMerge,
        _ edit: StateEdit?,
        _ report: inout Report
    ) throws(StateToolError) {
        report.appliedCount += merge.appliedCount
        report.keptCount += merge.keptCount
        guard merge.appliedCount > 0 else { return }
        if merge.isNew { report.newKeyCount += 1 } else { report.changedKeyCount += 1 }
        guard let edit else { return }
        try merge.apply(to: edit)
        guard edit.isSliceFull else { return }
        try edit.ingestSlice()
        progress("\(report.lineCount) lines so far")
    }

    private func check(_ head: ExportLine, _ manifest: Manifest) throws(StateToolError) {
        guard isUndo, let job = head.job, job != manifest.job else { return }
        throw StateToolError(
            .input,
            "\(path): has state of the job '\(job)', and the checkpoint is of '\(manifest.job)'; "
                + "to bring state of one job into another use `apus state import`"
        )
    }
}
