import CRocksDB
import Glibc
import Synchronization

extension StateDatabase {
    /// Moves sorted files into the database; lookups see all of them or none.
    ///
    /// The files are never written to again; they reached the disk before this returns.
    ///
    /// - Parameter paths: Files of ``SortedRun``, on the database's file system, oldest first: of
    ///   equal keys the later file's entry counts.  Gone afterwards.
    /// - Throws: ``StoreError``; nothing was ingested, and the files are still there.
    package func ingest(_ paths: [String]) throws(StoreError) {
        guard !paths.isEmpty else { return }
        // SAFETY: the copies of the paths live until the defer below.
        let names = paths.map { UnsafePointer(strdup($0)) }
        defer { for name in names { free(UnsafeMutablePointer(mutating: name)) } }
        try StoreError.check(apus_store_ingest(store, names, names.count), "ingest into", path)
        hasAnyEntry.store(true, ordering: .releasing)
    }

    /// Makes a copy of the database out of hard links to its files; entries come and go meanwhile.
    ///
    /// The copy's sorted files are never written to again, and reached the disk when they were
    /// made.  Whoever relies on the copy calls fsync on the small files beside them and on the
    /// folder.
    ///
    /// - Parameter directory: The copy's folder, on the same file system; it does not exist yet.
    /// - Throws: ``StoreError``; the folder is not there then.
    package func checkpoint(to directory: String) throws(StoreError) {
        try StoreError.check(
            apus_store_checkpoint(store, directory),
            "checkpoint to \(directory) the",
            path
        )
    }

    /// Merges all sorted runs into one, and drops what has expired.
    ///
    /// - Throws: ``StoreError``; what could not be merged is as it was.
    package func compact() throws(StoreError) {
        try StoreError.check(apus_store_compact(store), "compact", path)
    }

    /// Waits until no compaction is under way or due, for tests and measurements.
    package func settle() {
        apus_store_settle(store)
    }
}
