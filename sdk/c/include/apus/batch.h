// A batch of records: a struct of arrays. Read-only for the plugin.
#ifndef APUS_BATCH_H
#define APUS_BATCH_H

#include "apus/view.h"

#define APUS_NO_TIME INT64_MIN  // a record without event time

// Bits of a record's kind.
#define APUS_KIND_NULL_KEY 4u    // the record has no key: it has no state and no timers
#define APUS_KIND_NULL_VALUE 8u  // the record has no value, which is not the same as an empty one

// Bits of a batch's flags.
#define APUS_BATCH_AGAIN 1u  // records that process has had before, whose calls are begun again

// All pointers are valid until the callback returns. To keep data, copy it or put it in state.
typedef struct apus_batch {
    uint32_t size;
    uint32_t count;              // 1 to 65,536 records
    uint32_t input;              // index of the operator's input that the records came in by
    uint32_t flags;              // APUS_BATCH_ bits
    const apus_view *key;        // NULL when the input is not keyed
    const apus_view *value;
    const int64_t *ts;           // event time, or APUS_NO_TIME
    const uint64_t *key_hash;    // XXH3-64 of the key; NULL when the input is not keyed
    const uint8_t *kind;         // APUS_KIND_ bits; NULL = all zero
    const uint8_t *const *buffers;
    uint32_t buffer_count;
    uint32_t reserved;
    void *host_private;
} apus_batch;

// The key of record i, as pointer and length; *data is NULL when it has none. [op]
static inline void apus_key(const apus_batch *b, uint32_t i, const uint8_t **data, uint32_t *len) {
    if (!b->key || (b->kind && (b->kind[i] & APUS_KIND_NULL_KEY))) {
        *data = NULL;
        *len = 0;
        return;
    }
    *data = apus_view_data(&b->key[i], b->buffers);
    *len = b->key[i].len;
}

// The value of record i, as pointer and length. [op]
static inline void apus_value(
    const apus_batch *b, uint32_t i, const uint8_t **data, uint32_t *len) {
    *data = apus_view_data(&b->value[i], b->buffers);
    *len = b->value[i].len;
}

// Whether record i has a key. [op]
static inline int apus_has_key(const apus_batch *b, uint32_t i) {
    return b->key && !(b->kind && (b->kind[i] & APUS_KIND_NULL_KEY));
}

#endif
