import CRocksDB
import Glibc
import Synchronization

/// The tier of the state that lies on disk: a map from keys to values, ordered by key.
///
/// A cache of the last checkpoint: nothing is logged, and entries come in as sorted files only
/// (``SortedRun``).  Any thread may call any method, except for ``close()``.  RocksDB runs
/// compactions on threads of its own.
package final class StateDatabase: @unchecked Sendable {
    // @unchecked because `store` and `isOpen` change in init and close only; RocksDB locks.

    /// The folder, as it was given.
    package let path: String

    // SAFETY: the handle lives from `init` to `close()`, after which the owner calls nothing.
    let store: OpaquePointer
    private var isOpen = true
    /// What time it is for entries that expire; nil when none do.
    ///
    /// Kept for the compactions, which have a pointer to it.
    package let expiry: StateExpiry?
    let hasAnyEntry: Atomic<Bool>

    /// Opens a database, or creates one where there is no folder, or an empty one.
    ///
    /// - Parameters:
    ///   - path: The folder; the one above it exists.
    ///   - options: What the owner decides.
    /// - Throws: ``StoreError``: the folder is in use, damaged, or holds something else.  RocksDB
    ///   takes a manifest that ends early for one that ended there: whoever restores a database
    ///   compares its files' hashes first, as the checkpoint folder does.
    package init(path: String, options: Options) throws(StoreError) {
        let found = try Self.find(path)
        var decided = apus_store_options()
        decided.creates = found == .nothing
        decided.maps_files = options.mapsFiles
        decided.block_cache_byte_count = max(0, options.blockCacheByteCount)
        decided.background_thread_count = Int32(clamping: max(1, options.backgroundThreadCount))
        decided.file_byte_count_max = UInt64(max(1, options.fileByteCountMax))
        decided.run_count_max = Int32(clamping: max(1, options.runCountMax))
        if let expiry = options.expiry {
            decided.drops = StateExpiry.drops
            // SAFETY: `expiry` below keeps it until the database is closed.
            decided.context = Unmanaged.passUnretained(expiry).toOpaque()
        }
        var store: OpaquePointer?
        try StoreError.check(apus_store_open(path, &decided, &store), "open", path)
        guard let store else { preconditionFailure("RocksDB opened a database without a handle") }
        let hasFiles = apus_store_usage_now(store).live_file_count > 0
        if found == .databaseWithEntries, !hasFiles {
            apus_store_close(store)
            throw StoreError(
                operation: "open",
                path: path,
                reason: "its manifest is damaged: it names none of the sorted files in the folder; "
                    + "restore it from a checkpoint"
            )
        }
        self.path = path
        self.store = store
        expiry = options.expiry
        hasAnyEntry = Atomic(hasFiles)
    }

    deinit {
        close()
    }

    /// Whether anything was ever ingested, or was there when the database was opened.
    package var hasEntries: Bool { hasAnyEntry.load(ordering: .acquiring) }

    /// Closes the database; the second time does nothing.
    ///
    /// No other call is under way, and none follows.  A compaction under way is given up.
    package func close() {
        guard isOpen else { return }
        isOpen = false
        apus_store_close(store)
        withExtendedLifetime(expiry) {}
    }

    /// Takes the pages of mapped files out of the process.
    ///
    /// They come back one by one when they are needed, from the page cache as a rule, which costs
    /// less than a microsecond each.
    package func releaseMappedPages() { apus_store_release_mapped(store) }

    /// Removes a database's folder with all that is RocksDB's in it.
    ///
    /// - Parameter path: The folder; nothing there is fine.
    /// - Throws: ``StoreError``, for example when the database is open.
    package static func destroy(path: String) throws(StoreError) {
        guard access(path, F_OK) == 0 else { return }
        try StoreError.check(apus_store_destroy(path), "destroy", path)
    }

    /// What lies at a path before it is opened.
    private enum Found {
        case nothing
        case emptyDatabase
        case databaseWithEntries
    }

    private static func find(_ path: String) throws(StoreError) -> Found {
        let names = try fileNames(path)
        guard let first = names.first else { return .nothing }
        guard names.contains("CURRENT") else {
            throw StoreError(
                operation: "open",
                path: path,
                reason: "the folder holds '\(first)' but no file 'CURRENT': it is not a state "
                    + "database, or a damaged one; name an empty folder, or one that is not there"
            )
        }
        return names.contains { $0.hasSuffix(".sst") } ? .databaseWithEntries : .emptyDatabase
    }

    /// The files in a folder; none when there is no folder.
    private static func fileNames(_ path: String) throws(StoreError) -> [String] {
        guard let folder = opendir(path) else {
            guard errno != ENOENT else { return [] }
            throw StoreError(
                operation: "open",
                path: path,
                reason: String(cString: strerror(errno))
            )
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            // SAFETY: the name ends with 0 and is valid until the next readdir.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
