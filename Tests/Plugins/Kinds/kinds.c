// A plugin for the tests of aggregates, broadcast state and operator state.
//
// Values are text; a number is what stands behind the last ':' of a value, as in "ana:17".
//
//   totals  keyed, two inputs; folds numbers into one aggregate of each kind, and emits
//           "key:count:sum:minimum:maximum:average" for each record
//   priced  keyed, one broadcast input with rules as "r:17": from the record's time on, numbers of
//           keys that end with 'r' have the factor 17; emits "key:number:factor" for each record
//           when event time has reached its time
//   passed  not keyed, one broadcast input; emits "rules:value" for each record, where rules tells
//           whether there are any, and "rule:subtask" for each rule
//   meddle  as passed, but writes broadcast state where it may not
//   diverge as passed, but stores something else in each subtask
//   held    keyed; keeps values in the operator state `held` (split) and emits each of them once,
//           some time later, at the end at the latest; `seen` (union) has one number in each
//           subtask, which are together how many records there were
//   plain   the same without keys
//   other   as plain, with `held` as a union
#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

// The instance: its subtask.
static int32_t create(const apus_args *args, void **self, apus_error *error) {
    uint32_t *made = malloc(sizeof *made);
    if (!made) return apus_fail(error, APUS_FATAL, "no memory");
    *made = args->subtask;
    *self = made;
    return APUS_OK;
}

static void destroy(void *self) {
    free(self);
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

// MARK: priced

// The key of a version of a rule: its name and its time, most significant byte first.
static void rule_key(uint8_t *to, uint8_t name, int64_t ts) {
    to[0] = name;
    for (int i = 0; i < 8; i++) to[1 + i] = (uint8_t)((uint64_t)ts >> (56 - 8 * i));
}

static int32_t price_rule(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t factor;
        const uint8_t *data;
        uint32_t len;
        uint8_t key[9];
        apus_value(b, i, &data, &len);
        if (!number_of(b, i, &factor)) return apus_bad_record(ctx, i, "no number");
        rule_key(key, data[0], b->ts[i]);
        int32_t rc = ctx->broadcast->put(ctx, 0, key, sizeof key, &factor, sizeof factor);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t price_number(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t number;
        if (!number_of(b, i, &number)) return apus_bad_record(ctx, i, "no number");
        int32_t rc = ctx->timers->set(
            ctx, 0, (uint64_t)b->ts[i], i, b->ts[i], &number, sizeof number);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t price_due(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *key, *payload;
        uint32_t key_len, len, count;
        int64_t number, factor = 1;
        uint8_t from[9], to[9];
        char text[256];
        apus_entry entries[3];
        if (apus_out_room(ctx->outs[0], 512)) return apus_at(ctx, i, APUS_YIELD);
        apus_key(b, i, &key, &key_len);
        apus_value(b, i, &payload, &len);
        memcpy(&number, payload, sizeof number);
        rule_key(from, key[key_len - 1], 0);
        rule_key(to, key[key_len - 1], b->ts[i] + 1);
        apus_cursor cursor = apus_cursor_range(
            (apus_bytes){from, sizeof from}, (apus_bytes){to, sizeof to});
        do {
            int32_t rc = ctx->broadcast->next(ctx, 0, &cursor, entries, 3, &count);
            if (rc != APUS_OK) return apus_at(ctx, i, rc);
            if (count) memcpy(&factor, entries[count - 1].value.data, sizeof factor);
        } while (count);
        int n = snprintf(
            text, sizeof text, "%.*s:%lld:%lld", (int)key_len, (const char *)key,
            (long long)number, (long long)factor);
        apus_emit(ctx->outs[0], key, key_len, text, (uint32_t)n, b->ts[i]);
    }
    return APUS_OK;
}

// MARK: passed, meddle, diverge

static int32_t pass(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t len;
        uint64_t rules;
        char text[256];
        if (apus_out_room(ctx->outs[0], 512)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = ctx->broadcast->count(ctx, 0, &rules);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        apus_value(b, i, &value, &len);
        int n = snprintf(
            text, sizeof text, "%d:%.*s", rules > 0, (int)(len < 200 ? len : 200),
            (const char *)value);
        apus_emit(ctx->outs[0], NULL, 0, text, (uint32_t)n, b->ts[i]);
    }
    return APUS_OK;
}

static int32_t pass_rule(void *self, apus_ctx *ctx, const apus_batch *b) {
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t len;
        char text[256];
        if (apus_out_room(ctx->outs[0], 512)) return apus_at(ctx, i, APUS_YIELD);
        apus_value(b, i, &value, &len);
        if (len == 0) return apus_bad_record(ctx, i, "an empty rule");
        int32_t rc = ctx->broadcast->put(ctx, 0, value, len, "", 0);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        int n = snprintf(
            text, sizeof text, "%.*s:%u", (int)(len < 200 ? len : 200), (const char *)value,
            *(uint32_t *)self);
        apus_emit(ctx->outs[0], NULL, 0, text, (uint32_t)n, b->ts[i]);
    }
    return APUS_OK;
}

static int32_t meddle(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self, (void)b;
    return ctx->broadcast->put(ctx, 0, "a", 1, "b", 1);
}

static int32_t diverge(void *self, apus_ctx *ctx, const apus_batch *b) {
    int32_t rc = ctx->broadcast->put(ctx, 0, "subtask", 7, self, sizeof(uint32_t));
    return rc == APUS_OK ? pass_rule(self, ctx, b) : rc;
}

static const apus_state_decl rules_state = {
    .size = sizeof rules_state,
    .kind = APUS_STATE_BROADCAST,
    .name = APUS_STR("rules"),
    .schema_version = 1,
    .schema = APUS_STR("name, time -> factor")};
static const apus_state_decl *const rules_states[] = {&rules_state};
static const apus_timer_decl due_timer = {
    .size = sizeof due_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("due")};
static const apus_timer_decl *const due_timers[] = {&due_timer};

// MARK: held, plain, other

enum { HELD, SEEN, HELD_MAX = 16 };

static int32_t held_open(void *self, apus_ctx *ctx) {
    uint64_t count, sum = 0;
    int32_t rc = ctx->operator_state->count(ctx, SEEN, &count);
    for (uint64_t i = 0; rc == APUS_OK && i < count; i++) {
        apus_bytes item;
        uint64_t number;
        rc = ctx->operator_state->get(ctx, SEEN, i, &item);
        if (rc != APUS_OK) return rc;
        if (item.len != sizeof number) return apus_fail(ctx->error, APUS_FATAL, "no number");
        memcpy(&number, item.data, sizeof number);
        sum += number;
    }
    // What all have seen is the first subtask's from now on.
    if (*(uint32_t *)self != 0) sum = 0;
    if (rc == APUS_OK) rc = ctx->operator_state->truncate(ctx, SEEN, 0);
    return rc == APUS_OK ? ctx->operator_state->append(ctx, SEEN, &sum, sizeof sum) : rc;
}

static int32_t held_emit(apus_ctx *ctx, uint64_t position) {
    apus_bytes item;
    int32_t rc = ctx->operator_state->get(ctx, HELD, position, &item);
    if (rc == APUS_OK) {
        apus_emit(ctx->outs[0], item.data, (uint32_t)item.len, item.data, (uint32_t)item.len, 0);
    }
    return rc;
}

static int32_t held_emit_all(apus_ctx *ctx) {
    uint64_t count;
    int32_t rc = ctx->operator_state->count(ctx, HELD, &count);
    for (uint64_t i = 0; rc == APUS_OK && i < count; i++) rc = held_emit(ctx, i);
    return rc == APUS_OK ? ctx->operator_state->truncate(ctx, HELD, 0) : rc;
}

static int32_t hold(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t len;
        uint64_t count, seen;
        apus_bytes item;
        // A subtask may have got what several had.
        if (apus_out_room(ctx->outs[0], 1 << 16)) return apus_at(ctx, i, APUS_YIELD);
        apus_value(b, i, &value, &len);
        int32_t rc = ctx->operator_state->get(ctx, SEEN, 0, &item);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        memcpy(&seen, item.data, sizeof seen);
        seen++;
        rc = ctx->operator_state->set(ctx, SEEN, 0, &seen, sizeof seen);
        if (rc == APUS_OK) rc = ctx->operator_state->count(ctx, HELD, &count);
        if (rc == APUS_OK && count >= HELD_MAX) rc = held_emit_all(ctx), count = 0;
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        if (count > 1 && len && value[len - 1] % 2) {
            rc = held_emit(ctx, count / 2);
            if (rc == APUS_OK) rc = ctx->operator_state->set(ctx, HELD, count / 2, value, len);
        } else {
            rc = ctx->operator_state->append(ctx, HELD, value, len);
        }
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t held_end(void *self, apus_ctx *ctx, int64_t watermark) {
    (void)self;
    return watermark == INT64_MAX ? held_emit_all(ctx) : APUS_OK;
}

static const apus_operator_state_decl held_state = {
    .size = sizeof held_state,
    .redistribution = APUS_SPLIT,
    .name = APUS_STR("held"),
    .schema_version = 2,
    .schema = APUS_STR("text")};
static const apus_operator_state_decl united_state = {
    .size = sizeof united_state,
    .redistribution = APUS_UNION,
    .name = APUS_STR("held"),
    .schema_version = 2};
static const apus_operator_state_decl seen_state = {
    .size = sizeof seen_state,
    .redistribution = APUS_UNION,
    .name = APUS_STR("seen"),
    .schema_version = 1};
static const apus_operator_state_decl *const held_states[] = {&held_state, &seen_state};
static const apus_operator_state_decl *const other_states[] = {&united_state, &seen_state};

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

#define RULES \
    .broadcast_input_count = 2, .broadcast_count = 1, .broadcasts = rules_states, .input_count = 1
COMPONENT(
    priced_component, "priced",
    VT(.process = price_number, .process_broadcast = price_rule, .on_timers = price_due),
    .flags = APUS_KEYED, RULES, .timer_count = 1, .timers = due_timers);
COMPONENT(
    passed_component, "passed", VT(.process = pass, .process_broadcast = pass_rule), RULES);
COMPONENT(
    meddle_component, "meddle", VT(.process = meddle, .process_broadcast = pass_rule), RULES);
COMPONENT(
    diverge_component, "diverge", VT(.process = pass, .process_broadcast = diverge), RULES);

#define HELD_VT VT(.open = held_open, .process = hold, .on_watermark = held_end)
COMPONENT(
    held_component, "held", HELD_VT, .flags = APUS_KEYED, .input_count = 1,
    .operator_state_count = 2, .operator_states = held_states);
COMPONENT(
    plain_component, "plain", HELD_VT, .input_count = 1, .operator_state_count = 2,
    .operator_states = held_states);
COMPONENT(
    other_component, "other", HELD_VT, .input_count = 1, .operator_state_count = 2,
    .operator_states = other_states);

static const apus_component *const components[] = {
    &totals_component, &priced_component, &passed_component, &meddle_component,
    &diverge_component, &held_component, &plain_component, &other_component};

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
