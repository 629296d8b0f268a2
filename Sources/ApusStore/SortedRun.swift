/// Entries in the order of their keys, as files for ``StateDatabase/ingest(_:)``.
package enum SortedRun {
    /// A run is cut into files of about this size.
    package static let fileByteCountMax = 64 << 20

    /// Sorts entries and writes them to files.
    ///
    /// Of equal keys the last entry counts.  A deleted range covers what the database holds before
    /// the run is ingested and what was put in front of it in the buffers, not what was put behind
    /// it.
    ///
    /// - Parameters:
    ///   - buffers: The entries, oldest first.
    ///   - directory: A folder on the database's file system.
    ///   - name: What the files' names start with; "-0.sst" and so on follow.
    ///   - fileByteCountMax: Where to cut, for tests.
    /// - Returns: The files, in the order of their keys; none when there are no entries.
    /// - Throws: ``StoreError``; the files are gone then.
    package static func write(
        _ buffers: [EntryBuffer],
        directory: String,
        name: String,
        fileByteCountMax: Int = fileByteCountMax
    ) throws(StoreError) -> SortedRunResult {
        let sorted = SortedEntries(buffers)
        var file = SortedRunFile(
            prefix: directory + "/" + name,
            fileByteCountMax: fileByteCountMax
        )
        do throws(StoreError) {
            try sorted.write(to: &file)
            try file.finish()
        } catch {
            file.abandon()
            throw error
        }
        return file.result
    }
}

/// What became of entries that were sorted and written.
package struct SortedRunResult: Sendable, Equatable {
    /// The files, in the order of their keys.
    package var paths: [String]
    /// How many entries they hold, deleted keys and ranges included.
    package var entryCount: Int
    /// The files' sizes.
    package var byteCount: Int

    /// Creates a result.
    package init(paths: [String], entryCount: Int, byteCount: Int) {
        self.paths = paths
        self.entryCount = entryCount
        self.byteCount = byteCount
    }
}
