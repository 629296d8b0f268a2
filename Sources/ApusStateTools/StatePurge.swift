package import ApusCheckpoint
package import ApusCore
import ApusState

/// Removes keys, or a state of them, from state: `apus state purge`.
///
/// Nothing is changed in place: the result is a new checkpoint, and a file with all that was
/// removed, from which `apus state undo` makes a checkpoint that has it again.
package struct StatePurge {
    /// What is to go.
    package struct Selection: Sendable {
        /// Which keys.
        package var predicate: PurgePredicate
        /// The expression, as it was given.
        package var expression: String
        /// The operator's name; nil for all.
        package var operatorName: String?
        /// The state that alone is to go; nil for whole keys, timers included.
        package var stateName: String?

        /// How a purge is called in the first line of its file.
        ///
        /// Whether whole keys went or a state of them decides how they are put back.
        var title: String {
            (stateName.map { "\(Self.ofState)\($0) " } ?? "purge ") + "--where \(expression)"
        }

        /// How the title begins when a state alone went.
        static let ofState = "purge --state "

        /// Creates a selection of whole keys of all operators.
        ///
        /// - Parameter expression: Which keys; see ``PurgePredicate``.
        /// - Throws: ``StateToolError`` when the expression is none.
        package init(where expression: String) throws(StateToolError) {
            predicate = try PurgePredicate(parsing: expression)
            self.expression = expression
        }
    }

    let selection: Selection
    let nowMicroseconds: Int64
    let progress: (String) -> Void

    /// Creates a purge.
    ///
    /// - Parameters:
    ///   - selection: What is to go.
    ///   - nowMicroseconds: The time on the wall, since 1970.
    ///   - progress: Gets a sentence after each slice.
    package init(
        _ selection: Selection,
        nowMicroseconds: Int64,
        progress: @escaping (String) -> Void
    ) {
        self.selection = selection
        self.nowMicroseconds = nowMicroseconds
        self.progress = progress
    }

    /// Counts what would go.
    ///
    /// - Parameter reader: The checkpoint's state.
    /// - Returns: The counts.
    /// - Throws: ``StateToolError``: there is no such operator or state, or a file is damaged.
    package func dryRun(_ reader: StateSnapshotReader) throws(StateToolError) -> PurgeReport {
        var report = PurgeReport(reader.manifest, selection)
        let scope = try scope(reader.directory)
        try reader.forEachKey(of: scope.operatorNumber) { (key) throws(StateToolError) in
            report.scannedKeyCount += 1
            if try isSelected(key, scope, reader.directory) {
                report.add(key, slot: try slot(key.operatorNumber, reader.directory))
            }
        }
        return report
    }

    /// Makes the new checkpoint; none when no key is selected.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint folder, open for writing.
    ///   - base: The checkpoint to go on from, of `latest()` or `manifest(_:)` with `goOn(from:)`.
    ///   - tombstones: Where what was removed is written; there is no file yet.
    ///   - disk: The seam to files.
    ///   - writerVersion: The version of Apus.
    ///   - sliceByteCount: When a slice is ingested, for tests; nil for the usual.
    /// - Returns: The counts.
    /// - Throws: ``StateToolError``; the checkpoints are as they were.
    package func run(
        _ folder: CheckpointFolder,
        _ base: Manifest,
        tombstones: String,
        disk: any Disk,
        writerVersion: String,
        sliceByteCount: Int? = nil
    ) throws(StateToolError) -> PurgeReport {
        let edit = try StateEdit(
            folder,
            base,
            disk: disk,
            sliceByteCount: sliceByteCount ?? StateEdit.sliceByteCount
        )
        var report = PurgeReport(base, selection)
        report.isDryRun = false
        let file = try Self.create(tombstones, disk)
        do throws(StateToolError) {
            let export = try StateExport(base, what: selection.title, to: file)
            try remove(edit, export, &report)
            try export.finish(isDurable: true)
            // What was removed is safe before the checkpoint without it is the newest one.
            try StateToolError.onDisk(try disk.synchronizeFolder(Self.parent(of: tombstones)))
        } catch {
            // Nothing was removed, so that the file says what is not true.
            try? disk.remove(tombstones)  // and the error that is thrown is the reason
            throw error
        }
        if report.keyCount > 0 {
            // When this fails the file stays: whether it was in vain may be in doubt.
            let manifest = try edit.commit(
                createdMicroseconds: nowMicroseconds,
                writerVersion: writerVersion
            )
            report.newCheckpoint = manifest.number
            report.tombstones = tombstones
        }
        if report.keyCount == 0 { try StateToolError.onDisk(try disk.remove(tombstones)) }
        try edit.close()
        return report
    }

    private func remove(
        _ edit: StateEdit,
        _ export: StateExport,
        _ report: inout PurgeReport
    ) throws(StateToolError) {
        let directory = edit.reader.directory
        let scope = try scope(directory)
        try edit.reader.forEachKey(of: scope.operatorNumber) { (key) throws(StateToolError) in
            report.scannedKeyCount += 1
            guard try isSelected(key, scope, directory) else { return }
            let number = key.operatorNumber
            guard let content = try edit.reader.content(of: key.key, operatorNumber: number) else {
                throw edit.reader.damage("a key in group \(key.group) that is not its own")
            }
            let slot = try slot(number, directory)
            try export.add(content, slot: slot)
            if let slot { edit.remove(slot: slot, of: content) } else { edit.remove(content) }
            report.add(key, slot: slot)
            guard edit.isSliceFull else { return }
            try edit.ingestSlice()
            progress("\(report.keyCount) keys of \(report.scannedKeyCount) read so far")
        }
    }

    // MARK: - Selection

    struct Scope {
        let operatorNumber: UInt16?
    }

    func scope(_ directory: OperatorDirectory) throws(StateToolError) -> Scope {
        guard let name = selection.operatorName else {
            if let state = selection.stateName {
                let all = directory.operators.flatMap { $0.states.map(\.name) }
                guard all.contains(state) else {
                    // Says so when it is no keyed state.
                    for declared in directory.operators
                    where directory.ownStateKind(declared.number, state) != nil {
                        _ = try directory.slot(declared.number, state)
                    }
                    throw StateToolError(
                        .input,
                        OperatorDirectory.unknown("state", state, all)
                    )
                }
            }
            return Scope(operatorNumber: nil)
        }
        let number = try directory.number(name)
        // So that a misspelt state is an error although no key is there.
        _ = try slot(number, directory)
        return Scope(operatorNumber: number)
    }

    func slot(
        _ number: UInt16,
        _ directory: OperatorDirectory
    ) throws(StateToolError) -> Int? {
        guard let name = selection.stateName else { return nil }
        return try directory.slot(number, name)
    }

    func isSelected(
        _ key: KeySummary,
        _ scope: Scope,
        _ directory: OperatorDirectory
    ) throws(StateToolError) -> Bool {
        var slot: Int?
        if let name = selection.stateName {
            if scope.operatorNumber == nil,
                directory.declared(key.operatorNumber)?.states.contains(where: { $0.name == name })
                    != true
            {
                return false
            }
            slot = try directory.slot(key.operatorNumber, name)
        }
        return selection.predicate.matches(key, slot: slot, nowMicroseconds: nowMicroseconds)
    }

    static func create(
        _ tombstones: String,
        _ disk: any Disk
    ) throws(StateToolError) -> any WritableFile {
        do throws(DiskError) {
            return try disk.create(tombstones)
        } catch {
            throw StateToolError(
                .input,
                error.description + "; what is purged is written to a new file there: name "
                    + "another one with --tombstones"
            )
        }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
