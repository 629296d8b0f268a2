// State per key. An operator declares its slots; the host keeps them, one row per key.
//
// Functions take the slot (its index among the declarations) and the record (its index in the
// batch in hand, or the timer's index in on_timers): the host has key and hash there already, so
// no key is hashed or looked up by bytes.
//
// Lifetime of every pointer that comes from state: until the callback returns, or until the same
// slot of the same key is written or cleared, whichever is first. Writes to other keys move
// nothing.
#ifndef APUS_STATE_H
#define APUS_STATE_H

#include "apus/migration.h"

typedef struct apus_ctx apus_ctx;

// Kinds of state.
#define APUS_STATE_VALUE 1    // one value per key; with fixed_len > 0 kept in place
#define APUS_STATE_COUNTER 2  // one signed 64-bit sum per key
#define APUS_STATE_LIST 3     // values in the order they were appended
#define APUS_STATE_MAP 4      // entries ordered by the bytes of their keys
#define APUS_STATE_BROADCAST 5  // one such map per operator: broadcast.h, not among `states`

typedef struct apus_state_decl {
    uint32_t size;
    uint32_t kind;            // APUS_STATE_
    apus_str name;            // [a-z0-9-]; stable for ever, it names the state in checkpoints
    uint32_t schema_version;  // 1 or more; what the values' bytes mean
    uint32_t fixed_len;       // VALUE only: 1 to 65,536 bytes in place; 0 = any length
    uint32_t flags;           // 0
    uint32_t reserved;
    apus_str schema;          // free text for people, kept in checkpoints; may be empty
    // Since 0.3.
    uint32_t min_readable;    // the oldest schema_version that migrate takes; 0 = none but its own
    uint32_t migration_flags; // APUS_MIGRATES_BACK or 0
    apus_str renamed_from;    // the name that the state had in older versions; may be empty
    apus_migrate migrate;     // NULL = values of other versions cannot be read; see migration.h
} apus_state_decl;

// A walk through a list or a map. Start with one of the apus_cursor_ functions below.
// Writing to the state in between makes the next step return APUS_STALE.
typedef struct apus_cursor {
    apus_bytes from;     // maps: first key; the bytes of both must stay until the walk ends
    apus_bytes to;       // maps: first key that is not wanted; data NULL = no end
    uint32_t is_prefix;  // maps: 1 = `from` is a prefix that keys must have
    uint32_t started;
    uint64_t position;   // the host's
    uint64_t version;    // the host's
} apus_cursor;

// An entry of a map.
typedef struct apus_entry {
    apus_bytes key;
    apus_bytes value;
} apus_entry;

// All functions [op]. They return APUS_OK, APUS_NOT_FOUND where that can be, APUS_UNSUPPORTED for
// a slot that does not exist, is of another kind, a record without key, or NULL where bytes or a
// place for a result are needed, and APUS_LIMIT when a key or a value is 2^31 bytes long or more.
// Bytes that are stored may lie in the state that they replace or extend.
typedef struct apus_state_api {
    uint32_t size;
    uint32_t reserved;

    // VALUE. The value's bytes, or APUS_NOT_FOUND. [op]
    int32_t (*value_get)(apus_ctx *, uint32_t slot, uint32_t rec, apus_bytes *value);
    // VALUE. Stores a copy. A fixed-length slot takes exactly fixed_len bytes. [op]
    int32_t (*value_put)(apus_ctx *, uint32_t slot, uint32_t rec, const void *value, uint64_t len);
    // VALUE with fixed_len. A pointer to write through, aligned to 8; created zeroed. [op]
    int32_t (*value_mut)(apus_ctx *, uint32_t slot, uint32_t rec, void **value);
    // The same for records first..<first+count of the batch at once, in one call and with memory
    // fetched ahead: a tenth faster than one by one. Equal keys give equal pointers.
    // Records without a key get NULL. created[i] tells a new value; it may be NULL. [op]
    int32_t (*value_mut_many)(
        apus_ctx *, uint32_t slot, uint32_t first, uint32_t count, void **values, uint8_t *created);

    // COUNTER. Adds (wrapping around) and tells the new sum; sum may be NULL. [op]
    int32_t (*counter_add)(apus_ctx *, uint32_t slot, uint32_t rec, int64_t by, int64_t *sum);
    // COUNTER. The sum; 0 with APUS_NOT_FOUND when nothing was ever added. [op]
    int32_t (*counter_get)(apus_ctx *, uint32_t slot, uint32_t rec, int64_t *sum);

    // LIST. Appends a copy. [op]
    int32_t (*list_append)(
        apus_ctx *, uint32_t slot, uint32_t rec, const void *value, uint64_t len);
    // LIST. How many values. [op]
    int32_t (*list_count)(apus_ctx *, uint32_t slot, uint32_t rec, uint64_t *count);
    // LIST. Up to `capacity` further values; *count == 0 at the end. [op]
    int32_t (*list_next)(
        apus_ctx *, uint32_t slot, uint32_t rec, apus_cursor *, apus_bytes *values,
        uint32_t capacity, uint32_t *count);

    // MAP. The value of an entry, or APUS_NOT_FOUND. [op]
    int32_t (*map_get)(
        apus_ctx *, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len,
        apus_bytes *value);
    // MAP. Stores a copy, replacing an entry of the same key. [op]
    int32_t (*map_put)(
        apus_ctx *, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len,
        const void *value, uint64_t len);
    // MAP. Removes an entry; APUS_NOT_FOUND when there was none. [op]
    int32_t (*map_remove)(
        apus_ctx *, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len);
    // MAP. How many entries. [op]
    int32_t (*map_count)(apus_ctx *, uint32_t slot, uint32_t rec, uint64_t *count);
    // MAP. Up to `capacity` further entries in the order of keys; *count == 0 at the end. [op]
    int32_t (*map_next)(
        apus_ctx *, uint32_t slot, uint32_t rec, apus_cursor *, apus_entry *entries,
        uint32_t capacity, uint32_t *count);

    // Any kind. Forgets the slot for this key; a key with nothing left costs nothing. [op]
    int32_t (*clear)(apus_ctx *, uint32_t slot, uint32_t rec);
} apus_state_api;

// A walk through a whole list or map. [op]
static inline apus_cursor apus_cursor_all(void) {
    apus_cursor c = {{NULL, 0}, {NULL, 0}, 0, 0, 0, 0};
    return c;
}

// A walk through the entries from..<to of a map; to.data == NULL: to the end. [op]
static inline apus_cursor apus_cursor_range(apus_bytes from, apus_bytes to) {
    apus_cursor c = {from, to, 0, 0, 0, 0};
    return c;
}

// A walk through the entries of a map whose keys start with a prefix. [op]
static inline apus_cursor apus_cursor_prefix(apus_bytes prefix) {
    apus_cursor c = {prefix, {NULL, 0}, 1, 0, 0, 0};
    return c;
}

#endif
