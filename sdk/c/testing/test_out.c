// Outputs of the test host, as narrow as a test wants them.
#include <stdlib.h>

#include "internal.h"

#define ROOM_AT_FIRST 65536

static uint32_t capacity_of(const apus_test *t) {
    return t->options.records_per_segment ? t->options.records_per_segment : 1024;
}

static void columns_open(columns *c, uint32_t capacity, uint32_t room) {
    c->key = calloc(capacity, sizeof *c->key);
    c->value = calloc(capacity, sizeof *c->value);
    c->ts = calloc(capacity, sizeof *c->ts);
    c->kind = calloc(capacity, sizeof *c->kind);
    c->arena = malloc(room);
    if (!c->key || !c->value || !c->ts || !c->kind || !c->arena) abort();
}

static void columns_close(columns *c) {
    free(c->key);
    free(c->value);
    free(c->ts);
    free(c->kind);
    free(c->arena);
}

static void expose(output *o) {
    o->out.count = 0;
    o->out.used = 0;
    o->out.room = o->room;
    o->out.key = o->columns[0].key;
    o->out.value = o->columns[0].value;
    o->out.ts = o->columns[0].ts;
    o->out.kind = o->columns[0].kind;
    o->out.arena = o->columns[0].arena;
}

static void swap(output *o) {
    columns first = o->columns[0];
    o->columns[0] = o->columns[1];
    o->columns[1] = first;
}

static int32_t more(apus_out *out, uint64_t bytes) {
    output *o = out->host_private;
    if (bytes > (UINT64_C(512) << 20)) return APUS_LIMIT;
    if (out->count > 0) {
        uint32_t limit = o->test->options.segments_per_call;
        if (limit && o->segments + 1 >= limit) return APUS_LIMIT;
        o->segments++;
        output_drain(o);
        swap(o);
    }
    // An empty output takes a record of any length, or it could never be written.
    if (bytes > o->room) {
        o->room = (uint32_t)bytes;
        for (int i = 0; i < 2; i++) {
            free(o->columns[i].arena);
            o->columns[i].arena = malloc(o->room);
            if (!o->columns[i].arena) abort();
        }
    }
    expose(o);
    return APUS_OK;
}

void output_open(apus_test *t, output *o, uint32_t port) {
    memset(o, 0, sizeof *o);
    o->test = t;
    o->room = ROOM_AT_FIRST;
    for (int i = 0; i < 2; i++) columns_open(&o->columns[i], capacity_of(t), o->room);
    o->out.size = sizeof o->out;
    o->out.port = port;
    o->out.capacity = capacity_of(t);
    o->out.arena_buffer = 1;  // the input's is 0
    o->out.more = more;
    o->out.host_private = o;
    expose(o);
}

void output_begin(output *o) {
    o->segments = 0;
    o->count_before = o->received.count;
}

static void take_view(const output *o, const apus_view *v, block *to) {
    const uint8_t *input = o->test->batch ? o->test->batch->buffers[0] : NULL;
    const uint8_t *buffers[2] = {input, o->out.arena};
    if (v->len > APUS_VIEW_INLINE && (v->u.ref.buffer > 1 || !buffers[v->u.ref.buffer])) {
        fail(o->test, 0, "output %u: a record refers to buffer %u, which is not there",
            o->out.port, v->u.ref.buffer);
        *to = block_of(NULL, 0);
        return;
    }
    *to = block_of(apus_view_data(v, buffers), v->len);
}

// Takes what was written.
void output_drain(output *o) {
    if (o->out.count > o->out.capacity || o->out.used > o->out.room) {
        fail(o->test, 0, "output %u: %u records and %u bytes were written; there was room for %u "
            "and %u: ask apus_out_room first", o->out.port, o->out.count, o->out.used,
            o->out.capacity, o->out.room);
        o->out.count = 0;
    }
    for (uint32_t i = 0; i < o->out.count; i++) {
        kept k = {.ts = o->out.ts[i]};
        k.has_key = !(o->out.kind[i] & APUS_KIND_NULL_KEY);
        k.has_value = !(o->out.kind[i] & APUS_KIND_NULL_VALUE);
        if (k.has_key) take_view(o, &o->out.key[i], &k.key);
        take_view(o, &o->out.value[i], &k.value);
        *kept_add(&o->received) = k;
    }
    expose(o);
}

void output_close(output *o) {
    for (int i = 0; i < 2; i++) columns_close(&o->columns[i]);
    kept_clear(&o->received);
}
