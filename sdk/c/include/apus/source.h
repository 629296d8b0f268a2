// Sources: components that bring records into a job.
//
// A source reads splits: parts of the input that can be read by themselves, such as a partition, a
// file, a shard. The host asks for their names once per start, deals them out to the subtasks,
// keeps each one's position in the checkpoints, and hands it back when the job goes on, at any
// parallelism. A source of one part names one split.
//
// create, then list_splits on one instance, then open, poll as long as it has something, close,
// destroy.
#ifndef APUS_SOURCE_H
#define APUS_SOURCE_H

#include "apus/context.h"

// A split as an instance gets it. Valid until open returns.
typedef struct apus_split {
    apus_bytes name;      // as list_splits gave it
    apus_bytes position;  // as write_position gave it; data NULL: from the beginning
} apus_split;

typedef struct apus_source_vt {
    uint32_t size;
    uint32_t reserved;
    // Names the splits, by writing each with its length as a u32 in front of it: 1 to 1,024 bytes,
    // at most 100,000 of them, none twice. Names are stable: the positions in checkpoints are kept
    // under them. Before open; may block for seconds. [ctl]
    int32_t (*list_splits)(void *self, apus_writer *splits, apus_error *);
    // Gets the instance's splits; there may be none, and then poll is not called. A split that a
    // checkpoint knows and list_splits no longer names is reported and not opened; its position
    // stays in the checkpoints, in case it comes back. [op]
    int32_t (*open)(void *self, apus_ctx *, const apus_split *splits, uint32_t count);
    // Threads of the instance's own are joined on return. May be NULL. [op]
    void (*close)(void *self, apus_ctx *);
    // Writes up to max_records records to ctx->outs[0], and does not block. APUS_OK: ask again at
    // once; APUS_IDLE: nothing now, ask again when the plugin posts an event (async.h) or soon;
    // APUS_END: all its splits are read to their ends. APUS_YIELD and APUS_LIMIT are APUS_OK.
    // A negative code fails the job; APUS_RETRY is tried again after a pause. What was written
    // counts, whatever it returns. [op]
    int32_t (*poll)(void *self, apus_ctx *, uint32_t max_records);
    // Writes where split `index` stands, in at most 64 KiB: what was written to the output lies
    // before it. Between two polls, also after APUS_END. [op]
    int32_t (*write_position)(void *self, apus_ctx *, uint32_t index, apus_writer *position);
    // The checkpoint with this position of split `index` is complete: what lies before it will
    // not be asked for again. Not for every checkpoint: a newer one stands for those before it.
    // APUS_RETRY: it is said again with the next checkpoint. May be NULL. [op]
    int32_t (*on_checkpointed)(
        void *self, apus_ctx *, uint32_t index, const apus_bytes *position);
} apus_source_vt;

#endif
