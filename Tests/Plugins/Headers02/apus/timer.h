// Timers: per key, named, as many as wanted, in event time or processing time.
//
// A timer is known by its key, its name (the index of a declaration) and an id of the plugin's
// choice (0 when one per name is enough). Setting it again replaces it.
#ifndef APUS_TIMER_H
#define APUS_TIMER_H

#include "apus/batch.h"

typedef struct apus_ctx apus_ctx;

// The watermark is the newest event time of a source, less its out-of-orderness, less 1 us: when it
// has reached t, no record with a time up to t comes any more.

// Time domains.
#define APUS_EVENT_TIME 1       // fires when the watermark has reached the time
#define APUS_PROCESSING_TIME 2  // fires when the clock on the wall has reached the time

typedef struct apus_timer_decl {
    uint32_t size;
    uint32_t domain;  // APUS_EVENT_TIME or APUS_PROCESSING_TIME
    apus_str name;    // [a-z0-9-]; stable for ever, it names the timer in checkpoints
} apus_timer_decl;

typedef struct apus_timer_api {
    uint32_t size;
    uint32_t reserved;
    // Sets or replaces a timer of record rec's key. A time that has passed fires as soon as this
    // callback has returned. The payload is copied; on_timers gets it as the value.
    // Returns APUS_OK, APUS_UNSUPPORTED (no such timer, record without key, NULL for a payload of
    // some bytes), APUS_LIMIT. [op]
    int32_t (*set)(
        apus_ctx *, uint32_t timer, uint64_t id, uint32_t rec, int64_t time_us,
        const void *payload, uint64_t len);
    // Cancels a timer; APUS_NOT_FOUND when it is not armed. [op]
    int32_t (*cancel)(apus_ctx *, uint32_t timer, uint64_t id, uint32_t rec);
} apus_timer_api;

// Timers that are due, in the order of (time, name, id), at most one per key: what the callback
// sets or cancels for a key is in force before that key's next timer fires.
typedef struct apus_timers {
    uint32_t size;
    uint32_t domain;          // of all of them
    // key and hash of each timer; ts = its time, value = its payload. Use an index in this batch
    // wherever a function wants a record.
    const apus_batch *batch;
    const uint32_t *timer;    // index of the declaration
    const uint64_t *id;
} apus_timers;

#endif
