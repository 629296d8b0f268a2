// Asynchronous calls: an operator asks somebody else and goes on before there is an answer.
//
// process hands a record over with begin and starts the call, by whatever means: a client library,
// a thread of the instance's own. When the answer is there, complete is called, on any thread. The
// host keeps the record until then, and everything that has to wait for it: event time does not
// pass a record whose call is under way.
//
// ORDER. The job file says `order: ordered` (results leave in the order of the records) or
// `unordered` (as they come, but not past a watermark).
//
// CAPACITY. At most `capacity` calls are under way per subtask; process gets no more records than
// there are places. A record for which begin is called a second time takes a second place; when
// there is none begin returns APUS_LIMIT: return apus_at(ctx, i, APUS_YIELD).
//
// CHECKPOINTS. A checkpoint holds the records whose calls are under way. When the job goes on from
// it, process gets them again, in batches with APUS_BATCH_AGAIN. So a call is made AT LEAST ONCE,
// and the service that is called must bear the same call twice. State that process writes before
// begin is in the checkpoint too: write it in on_async, or look at the flag.
//
// FAILURE. A call that is not completed in time has the status APUS_TIMED_OUT. A call whose status
// is negative is begun again, by giving its record to process with APUS_BATCH_AGAIN, as often as
// the job file's `retries` says; after that on_async gets it, or, when there is no on_async, the
// job file's `on-failure` decides: fail the job, or dead-letter the record.
//
// Get the functions once: host->get_extension(APUS_ASYNC). A component that uses them says so with
// APUS_ASYNCHRONOUS among its flags.
#ifndef APUS_ASYNC_H
#define APUS_ASYNC_H

#include "apus/batch.h"

typedef struct apus_ctx apus_ctx;

#define APUS_ASYNC "apus.async/1"

// A record that a call has brought. Elements of arrays: never grows.
typedef struct apus_result {
    apus_bytes key;     // data NULL: the key of the record that was asked for
    apus_bytes value;
    int64_t ts;         // APUS_NO_TIME: its time
    uint32_t port;      // the output, as an index in ctx->outs
    uint32_t reserved;
} apus_result;

typedef struct apus_async_api {
    uint32_t size;
    uint32_t reserved;
    // Keeps record rec of the batch in hand and gives a token for the call. Only in process.
    // timeout_us 0: as the job file says. `user` is the plugin's own; on_async and cancel get it.
    // Returns APUS_OK, APUS_LIMIT when all places are taken, or APUS_UNSUPPORTED outside of process
    // and for a component without APUS_ASYNCHRONOUS. [op]
    int32_t (*begin)(
        apus_ctx *, uint32_t rec, int64_t timeout_us, uint64_t user, uint64_t *token);
    // Completes a call. The results are copied. status: APUS_OK, or a negative code.
    // A token that is unknown, was completed, has timed out or belongs to an instance that was
    // closed gives APUS_STALE and changes nothing: calling is safe at any time. Never blocks. [any]
    int32_t (*complete)(
        uint64_t instance, uint64_t token, int32_t status, const apus_result *results,
        uint32_t count);
    // Has the host call on_event soon, once for all that were posted with the same number before
    // it could. APUS_STALE when the instance was closed. [any]
    int32_t (*post)(uint64_t instance, uint64_t event);
} apus_async_api;

// Calls that are completed, for on_async.
typedef struct apus_async_batch {
    uint32_t size;
    uint32_t reserved;
    const apus_batch *batch;  // their records: use the index wherever a function wants a record
    const uint64_t *token;
    const uint64_t *user;
    const int32_t *status;    // APUS_OK or a negative code
    const uint32_t *first;    // batch->count + 1 numbers: results first[i] ..< first[i + 1]
    const apus_result *results;
} apus_async_batch;

#endif
