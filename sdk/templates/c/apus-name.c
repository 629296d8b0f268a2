// apus-name: counts the records of each key and minute, and tells the count when that is over.
#include <inttypes.h>
#include <stdio.h>

#include "apus/apus.h"

#define MINUTE_US INT64_C(60000000)
#define YEAR_10000_US (INT64_C(253402300800) * 1000000)

enum { COUNTS };          // states: a minute's number -> how many records, both as int64_t
enum { MINUTE_IS_OVER };  // timers: one per minute, whose number is the timer's id

// An instance: one per subtask. What must last is in the state, so this one has nothing of its own.
static int32_t create(const apus_args *args, void **self, apus_error *error) {
    (void)args, (void)error;
    *self = NULL;
    return APUS_OK;
}

static void destroy(void *self) {
    (void)self;
}

static int32_t stop(apus_ctx *ctx, uint32_t i, int32_t code) {
    return apus_at(ctx, i, apus_fail(ctx->error, code, "the host refused state or a timer"));
}

// How many records of a minute there were; 0 when there was none.
static int32_t count_of(apus_ctx *ctx, uint32_t i, int64_t minute, int64_t *count) {
    apus_bytes stored;
    int32_t rc = ctx->state->map_get(ctx, COUNTS, i, &minute, sizeof minute, &stored);
    *count = 0;
    if (rc == APUS_OK) memcpy(count, stored.data, sizeof *count);
    return rc == APUS_NOT_FOUND ? APUS_OK : rc;
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
    (void)self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        if (batch->ts[i] < 0 || batch->ts[i] >= YEAR_10000_US) {
            return apus_bad_record(ctx, i, "the record has no time");
        }
        int64_t minute = batch->ts[i] / MINUTE_US, count;
        int32_t rc = count_of(ctx, i, minute, &count);
        count++;
        if (rc == APUS_OK) {
            rc = ctx->state->map_put(
                ctx, COUNTS, i, &minute, sizeof minute, &count, sizeof count);
        }
        // Setting the minute's timer again replaces it.
        int64_t end = (minute + 1) * MINUTE_US;
        if (rc == APUS_OK) {
            rc = ctx->timers->set(ctx, MINUTE_IS_OVER, (uint64_t)minute, i, end, NULL, 0);
        }
        if (rc != APUS_OK) return stop(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) {
        int64_t minute = (int64_t)timers->id[i], count;
        const uint8_t *key;
        uint32_t len;
        char line[300];
        apus_key(timers->batch, i, &key, &len);
        int32_t rc = count_of(ctx, i, minute, &count);
        if (rc != APUS_OK) return stop(ctx, i, rc);
        int n = snprintf(line, sizeof line, "%.*s,%" PRId64, (int)(len < 200 ? len : 200),
            (const char *)key, count);
        // When there is no room, the host delivers what is there and calls again from timer i; so
        // what is written comes before what is changed.
        rc = apus_emit_keyed(ctx->outs[0], timers->batch, i, line, (uint32_t)n);
        if (rc != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
        rc = ctx->state->map_remove(ctx, COUNTS, i, &minute, sizeof minute);
        if (rc != APUS_OK && rc != APUS_NOT_FOUND) return stop(ctx, i, rc);
    }
    return APUS_OK;
}

// What the operator is.
static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("key,count")};
static const apus_port *const outputs[] = {&main_port};

static const apus_state_decl counts_state = {
    .size = sizeof counts_state,
    .kind = APUS_STATE_MAP,
    .name = APUS_STR("counts"),
    .schema_version = 1,
    .schema = APUS_STR("minute since 1970, i64 -> records, i64")};
static const apus_state_decl *const states[] = {&counts_state};

static const apus_timer_decl minute_timer = {
    .size = sizeof minute_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("minute-is-over")};
static const apus_timer_decl *const timer_decls[] = {&minute_timer};

static const apus_operator_vt functions = {
    .size = sizeof functions, .process = process, .on_timers = on_timers};

static const apus_component component = {
    .size = sizeof component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("apus-name"),
    .summary = APUS_STR("counts the records of each key and minute"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 1,
    .states = states,
    .timer_count = 1,
    .timers = timer_decls};
static const apus_component *const components[] = {&component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR_FLOOR,
    .id = APUS_STR("com.example.apus-name"),
    .version = APUS_STR("0.1.0"),
    .vendor = APUS_STR("Example"),
    .component_count = 1,
    .components = components};

// What the host reads before any code runs, and the one function that it looks for.
APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
