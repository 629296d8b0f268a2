// apus-name: counts the records of each key, and tells the count when the key has been silent for
// a minute of event time.
#include <inttypes.h>
#include <stdio.h>

#include "apus/apus.h"

#define SILENCE_US INT64_C(60000000)

enum { COUNT };  // states
enum { QUIET };  // timers

// An instance: one per subtask. What must last is in the state, so this one has nothing of its own.
static int32_t create(const apus_args *args, void **self, apus_error *error) {
    (void)error;
    (void)args;
    *self = NULL;
    return APUS_OK;
}

static void destroy(void *self) {
    (void)self;
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
    (void)self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        int64_t time = batch->ts[i];
        if (time < 0 || time > INT64_MAX - SILENCE_US) {
            return apus_bad_record(ctx, i, "the record has no time");
        }
        int32_t rc = ctx->state->counter_add(ctx, COUNT, i, 1, NULL);
        if (rc == APUS_OK) rc = ctx->timers->set(ctx, QUIET, 0, i, time + SILENCE_US, NULL, 0);
        if (rc != APUS_OK) return apus_at(ctx, i, apus_fail(ctx->error, rc, "no state or timer"));
    }
    return APUS_OK;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) {
        const uint8_t *key;
        uint32_t len;
        int64_t count;
        char line[300];
        apus_key(timers->batch, i, &key, &len);
        ctx->state->counter_get(ctx, COUNT, i, &count);
        int n = snprintf(line, sizeof line, "%.*s,%" PRId64, (int)(len < 200 ? len : 200),
            (const char *)key, count);
        // When there is no room, the host delivers what is there and calls again from timer i.
        int32_t rc = apus_emit_keyed(ctx->outs[0], timers->batch, i, line, (uint32_t)n);
        if (rc != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
        ctx->state->clear(ctx, COUNT, i);
    }
    return APUS_OK;
}

// What the operator is.
static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("key,count")};
static const apus_port *const outputs[] = {&main_port};

static const apus_state_decl count_state = {
    .size = sizeof count_state,
    .kind = APUS_STATE_COUNTER,
    .name = APUS_STR("count"),
    .schema_version = 1};
static const apus_state_decl *const states[] = {&count_state};

static const apus_timer_decl quiet_timer = {
    .size = sizeof quiet_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("quiet")};
static const apus_timer_decl *const timer_decls[] = {&quiet_timer};

static const apus_operator_vt functions = {
    .size = sizeof functions, .process = process, .on_timers = on_timers};

static const apus_component component = {
    .size = sizeof component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("apus-name"),
    .summary = APUS_STR("counts the records of each key until it is silent for a minute"),
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
