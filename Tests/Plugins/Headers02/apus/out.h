// Output builders: memory of the host that inline code of the plugin fills, without a call.
//
// An operator has one builder per declared output: ctx->outs[0] is the main one. The builder of
// a callback knows the input's buffers by their numbers, so that a record can be passed on
// without copying its bytes. What is written is delivered after the callback has returned.
#ifndef APUS_OUT_H
#define APUS_OUT_H

#include "apus/batch.h"

typedef struct apus_out apus_out;

struct apus_out {
    uint32_t size;
    uint32_t port;      // index in ctx->outs
    uint32_t count;     // records written
    uint32_t capacity;  // records that fit
    apus_view *key;
    apus_view *value;
    int64_t *ts;
    uint8_t *kind;
    uint8_t *arena;     // bytes of keys and values that are longer than 12
    uint32_t used;
    uint32_t room;
    uint32_t arena_buffer;  // the arena's number among the buffers
    uint32_t reserved;
    // Makes room for one record of so many bytes. The plugin calls it through apus_out_room.
    // An empty builder takes any record of up to 512 MiB; APUS_LIMIT leaves the builder as it was.
    // Returns APUS_OK, or APUS_LIMIT when the callback has written all it may: return
    // APUS_YIELD with ctx->at at the record in hand, and the host calls again from there. [op]
    int32_t (*more)(apus_out *out, uint64_t bytes);
    void *host_private;
};

// Where a builder stood; see apus_rollback.
typedef struct apus_mark {
    uint32_t count;
    uint32_t used;
    const void *segment;
} apus_mark;

// Makes sure that one record of so many bytes fits. [op]
static inline int32_t apus_out_room(apus_out *out, uint64_t bytes) {
    if (APUS_LIKELY(out->count < out->capacity && bytes <= out->room - out->used)) return APUS_OK;
    return out->more(out, bytes);
}

// Copies n bytes into a view of this builder; there must be room. [op]
static inline void apus_out_view(apus_out *out, apus_view *v, const void *bytes, uint32_t n) {
    if (n <= APUS_VIEW_INLINE) {
        apus_view_inline(v, bytes, n);
        return;
    }
    uint8_t *to = out->arena + out->used;
    memcpy(to, bytes, n);
    v->len = n;
    memcpy(v->u.ref.prefix, to, 4);
    v->u.ref.buffer = out->arena_buffer;
    v->u.ref.offset = out->used;
    out->used += n;
}

// Writes a record. key == NULL: without a key. Returns APUS_OK or APUS_LIMIT. [op]
static inline int32_t apus_emit(
    apus_out *out, const void *key, uint32_t key_len, const void *value, uint32_t value_len,
    int64_t ts) {
    int32_t rc = apus_out_room(out, (uint64_t)key_len + value_len);
    if (APUS_UNLIKELY(rc != APUS_OK)) return rc;
    uint32_t o = out->count;
    apus_out_view(out, &out->key[o], key, key ? key_len : 0);
    apus_out_view(out, &out->value[o], value, value_len);
    out->ts[o] = ts;
    out->kind[o] = key ? 0 : APUS_KIND_NULL_KEY;
    out->count = o + 1;
    return APUS_OK;
}

// Writes a record with the key and the time of record i and a new value; the key is not copied.
// b is the batch of the callback in hand. Returns APUS_OK or APUS_LIMIT. [op]
static inline int32_t apus_emit_keyed(
    apus_out *out, const apus_batch *b, uint32_t i, const void *value, uint32_t value_len) {
    int32_t rc = apus_out_room(out, value_len);
    if (APUS_UNLIKELY(rc != APUS_OK)) return rc;
    uint32_t o = out->count;
    int keyed = apus_has_key(b, i);
    if (APUS_LIKELY(keyed)) out->key[o] = b->key[i];
    else memset(&out->key[o], 0, sizeof(apus_view));
    apus_out_view(out, &out->value[o], value, value_len);
    out->ts[o] = b->ts[i];
    out->kind[o] = keyed ? 0 : APUS_KIND_NULL_KEY;
    out->count = o + 1;
    return APUS_OK;
}

// Passes record i on as it is, without copying its bytes. Returns APUS_OK or APUS_LIMIT. [op]
static inline int32_t apus_forward(apus_out *out, const apus_batch *b, uint32_t i) {
    int32_t rc = apus_out_room(out, 0);
    if (APUS_UNLIKELY(rc != APUS_OK)) return rc;
    uint32_t o = out->count;
    int keyed = apus_has_key(b, i);
    if (keyed) out->key[o] = b->key[i];
    else memset(&out->key[o], 0, sizeof(apus_view));
    out->value[o] = b->value[i];
    out->ts[o] = b->ts[i];
    out->kind[o] = (uint8_t)((b->kind ? b->kind[i] : 0u) | (keyed ? 0u : APUS_KIND_NULL_KEY));
    out->count = o + 1;
    return APUS_OK;
}

// Remembers where the builder stands. [op]
static inline apus_mark apus_out_mark(const apus_out *out) {
    apus_mark m = {out->count, out->used, out->key};
    return m;
}

// Takes back what was written since the mark. Returns APUS_LIMIT when the builder has been
// handed over in between (more() did so): then what came before cannot be taken back. [op]
static inline int32_t apus_rollback(apus_out *out, const apus_mark *mark) {
    if (out->key != mark->segment) return APUS_LIMIT;
    out->count = mark->count;
    out->used = mark->used;
    return APUS_OK;
}

#endif
