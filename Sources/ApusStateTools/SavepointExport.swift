package import ApusCheckpoint
package import ApusCore
import ApusState

/// Makes a savepoint out of a checkpoint: a folder that holds all of it, in a form that can be
/// read without Apus; see ``SavepointFormat`` and ``SavepointDocument``.
package struct SavepointExport {
    /// What was written.
    package struct Result: Encodable, Equatable, Sendable {
        /// The savepoint's folder.
        package let path: String
        /// The checkpoint that it was made of.
        package let checkpoint: UInt64
        /// Entries of state.
        package internal(set) var entryCount = 0
        /// Entries that were left out, because the job has their operators no longer.
        package internal(set) var retiredEntryCount = 0
        /// Files, the manifest included.
        package internal(set) var fileCount = 0
        /// Their bytes.
        package internal(set) var byteCount = 0

        /// The result as text.
        package var text: String {
            var text =
                "\(path): savepoint of checkpoint \(checkpoint), \(entryCount) entries of state, "
                + "\(fileCount) files, \(SizeText.text(byteCount))"
            if retiredEntryCount > 0 {
                text +=
                    "\n\(retiredEntryCount) entries were left out: the job has their operators no "
                    + "longer"
            }
            return text
        }
    }

    private let disk: any Disk
    private let entropy: any Entropy
    private let progress: (String) -> Void
    private let blockByteCount: Int
    private let partByteCount: Int

    /// Creates an export.
    ///
    /// - Parameters:
    ///   - disk: The seam to files.
    ///   - entropy: Gives temporary folders their names.
    ///   - blockByteCount: When a block is closed, for tests; nil for the usual.
    ///   - partByteCount: When a file is closed, for tests; nil for the usual.
    ///   - progress: Gets a sentence now and then.
    package init(
        disk: any Disk,
        entropy: any Entropy,
        blockByteCount: Int? = nil,
        partByteCount: Int? = nil,
        progress: @escaping (String) -> Void
    ) {
        self.disk = disk
        self.entropy = entropy
        self.blockByteCount = blockByteCount ?? SavepointFormat.blockByteCount
        self.partByteCount = partByteCount ?? SavepointFormat.partByteCount
        self.progress = progress
    }

    /// Writes a savepoint.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint folder; a job may write to it meanwhile.
    ///   - manifest: The checkpoint.
    ///   - path: The savepoint's folder; there is nothing yet.
    ///   - workDirectory: Where the temporary folder goes; nil for beside the checkpoint folder.
    /// - Returns: What was written.
    /// - Throws: ``StateToolError``; the folder is not there then.
    package func run(
        _ folder: CheckpointFolder,
        _ manifest: Manifest,
        to path: String,
        workDirectory: String? = nil
    ) throws(StateToolError) -> Result {
        guard try StateToolError.onDisk(try disk.status(path)) == nil else {
            throw StateToolError(
                .input,
                "\(path): exists; a savepoint is written into a new folder only"
            )
        }
        try refuseCheckpointFolders(path)
        let lease = try StateToolError.onFolder(try folder.lease(manifest.number))
        defer { lease.release() }
        try StateToolError.onDisk(try disk.makeDirectory(path))
        do throws(StateToolError) {
            return try write(folder, manifest, path, workDirectory)
        } catch {
            // What stays has no manifest, and so is no savepoint.
            try? disk.removeTree(path)  // the reason why it was given up is thrown
            throw error
        }
    }

    /// Refuses a place inside of a checkpoint folder, any one's: jobs clean theirs up.
    private func refuseCheckpointFolders(_ path: String) throws(StateToolError) {
        var parent = path[...]
        while let slash = parent.lastIndex(of: "/") {
            parent = parent[..<slash]
            guard try StateToolError.onDisk(try disk.status(parent + "/FOLDER")) == nil else {
                throw StateToolError(
                    .input,
                    "\(path): lies in the checkpoint folder \(parent), which its job cleans up; "
                        + "write the savepoint somewhere else"
                )
            }
        }
    }

    private func write(
        _ folder: CheckpointFolder,
        _ manifest: Manifest,
        _ path: String,
        _ workDirectory: String?
    ) throws(StateToolError) -> Result {
        let reader = try StateSnapshotReader(
            folder,
            manifest,
            workDirectory: workDirectory,
            disk: disk,
            entropy: entropy
        )
        var result = Result(path: path, checkpoint: manifest.number)
        var saved = manifest
        saved.kind = .savepoint
        saved.files = try writeState(reader, path, &result)
        try reader.close()
        saved.files += try copyLogs(folder, manifest, path)
        let document = SavepointDocument.encode(saved)
        result.fileCount = saved.files.count + 1
        result.byteCount = saved.files.reduce(document.count) { $0 + $1.byteCount }
        // The names of the files before the one that says that there are no more.
        try StateToolError.onDisk(try disk.synchronizeFolder(path))
        try StateToolError.onDisk(
            try disk.writeAtomically(
                document,
                to: path + "/" + SavepointFormat.manifestName,
                mode: 0o600
            )
        )
        try StateToolError.onDisk(try disk.synchronizeFolder(StatePurge.parent(of: path)))
        return result
    }

    private func writeState(
        _ reader: StateSnapshotReader,
        _ path: String,
        _ result: inout Result
    ) throws(StateToolError) -> [FileEntry] {
        // Entries come group by group, so that the files of all operators grow side by side.
        var parts: [UInt16: SavepointPart] = [:]
        var partNumbers: [UInt16: Int] = [:]
        var files: [FileEntry] = []
        try reader.forEachEntry { (key, entry) throws(StateToolError) in
            let number = key.operatorNumber
            guard reader.directory.declared(number) != nil else {
                result.retiredEntryCount += 1
                return true
            }
            let part: SavepointPart
            if let current = parts[number], current.byteCount < partByteCount {
                part = current
            } else {
                if let full = parts[number] { files.append(Self.entry(try full.finish())) }
                let next = partNumbers[number].map { $0 + 1 } ?? 0
                partNumbers[number] = next
                part = try SavepointPart(
                    path,
                    operatorNumber: number,
                    part: next,
                    checkpoint: reader.manifest.number,
                    blockByteCount: blockByteCount,
                    disk: disk
                )
                parts[number] = part
            }
            try part.add(entry)
            result.entryCount += 1
            if result.entryCount.isMultiple(of: 1_000_000) {
                progress("\(result.entryCount) entries so far")
            }
            return true
        }
        for part in parts.values { files.append(Self.entry(try part.finish())) }
        return files.sorted { $0.logicalName < $1.logicalName }
    }

    private static func entry(_ part: SavepointPart.Written) -> FileEntry {
        SavepointDocument.entry(.state, name: part.name, byteCount: part.byteCount, hash: part.hash)
    }

    /// Copies undelivered output, records in flight, broadcast and operator state.
    private func copyLogs(
        _ folder: CheckpointFolder,
        _ manifest: Manifest,
        _ path: String
    ) throws(StateToolError) -> [FileEntry] {
        var files: [FileEntry] = []
        var counts: [FileRole: Int] = [:]
        for file in manifest.files where file.role != .state {
            let count = counts[file.role, default: 0]
            counts[file.role] = count + 1
            let name =
                switch file.role {
                case .outbox: "outbox-\(count).log"
                case .inFlight: "in-flight-\(count).log"
                case .operatorState: "operator-state-\(count).state"
                case .broadcast, .state: "broadcast-\(count).state"
                }
            let source = folder.path(of: file)
            let found = try FilePieces.copy(source, to: path + "/" + name, disk: disk)
            guard found.hash == file.hash, found.byteCount == file.byteCount else {
                throw StateToolError(
                    .input,
                    "\(source) (\(file.logicalName)): damaged: its bytes have the hash "
                        + "\(found.hash), and the manifest says \(file.hash)"
                )
            }
            files.append(
                SavepointDocument.entry(
                    file.role,
                    name: name,
                    byteCount: file.byteCount,
                    hash: file.hash
                )
            )
        }
        return files
    }
}

extension StoredKey {
    /// The operator that an entry belongs to.
    var operatorNumber: UInt16 {
        switch self {
        case .row(_, let number, _): number
        case .entry(_, let number, _, _, _): number
        case .wake(let number, _, _, _, _): number
        }
    }
}
