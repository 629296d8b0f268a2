import CRocksDB

extension StateDatabase {
    /// What the database occupies now.
    ///
    /// - Returns: Memory as RocksDB counts it, without what its allocator adds.
    package func usage() -> Usage {
        let now = apus_store_usage_now(store)
        return Usage(
            blockCacheByteCount: Int(clamping: now.block_cache_byte_count),
            pinnedByteCount: Int(clamping: now.pinned_byte_count),
            memTableByteCount: Int(clamping: now.mem_table_byte_count),
            tableReaderByteCount: Int(clamping: now.table_reader_byte_count),
            liveFileByteCount: Int(clamping: now.live_file_byte_count),
            liveFileCount: Int(clamping: now.live_file_count),
            runCount: Int(clamping: now.run_count),
            pendingCompactionByteCount: Int(clamping: now.pending_compaction_byte_count),
            backgroundErrorCount: Int(clamping: now.background_error_count),
            entryCountEstimate: Int(clamping: now.entry_count_estimate)
        )
    }

    /// How many sorted runs a lookup may have to look into; some microseconds.
    package var runCount: Int { Int(clamping: apus_store_run_count(store)) }

    /// The error that keeps compactions from working, until they work again; nil when they do.
    package var backgroundError: StoreError? {
        guard let message = apus_store_background_error(store) else { return nil }
        // SAFETY: the message ends with 0 and is ours to free.
        defer { apus_store_free_message(message) }
        return StoreError(operation: "compact", path: path, reason: String(cString: message))
    }
}
