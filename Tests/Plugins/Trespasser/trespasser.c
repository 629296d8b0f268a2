// A plugin that calls the host's functions where they may not be called, for the tests of the
// checks for that. Every component passes records on, and does one wrong thing besides.
//
//   honest          nothing wrong: state, timers, operator state, an output that is full
//   other-thread    calls counter_add in process from a thread of its own
//   watermark       calls counter_add in on_watermark
//   early           calls counter_add in open
//   begin-late      sets a timer in on_watermark
//   foreign         calls counter_add with the context of the instance that was opened before
//   output-thread   a thread of its own calls `more` of the output
//   forged          calls counter_add with a context that it made itself
#include <pthread.h>
#include <stdlib.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

// Where the first instance of `foreign` left its context.
static apus_ctx *opened_before;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    (void)args, (void)error;
    *self = NULL;
    return APUS_OK;
}

static void destroy(void *self) { (void)self; }

static int32_t pass_on(apus_ctx *ctx, const apus_batch *b) {
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (apus_forward(ctx->outs[0], b, i)) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

static void *add(void *ctx) {
    int64_t sum;
    ((apus_ctx *)ctx)->state->counter_add(ctx, 0, 0, 1, &sum);
    return NULL;
}

static void *ask_for_room(void *ctx) {
    apus_out *out = ((apus_ctx *)ctx)->outs[0];
    out->more(out, 1);
    return NULL;
}

static void in_a_thread(void *(*body)(void *), apus_ctx *ctx) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, ctx) == 0) pthread_join(thread, NULL);
}

static int32_t honest(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    uint64_t items;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t sum;
        ctx->state->counter_add(ctx, 0, i, 1, &sum);
        ctx->timers->set(ctx, 0, 0, i, b->ts[i] + 10, NULL, 0);
    }
    if (ctx->operator_state->count(ctx, 0, &items) != APUS_OK) return APUS_FATAL;
    if (ctx->operator_state->append(ctx, 0, "x", 1) != APUS_OK) return APUS_FATAL;
    if (ctx->outs[0]->more(ctx->outs[0], 1 << 20) != APUS_OK) return APUS_FATAL;
    return pass_on(ctx, b);
}

static int32_t fired(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) ctx->state->clear(ctx, 0, i);
    return APUS_OK;
}

static int32_t other_thread(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    in_a_thread(add, ctx);
    return pass_on(ctx, b);
}

static int32_t pass(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    return pass_on(ctx, b);
}

static int32_t add_in_watermark(void *self, apus_ctx *ctx, int64_t watermark) {
    (void)self, (void)watermark;
    add(ctx);
    return APUS_OK;
}

static int32_t set_in_watermark(void *self, apus_ctx *ctx, int64_t watermark) {
    (void)self;
    ctx->timers->set(ctx, 0, 0, 0, watermark + 1, NULL, 0);
    return APUS_OK;
}

static int32_t add_in_open(void *self, apus_ctx *ctx) {
    (void)self;
    add(ctx);
    return APUS_OK;
}

static int32_t remember(void *self, apus_ctx *ctx) {
    (void)self;
    if (!opened_before) opened_before = ctx;
    return APUS_OK;
}

static int32_t foreign(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    if (opened_before != ctx) add(opened_before);
    return pass_on(ctx, b);
}

static int32_t ask_in_a_thread(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    in_a_thread(ask_for_room, ctx);
    return pass_on(ctx, b);
}

static int32_t forged(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    apus_ctx copy = *ctx;
    add(&copy);
    return pass_on(ctx, b);
}

static const apus_port main_port = {.size = sizeof main_port, .name = APUS_STR("main")};
static const apus_port *const outputs[] = {&main_port};
static const apus_state_decl sum_state = {
    .size = sizeof sum_state,
    .kind = APUS_STATE_COUNTER,
    .name = APUS_STR("sum"),
    .schema_version = 1};
static const apus_state_decl *const states[] = {&sum_state};
static const apus_timer_decl due_timer = {
    .size = sizeof due_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("due")};
static const apus_timer_decl *const timers[] = {&due_timer};
static const apus_operator_state_decl seen_state = {
    .size = sizeof seen_state,
    .redistribution = APUS_SPLIT,
    .name = APUS_STR("seen"),
    .schema_version = 1};
static const apus_operator_state_decl *const operator_states[] = {&seen_state};

#define COMPONENT(symbol, text, ...)                                                         \
    static const apus_component symbol = {                                                   \
        .size = sizeof symbol,                                                               \
        .kind = APUS_OPERATOR,                                                               \
        .create = create,                                                                    \
        .destroy = destroy,                                                                  \
        .vt = &(const apus_operator_vt){.size = sizeof(apus_operator_vt), __VA_ARGS__},      \
        .id = APUS_STR(text),                                                                \
        .summary = APUS_STR("see the top of trespasser.c"),                                  \
        .flags = APUS_KEYED,                                                                 \
        .input_count = 1,                                                                    \
        .output_count = 1,                                                                   \
        .outputs = outputs,                                                                  \
        .state_count = 1,                                                                    \
        .states = states,                                                                    \
        .timer_count = 1,                                                                    \
        .timers = timers,                                                                    \
        .operator_state_count = 1,                                                           \
        .operator_states = operator_states}

COMPONENT(honest_component, "honest", .process = honest, .on_timers = fired);
COMPONENT(other_thread_component, "other-thread", .process = other_thread, .on_timers = fired);
COMPONENT(
    watermark_component, "watermark", .process = pass, .on_watermark = add_in_watermark,
    .on_timers = fired);
COMPONENT(early_component, "early", .open = add_in_open, .process = pass, .on_timers = fired);
COMPONENT(
    begin_late_component, "begin-late", .process = pass, .on_watermark = set_in_watermark,
    .on_timers = fired);
COMPONENT(
    foreign_component, "foreign", .open = remember, .process = foreign, .on_timers = fired);
COMPONENT(ask_component, "output-thread", .process = ask_in_a_thread, .on_timers = fired);
COMPONENT(forged_component, "forged", .process = forged, .on_timers = fired);

static const apus_component *const components[] = {
    &honest_component,     &other_thread_component, &watermark_component, &early_component,
    &begin_late_component, &foreign_component,      &ask_component,       &forged_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .id = APUS_STR("test.trespasser"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = sizeof components / sizeof *components,
    .components = components};

const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
