// A plugin for the tests of aggregates and broadcast state.
//
// Values are text; a number is what stands behind the last ':' of a value, as in "ana:17".
//
//   totals  keyed, two inputs; folds numbers into one aggregate of each kind, and emits
//           "key:count:sum:minimum:maximum:average" for each record
#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    (void)args, (void)error;
    *self = NULL;
    return APUS_OK;
}

static void destroy(void *self) {
    (void)self;
}

// The number behind the last ':' of value i; false when there is none.
static int number_of(const apus_batch *b, uint32_t i, int64_t *number) {
    const uint8_t *data;
    uint32_t len;
    char text[24];
    apus_value(b, i, &data, &len);
    uint32_t start = len;
    while (start > 0 && data[start - 1] != ':') start--;
    if (start == len || len - start >= sizeof text) return 0;
    memcpy(text, data + start, len - start);
    text[len - start] = 0;
    char *end;
    *number = strtoll(text, &end, 10);
    return *end == 0;
}

// MARK: totals

enum { COUNT, SUM, MINIMUM, MAXIMUM, AVERAGE, SPREAD };

// An aggregate of the plugin's own: all zero is empty.
typedef struct spread {
    apus_extreme_i64 least, most;
} spread;

// Folds into the average, which fold_each has looked up, and into the others one by one.
static int32_t fold_totals(
    void *self, apus_ctx *ctx, const apus_batch *b, uint32_t i, void *average) {
    (void)self;
    int64_t number, sum, least, most;
    double mean;
    void *found[SPREAD + 1];
    if (!number_of(b, i, &number)) return apus_fail(ctx->error, APUS_RECORD, "no number");
    if (apus_out_room(ctx->outs[0], 1024)) return APUS_YIELD;
    for (uint32_t slot = COUNT; slot <= SPREAD; slot++) {
        if (slot == AVERAGE) continue;
        int32_t rc = apus_accumulator(ctx, slot, i, &found[slot]);
        if (rc != APUS_OK) return rc;
    }
    apus_count_fold(found[COUNT]);
    apus_sum_i64_fold(found[SUM], number);
    apus_minimum_i64_fold(found[MINIMUM], number);
    apus_maximum_i64_fold(found[MAXIMUM], number);
    apus_average_i64_fold(average, number);
    spread *range = found[SPREAD];
    apus_minimum_i64_fold(&range->least, number);
    apus_maximum_i64_fold(&range->most, number);
    apus_sum_i64_result(found[SUM], &sum);
    apus_extreme_i64_result(found[MINIMUM], &least);
    apus_extreme_i64_result(found[MAXIMUM], &most);
    apus_average_i64_result(average, &mean);
    if (range->most.value - range->least.value != most - least) {
        return apus_fail(ctx->error, APUS_FATAL, "the aggregates do not agree");
    }
    char text[256];
    const uint8_t *key;
    uint32_t key_len;
    apus_key(b, i, &key, &key_len);
    int n = snprintf(
        text, sizeof text, "%.*s:%llu:%lld:%lld:%lld:%.6f", (int)key_len, (const char *)key,
        (unsigned long long)((apus_count *)found[COUNT])->count, (long long)sum,
        (long long)least, (long long)most, mean);
    apus_emit_keyed(ctx->outs[0], b, i, text, (uint32_t)n);
    return APUS_OK;
}

static int32_t totals(void *self, apus_ctx *ctx, const apus_batch *b) {
    return apus_fold_each(ctx, AVERAGE, b, fold_totals, self);
}

static const apus_state_decl count_state =
    APUS_AGGREGATE("count", apus_count, 1, APUS_COUNT_SCHEMA);
static const apus_state_decl sum_state =
    APUS_AGGREGATE("sum", apus_sum_i64, 1, APUS_SUM_I64_SCHEMA);
static const apus_state_decl minimum_state =
    APUS_AGGREGATE("minimum", apus_extreme_i64, 1, APUS_MINIMUM_I64_SCHEMA);
static const apus_state_decl maximum_state =
    APUS_AGGREGATE("maximum", apus_extreme_i64, 1, APUS_MAXIMUM_I64_SCHEMA);
static const apus_state_decl average_state =
    APUS_AGGREGATE("average", apus_average_i64, 1, APUS_AVERAGE_I64_SCHEMA);
static const apus_state_decl spread_state =
    APUS_AGGREGATE("spread", spread, 1, "least and most: two of u64 count, i64 value");
static const apus_state_decl *const totals_states[] = {
    &count_state, &sum_state, &minimum_state, &maximum_state, &average_state, &spread_state};

// MARK: The plugin.

static const apus_port main_port = {.size = sizeof main_port, .name = APUS_STR("main")};
static const apus_port *const one_output[] = {&main_port};

#define COMPONENT(symbol, text, ...) \
    static const apus_component symbol = { \
        .size = sizeof symbol, \
        .kind = APUS_OPERATOR, \
        .create = create, \
        .destroy = destroy, \
        .id = APUS_STR(text), \
        .summary = APUS_STR("see the top of kinds.c"), \
        .output_count = 1, \
        .outputs = one_output, \
        __VA_ARGS__}
#define VT(...) .vt = &(const apus_operator_vt){.size = sizeof(apus_operator_vt), __VA_ARGS__}

COMPONENT(
    totals_component, "totals", VT(.process = totals), .flags = APUS_KEYED, .input_count = 2,
    .state_count = SPREAD + 1, .states = totals_states);

static const apus_component *const components[] = {&totals_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .id = APUS_STR("test.kinds"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = sizeof components / sizeof *components,
    .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
