// A plugin of ABI 0.1, for the corpus: everything that operators could do then.
//
//   everything  keyed; values, counters, lists, maps, timers, two outputs, a mark that is taken
//               back, bad records, a counter of its own, the log. The number behind "n": counts.
//   plain       not keyed; adds its configuration to each value; tells the last watermark
#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

enum { TOTAL, COUNT, LAST, ALL, RESTS };

static const apus_host *host;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    apus_bytes *config = malloc(sizeof *config + args->config.len);
    if (!config) return apus_fail(error, APUS_FATAL, "no memory");
    config->data = (const uint8_t *)(config + 1);
    config->len = args->config.len;
    memcpy(config + 1, args->config.data, args->config.len);
    *self = config;
    host->log(args->instance, APUS_LOG_DEBUG, "made", 4);
    return APUS_OK;
}

static void destroy(void *self) { free(self); }

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

// The sum of what a list or a map holds.
static int32_t sums(apus_ctx *ctx, uint32_t i, int64_t *list, int64_t *map) {
    apus_cursor walk = apus_cursor_all();
    apus_bytes values[3];
    apus_entry entries[3];
    uint32_t count;
    *list = *map = 0;
    do {
        int32_t rc = ctx->state->list_next(ctx, ALL, i, &walk, values, 3, &count);
        if (rc != APUS_OK) return rc;
        for (uint32_t k = 0; k < count; k++) {
            int64_t number;
            memcpy(&number, values[k].data, sizeof number);
            *list += number;
        }
    } while (count);
    const uint8_t from = 1, to = 4;
    walk = apus_cursor_range((apus_bytes){&from, 1}, (apus_bytes){&to, 1});
    do {
        int32_t rc = ctx->state->map_next(ctx, RESTS, i, &walk, entries, 3, &count);
        if (rc != APUS_OK) return rc;
        for (uint32_t k = 0; k < count; k++) {
            int64_t number;
            memcpy(&number, entries[k].value.data, sizeof number);
            *map += number * entries[k].key.data[0];
        }
    } while (count);
    return APUS_OK;
}

static int32_t add(apus_ctx *ctx, const apus_batch *b, uint32_t i, int64_t n) {
    const apus_state_api *state = ctx->state;
    int64_t total, *count, last = -1, list, map;
    uint64_t length, rests;
    apus_bytes old;
    uint8_t rest = (uint8_t)(((n % 5) + 5) % 5);
    if (state->counter_add(ctx, TOTAL, i, n, &total) != APUS_OK) return APUS_FATAL;
    if (state->value_mut(ctx, COUNT, i, (void **)&count) != APUS_OK) return APUS_FATAL;
    *count += 1;
    if (state->value_get(ctx, LAST, i, &old) == APUS_OK) memcpy(&last, old.data, sizeof last);
    if (state->value_put(ctx, LAST, i, &n, sizeof n) != APUS_OK) return APUS_FATAL;
    if (state->list_append(ctx, ALL, i, &n, sizeof n) != APUS_OK) return APUS_FATAL;
    if (state->list_count(ctx, ALL, i, &length) != APUS_OK) return APUS_FATAL;
    if (state->map_put(ctx, RESTS, i, &rest, 1, &n, sizeof n) != APUS_OK) return APUS_FATAL;
    if (n % 11 == 0) state->map_remove(ctx, RESTS, i, &rest, 1);
    if (state->map_count(ctx, RESTS, i, &rests) != APUS_OK) return APUS_FATAL;
    if (sums(ctx, i, &list, &map) != APUS_OK) return APUS_FATAL;
    if (ctx->timers->set(ctx, 0, (uint64_t)n, i, b->ts[i] + 1000, &n, sizeof n) != APUS_OK) {
        return APUS_FATAL;
    }
    if (n % 7 == 0 && ctx->timers->cancel(ctx, 0, (uint64_t)n, i) != APUS_OK) return APUS_FATAL;
    char text[200];
    int len = snprintf(
        text, sizeof text,
        "{\"n\":%lld,\"total\":%lld,\"count\":%lld,\"last\":%lld,\"length\":%llu,\"rests\":%llu,"
        "\"list\":%lld,\"map\":%lld}",
        (long long)n, (long long)total, (long long)*count, (long long)last,
        (unsigned long long)length, (unsigned long long)rests, (long long)list, (long long)map);
    apus_mark mark = apus_out_mark(ctx->outs[0]);
    apus_emit(ctx->outs[0], "gone", 4, "never seen, though it is long", 29, b->ts[i]);
    if (apus_rollback(ctx->outs[0], &mark) != APUS_OK) return APUS_FATAL;
    apus_emit_keyed(ctx->outs[0], b, i, text, (uint32_t)len);
    if (n % 2) apus_forward(ctx->outs[1], b, i);
    if (n % 13 == 0 && state->clear(ctx, LAST, i) != APUS_OK) return APUS_FATAL;
    ctx->counters[0]++;
    return APUS_OK;
}

static int32_t everything(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t n;
        if (!number_of(b, i, &n)) return apus_bad_record(ctx, i, "the record has no number");
        if (apus_out_room(ctx->outs[0], 512)) return apus_at(ctx, i, APUS_YIELD);
        if (apus_out_room(ctx->outs[1], 512)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = add(ctx, b, i, n);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        if (*ctx->stop) return apus_at(ctx, i + 1, APUS_YIELD);
    }
    return APUS_OK;
}

static int32_t due(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *key, *value;
        uint32_t key_len, value_len;
        int64_t n = 0;
        char text[128];
        if (apus_out_room(ctx->outs[0], 256)) return apus_at(ctx, i, APUS_YIELD);
        apus_key(b, i, &key, &key_len);
        apus_value(b, i, &value, &value_len);
        if (value_len == sizeof n) memcpy(&n, value, sizeof n);
        int len = snprintf(
            text, sizeof text, "{\"due\":%lld,\"id\":%llu,\"key\":\"%.*s\"}", (long long)n,
            (unsigned long long)timers->id[i], (int)key_len, (const char *)key);
        apus_emit(ctx->outs[0], key, key_len, text, (uint32_t)len, b->ts[i]);
    }
    return APUS_OK;
}

static int32_t plain(void *self, apus_ctx *ctx, const apus_batch *b) {
    const apus_bytes *config = self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t len;
        char text[512];
        if (apus_out_room(ctx->outs[0], sizeof text)) return apus_at(ctx, i, APUS_YIELD);
        apus_value(b, i, &value, &len);
        if (len + config->len > sizeof text) return apus_bad_record(ctx, i, "too long");
        memcpy(text, value, len);
        memcpy(text + len, config->data, config->len);
        apus_emit(ctx->outs[0], NULL, 0, text, len + (uint32_t)config->len, b->ts[i]);
    }
    return APUS_OK;
}

static int32_t tell_end(void *self, apus_ctx *ctx, int64_t watermark_us) {
    (void)self;
    if (watermark_us != INT64_MAX) return APUS_OK;
    return apus_emit(ctx->outs[0], NULL, 0, "the end", 7, APUS_NO_TIME);
}

static const apus_port main_port = {.size = sizeof main_port, .name = APUS_STR("main")};
static const apus_port odd_port = {.size = sizeof odd_port, .name = APUS_STR("odd")};
static const apus_port *const outputs[] = {&main_port, &odd_port};

#define STATE(symbol, text, its_kind, length)                                                 \
    static const apus_state_decl symbol = {                                                   \
        .size = sizeof symbol,                                                                \
        .kind = (its_kind),                                                                   \
        .name = APUS_STR(text),                                                               \
        .schema_version = 1,                                                                  \
        .fixed_len = (length),                                                                \
        .schema = APUS_STR("numbers")}
STATE(total_state, "total", APUS_STATE_COUNTER, 0);
STATE(count_state, "count", APUS_STATE_VALUE, 8);
STATE(last_state, "last", APUS_STATE_VALUE, 0);
STATE(all_state, "all", APUS_STATE_LIST, 0);
STATE(rests_state, "rests", APUS_STATE_MAP, 0);
static const apus_state_decl *const states[] = {
    &total_state, &count_state, &last_state, &all_state, &rests_state};
static const apus_timer_decl due_timer = {
    .size = sizeof due_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("due")};
static const apus_timer_decl *const timers[] = {&due_timer};
static const apus_counter_decl records_counter = {
    .size = sizeof records_counter, .name = APUS_STR("records")};
static const apus_counter_decl *const counters[] = {&records_counter};

static const apus_operator_vt everything_vt = {
    .size = sizeof everything_vt, .process = everything, .on_timers = due};
static const apus_operator_vt plain_vt = {
    .size = sizeof plain_vt, .process = plain, .on_watermark = tell_end};
static const apus_component everything_component = {
    .size = sizeof everything_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &everything_vt,
    .id = APUS_STR("everything"),
    .summary = APUS_STR("state, timers and outputs"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 2,
    .state_count = 5,
    .timer_count = 1,
    .counter_count = 1,
    .outputs = outputs,
    .states = states,
    .timers = timers,
    .counters = counters};
static const apus_component plain_component = {
    .size = sizeof plain_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &plain_vt,
    .id = APUS_STR("plain"),
    .summary = APUS_STR("values with the configuration"),
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs};
static const apus_component *const components[] = {&everything_component, &plain_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .id = APUS_STR("corpus.c01"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = 2,
    .components = components};

const apus_plugin *apus_plugin_v0(const apus_host *given, apus_error *error) {
    (void)error;
    host = given;
    return &plugin;
}
