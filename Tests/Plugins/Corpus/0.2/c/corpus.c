// A plugin of ABI 0.2, for the corpus: what came with that version.
//
//   totals  keyed; folds the number behind "n": into a sum and an average, tells both
//   rules   not keyed, one broadcast input; remembers the numbers of both inputs, those of the
//           broadcast one in a map, its own in operator state, and tells their sums at the end
#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    (void)args, (void)error;
    *self = NULL;
    return APUS_OK;
}

static void destroy(void *self) { (void)self; }

static int number_of(const apus_batch *b, uint32_t i, int64_t *number) {
    const uint8_t *value;
    uint32_t len;
    char text[256];
    apus_value(b, i, &value, &len);
    if (len >= sizeof text) return 0;
    memcpy(text, value, len);
    text[len] = 0;
    const char *found = strstr(text, "\"n\":");
    if (!found) return 0;
    *number = strtoll(found + 4, NULL, 10);
    return 1;
}

static int32_t fold(void *self, apus_ctx *ctx, const apus_batch *b, uint32_t i, void *sum) {
    (void)self;
    int64_t n, total;
    double mean;
    void *average;
    char text[128];
    if (!number_of(b, i, &n)) return apus_fail(ctx->error, APUS_RECORD, "no number");
    if (apus_out_room(ctx->outs[0], 256)) return APUS_YIELD;
    int32_t rc = apus_accumulator(ctx, 1, i, &average);
    if (rc != APUS_OK) return rc;
    apus_sum_i64_fold(sum, n);
    apus_average_f64_fold(average, (double)n / 4);
    apus_sum_i64_result(sum, &total);
    apus_average_f64_result(average, &mean);
    int len = snprintf(
        text, sizeof text, "{\"n\":%lld,\"total\":%lld,\"mean\":%.6f}", (long long)n,
        (long long)total, mean);
    apus_emit_keyed(ctx->outs[0], b, i, text, (uint32_t)len);
    return APUS_OK;
}

static int32_t totals(void *self, apus_ctx *ctx, const apus_batch *b) {
    return apus_fold_each(ctx, 0, b, fold, self);
}

static int32_t learn(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t n;
        if (!number_of(b, i, &n)) return apus_bad_record(ctx, i, "no number");
        uint8_t key = (uint8_t)(n & 7);
        int32_t rc = ctx->broadcast->put(ctx, 0, &key, 1, &n, sizeof n);
        if (rc == APUS_OK && n == 5) rc = ctx->broadcast->remove(ctx, 0, &key, 1);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t keep(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t n;
        if (!number_of(b, i, &n)) return apus_bad_record(ctx, i, "no number");
        int32_t rc = ctx->operator_state->append(ctx, 0, &n, sizeof n);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        // Broadcast state is for process_broadcast to write.
        if (ctx->broadcast->put(ctx, 0, "x", 1, &n, sizeof n) != APUS_READ_ONLY) {
            return apus_fail(ctx->error, APUS_FATAL, "broadcast state could be written");
        }
    }
    return APUS_OK;
}

static int32_t tell(void *self, apus_ctx *ctx, int64_t watermark_us) {
    (void)self;
    if (watermark_us != INT64_MAX) return APUS_OK;
    int64_t number, kept = 0, rules = 0;
    uint64_t items, entries_count;
    apus_bytes item;
    ctx->operator_state->count(ctx, 0, &items);
    for (uint64_t position = 0; position < items; position++) {
        if (ctx->operator_state->get(ctx, 0, position, &item) != APUS_OK) return APUS_FATAL;
        memcpy(&number, item.data, sizeof number);
        kept += number;
    }
    apus_cursor walk = apus_cursor_all();
    apus_entry entries[2];
    uint32_t count;
    do {
        if (ctx->broadcast->next(ctx, 0, &walk, entries, 2, &count) != APUS_OK) return APUS_FATAL;
        for (uint32_t k = 0; k < count; k++) {
            memcpy(&number, entries[k].value.data, sizeof number);
            rules += number;
        }
    } while (count);
    ctx->broadcast->count(ctx, 0, &entries_count);
    if (ctx->operator_state->truncate(ctx, 0, 1) != APUS_OK) return APUS_FATAL;
    if (ctx->operator_state->set(ctx, 0, 0, "short", 5) != APUS_OK) return APUS_FATAL;
    char text[128];
    int len = snprintf(
        text, sizeof text, "{\"items\":%llu,\"kept\":%lld,\"rules\":%llu,\"sum\":%lld}",
        (unsigned long long)items, (long long)kept, (unsigned long long)entries_count,
        (long long)rules);
    return apus_emit(ctx->outs[0], NULL, 0, text, (uint32_t)len, APUS_NO_TIME);
}

static const apus_port main_port = {.size = sizeof main_port, .name = APUS_STR("main")};
static const apus_port *const outputs[] = {&main_port};
static const apus_state_decl sum_state =
    APUS_AGGREGATE("sum", apus_sum_i64, 1, APUS_SUM_I64_SCHEMA);
static const apus_state_decl average_state =
    APUS_AGGREGATE("average", apus_average_f64, 1, APUS_AVERAGE_F64_SCHEMA);
static const apus_state_decl *const states[] = {&sum_state, &average_state};
static const apus_state_decl rules_state = {
    .size = sizeof rules_state,
    .kind = APUS_STATE_BROADCAST,
    .name = APUS_STR("rules"),
    .schema_version = 1};
static const apus_state_decl *const broadcasts[] = {&rules_state};
static const apus_operator_state_decl kept_state = {
    .size = sizeof kept_state,
    .redistribution = APUS_SPLIT,
    .name = APUS_STR("kept"),
    .schema_version = 1};
static const apus_operator_state_decl *const operator_states[] = {&kept_state};

static const apus_operator_vt totals_vt = {.size = sizeof totals_vt, .process = totals};
static const apus_operator_vt rules_vt = {
    .size = sizeof rules_vt, .process = keep, .on_watermark = tell, .process_broadcast = learn};
static const apus_component totals_component = {
    .size = sizeof totals_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &totals_vt,
    .id = APUS_STR("totals"),
    .summary = APUS_STR("aggregates"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 2,
    .states = states};
static const apus_component rules_component = {
    .size = sizeof rules_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &rules_vt,
    .id = APUS_STR("rules"),
    .summary = APUS_STR("broadcast state and operator state"),
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .broadcast_input_count = 1,
    .broadcast_count = 1,
    .broadcasts = broadcasts,
    .operator_state_count = 1,
    .operator_states = operator_states};
static const apus_component *const components[] = {&totals_component, &rules_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .id = APUS_STR("corpus.c02"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = 2,
    .components = components};

const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
