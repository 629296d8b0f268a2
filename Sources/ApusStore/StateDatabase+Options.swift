extension StateDatabase {
    /// What the owner decides; everything else was measured and is fixed.
    ///
    /// See docs/decisions/state-in-two-tiers.md.
    package struct Options: Sendable {
        /// The memory for blocks of data, indexes and filters, unless files are mapped.
        package var blockCacheByteCount: Int
        /// How many compactions run at once.
        package var backgroundThreadCount: Int
        /// What time it is for entries that expire; nil when none do.
        package var expiry: StateExpiry?
        /// Whether blocks are read in place, where the system's page cache has them.
        ///
        /// Half the time per lookup of reading them into the block cache, and no memory besides
        /// the page cache's, which the system takes back when it needs it; see
        /// ``StateDatabase/releaseMappedPages()``.  But a file that cannot
        /// be read any more ends the process (SIGBUS) instead of throwing.
        package var mapsFiles: Bool
        /// About how large the files are that compactions write.
        package var fileByteCountMax: Int
        /// How many ingested files start a compaction: each may cost every lookup a look.
        package var runCountMax: Int

        /// Creates options.
        package init(
            blockCacheByteCount: Int = 8 << 20,
            backgroundThreadCount: Int = 1,
            expiry: StateExpiry? = nil,
            mapsFiles: Bool = true,
            fileByteCountMax: Int = 64 << 20,
            runCountMax: Int = 24
        ) {
            self.blockCacheByteCount = blockCacheByteCount
            self.backgroundThreadCount = backgroundThreadCount
            self.expiry = expiry
            self.mapsFiles = mapsFiles
            self.fileByteCountMax = fileByteCountMax
            self.runCountMax = runCountMax
        }
    }

    /// What a database occupies.
    package struct Usage: Sendable, Equatable {
        /// The block cache: blocks of data, and those of indexes and filters.
        package var blockCacheByteCount: Int
        /// The part of ``blockCacheByteCount`` that is in use this moment or cannot be given back.
        package var pinnedByteCount: Int
        /// The write buffers: nothing is ever written to them, but they have a least size.
        package var memTableByteCount: Int
        /// What open tables take outside of the block cache: indexes and filters.
        ///
        /// With mapped files these are pages of the page cache that lookups keep in use.
        package var tableReaderByteCount: Int
        /// The files with current entries.
        package var liveFileByteCount: Int
        /// How many files have current entries.
        package var liveFileCount: Int
        /// How many sorted runs a lookup may have to look into.
        package var runCount: Int
        /// How many bytes wait to be compacted.
        package var pendingCompactionByteCount: Int
        /// How many errors of compactions there were since the database was opened.
        package var backgroundErrorCount: Int
        /// Roughly how many entries there are, those that later ones replaced included.
        package var entryCountEstimate: Int
    }
}
