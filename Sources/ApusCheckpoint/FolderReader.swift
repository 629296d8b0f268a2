import ApusCore

/// Reads what lies in a checkpoint folder, and believes nothing without a check.
struct FolderReader: Sendable {
    /// What was found at a path.
    enum Finding<Value> {
        /// Nothing.
        case missing
        /// Not what was written there, and why.
        case damaged(String)
        /// A value, and the hash of the file's bytes.
        case found(Value, ContentHash)
    }

    /// What was found where a manifest should be.
    enum ManifestFinding {
        /// Nothing.
        case missing
        /// Not what was written there.
        case damaged(DamagedManifest)
        /// A manifest of this folder, and the hash of the file's bytes.
        case found(Manifest, ContentHash)
    }

    let layout: FolderLayout
    let disk: any Disk

    /// Reads a document.
    ///
    /// - Throws: ``CheckpointError`` when a newer Apus wrote it, or when it is not the disk's fault
    ///   that it cannot be read.
    func read<Value: Decodable>(
        _ type: Value.Type,
        at path: String
    ) throws(CheckpointError) -> Finding<Value> {
        switch try bytes(at: path) {
        case .missing: return .missing
        case .damaged(let reason): return .damaged(reason)
        case .found(let bytes, let hash):
            do throws(SealedDocument.Problem) {
                return .found(try SealedDocument.decode(type, from: bytes), hash)
            } catch {
                return .damaged(try damage(error, path))
            }
        }
    }

    /// Reads a manifest, and checks that it is the one of this folder, job and number.
    ///
    /// - Parameters:
    ///   - number: The checkpoint's number.
    ///   - folder: Whose manifest it must be.
    /// - Returns: What was found.
    /// - Throws: ``CheckpointError`` when a newer Apus wrote it, or when it is not the disk's fault
    ///   that it cannot be read.
    func manifest(
        _ number: UInt64,
        of folder: FolderRecord
    ) throws(CheckpointError) -> ManifestFinding {
        let path = layout.manifest(number)
        switch try bytes(at: path) {
        case .missing: return .missing
        case .damaged(let reason): return .damaged(DamagedManifest(reason: reason))
        case .found(let bytes, let hash):
            let manifest: Manifest
            do throws(SealedDocument.Problem) {
                manifest = try SealedDocument.decode(Manifest.self, from: bytes)
            } catch {
                let reason = try damage(error, path)
                return .damaged(DamagedManifest(reason: reason, bytes: bytes))
            }
            if let foreign = Self.foreign(manifest, number, folder) {
                return .damaged(
                    DamagedManifest(reason: foreign, isForeign: true, manifest: manifest)
                )
            }
            if let problem = manifest.problem {
                return .damaged(DamagedManifest(reason: problem, manifest: manifest))
            }
            return .found(manifest, hash)
        }
    }

    /// The numbers of all manifests, damaged ones too, ascending.
    func manifestNumbers() throws(CheckpointError) -> [UInt64] {
        try names(in: layout.manifests).compactMap(FolderLayout.manifestNumber)
    }

    /// The names in a folder, sorted; none when it is missing.
    func names(in path: String) throws(CheckpointError) -> [String] {
        do throws(DiskError) {
            return try disk.list(path).map(\.name)
        } catch {
            if error.isMissing { return [] }
            throw CheckpointError(error)
        }
    }

    /// What is wrong with the lengths of a manifest's files; empty when nothing is.
    func lengthProblems(_ manifest: Manifest) throws(CheckpointError) -> [String] {
        var problems: [String] = []
        for file in Set(manifest.files).sorted(by: { $0.contentName < $1.contentName }) {
            if let problem = try lengthProblem(file) { problems.append(problem) }
        }
        return problems
    }

    /// What is wrong with the length of a file; nil when nothing is.
    func lengthProblem(_ file: FileEntry) throws(CheckpointError) -> String? {
        let path = layout.file(file.contentName)
        guard let status = try CheckpointError.onDisk(try disk.status(path)) else {
            return "\(layout.short(path)) (\(file.logicalName)) is missing"
        }
        guard status.kind == .file, status.byteCount == file.byteCount else {
            return "\(layout.short(path)) (\(file.logicalName)) has \(status.byteCount) bytes, "
                + "not \(file.byteCount)"
        }
        return nil
    }

    private func bytes(at path: String) throws(CheckpointError) -> Finding<[UInt8]> {
        do throws(DiskError) {
            let bytes = try disk.readAll(path, maximumByteCount: SealedDocument.byteCountMax)
            return .found(bytes, HashStream.hash(bytes))
        } catch {
            if error.isMissing { return .missing }
            // The disk lost it; whereas a missing permission, say, can be put right.
            if error.isDamage { return .damaged(error.reason) }
            throw CheckpointError(error)
        }
    }

    /// The reason of the damage, unless it is none.
    private func damage(
        _ problem: SealedDocument.Problem,
        _ path: String
    ) throws(CheckpointError) -> String {
        switch problem {
        case .damaged(let reason): return reason
        case .newerFormat(let version):
            throw CheckpointError(
                .newerFormat,
                "\(path) was written by a newer Apus: its format is \(version), this Apus reads "
                    + "formats up to \(SealedDocument.newestFormatVersion); use the newer Apus"
            )
        }
    }

    /// Why a manifest, whole as it is, is not the one that belongs at its place.
    private static func foreign(
        _ manifest: Manifest,
        _ number: UInt64,
        _ folder: FolderRecord
    ) -> String? {
        if manifest.job != folder.job {
            return "it is of the job '\(manifest.job)', not of '\(folder.job)'; "
                + "somebody put it there"
        }
        if manifest.folder != folder.folder {
            return "it is of the checkpoint folder \(manifest.folder), not of this one "
                + "(\(folder.folder)); somebody put it there"
        }
        if manifest.number != number {
            return "it is of the checkpoint \(manifest.number); somebody renamed it"
        }
        return nil
    }
}
