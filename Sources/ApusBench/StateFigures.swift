import ApusRuntime
import ApusState
import ApusStore

/// What state in two tiers occupies; encodes as a part of what `apus bench --json` prints.
package struct StateFigures: Codable, Equatable, Sendable {
    /// What rows, and entries on their way into the database, may use together.
    package let budgetBytes: Int
    /// What they use.
    package let usedBytes: Int
    /// The most that they have used.
    package let peakUsedBytes: Int
    /// The database's block cache.
    package let blockCacheBytes: Int
    /// What its open tables take besides.
    package let tableReaderBytes: Int
    /// Its files with current entries.
    package let fileBytes: Int
    /// How many these are.
    package let files: Int
    /// How many sorted runs a lookup may have to look into.
    package let runs: Int
    /// How much waits to be compacted.
    package let pendingCompactionBytes: Int
    /// Errors of compactions.
    package let backgroundErrors: Int
    /// Roughly how many entries there are.
    package let entriesEstimate: Int

    private enum CodingKeys: String, CodingKey {
        case files, runs
        case budgetBytes = "budget_bytes"
        case usedBytes = "used_bytes"
        case peakUsedBytes = "peak_used_bytes"
        case blockCacheBytes = "block_cache_bytes"
        case tableReaderBytes = "table_reader_bytes"
        case fileBytes = "file_bytes"
        case pendingCompactionBytes = "pending_compaction_bytes"
        case backgroundErrors = "background_errors"
        case entriesEstimate = "entries_estimate"
    }

    init(_ state: CheckpointSettings.DurableState) {
        let usage = state.database.usage()
        budgetBytes = state.budget.byteCount
        usedBytes = state.budget.usedByteCount
        peakUsedBytes = state.budget.peakByteCount
        blockCacheBytes = usage.blockCacheByteCount
        tableReaderBytes = usage.tableReaderByteCount
        fileBytes = usage.liveFileByteCount
        files = usage.liveFileCount
        runs = usage.runCount
        pendingCompactionBytes = usage.pendingCompactionByteCount
        backgroundErrors = usage.backgroundErrorCount
        entriesEstimate = usage.entryCountEstimate
    }
}
