// A plugin of ABI 0.3, for the corpus: what came with that version for operators.
//
//   measured  keyed; counts the records of a key, keeps a gauge and a histogram, and declares a
//             state and a timer with versions and migrations; tells what it sees of the host
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
static const apus_component *const components[] = {&measured_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR,
    .id = APUS_STR("corpus.c03"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = 1,
    .components = components};

const apus_plugin *apus_plugin_v0(const apus_host *given, apus_error *error) {
    (void)error;
    host = given;
    return &plugin;
}
