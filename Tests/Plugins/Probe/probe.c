// A well-behaved plugin for the tests of the runtime.
//
// Values are text; a number is what stands behind the last ':' of a value, as in "ana:17".
//
//   sum         keyed; adds up numbers, emits "key:sum" for each record; other values are bad
//   window      keyed; counts records in event-time windows of 10 us; emits "start:count"
//   alarm       keyed; sets a timer that many us after the time of the record; emits its id then
//   clock       keyed; the same in processing time, with the moment of firing behind the id
//   balance     keyed, two inputs; adds the first, subtracts the second; emits once at the end
//   maybe-keyed keyed, accepts records without key; emits "key" or "-"
//   split       two outputs: even numbers on `main`, odd ones on `odd`
//   tagger      appends its configuration, a JSON string, to each value
//   union       two inputs; emits "input:value"
//   watermarks  emits "w:time" for each watermark, and passes records on
//   life        emits "open" and "close" in these callbacks, and passes records on
//   blow-up     emits that many records for each record; stops when it is asked to
//   hold        passes records on; a number other than 0 holds it until it is asked to stop
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#include "apus/apus.h"

#ifdef APUS_PLUGIN_NOTE  // ABI 0.1 and 0.2 had none
APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
#endif

#define WINDOW_US 10

// Instances: the configuration, or how far blow-up has come.
typedef struct instance {
    char tag[64];
    uint32_t tag_len;
    uint64_t written;
} instance;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    instance *made = calloc(1, sizeof *made);
    if (!made) return apus_fail(error, APUS_FATAL, "no memory");
    const uint8_t *text = args->config.data;
    if (args->config.len >= 2 && text[0] == '"') {
        uint64_t n = args->config.len - 2;
        if (n > sizeof made->tag) {
            free(made);
            return apus_fail(error, APUS_CONFIG, "the tag is longer than 64 bytes");
        }
        memcpy(made->tag, text + 1, n);
        made->tag_len = (uint32_t)n;
    }
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
    apus_value(b, i, &data, &len);
    uint32_t start = len;
    while (start > 0 && data[start - 1] != ':') start--;
    int is_negative = start < len && data[start] == '-';
    if (is_negative) start++;
    if (start == len || len - start > 18) return 0;
    int64_t sum = 0;
    for (uint32_t at = start; at < len; at++) {
        if (data[at] < '0' || data[at] > '9') return 0;
        sum = sum * 10 + (data[at] - '0');
    }
    *number = is_negative ? -sum : sum;
    return 1;
}

// Emits "key:number" under the key of record i, at a time.
static int32_t emit_number(
    apus_out *out, const apus_batch *b, uint32_t i, int64_t number, int64_t ts) {
    char text[512];
    const uint8_t *key;
    uint32_t key_len;
    apus_key(b, i, &key, &key_len);
    uint32_t n = key_len < 400 ? key_len : 400;
    if (n) memcpy(text, key, n);
    n += (uint32_t)snprintf(text + n, sizeof text - n, ":%lld", (long long)number);
    return apus_emit(out, key, key_len, text, n, ts);
}

static int32_t sum(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t number, total;
        if (!number_of(b, i, &number)) return apus_bad_record(ctx, i, "the value has no number");
        // Asked for before adding, so that a record that is called again is added once.
        if (apus_out_room(ctx->outs[0], 2048)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = ctx->state->counter_add(ctx, 0, i, number, &total);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        emit_number(ctx->outs[0], b, i, total, b->ts[i]);
        ctx->counters[0]++;
    }
    return APUS_OK;
}

static int32_t window(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t ts = b->ts[i];
        if (ts == APUS_NO_TIME) return apus_bad_record(ctx, i, "the record has no event time");
        int64_t start = ts - ts % WINDOW_US;
        int64_t count = 0;
        apus_bytes old;
        if (ctx->state->map_get(ctx, 0, i, &start, sizeof start, &old) == APUS_OK) {
            memcpy(&count, old.data, sizeof count);
        }
        count++;
        int32_t rc = ctx->state->map_put(
            ctx, 0, i, &start, sizeof start, &count, sizeof count);
        if (rc == APUS_OK) {
            rc = ctx->timers->set(ctx, 0, (uint64_t)start, i, start + WINDOW_US - 1, NULL, 0);
        }
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t window_end(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t start = (int64_t)timers->id[i];
        int64_t count = 0;
        apus_bytes found;
        if (apus_out_room(ctx->outs[0], 1024)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = ctx->state->map_get(ctx, 0, i, &start, sizeof start, &found);
        if (rc != APUS_OK) return apus_at(ctx, i, APUS_FATAL);
        memcpy(&count, found.data, sizeof count);
        ctx->state->map_remove(ctx, 0, i, &start, sizeof start);
        const uint8_t *key;
        uint32_t key_len;
        apus_key(b, i, &key, &key_len);
        char text[64];
        int n = snprintf(text, sizeof text, "%lld:%lld", (long long)start, (long long)count);
        apus_emit(ctx->outs[0], key, key_len, text, (uint32_t)n, b->ts[i]);
    }
    return APUS_OK;
}

static int32_t alarm_set(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t delay;
        int64_t ts = b->ts[i];
        if (ts == APUS_NO_TIME) return apus_bad_record(ctx, i, "the record has no event time");
        if (!number_of(b, i, &delay)) return apus_bad_record(ctx, i, "the value has no number");
        int32_t rc = ctx->timers->set(ctx, 0, (uint64_t)ts, i, ts + delay, NULL, 0);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t alarm_fired(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (apus_out_room(ctx->outs[0], 1024)) return apus_at(ctx, i, APUS_YIELD);
        emit_number(ctx->outs[0], b, i, (int64_t)timers->id[i], b->ts[i]);
    }
    return APUS_OK;
}

static int32_t clock_set(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t delay;
        if (!number_of(b, i, &delay)) return apus_bad_record(ctx, i, "the value has no number");
        int32_t rc = ctx->timers->set(
            ctx, 0, (uint64_t)delay, i, ctx->now_us + delay, &delay, sizeof delay);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t clock_fired(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (apus_out_room(ctx->outs[0], 1024)) return apus_at(ctx, i, APUS_YIELD);
        const uint8_t *key, *value;
        uint32_t key_len, value_len;
        apus_key(b, i, &key, &key_len);
        apus_value(b, i, &value, &value_len);
        int64_t payload = 0;
        if (value_len == sizeof payload) memcpy(&payload, value, sizeof payload);
        if (payload != (int64_t)timers->id[i]) {
            return apus_fail(ctx->error, APUS_FATAL, "the payload is not the one that was set");
        }
        char text[64];
        int n = snprintf(
            text, sizeof text, "%lld@%lld", (long long)timers->id[i], (long long)ctx->now_us);
        apus_emit(ctx->outs[0], key, key_len, text, (uint32_t)n, b->ts[i]);
    }
    return APUS_OK;
}

static int32_t balance(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t number;
        if (!number_of(b, i, &number)) return apus_bad_record(ctx, i, "the value has no number");
        int32_t rc = ctx->state->counter_add(ctx, 0, i, b->input ? -number : number, NULL);
        if (rc == APUS_OK) rc = ctx->timers->set(ctx, 0, 0, i, INT64_MAX, NULL, 0);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t balance_end(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) {
        int64_t total;
        if (apus_out_room(ctx->outs[0], 1024)) return apus_at(ctx, i, APUS_YIELD);
        ctx->state->counter_get(ctx, 0, i, &total);
        emit_number(ctx->outs[0], timers->batch, i, total, 0);
        ctx->state->clear(ctx, 0, i);
    }
    return APUS_OK;
}

static int32_t maybe_keyed(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *key;
        uint32_t key_len;
        apus_key(b, i, &key, &key_len);
        int64_t total = 0;
        int32_t expected = key ? APUS_OK : APUS_UNSUPPORTED;
        if (apus_out_room(ctx->outs[0], 1024)) return apus_at(ctx, i, APUS_YIELD);
        if (ctx->state->counter_add(ctx, 0, i, 1, &total) != expected) {
            return apus_fail(ctx->error, APUS_FATAL, "state and key do not agree");
        }
        if (!key) apus_emit(ctx->outs[0], NULL, 0, "-", 1, b->ts[i]);
        else emit_number(ctx->outs[0], b, i, total, b->ts[i]);
    }
    return APUS_OK;
}

static int32_t split(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t number;
        if (!number_of(b, i, &number)) return apus_bad_record(ctx, i, "the value has no number");
        if (apus_forward(ctx->outs[number & 1], b, i)) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

// Emits value i with something before and behind it; the key stays.
static int32_t emit_around(
    apus_out *out, const apus_batch *b, uint32_t i, const char *before, uint32_t before_len,
    const char *behind, uint32_t behind_len) {
    char text[512];
    const uint8_t *value;
    uint32_t n;
    apus_value(b, i, &value, &n);
    if (n > 256) n = 256;
    memcpy(text, before, before_len);
    memcpy(text + before_len, value, n);
    memcpy(text + before_len + n, behind, behind_len);
    return apus_emit_keyed(out, b, i, text, before_len + n + behind_len);
}

static int32_t tag(void *self, apus_ctx *ctx, const apus_batch *b) {
    const instance *own = self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (emit_around(ctx->outs[0], b, i, "", 0, own->tag, own->tag_len)) {
            return apus_at(ctx, i, APUS_YIELD);
        }
    }
    return APUS_OK;
}

static int32_t unite(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (emit_around(ctx->outs[0], b, i, b->input ? "1:" : "0:", 2, "", 0)) {
            return apus_at(ctx, i, APUS_YIELD);
        }
    }
    return APUS_OK;
}

static int32_t pass_on(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (apus_forward(ctx->outs[0], b, i)) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

static int32_t tell_watermark(void *self, apus_ctx *ctx, int64_t watermark_us) {
    (void)self;
    char text[64];
    int n = snprintf(text, sizeof text, "w:%lld", (long long)watermark_us);
    return apus_emit(ctx->outs[0], NULL, 0, text, (uint32_t)n, APUS_NO_TIME);
}

static int32_t say_open(void *self, apus_ctx *ctx) {
    (void)self;
    return apus_emit(ctx->outs[0], NULL, 0, "open", 4, APUS_NO_TIME);
}

static void say_close(void *self, apus_ctx *ctx) {
    (void)self;
    apus_emit(ctx->outs[0], NULL, 0, "close", 5, APUS_NO_TIME);
    ctx->counters[0]++;
}

static int32_t blow_up(void *self, apus_ctx *ctx, const apus_batch *b) {
    instance *own = self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t number;
        if (!number_of(b, i, &number)) return apus_bad_record(ctx, i, "the value has no number");
        while (own->written < (uint64_t)number) {
            if (*(volatile const uint32_t *)ctx->stop) return apus_at(ctx, i, APUS_YIELD);
            if (apus_emit(ctx->outs[0], NULL, 0, &own->written, sizeof own->written, 0)) {
                return apus_at(ctx, i, APUS_YIELD);
            }
            own->written++;
        }
        own->written = 0;
    }
    return APUS_OK;
}

static int32_t hold(void *self, apus_ctx *ctx, const apus_batch *b) {
    const struct timespec millisecond = {.tv_nsec = 1000000};
    int64_t number;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (number_of(b, i, &number) && number != 0) {
            while (!*(volatile const uint32_t *)ctx->stop) thrd_sleep(&millisecond, NULL);
            return apus_at(ctx, i, APUS_YIELD);
        }
    }
    return pass_on(self, ctx, b);
}

#define PORT(port) \
    static const apus_port port##_port = { \
        .size = sizeof port##_port, .name = APUS_STR(#port)}
PORT(main);
PORT(odd);
static const apus_port *const one_output[] = {&main_port};
static const apus_port *const two_outputs[] = {&main_port, &odd_port};

static const apus_state_decl total_state = {
    .size = sizeof total_state,
    .kind = APUS_STATE_COUNTER,
    .name = APUS_STR("total"),
    .schema_version = 1};
static const apus_state_decl counts_state = {
    .size = sizeof counts_state,
    .kind = APUS_STATE_MAP,
    .name = APUS_STR("counts"),
    .schema_version = 1};
static const apus_state_decl *const total_states[] = {&total_state};
static const apus_state_decl *const counts_states[] = {&counts_state};

static const apus_timer_decl event_timer = {
    .size = sizeof event_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("due")};
static const apus_timer_decl clock_timer = {
    .size = sizeof clock_timer, .domain = APUS_PROCESSING_TIME, .name = APUS_STR("ring")};
static const apus_timer_decl *const event_timers[] = {&event_timer};
static const apus_timer_decl *const clock_timers[] = {&clock_timer};

static const apus_counter_decl calls_counter = {
    .size = sizeof calls_counter, .name = APUS_STR("calls")};
static const apus_counter_decl *const one_counter[] = {&calls_counter};

#define COMPONENT(symbol, text, ...) \
    static const apus_component symbol = { \
        .size = sizeof symbol, \
        .kind = APUS_OPERATOR, \
        .create = create, \
        .destroy = destroy, \
        .id = APUS_STR(text), \
        .summary = APUS_STR("see the top of probe.c"), \
        __VA_ARGS__}
#define VT(...) .vt = &(const apus_operator_vt){.size = sizeof(apus_operator_vt), __VA_ARGS__}
#define INPUTS(n) .input_count = (n)
#define ONE_OUTPUT .output_count = 1, .outputs = one_output
#define TOTAL_STATE .state_count = 1, .states = total_states
#define COUNTS_STATE .state_count = 1, .states = counts_states
#define EVENT_TIMER .timer_count = 1, .timers = event_timers
#define CLOCK_TIMER .timer_count = 1, .timers = clock_timers
#define ONE_COUNTER .counter_count = 1, .counters = one_counter
#define KEYED .flags = APUS_KEYED

COMPONENT(
    sum_component, "sum", VT(.process = sum), KEYED, INPUTS(2), ONE_OUTPUT, TOTAL_STATE,
    ONE_COUNTER);
COMPONENT(
    window_component, "window", VT(.process = window, .on_timers = window_end), KEYED, INPUTS(2),
    ONE_OUTPUT, COUNTS_STATE, EVENT_TIMER);
COMPONENT(
    alarm_component, "alarm", VT(.process = alarm_set, .on_timers = alarm_fired), KEYED,
    INPUTS(2), ONE_OUTPUT, EVENT_TIMER);
COMPONENT(
    clock_component, "clock", VT(.process = clock_set, .on_timers = clock_fired), KEYED,
    INPUTS(1), ONE_OUTPUT, CLOCK_TIMER);
COMPONENT(
    balance_component, "balance", VT(.process = balance, .on_timers = balance_end), KEYED,
    INPUTS(2), ONE_OUTPUT, TOTAL_STATE, EVENT_TIMER);
COMPONENT(
    maybe_keyed_component, "maybe-keyed", VT(.process = maybe_keyed),
    .flags = APUS_KEYED | APUS_ACCEPTS_NULL_KEY, INPUTS(1), ONE_OUTPUT, TOTAL_STATE);
COMPONENT(
    split_component, "split", VT(.process = split), INPUTS(1), .output_count = 2,
    .outputs = two_outputs);
COMPONENT(tagger_component, "tagger", VT(.process = tag), INPUTS(1), ONE_OUTPUT);
COMPONENT(union_component, "union", VT(.process = unite), INPUTS(2), ONE_OUTPUT);
COMPONENT(
    watermarks_component, "watermarks", VT(.process = pass_on, .on_watermark = tell_watermark),
    INPUTS(2), ONE_OUTPUT);
COMPONENT(
    life_component, "life", VT(.open = say_open, .process = pass_on, .close = say_close),
    INPUTS(1), ONE_OUTPUT, ONE_COUNTER);
COMPONENT(blow_up_component, "blow-up", VT(.process = blow_up), INPUTS(1), ONE_OUTPUT);
COMPONENT(hold_component, "hold", VT(.process = hold), INPUTS(1), ONE_OUTPUT);

static const apus_component *const components[] = {
    &sum_component,         &window_component, &alarm_component,  &clock_component,
    &balance_component,     &maybe_keyed_component, &split_component,  &tagger_component,
    &union_component,       &watermarks_component,  &life_component,   &blow_up_component,
    &hold_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .id = APUS_STR("test.probe"),
    .version = APUS_STR("1.2.3"),
    .vendor = APUS_STR("Apus"),
    .component_count = sizeof components / sizeof *components,
    .components = components};

const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
