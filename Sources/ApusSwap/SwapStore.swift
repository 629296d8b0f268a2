package import ApusCheckpoint
package import ApusCore
import ApusPluginHost

/// Copies of the files that a job may have to go back to, or to go on with.
///
/// `swap/plugins/` and `swap/jobs/` in its checkpoint folder; each file is named after the SHA-256
/// of its content, with ".so" or ".yaml" behind it.
///
/// A copy is there whole or not at all, and is compared with its name whenever it is read.
package struct SwapStore: Sendable {
    private static let byteCountMax = 512 << 20
    /// Read by its owner; what is loaded is a copy of it in turn.
    private static let mode: UInt32 = 0o400
    private static let temporaryEnding = ".tmp"

    /// What the files are.
    package enum Kind: Sendable {
        /// Plugins.
        case plugins
        /// Job files.
        case jobFiles

        fileprivate var folder: String { self == .plugins ? "plugins" : "jobs" }
        fileprivate var ending: String { self == .plugins ? ".so" : ".yaml" }
        fileprivate var word: String { self == .plugins ? "plugin" : "job file" }
    }

    /// What was removed, or would be.
    package struct Report: Codable, Equatable, Sendable {
        /// A copy, or what is left of one.
        package struct File: Codable, Equatable, Sendable {
            /// Its name in the folder.
            package var name: String
            /// Its length.
            package var byteCount: Int
        }

        /// Whether nothing was done.
        package var isDryRun: Bool
        /// What went, sorted by name.
        package var removed: [File] = []
        /// What stays, sorted by name.
        package var kept: [File] = []
    }

    /// Where the copies are.
    package let folder: String
    private let kind: Kind
    private let checkpointFolder: String
    private let disk: any Disk

    /// Describes the store of a checkpoint folder; makes nothing.
    package init(_ kind: Kind = .plugins, inFolder folder: String, disk: any Disk) {
        self.kind = kind
        checkpointFolder = folder
        self.folder = "\(folder)/\(SwapJournal.folderName)/\(kind.folder)"
        self.disk = disk
    }

    /// Where the copy with a content is, or would be.
    package func path(of sha256: String) -> String { "\(folder)/\(sha256)\(kind.ending)" }

    // MARK: - Putting in

    /// Copies a file; nothing when its content is there already.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - expected: The hash that its content must have; nil for any.
    /// - Returns: The hash of its content; the copy is on the disk, and so is its name.
    /// - Throws: ``SwapJournalError`` when the file has other content, or the disk refuses.
    @discardableResult
    package func put(
        _ file: String,
        expecting expected: String? = nil
    ) throws(SwapJournalError) -> String {
        let bytes = try SwapJournalError.onDisk(
            try disk.readPlainFile(file, maximumByteCount: Self.byteCountMax)
        )
        let found = FileDigest.sha256(bytes)
        guard expected == nil || expected == found else {
            throw SwapJournalError(
                .plugin,
                "\(file): its content has changed while the swap was prepared: expected SHA-256 "
                    + "\(expected ?? ""), found \(found); begin anew, with a file that stays"
            )
        }
        try put(bytes, sha256: found)
        return found
    }

    /// Keeps a content; nothing when it is there already.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - sha256: Its hash.
    /// - Throws: ``SwapJournalError`` when the disk refuses.
    package func put(_ bytes: [UInt8], sha256: String) throws(SwapJournalError) {
        precondition(FileDigest.sha256(bytes) == sha256, "a copy is named after its content")
        do throws(SwapJournalError) {
            _ = try verifiedPath(of: sha256)
            return
        } catch {
            // It is not there, or not as it should be: then it is written (again).
        }
        do throws(DiskError) {
            try disk.makeDirectory(folder)
            try disk.synchronizeFolder(checkpointFolder)
            try disk.synchronizeFolder("\(checkpointFolder)/\(SwapJournal.folderName)")
            try disk.writeAtomically(bytes, to: path(of: sha256), mode: Self.mode)
        } catch {
            throw SwapJournalError(error)
        }
    }

    // MARK: - Taking out

    /// The path of a copy whose content was compared with its name just now.
    ///
    /// - Throws: ``SwapJournalError`` when it is missing or has other content.
    package func verifiedPath(of sha256: String) throws(SwapJournalError) -> String {
        let path = path(of: sha256)
        guard Self.isHash(sha256) else {
            throw SwapJournalError(.plugin, "'\(sha256)' is no SHA-256; expected 64 digits 0-9a-f")
        }
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.readPlainFile(path, maximumByteCount: Self.byteCountMax)
        } catch {
            throw SwapJournalError(
                .plugin,
                "\(error) (the copy of a \(kind.word) that the swap journal names); put the file "
                    + "with the SHA-256 \(sha256) there"
            )
        }
        let found = FileDigest.sha256(bytes)
        guard found == sha256 else {
            throw SwapJournalError(
                .plugin,
                "\(path): damaged: expected the SHA-256 in its name, found \(found); put the right "
                    + "file there"
            )
        }
        return path
    }

    /// The hashes of all copies, sorted.
    ///
    /// - Throws: ``SwapJournalError`` when the disk refuses.
    package func list() throws(SwapJournalError) -> [String] {
        try names().filter { $0.hasSuffix(kind.ending) }
            .map { String($0.dropLast(kind.ending.count)) }.filter(Self.isHash)
    }

    // MARK: - Garbage

    /// Removes the copies that nothing needs, and what copies that were broken off have left.
    ///
    /// - Parameters:
    ///   - needed: The hashes of those that stay: ``SwapHistory/neededPlugins(for:)``.
    ///   - isDryRun: Whether to tell only.
    /// - Returns: What went and what stays.
    /// - Throws: ``SwapJournalError`` when the disk refuses; some may be gone.
    package func collect(
        keeping needed: Set<String>,
        isDryRun: Bool = false
    ) throws(SwapJournalError) -> Report {
        var report = Report(isDryRun: isDryRun)
        for name in try names() {
            let path = "\(folder)/\(name)"
            let byteCount = try SwapJournalError.onDisk(try disk.status(path))?.byteCount ?? 0
            let file = Report.File(name: name, byteCount: byteCount)
            let isCopy =
                name.hasSuffix(kind.ending) && Self.isHash(String(name.dropLast(kind.ending.count)))
            // What somebody else has put there is none of our business.
            let isOurs = isCopy || name.hasSuffix(Self.temporaryEnding)
            guard isOurs, !needed.contains(String(name.dropLast(kind.ending.count))) else {
                report.kept.append(file)
                continue
            }
            if !isDryRun { try SwapJournalError.onDisk(try disk.remove(path)) }
            report.removed.append(file)
        }
        return report
    }

    /// Removes the copies that nothing needs, going by a job's checkpoints and its journal.
    ///
    /// - Parameters:
    ///   - checkpoints: The job's folder.
    ///   - history: What the journal says.
    ///   - isDryRun: Whether to tell only.
    /// - Returns: What went and what stays; nil when a checkpoint cannot be read: it may need any.
    /// - Throws: ``SwapJournalError`` when the disk refuses; some may be gone.
    package func collect(
        for checkpoints: CheckpointFolder,
        _ history: SwapHistory,
        isDryRun: Bool = false
    ) throws(SwapJournalError) -> Report? {
        var manifests: [Manifest] = []
        do throws(CheckpointError) {
            for found in try checkpoints.list() {
                manifests.append(try checkpoints.manifest(found.number))
            }
        } catch {
            return nil
        }
        let needed =
            kind == .plugins ? history.neededPlugins(for: manifests) : history.neededJobFiles
        return try collect(keeping: needed, isDryRun: isDryRun)
    }

    private func names() throws(SwapJournalError) -> [String] {
        do throws(DiskError) {
            return try disk.list(folder).filter { !$0.isFolder }.map(\.name)
        } catch {
            if error.isMissing { return [] }
            throw SwapJournalError(error)
        }
    }

    private static func isHash(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
