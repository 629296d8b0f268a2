// Codecs: components that turn bytes into records and records into bytes.
//
// A source with `format: { plugin: ... }` reads frames (lines, messages, or chunks of any length)
// and hands them to decode; a sink hands records to encode. An instance belongs to one subtask.
#ifndef APUS_CODEC_H
#define APUS_CODEC_H

#include "apus/context.h"

typedef struct apus_codec_vt {
    uint32_t size;
    uint32_t reserved;
    // Turns the value of each record ctx->at ..< batch->count into records on ctx->outs[0]: none,
    // one or several. Returns as process; APUS_RECORD for bytes that cannot be decoded. [op]
    int32_t (*decode)(void *self, apus_ctx *, const apus_batch *frames);
    // Writes the bytes of record i, with whatever delimits them. APUS_RECORD when it cannot be
    // encoded. [op]
    int32_t (*encode)(void *self, apus_ctx *, const apus_batch *, uint32_t i, apus_writer *);
} apus_codec_vt;

#endif
