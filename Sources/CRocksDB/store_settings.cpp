#include "store_settings.h"

#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace apus {

rocksdb::Options table_settings(std::shared_ptr<rocksdb::Cache> cache) {
    rocksdb::BlockBasedTableOptions table;
    // Small blocks: a lookup touches one, and has its checksum verified, each time.
    table.block_size = 2 << 10;
    table.format_version = 5;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    if (cache) {
        // Indexes and filters in small parts, so that they fit the cache beside the data.
        table.block_cache = cache;
        table.cache_index_and_filter_blocks = true;
        table.cache_index_and_filter_blocks_with_high_priority = true;
        table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
        table.partition_filters = true;
    } else {
        table.no_block_cache = true;
    }
    rocksdb::Options settings;
    settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    // Blocks that are mapped cannot be compressed ones.
    settings.compression = rocksdb::kNoCompression;
    return settings;
}

rocksdb::Options database_settings(
    const apus_store_options &options, std::shared_ptr<rocksdb::Cache> cache) {
    rocksdb::Options settings = table_settings(options.maps_files ? nullptr : cache);
    settings.create_if_missing = options.creates;
    settings.allow_mmap_reads = options.maps_files;
    settings.max_open_files = -1;
    settings.max_file_opening_threads = 1;

    // Runs of about the same size are merged, eight or more at a time; all of them when what is new
    // is twice what is old. Two levels, the lower one for what everything was merged into: with
    // more of them RocksDB puts each ingested file as low as it can, and lookups go through one
    // more run per level.
    settings.compaction_style = rocksdb::kCompactionStyleUniversal;
    settings.num_levels = 2;
    settings.level0_file_num_compaction_trigger = options.run_count_max;
    settings.compaction_options_universal.size_ratio = 20;
    settings.compaction_options_universal.min_merge_width = 8;
    settings.compaction_options_universal.max_size_amplification_percent = 200;
    settings.max_compaction_bytes = uint64_t(1) << 50;
    settings.target_file_size_base = options.file_byte_count_max;
    settings.max_background_compactions = options.background_thread_count;
    settings.max_background_flushes = 1;
    // Entries come in as whole files: there are no writes to slow down or to stop.
    settings.level0_slowdown_writes_trigger = 1 << 20;
    settings.level0_stop_writes_trigger = 1 << 20;
    settings.soft_pending_compaction_bytes_limit = 0;
    settings.hard_pending_compaction_bytes_limit = 0;

    // Nothing is ever written to the write buffers.
    settings.write_buffer_size = 64 << 10;
    settings.arena_block_size = 4 << 10;
    settings.avoid_flush_during_shutdown = true;

    // Its log of events: warnings, in two short files.
    settings.info_log_level = rocksdb::WARN_LEVEL;
    settings.keep_log_file_num = 2;
    settings.max_log_file_size = 1 << 20;
    settings.stats_dump_period_sec = 0;
    settings.stats_persist_period_sec = 0;
    return settings;
}

}  // namespace apus
