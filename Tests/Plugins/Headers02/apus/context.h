// What an instance sees of the host while a callback runs.
#ifndef APUS_CONTEXT_H
#define APUS_CONTEXT_H

#include "apus/broadcast.h"
#include "apus/error.h"
#include "apus/operator_state.h"
#include "apus/out.h"
#include "apus/state.h"
#include "apus/timer.h"

// Owned by the host, one per instance, at the same address for the instance's life.
// For use inside callbacks of that instance only.
struct apus_ctx {
    uint32_t size;
    uint32_t out_count;
    apus_out *const *outs;  // [0] main, then the side outputs in the order of their declaration
    const apus_state_api *state;
    const apus_timer_api *timers;
    void *host_private;
    uint64_t instance;
    int64_t watermark_us;   // event time has reached this; INT64_MIN before the first watermark
    int64_t now_us;         // processing time, read once per callback
    const uint32_t *stop;   // becomes non-zero: finish the record in hand and return APUS_YIELD
    uint32_t at;            // in: first record to do; out: first record not done
    uint32_t reserved;
    uint64_t *counters;     // one per declared counter; only this instance writes them
    apus_error *error;      // fill it before returning a negative code
    // Since 0.2.
    const apus_broadcast_api *broadcast;
    void *broadcast_private;
    const apus_operator_state_api *operator_state;
    void *operator_state_private;
};

// Stops at record `at` with a result: `return apus_at(ctx, i, APUS_YIELD);` [op]
static inline int32_t apus_at(apus_ctx *ctx, uint32_t at, int32_t code) {
    ctx->at = at;
    return code;
}

// Reports record `at` as bad, with a reason: `return apus_bad_record(ctx, i, "no amount");` [op]
static inline int32_t apus_bad_record(apus_ctx *ctx, uint32_t at, const char *reason) {
    ctx->at = at;
    return apus_fail(ctx->error, APUS_RECORD, reason);
}

#endif
