// RocksDB behind plain C: what the state database needs of it, with the settings it needs.
//
// Its own C interface can neither keep written files in the page cache, nor leave ingested files
// as they are, nor tell of errors of compactions: docs/decisions/state-in-two-tiers.md.
#ifndef CROCKSDB_H
#define CROCKSDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Some bytes; start may be NULL when count is 0.
typedef struct apus_slice {
    const void *start;
    size_t count;
} apus_slice;

// Functions that return a message return NULL on success; the caller frees it with this.
void apus_store_free_message(char *);

// A database. All functions on it may be called by any thread, except for apus_store_close().
typedef struct apus_store apus_store;

// What the owner decides.
typedef struct apus_store_options {
    // Whether a database is created; otherwise there must be one.
    bool creates;
    // Whether blocks are read where the page cache has them; otherwise through a block cache.
    bool maps_files;
    // The block cache's size.
    size_t block_cache_byte_count;
    // How many compactions run at once.
    int32_t background_thread_count;
    // About how large the files are that compactions write.
    uint64_t file_byte_count_max;
    // How many ingested files start a compaction.
    int32_t run_count_max;
    // Whether a compaction drops an entry; on any thread. NULL: it drops none.
    bool (*drops)(void *context, apus_slice key, apus_slice value);
    void *context;
} apus_store_options;

char *apus_store_open(const char *path, const apus_store_options *, apus_store **);

// Waits for compactions under way to give up.
void apus_store_close(apus_store *);

// Removes a database and its folder.
char *apus_store_destroy(const char *path);

// What a lookup found.
typedef struct apus_lookup apus_lookup;

// Looks up keys. The values are valid until the lookup is destroyed, before the database is closed.
char *apus_store_get(apus_store *, const apus_slice *keys, size_t count, apus_lookup **);

// A value per key; start is NULL when the key has none.
const apus_slice *apus_lookup_values(const apus_lookup *);
void apus_lookup_destroy(apus_lookup *);

// A walk through keys from <= key < to. `to` must stay valid. Sees the database as it was.
typedef struct apus_scan apus_scan;

apus_scan *apus_store_scan(apus_store *, apus_slice from, apus_slice to, size_t read_ahead);

// Whether there is an entry; both are valid until the next one is taken. False: see the message.
bool apus_scan_entry(const apus_scan *, apus_slice *key, apus_slice *value);
void apus_scan_next(apus_scan *);
char *apus_scan_message(const apus_scan *);
void apus_scan_destroy(apus_scan *);

// Moves sorted files in; of equal keys the later file's entry counts. The files stay as they are
// and get other names.
char *apus_store_ingest(apus_store *, const char *const *paths, size_t count);

// Makes a copy out of hard links in a new folder.
char *apus_store_checkpoint(apus_store *, const char *directory);

// Merges everything.
char *apus_store_compact(apus_store *);

// Takes pages of mapped files out of the process; they come back when they are needed.
void apus_store_release_mapped(apus_store *);

// Waits until no compaction is under way or due.
void apus_store_settle(apus_store *);

// The message of an error of a compaction or of the database's own files that still stands, or
// NULL. The caller frees it.
char *apus_store_background_error(apus_store *);

// What a database occupies.
typedef struct apus_store_usage {
    uint64_t block_cache_byte_count;
    uint64_t pinned_byte_count;
    uint64_t mem_table_byte_count;
    uint64_t table_reader_byte_count;
    uint64_t live_file_byte_count;
    uint64_t live_file_count;
    uint64_t run_count;
    uint64_t pending_compaction_byte_count;
    uint64_t background_error_count;
    uint64_t entry_count_estimate;
} apus_store_usage;

// About how many sorted runs there are; cheap.
uint64_t apus_store_run_count(apus_store *);

apus_store_usage apus_store_usage_now(apus_store *);

// Writes sorted files for ingestion, one after the other. One thread at a time.
typedef struct apus_run_writer apus_run_writer;

apus_run_writer *apus_run_writer_create(void);
void apus_run_writer_destroy(apus_run_writer *);
char *apus_run_writer_open(apus_run_writer *, const char *path);

// Entries in the order of their keys, each key once.
char *apus_run_writer_put(apus_run_writer *, apus_slice key, apus_slice value);
char *apus_run_writer_delete(apus_run_writer *, apus_slice key);

// Takes away what is older than the file in from <= key < to; at any time.
char *apus_run_writer_delete_range(apus_run_writer *, apus_slice from, apus_slice to);

// Completes the file and waits until it is on the disk.
char *apus_run_writer_finish(apus_run_writer *, uint64_t *byte_count);

#ifdef __cplusplus
}
#endif

#endif
