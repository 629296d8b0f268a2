// The functions of an operator.
#ifndef APUS_OPERATOR_H
#define APUS_OPERATOR_H

#include "apus/context.h"

// create (component.h), then open, then process, on_timers and on_watermark as they come, then
// close, then destroy. After an error other than APUS_RECORD only close and destroy are called.
// Entries that are not needed are NULL; process must be there.
typedef struct apus_operator_vt {
    uint32_t size;
    uint32_t reserved;
    // The instance gets its thread. Operator state can be used, as the checkpoint had it; state
    // per key and timers from the next callback on. [op]
    int32_t (*open)(void *self, apus_ctx *);
    // The last callback with a context. Threads of the instance's own are joined on return. [op]
    void (*close)(void *self, apus_ctx *);
    // Handles records ctx->at ..< batch->count. Returns APUS_OK when all are done; APUS_YIELD or
    // APUS_LIMIT with ctx->at at the first one not done, which is called again; APUS_RECORD with
    // ctx->at at the bad one. [op]
    int32_t (*process)(void *self, apus_ctx *, const apus_batch *);
    // Handles timers ctx->at ..< timers->batch->count, in their order. Returns as process. [op]
    int32_t (*on_timers)(void *self, apus_ctx *, const apus_timers *);
    // Event time has reached watermark_us; all timers due by then have fired. No records are in
    // hand: state per key and timers are out of reach, outputs can be written. [op]
    int32_t (*on_watermark)(void *self, apus_ctx *, int64_t watermark_us);
    // Since 0.2. Handles records ctx->at ..< batch->count of the broadcast input batch->input, as
    // every subtask does. State per key and timers are out of reach; broadcast state can be
    // written, outputs too: each subtask writes its own. Returns as process. [op]
    int32_t (*process_broadcast)(void *self, apus_ctx *, const apus_batch *);
    // Since 0.3, for APUS_ASYNCHRONOUS; see async.h.
    // Handles calls ctx->at ..< calls->batch->count that are completed: state, timers and outputs
    // of their records can be used. NULL: results leave as they are. Returns as process. [op]
    int32_t (*on_async)(void *self, apus_ctx *, const apus_async_batch *calls);
    // Nobody waits for this call any more: it has timed out, or the job stops. May be NULL. [op]
    void (*cancel)(void *self, uint64_t token, uint64_t user);
    // What was posted has come; no records are in hand. May be NULL. [op]
    int32_t (*on_event)(void *self, apus_ctx *, uint64_t event);
} apus_operator_vt;

#endif
