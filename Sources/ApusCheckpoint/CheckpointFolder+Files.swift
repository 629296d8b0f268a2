import ApusCore

extension CheckpointFolder {
    /// Reads all files of a checkpoint, and compares them with its manifest.
    ///
    /// - Parameter manifest: Of this folder.
    /// - Throws: ``CheckpointError`` that names each file that is missing or different.
    package func verify(_ manifest: Manifest) throws(CheckpointError) {
        let lease = try lease(manifest.number)
        defer { lease.release() }
        try check(manifest, isThorough: true)
    }

    /// Puts the state files of a checkpoint under their logical names into a new folder.
    ///
    /// What ends with ".sst" is linked, because nobody ever changes such a file; all else, and what
    /// cannot be linked there, is copied.  Nothing is synchronised: the folder is a cache.
    ///
    /// - Parameters:
    ///   - manifest: Of this folder.
    ///   - directory: Must not exist; a part of it is removed when something fails.
    /// - Throws: ``CheckpointError`` that names damaged files, or when the disk refuses.
    package func materialize(
        _ manifest: Manifest,
        into directory: String
    ) throws(CheckpointError) {
        let lease = try lease(manifest.number)
        defer { lease.release() }
        try check(manifest, isThorough: false)
        Failpoint.hit(.x4)
        guard try CheckpointError.onDisk(try disk.status(directory)) == nil else {
            throw CheckpointError(
                .disk,
                "\(directory): exists; state is put into a new folder only"
            )
        }
        do throws(CheckpointError) {
            try CheckpointError.onDisk(try disk.makeDirectory(directory))
            for file in manifest.files where file.role == .state {
                let path = directory + "/" + file.logicalName
                if file.logicalName.contains("/"), let folder = FolderLayout.parent(of: path) {
                    try CheckpointError.onDisk(try disk.makeDirectory(folder))
                }
                try place(file, at: path)
            }
        } catch {
            // What stays is a part of a cache; the reason why it is incomplete is thrown.
            try? disk.removeTree(directory)  // and says more than a second failure would
            throw error
        }
    }

    private func check(_ manifest: Manifest, isThorough: Bool) throws(CheckpointError) {
        let problems = try verifier.problems(manifest.files, isThorough: isThorough)
        guard !problems.isEmpty else { return }
        throw CheckpointError(
            .damaged,
            "\(layout.root): checkpoint \(manifest.number) is damaged: "
                + problems.joined(separator: "; ")
        )
    }

    private func place(_ file: FileEntry, at path: String) throws(CheckpointError) {
        let source = layout.file(file.contentName)
        if file.logicalName.hasSuffix(".sst") {
            do throws(DiskError) {
                return try disk.link(source, at: path)
            } catch {
                guard error.isWithoutLinks else { throw CheckpointError(error) }
            }
        }
        let found: (hash: ContentHash, byteCount: Int)
        do throws(DiskError) {
            let copy = try disk.create(path)
            found = try HashStream.hash(try disk.openForReading(source), copyingTo: copy)
            try copy.close()
        } catch {
            throw CheckpointError(error)
        }
        guard found.hash.description == file.hash, found.byteCount == file.byteCount else {
            throw CheckpointError(
                .damaged,
                "\(source) (\(file.logicalName)) changed while it was copied"
            )
        }
    }
}
