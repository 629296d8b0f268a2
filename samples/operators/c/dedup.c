// Passes a line on unless its key has had the same id a short while ago.
//
// Each id has a timer that forgets it. A line may be noticed to be past that time before the timer
// fires; then the id is new, and its old timer finds it renewed.
#include <stdlib.h>

#include "operators.h"

enum { MAIN, DUPLICATES };     // outputs
enum { SEEN, NUMBER };         // states
enum { EXPIRED };              // timers
enum { DUPLICATE_COUNT };      // counters

typedef struct dedup {
    uint32_t column;
    int64_t ttl_us;
} dedup;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static const char *const names[] = {"column", "ttl-seconds"};
    int64_t numbers[2];
    if (!read_config(args->config, names, numbers, 2) || numbers[0] < 0 || numbers[0] > 999
        || numbers[1] < 1 || numbers[1] > 86400) {
        return refuse_config(error, args->config,
            "column, 0 to 999, and ttl-seconds, 1 to 86400, and nothing else");
    }
    dedup *d = malloc(sizeof *d);
    if (!d) return apus_fail(error, APUS_FATAL, "no memory");
    d->column = (uint32_t)numbers[0];
    d->ttl_us = numbers[1] * SECOND_US;
    *self = d;
    return APUS_OK;
}

static void destroy(void *self) {
    free(self);
}

// Whether the id is known, and when its key had it last.
static int32_t find_seen(
    apus_ctx *ctx, uint32_t i, const void *id, uint64_t len, int64_t *time, int *is_known) {
    apus_bytes stored;
    int32_t rc = ctx->state->map_get(ctx, SEEN, i, id, len, &stored);
    *is_known = rc == APUS_OK;
    if (rc == APUS_OK) memcpy(time, stored.data, sizeof *time);
    return rc == APUS_NOT_FOUND ? APUS_OK : rc;
}

static int32_t process_record(
    const dedup *d, apus_ctx *ctx, const apus_batch *b, uint32_t i, field id) {
    int64_t time = b->ts[i], seen = 0, number;
    int is_known;
    int32_t rc = find_seen(ctx, i, id.data, id.len, &seen, &is_known);
    if (rc != APUS_OK) return rc;
    int is_duplicate = is_known && time < seen + d->ttl_us;
    rc = apus_forward(ctx->outs[is_duplicate ? DUPLICATES : MAIN], b, i);
    if (rc != APUS_OK) return rc;
    if (is_duplicate) {
        ctx->counters[DUPLICATE_COUNT]++;
        return APUS_OK;
    }
    rc = ctx->state->map_put(ctx, SEEN, i, id.data, id.len, &time, sizeof time);
    if (rc == APUS_OK) rc = ctx->state->counter_add(ctx, NUMBER, i, 1, &number);
    if (rc != APUS_OK) return rc;
    return ctx->timers->set(
        ctx, EXPIRED, (uint64_t)number, i, time + d->ttl_us, id.data, id.len);
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    const dedup *d = self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        field id;
        if (!has_time(b, i)) return apus_bad_record(ctx, i, NO_TIME);
        if (!find_field(b, i, d->column, &id) || id.len == 0) {
            return apus_bad_record(ctx, i, "the record has no id");
        }
        int32_t rc = process_record(d, ctx, b, i, id);
        if (rc != APUS_OK) return stop_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    const dedup *d = self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *id;
        uint32_t len;
        apus_value(b, i, &id, &len);
        int64_t seen = 0;
        int is_known;
        int32_t rc = find_seen(ctx, i, id, len, &seen, &is_known);
        if (rc == APUS_OK && is_known && seen + d->ttl_us <= b->ts[i]) {
            rc = ctx->state->map_remove(ctx, SEEN, i, id, len);
        }
        if (rc != APUS_OK) return stop_at(ctx, i, rc);
    }
    return APUS_OK;
}

static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("lines with new ids")};
static const apus_port duplicates_port = {
    .size = sizeof duplicates_port,
    .name = APUS_STR("duplicates"),
    .summary = APUS_STR("lines with ids that the key has had")};
static const apus_port *const outputs[] = {&main_port, &duplicates_port};

static const apus_state_decl seen_state = {
    .size = sizeof seen_state,
    .kind = APUS_STATE_MAP,
    .name = APUS_STR("seen"),
    .schema_version = 1,
    .schema = APUS_STR("id -> i64: time in us")};
static const apus_state_decl number_state = {
    .size = sizeof number_state,
    .kind = APUS_STATE_COUNTER,
    .name = APUS_STR("number"),
    .schema_version = 1,
    .schema = APUS_STR("ids so far, which tells their timers apart")};
static const apus_state_decl *const states[] = {&seen_state, &number_state};

static const apus_timer_decl expired_timer = {
    .size = sizeof expired_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("expired")};
static const apus_timer_decl *const timer_decls[] = {&expired_timer};

static const apus_counter_decl duplicate_counter = {
    .size = sizeof duplicate_counter,
    .name = APUS_STR("duplicates"),
    .summary = APUS_STR("lines with known ids")};
static const apus_counter_decl *const counters[] = {&duplicate_counter};

static const apus_operator_vt functions = {
    .size = sizeof functions, .process = process, .on_timers = on_timers};

const apus_component dedup_component = {
    .size = sizeof dedup_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("dedup"),
    .summary = APUS_STR("passes a line on unless the key has had its id a short while ago"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 2,
    .outputs = outputs,
    .state_count = 2,
    .states = states,
    .timer_count = 1,
    .timers = timer_decls,
    .counter_count = 1,
    .counters = counters};
