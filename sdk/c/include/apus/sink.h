// Sinks: components that take records out of a job.
//
// A sink without `commit` gets records as they come, and may get some of them again when the job
// goes on from a checkpoint: at least once. A sink with it is exactly once: the host keeps each
// epoch's output, what came between two checkpoints, in its outbox on disk, and hands it over when
// the checkpoint is complete. It may do so more than once for the same epoch, after a crash: commit
// must make an epoch visible as a whole, together with its number, and must know it again.
//
// A sink with commit is one instance in a job that delivers exactly once, whatever the parallelism:
// it is called by the thread that starts the job, and then by the one that takes checkpoints. Else
// there is an instance per subtask. Epochs ascend, and need not follow each other without gaps;
// those without records are not committed.
//
// create, then open, then write and flush or commit as they come, close, destroy.
#ifndef APUS_SINK_H
#define APUS_SINK_H

#include "apus/context.h"

typedef struct apus_sink_vt {
    uint32_t size;
    uint32_t reserved;
    // Tells the newest epoch that was committed in *epoch; 0 when there is none or it cannot be
    // told. Epochs up to that are not given again; with 0 the sink has to know them itself. What
    // was written and not committed before a crash is to be dropped here. [op]
    int32_t (*open)(void *self, apus_ctx *, uint64_t *epoch);
    // Nothing is called afterwards but destroy. May be NULL, as open may. [op]
    void (*close)(void *self, apus_ctx *);
    // Takes records ctx->at ..< batch->count. Returns as process of an operator: APUS_OK,
    // APUS_YIELD with ctx->at, APUS_RECORD for a record that can never be written, APUS_RETRY when
    // nothing of the call was taken: it is made again after a pause. [op]
    int32_t (*write)(void *self, apus_ctx *, const apus_batch *);
    // What was written is on its way out when it returns APUS_OK: a checkpoint counts on it.
    // APUS_RETRY: it is called again after a pause. NULL: with commit alone. [op]
    int32_t (*flush)(void *self, apus_ctx *);
    // Since 0.3. All records of the epoch have been written: makes them visible at once and for
    // good, with the epoch's number. APUS_RETRY: nothing is visible; they are written again. [op]
    int32_t (*commit)(void *self, apus_ctx *, uint64_t epoch);
} apus_sink_vt;

#endif
