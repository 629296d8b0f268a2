// A plugin of ABI 0.3, for the corpus: what came with that version for operators.
//
//   measured  keyed; counts the records of a key, keeps a gauge and a histogram, and declares a
//             state and a timer with versions and migrations; tells what it sees of the host
//   asked     keyed; makes an asynchronous call for each record, which is answered at once with
//             the length of its value, or fails for every tenth; tells failures itself
#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

static const apus_host *host;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    (void)args, (void)error;
    *self = NULL;
    return APUS_OK;
}

static void destroy(void *self) { (void)self; }

// Version 1 was a 32-bit number.
static int32_t widen(const apus_migration *old, apus_writer *to, apus_error *error) {
    uint32_t before;
    if (old->value.len != sizeof before) return apus_fail(error, APUS_INCOMPATIBLE, "not 4 bytes");
    memcpy(&before, old->value.data, sizeof before);
    uint64_t now = before;
    return to->write(to, &now, sizeof now);
}

// Version 1 was in milliseconds.
static int32_t finer(
    const apus_timer_migration *old, apus_timer_target *to, apus_writer *writer,
    apus_error *error) {
    (void)writer, (void)error;
    to->time_us = old->time_us * 1000;
    return APUS_OK;
}

static const apus_async_api *calls(void) { return host->get_extension(APUS_ASYNC); }

static int32_t ask(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    const apus_async_api *api = calls();
    if (!api) return apus_fail(ctx->error, APUS_FATAL, "no asynchronous calls");
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t len;
        uint64_t token;
        char text[32];
        int32_t rc = api->begin(ctx, i, 0, b->value[i].len, &token);
        if (rc == APUS_LIMIT) return apus_at(ctx, i, APUS_YIELD);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        apus_value(b, i, &value, &len);
        apus_result result = {.ts = APUS_NO_TIME};
        result.value.data = (const uint8_t *)text;
        result.value.len = (uint64_t)snprintf(text, sizeof text, "%u", len);
        int32_t status = value[len - 4] == '0' ? APUS_RETRY : APUS_OK;
        rc = api->complete(ctx->instance, token, status, &result, status == APUS_OK);
        if (rc != APUS_OK) return apus_fail(ctx->error, APUS_FATAL, "the call was not known");
        if (api->complete(ctx->instance, token, APUS_OK, &result, 1) != APUS_STALE) {
            return apus_fail(ctx->error, APUS_FATAL, "the call was completed twice");
        }
    }
    return APUS_OK;
}

static int32_t answered(void *self, apus_ctx *ctx, const apus_async_batch *all) {
    (void)self;
    for (uint32_t i = ctx->at; i < all->batch->count; i++) {
        char text[96];
        int64_t count;
        if (apus_out_room(ctx->outs[0], 256)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = ctx->state->counter_add(ctx, 0, i, 1, &count);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        const apus_result *result = &all->results[all->first[i]];
        int has_result = all->first[i + 1] > all->first[i];
        int len = snprintf(
            text, sizeof text, "{\"answer\":%lld,\"status\":%d,\"asked\":%llu,\"value\":\"%.*s\"}",
            (long long)count, all->status[i], (unsigned long long)all->user[i],
            has_result ? (int)result->value.len : 0,
            has_result ? (const char *)result->value.data : "");
        apus_emit_keyed(ctx->outs[0], all->batch, i, text, (uint32_t)len);
    }
    return APUS_OK;
}

static int32_t measured(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        uint64_t *count;
        char text[128];
        if (apus_out_room(ctx->outs[0], 256)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = ctx->state->value_mut(ctx, 0, i, (void **)&count);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        *count += 1;
        rc = ctx->timers->set(ctx, 0, 0, i, INT64_MAX, NULL, 0);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        ctx->counters[0] = *count;
        apus_observe(ctx, 0, *count);
        int len = snprintf(
            text, sizeof text, "{\"count\":%llu,\"again\":%u}", (unsigned long long)*count,
            b->flags & APUS_BATCH_AGAIN);
        apus_emit_keyed(ctx->outs[0], b, i, text, (uint32_t)len);
    }
    return APUS_OK;
}

static int32_t due(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) {
        uint64_t *count;
        char text[128];
        if (apus_out_room(ctx->outs[0], 256)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = ctx->state->value_mut(ctx, 0, i, (void **)&count);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        int len = snprintf(
            text, sizeof text, "{\"all\":%llu,\"knows\":%d,\"newer\":%d}",
            (unsigned long long)*count, host->get_extension("apus.never/1") != NULL,
            host->minor >= APUS_ABI_MINOR && APUS_HAS(ctx, histograms));
        apus_emit_keyed(ctx->outs[0], timers->batch, i, text, (uint32_t)len);
    }
    return APUS_OK;
}

static const apus_port main_port = {.size = sizeof main_port, .name = APUS_STR("main")};
static const apus_port *const outputs[] = {&main_port};
static const apus_state_decl count_state = {
    .size = sizeof count_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("count"),
    .schema_version = 2,
    .fixed_len = 8,
    .schema = APUS_STR("u64 count"),
    .min_readable = 1,
    .renamed_from = APUS_STR("number"),
    .migrate = widen};
static const apus_state_decl *const states[] = {&count_state};
static const apus_timer_decl end_timer = {
    .size = sizeof end_timer,
    .domain = APUS_EVENT_TIME,
    .name = APUS_STR("end"),
    .schema_version = 2,
    .min_readable = 1,
    .migrate = finer};
static const apus_timer_decl *const timers[] = {&end_timer};
static const apus_counter_decl count_gauge = {
    .size = sizeof count_gauge, .flags = APUS_GAUGE, .name = APUS_STR("newest")};
static const apus_counter_decl *const counters[] = {&count_gauge};
static const apus_histogram_decl counts_histogram = {
    .size = sizeof counts_histogram, .name = APUS_STR("counts")};
static const apus_histogram_decl *const histograms[] = {&counts_histogram};

static const apus_operator_vt measured_vt = {
    .size = sizeof measured_vt, .process = measured, .on_timers = due};
static const apus_component measured_component = {
    .size = sizeof measured_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &measured_vt,
    .id = APUS_STR("measured"),
    .summary = APUS_STR("versions, a gauge, a histogram"),
    .flags = APUS_KEYED | APUS_DETERMINISTIC | APUS_FORWARDS_KEY,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 1,
    .states = states,
    .timer_count = 1,
    .timers = timers,
    .counter_count = 1,
    .counters = counters,
    .histogram_count = 1,
    .histograms = histograms};
static const apus_state_decl answers_state = {
    .size = sizeof answers_state,
    .kind = APUS_STATE_COUNTER,
    .name = APUS_STR("answers"),
    .schema_version = 1};
static const apus_state_decl *const asked_states[] = {&answers_state};
static const apus_operator_vt asked_vt = {
    .size = sizeof asked_vt, .process = ask, .on_async = answered};
static const char *const asked_needs[] = {APUS_ASYNC, NULL};
static const apus_component asked_component = {
    .size = sizeof asked_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &asked_vt,
    .id = APUS_STR("asked"),
    .summary = APUS_STR("asynchronous calls"),
    .flags = APUS_KEYED | APUS_ASYNCHRONOUS,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 1,
    .states = asked_states,
    .needs = asked_needs};
static const apus_component *const components[] = {&measured_component, &asked_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR,
    .id = APUS_STR("corpus.c03"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = 2,
    .components = components};

const apus_plugin *apus_plugin_v0(const apus_host *given, apus_error *error) {
    (void)error;
    host = given;
    return &plugin;
}
