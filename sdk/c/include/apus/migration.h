// Migration: what a state's bytes become when the version of their schema has changed.
//
// A declaration says which version its bytes have (schema_version), the oldest one that it can
// still read (min_readable), and how an older one is brought forward (migrate). Values in a
// checkpoint or in a running job keep the version that they were written with until they are
// migrated: on first use, or by a sweep in the background. Both call the same function, which must
// therefore always give the same bytes for the same input.
#ifndef APUS_MIGRATION_H
#define APUS_MIGRATION_H

#include "apus/error.h"

// Of migration_flags: migrate can also make older bytes of its own, min_readable and up. With it a
// swap that went wrong can be undone without going back to a checkpoint.
#define APUS_MIGRATES_BACK 1

// A place for bytes of any length.
typedef struct apus_writer apus_writer;

struct apus_writer {
    uint32_t size;
    uint32_t reserved;
    // Appends a copy. Returns APUS_OK, or APUS_LIMIT when there is no more room: then give up with
    // that code. [pure]
    int32_t (*write)(apus_writer *, const void *bytes, uint64_t len);
    void *host_private;
};

// One value that is to be migrated. All bytes are valid until migrate returns.
typedef struct apus_migration {
    uint32_t size;
    uint32_t from_version;  // min_readable ..< schema_version; on the way back schema_version
    uint32_t to_version;    // schema_version; on the way back (APUS_MIGRATES_BACK) an older one
    uint32_t flags;         // 0
    apus_bytes key;         // whose state it is; empty where there are no keys
    apus_bytes entry;       // the entry's key in a map, the position in a list as a u64, else empty
    apus_bytes value;       // as it was written; a counter as an int64_t
} apus_migration;

// Writes what the value becomes. APUS_NOT_FOUND drops the value; any other code but APUS_OK means
// that it cannot be migrated, with the reason in the error. May be called on any thread, for
// several values at once, and again for the same one. [pure]
typedef int32_t (*apus_migrate)(const apus_migration *, apus_writer *, apus_error *);

// One armed timer that is to be migrated.
typedef struct apus_timer_migration {
    uint32_t size;
    uint32_t from_version;
    uint32_t to_version;
    uint32_t domain;     // APUS_EVENT_TIME or APUS_PROCESSING_TIME
    apus_bytes key;
    uint64_t id;
    int64_t time_us;     // when it is to fire
    apus_bytes payload;
} apus_timer_migration;

// What it becomes; the host has filled it with what it was. A new payload goes to the writer, and
// replaces the old one when anything was written.
typedef struct apus_timer_target {
    uint32_t size;
    uint32_t reserved;
    uint64_t id;
    int64_t time_us;
} apus_timer_target;

// Re-plans a timer; results as of apus_migrate: APUS_NOT_FOUND cancels it. [pure]
typedef int32_t (*apus_migrate_timer)(
    const apus_timer_migration *, apus_timer_target *, apus_writer *, apus_error *);

#endif
