// Broadcast state: maps that are the same in all subtasks of an operator, for rules and settings.
//
// The records of a broadcast input go to every subtask, and to process_broadcast (operator.h),
// which alone may write. All callbacks of the instance may read, those without a record too.
// Every subtask must come to the same maps: what process_broadcast does may depend on the records
// and on the maps, and on nothing else: no keys, no clock, no subtask. The order of records is the
// same everywhere for each subtask of the node that sends them; between several of those, and
// between several broadcast inputs, it is not. A checkpoint compares the maps, and is given up
// with a message when they differ.
//
// Functions take the index of a declaration in apus_component.broadcasts. Pointers that come from
// a map are valid until the callback returns, or until the map is written.
#ifndef APUS_BROADCAST_H
#define APUS_BROADCAST_H

#include "apus/state.h"

// All functions [op]. They return APUS_OK, APUS_NOT_FOUND where that can be, APUS_READ_ONLY for a
// write outside of process_broadcast, APUS_UNSUPPORTED for an index that does not exist or NULL
// where bytes or a place for a result are needed, and APUS_LIMIT when a key or a value is 2^31
// bytes long or more. Bytes that are stored may lie in the map.
typedef struct apus_broadcast_api {
    uint32_t size;
    uint32_t reserved;
    // The value of an entry, or APUS_NOT_FOUND. [op]
    int32_t (*get)(
        apus_ctx *, uint32_t index, const void *key, uint64_t key_len, apus_bytes *value);
    // How many entries. [op]
    int32_t (*count)(apus_ctx *, uint32_t index, uint64_t *count);
    // Up to `capacity` further entries in the order of keys; *count == 0 at the end. Cursors are
    // those of state.h; APUS_STALE when the map was written since the walk began. [op]
    int32_t (*next)(
        apus_ctx *, uint32_t index, apus_cursor *, apus_entry *entries, uint32_t capacity,
        uint32_t *count);
    // Stores a copy, replacing an entry of the same key. [op]
    int32_t (*put)(
        apus_ctx *, uint32_t index, const void *key, uint64_t key_len, const void *value,
        uint64_t len);
    // Removes an entry; APUS_NOT_FOUND when there was none. [op]
    int32_t (*remove)(apus_ctx *, uint32_t index, const void *key, uint64_t key_len);
    // Removes all entries. [op]
    int32_t (*clear)(apus_ctx *, uint32_t index);
} apus_broadcast_api;

#endif
