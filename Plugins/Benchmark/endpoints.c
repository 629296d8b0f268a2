// To measure what the ABI costs at the ends of a job:
//
//   generate  records without end, each with one of 1,000,000 keys: key and value of 8 bytes, as
//             the built-in generator makes them, in as many splits as there are subtasks
//   discard   counts records and forgets them
#include <stdlib.h>

#include "endpoints.h"

#define GAMMA 0x9e3779b97f4a7c15u
#define KEYS 1000000u

typedef struct generate {
    uint32_t parallelism;
    uint64_t next;
    uint64_t stride;
} generate;

static int32_t create_generate(const apus_args *args, void **self, apus_error *error) {
    generate *g = calloc(1, sizeof *g);
    if (!g) return apus_fail(error, APUS_FATAL, "no memory");
    g->parallelism = args->parallelism;
    g->stride = args->parallelism;
    *self = g;
    return APUS_OK;
}

static void destroy_generate(void *self) { free(self); }

static int32_t list_splits(void *self, apus_writer *splits, apus_error *error) {
    (void)error;
    const generate *g = self;
    for (uint32_t i = 0; i < g->parallelism; i++) {
        const uint32_t name[] = {sizeof i, i};
        int32_t rc = splits->write(splits, name, sizeof name);
        if (rc != APUS_OK) return rc;
    }
    return APUS_OK;
}

static int32_t open_split(void *self, apus_ctx *ctx, const apus_split *splits, uint32_t count) {
    generate *g = self;
    if (count != 1) return apus_fail(ctx->error, APUS_FATAL, "expected one split");
    uint32_t number;
    memcpy(&number, splits[0].name.data, sizeof number);
    g->next = number;
    if (splits[0].position.data) memcpy(&g->next, splits[0].position.data, sizeof g->next);
    return APUS_OK;
}

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int32_t poll(void *self, apus_ctx *ctx, uint32_t max_records) {
    generate *g = self;
    apus_out *out = ctx->outs[0];
    for (uint32_t i = 0; i < max_records; i++) {
        uint64_t key = mix(1 + (g->next + 1) * GAMMA) % KEYS;
        if (apus_emit(out, &key, 8, &g->next, 8, APUS_NO_TIME) != APUS_OK) return APUS_YIELD;
        g->next += g->stride;
    }
    return APUS_OK;
}

static int32_t write_position(
    void *self, apus_ctx *ctx, uint32_t index, apus_writer *position) {
    (void)ctx, (void)index;
    const generate *g = self;
    return position->write(position, &g->next, sizeof g->next);
}

static const apus_source_vt generate_functions = {
    .size = sizeof generate_functions,
    .list_splits = list_splits,
    .open = open_split,
    .poll = poll,
    .write_position = write_position};

static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("all records")};
static const apus_port *const outputs[] = {&main_port};

const apus_component generate_component = {
    .size = sizeof generate_component,
    .kind = APUS_SOURCE,
    .create = create_generate,
    .destroy = destroy_generate,
    .vt = &generate_functions,
    .id = APUS_STR("generate"),
    .summary = APUS_STR("makes records without end"),
    .output_count = 1,
    .outputs = outputs};

static int32_t create_discard(const apus_args *args, void **self, apus_error *error) {
    (void)args, (void)error;
    *self = NULL;
    return APUS_OK;
}

static void destroy_discard(void *self) { (void)self; }

static int32_t write_records(void *self, apus_ctx *ctx, const apus_batch *batch) {
    (void)self;
    ctx->counters[0] += batch->count - ctx->at;
    return APUS_OK;
}

static int32_t flush(void *self, apus_ctx *ctx) {
    (void)self, (void)ctx;
    return APUS_OK;
}

static const apus_sink_vt discard_functions = {
    .size = sizeof discard_functions, .write = write_records, .flush = flush};

static const apus_counter_decl discarded = {
    .size = sizeof discarded,
    .name = APUS_STR("discarded"),
    .summary = APUS_STR("records that were forgotten")};
static const apus_counter_decl *const counters[] = {&discarded};

const apus_component discard_component = {
    .size = sizeof discard_component,
    .kind = APUS_SINK,
    .create = create_discard,
    .destroy = destroy_discard,
    .vt = &discard_functions,
    .id = APUS_STR("discard"),
    .summary = APUS_STR("counts records and forgets them"),
    .input_count = 1,
    .counter_count = 1,
    .counters = counters};
