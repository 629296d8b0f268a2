// Codecs: components that turn bytes into records and records into bytes.
//
// A source with `format: { plugin: ... }` cuts what it reads into frames and hands them to decode;
// a sink with it hands records to encode. An instance belongs to one subtask.
//
// A codec keeps nothing between two calls: checkpoints lie between frames, and a job that goes on
// from one begins with the frame behind it. So frames are cut by split, which looks at bytes that
// the host keeps, and not by decode.
//
// create, then split and decode, or encode, as they come, destroy.
#ifndef APUS_CODEC_H
#define APUS_CODEC_H

#include "apus/context.h"

// Bytes that belong together, as a part of others. Elements of arrays: never grows.
typedef struct apus_frame {
    uint64_t offset;
    uint64_t len;
} apus_frame;

// Bytes that are to be cut, and what came of it.
typedef struct apus_framing {
    uint32_t size;
    uint32_t is_end;      // 1: nothing comes behind the bytes
    apus_bytes bytes;     // valid until split returns
    apus_frame *frames;   // out: in their order, within the first `used` bytes
    uint32_t capacity;    // how many frames there is room for; at least 1
    uint32_t count;       // out: how many there are
    uint64_t used;        // out: bytes that are done with, whether or not a frame has them
} apus_framing;

typedef struct apus_codec_vt {
    uint32_t size;
    uint32_t reserved;
    // Turns the value of each record ctx->at ..< batch->count into records on ctx->outs[0]: none,
    // one or several. Returns as process; APUS_RECORD for bytes that cannot be decoded. [op]
    int32_t (*decode)(void *self, apus_ctx *, const apus_batch *frames);
    // Writes the bytes of record i, with whatever delimits them. APUS_RECORD when it cannot be
    // encoded; what was written for it is dropped. [op]
    int32_t (*encode)(void *self, apus_ctx *, const apus_batch *, uint32_t i, apus_writer *);
    // Finds frames at the start of the bytes: whole ones, as many as there is room for. What is
    // behind `used` is given again with more behind it; when neither `count` nor `used` says
    // anything, the next frame is not there as a whole yet. APUS_RECORD when there is no telling
    // where the next frame begins: the job fails. NULL: a frame is a line without its line
    // break. [op]
    int32_t (*split)(void *self, apus_ctx *, apus_framing *);
} apus_codec_vt;

#endif
