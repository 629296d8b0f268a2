// A plugin whose description is spoilt by one statement: the macro CHANGE, given when compiling.
// Without it the description is good.
#include "apus/apus.h"

#ifndef NOTE_FLAGS
#define NOTE_FLAGS 0
#endif

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, NOTE_FLAGS);

#ifndef CHANGE
#define CHANGE
#endif

#define TEXT(literal) ((apus_str)APUS_STR(literal))

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static char instance;
    (void)args, (void)error;
    *self = &instance;
    return APUS_OK;
}

static void destroy(void *self) {
    (void)self;
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self, (void)ctx, (void)b;
    return APUS_OK;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self, (void)ctx, (void)timers;
    return APUS_OK;
}

static apus_operator_vt vt = {.size = sizeof vt, .process = process, .on_timers = on_timers};

static apus_port port = {.size = sizeof port, .name = APUS_STR("main")};
static apus_port side = {.size = sizeof side, .name = APUS_STR("side")};
static const apus_port *ports[] = {&port, &side};

static apus_state_decl state = {
    .size = sizeof state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("total"),
    .schema_version = 1,
    .fixed_len = 8,
    .schema = APUS_STR("u64")};
static apus_state_decl other_state = {
    .size = sizeof other_state,
    .kind = APUS_STATE_MAP,
    .name = APUS_STR("index"),
    .schema_version = 2};
static const apus_state_decl *states[] = {&state, &other_state};

static apus_timer_decl timer = {
    .size = sizeof timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("due")};
static apus_timer_decl other_timer = {
    .size = sizeof other_timer, .domain = APUS_PROCESSING_TIME, .name = APUS_STR("tick")};
static const apus_timer_decl *timers[] = {&timer, &other_timer};

static apus_counter_decl counter = {.size = sizeof counter, .name = APUS_STR("seen")};
static apus_counter_decl other_counter = {.size = sizeof other_counter, .name = APUS_STR("lost")};
static const apus_counter_decl *counters[] = {&counter, &other_counter};

static apus_operator_state_decl items = {
    .size = sizeof items,
    .redistribution = APUS_SPLIT,
    .name = APUS_STR("items"),
    .schema_version = 4,
    .schema = APUS_STR("bytes")};
static const apus_operator_state_decl *operator_states[] = {&items};

static apus_component component = {
    .size = sizeof component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &vt,
    .id = APUS_STR("first"),
    .summary = APUS_STR("does nothing"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 2,
    .outputs = ports,
    .state_count = 2,
    .states = states,
    .timer_count = 2,
    .timers = timers,
    .counter_count = 2,
    .counters = counters,
    .operator_state_count = 1,
    .operator_states = operator_states};
static apus_component other_component = {
    .size = sizeof other_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &vt,
    .id = APUS_STR("second"),
    .flags = APUS_ACCEPTS_NULL_KEY,
    .input_count = 3,
    .output_count = 1,
    .outputs = ports};
static const apus_component *components[] = {&component, &other_component};

static apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .id = APUS_STR("test.description"),
    .version = APUS_STR("0.0.1"),
    .vendor = APUS_STR("Apus"),
    .component_count = 2,
    .components = components};

// Names that are in use by every change, so that no compiler finds them unused.
static const apus_str long_text = APUS_STR(
    "0123456789012345678901234567890123456789012345678901234567890123");

const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error, (void)long_text;
    CHANGE;
    return &plugin;
}
