import ApusCheckpoint
import ApusCore
import ApusState
import ApusStore

/// A new checkpoint in the making that differs from an older one in some entries of state.
///
/// The older one stays as it is: its state is linked into a work folder and changed there, in
/// slices that are ingested one by one.  Positions of sources, sinks, undelivered output and
/// records in flight are taken over.
final class StateEdit {
    /// A slice is ingested when it has so many bytes.
    static let sliceByteCount = 8 << 20

    /// The checkpoint that this goes on from.
    let base: Manifest
    /// The state as it was before the slice in hand.
    let reader: StateSnapshotReader
    let folder: CheckpointFolder
    private let state: TemporaryState
    let disk: any Disk
    private let sliceByteCount: Int
    private var buffer = EntryBuffer()
    private var keyCountChanges: [UInt16: Int] = [:]
    private var changedKeys: Set<ChangedKey> = []
    private var sliceCount = 0
    /// Broadcast and operator state that changes, by operator.
    var ownChanges: [UInt16: OwnChanges] = [:]

    private struct ChangedKey: Hashable {
        let operatorNumber: UInt16
        let key: [UInt8]
    }

    /// Opens the state of a checkpoint for changes.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint folder, open for writing: the job is not running.
    ///   - base: The checkpoint to go on from.
    ///   - disk: The seam to files.
    ///   - sliceByteCount: When a slice is ingested.
    /// - Throws: ``StateToolError``: the checkpoint is damaged, or the disk refuses.
    init(
        _ folder: CheckpointFolder,
        _ base: Manifest,
        disk: any Disk,
        sliceByteCount: Int = sliceByteCount
    ) throws(StateToolError) {
        self.folder = folder
        self.base = base
        self.disk = disk
        self.sliceByteCount = sliceByteCount
        let work = try StateToolError.onFolder(try folder.workDirectory("state-edit"))
        state = try TemporaryState(folder, base, at: work + "/database", disk: disk)
        reader = StateSnapshotReader(state, base, folder, disk: disk)
    }

    // MARK: - Changes

    /// Removes all that an operator has for a key.
    func remove(_ content: KeyContent) {
        for slot in content.collections.keys { removeCollection(slot, of: content) }
        replaceRow(content, by: nil)
    }

    /// Removes one state of a key, and the key when it has nothing else.
    func remove(slot: Int, of content: KeyContent) {
        if content.collections[slot] != nil { removeCollection(slot, of: content) }
        var row = content.row
        row.values.removeAll { $0.slot == slot }
        replaceRow(content, by: row)
    }

    private func removeCollection(_ slot: Int, of content: KeyContent) {
        let prefix = StoredKey.prefix(
            content.group,
            content.operatorNumber,
            slot: slot,
            key: content.key
        )
        buffer.deleteRange(from: prefix, to: StoredKey.end(of: prefix))
    }

    /// Makes a list hold these values and no others.
    func replaceList(_ slot: Int, of content: KeyContent, by values: [[UInt8]]) {
        removeCollection(slot, of: content)
        var segments: [[[UInt8]]] = [[]]
        var byteCount = 0
        for value in values {
            if byteCount > Self.sliceByteCount {
                segments.append([])
                byteCount = 0
            }
            segments[segments.count - 1].append(value)
            byteCount += value.count + 4
        }
        for (number, segment) in segments.enumerated() {
            let key = StoredKey.entry(
                group: content.group,
                operatorNumber: content.operatorNumber,
                slot: slot,
                key: content.key,
                suffix: BigEndian.bytes(UInt64(number))
            )
            buffer.put(key.bytes, StoredRow.segment(ofListValues: segment))
        }
    }

    /// Gives an entry of a map a value.
    func putEntry(_ slot: Int, of content: KeyContent, _ mapKey: [UInt8], _ value: [UInt8]) {
        let key = StoredKey.entry(
            group: content.group,
            operatorNumber: content.operatorNumber,
            slot: slot,
            key: content.key,
            suffix: mapKey
        )
        buffer.put(key.bytes, value)
    }

    /// Puts a row into the place of the one that a key had, with its wake-ups.
    ///
    /// - Parameters:
    ///   - content: The key as it is; its row is empty when there is none.
    ///   - row: The new row; nil, or an empty one, for none.
    func replaceRow(_ content: KeyContent, by row: StoredRow?) {
        let number = content.operatorNumber
        changedKeys.insert(ChangedKey(operatorNumber: number, key: content.key))
        let stored = StoredKey.row(
            group: content.group,
            operatorNumber: number,
            key: content.key
        )
        let isThere = row.map { !$0.isEmpty } ?? false
        if let row, isThere {
            buffer.put(stored.bytes, row.bytes)
        } else if !content.row.isEmpty {
            buffer.delete(stored.bytes)
        }
        let change = (isThere ? 1 : 0) - (content.row.isEmpty ? 0 : 1)
        keyCountChanges[number, default: 0] += change
        for domain: UInt8 in [0, 1] {
            let old = content.row.wakeMicroseconds(domain: domain)
            let new = row?.wakeMicroseconds(domain: domain)
            guard old != new else { continue }
            if let old { buffer.delete(wake(content, domain, old)) }
            if let new { buffer.put(wake(content, domain, new), []) }
        }
    }

    private func wake(_ content: KeyContent, _ domain: UInt8, _ time: Int64) -> [UInt8] {
        StoredKey.wake(
            operatorNumber: content.operatorNumber,
            domain: domain,
            time: time,
            group: content.group,
            key: content.key
        )
        .bytes
    }

    // MARK: - Slices

    /// Ingests the slice in hand if it changes a key, so that the reader sees the change.
    func ingestSliceIfChanged(_ operatorNumber: UInt16, _ key: [UInt8]) throws(StateToolError) {
        guard changedKeys.contains(ChangedKey(operatorNumber: operatorNumber, key: key)) else {
            return
        }
        try ingestSlice()
    }

    /// Whether the slice in hand is large enough.
    var isSliceFull: Bool { buffer.byteCount >= sliceByteCount }

    /// Brings the slice in hand into the database.
    func ingestSlice() throws(StateToolError) {
        guard buffer.entryCount > 0 else { return }
        let work = try StateToolError.onFolder(try folder.workDirectory("state-edit"))
        sliceCount += 1
        do throws(StoreError) {
            let run = try SortedRun.write([buffer], directory: work, name: "slice-\(sliceCount)")
            try state.database.ingest(run.paths)
        } catch {
            throw StateToolError(error)
        }
        buffer.reset()
        changedKeys.removeAll(keepingCapacity: true)
    }

    // MARK: - The new checkpoint

    /// Makes the checkpoint, which is the newest one then.
    ///
    /// - Parameters:
    ///   - createdMicroseconds: The time on the wall.
    ///   - writerVersion: The version of Apus.
    /// - Returns: Its manifest.
    /// - Throws: ``StateToolError``; the checkpoints are as they were.
    func commit(
        createdMicroseconds: Int64,
        writerVersion: String
    ) throws(StateToolError) -> Manifest {
        try ingestSlice()
        let number = max(folder.nextNumber, base.number + 1)
        let attempt = try StateToolError.onFolder(try folder.begin(number))
        do throws(StateToolError) {
            try StateToolError.onStore(try state.database.checkpoint(to: attempt.directory))
            var manifest = base
            manifest.number = number
            manifest.kind = .checkpoint
            manifest.createdMicroseconds = createdMicroseconds
            manifest.writerVersion = writerVersion
            manifest.files = try StateFiles.add(from: attempt.directory, to: attempt, disk: disk)
            try addFiles(to: attempt, &manifest)
            for index in manifest.operators.indices { count(&manifest.operators[index]) }
            try StateToolError.onFolder(try attempt.commit(manifest))
            return manifest
        } catch {
            attempt.abandon()
            throw error
        }
    }

    /// Keeps the sums over the subtasks right; which of them has a key only the running job knows.
    private func count(_ state: inout OperatorState) {
        guard !state.subtasks.isEmpty else { return }
        state.subtasks[0].keyCount += keyCountChanges[state.number] ?? 0
    }

    /// Removes the work folder's part.
    func close() throws(StateToolError) { try state.close() }
}

/// The files of a database on their way into a checkpoint.
enum StateFiles {
    /// Adds all files of a folder.
    static func add(
        from directory: String,
        to attempt: CheckpointAttempt,
        disk: any Disk
    ) throws(StateToolError) -> [FileEntry] {
        var files: [FileEntry] = []
        let entries = try StateToolError.onDisk(try disk.list(directory))
        for entry in entries where !entry.isFolder {
            files.append(
                try StateToolError.onFolder(
                    try attempt.add(
                        directory + "/" + entry.name,
                        role: .state,
                        logicalName: entry.name
                    )
                )
            )
        }
        return files
    }
}
