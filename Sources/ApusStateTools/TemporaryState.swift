import ApusCheckpoint
import ApusCore
import ApusStore

/// The state database of a checkpoint, opened in a folder of its own that goes with this object.
///
/// Sorted files are hard links to the checkpoint's where the file system allows it; nobody ever
/// writes to such a file.
final class TemporaryState {
    /// The database.
    let database: StateDatabase
    private let path: String
    private let disk: any Disk
    private var isOpen = true

    /// Puts the state of a checkpoint into a new folder and opens it.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint's folder.
    ///   - manifest: The checkpoint.
    ///   - path: The new folder; there is nothing yet.
    ///   - disk: The seam to files.
    /// - Throws: ``StateToolError``: the checkpoint is damaged, or the disk refuses.
    init(
        _ folder: CheckpointFolder,
        _ manifest: Manifest,
        at path: String,
        disk: any Disk
    ) throws(StateToolError) {
        self.path = path
        self.disk = disk
        try StateToolError.onFolder(try folder.materialize(manifest, into: path))
        do throws(StoreError) {
            database = try Self.open(path)
        } catch {
            // What stays is a copy; the reason why it cannot be opened is thrown.
            try? disk.removeTree(path)  // and says more than a second failure would
            throw StateToolError(error)
        }
    }

    /// Opens a new database in a folder that does not exist yet.
    init(newAt path: String, disk: any Disk) throws(StateToolError) {
        self.path = path
        self.disk = disk
        database = try StateToolError.onStore(try Self.open(path))
    }

    deinit {
        guard isOpen else { return }
        database.close()
        // Somebody gave up in the middle, and says why.
        try? disk.removeTree(path)  // a copy that stays does no harm
    }

    /// Closes the database and removes its folder; the second time does nothing.
    func close() throws(StateToolError) {
        guard isOpen else { return }
        isOpen = false
        database.close()
        try StateToolError.onDisk(try disk.removeTree(path))
    }

    private static func open(_ path: String) throws(StoreError) -> StateDatabase {
        // Not mapped: a file that cannot be read must be an error, and not the end of the process.
        try StateDatabase(
            path: path,
            options: StateDatabase.Options(blockCacheByteCount: 32 << 20, mapsFiles: false)
        )
    }
}
