// The host in memory finds fault with what a real host would fail a job for.
#include <stdio.h>
#include <stdlib.h>

#include "apus/test.h"

// The operator misbehaves as its configuration says, as a text between quotes.
typedef struct misfit {
    char how[32];
} misfit;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    misfit *m = calloc(1, sizeof *m);
    if (!m || args->config.len < 2 || args->config.len > sizeof m->how) {
        free(m);
        return apus_fail(error, APUS_CONFIG, "expected a word");
    }
    memcpy(m->how, args->config.data + 1, args->config.len - 2);
    *self = m;
    return APUS_OK;
}

static void destroy(void *self) {
    free(self);
}

static int is(const misfit *m, const char *how) {
    return strcmp(m->how, how) == 0;
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    const misfit *m = self;
    apus_out *out = ctx->outs[0];
    if (is(m, "stall")) return APUS_YIELD;
    if (is(m, "beyond")) return apus_at(ctx, b->count, APUS_YIELD);
    if (is(m, "back")) return apus_at(ctx, ctx->at == 0 ? 1 : 0, APUS_YIELD);
    if (is(m, "code")) return 77;
    if (is(m, "negative")) return -77;
    if (is(m, "overrun")) out->count = out->capacity + 1;
    if (is(m, "buffer")) {
        apus_emit_keyed(out, b, 0, "more than 12 bytes", 18);
        out->value[out->count - 1].u.ref.buffer = 9;
    }
    if (is(m, "timer")) return ctx->timers->set(ctx, 0, 0, 0, 5, NULL, 0);
    if (is(m, "stale")) {
        apus_cursor cursor = apus_cursor_all();
        apus_bytes value;
        uint32_t count;
        ctx->state->list_append(ctx, 0, 0, "a", 1);
        ctx->state->list_append(ctx, 0, 0, "b", 1);
        ctx->state->list_next(ctx, 0, 0, &cursor, &value, 1, &count);
        ctx->state->list_append(ctx, 0, 0, "c", 1);
        int32_t rc = ctx->state->list_next(ctx, 0, 0, &cursor, &value, 1, &count);
        return apus_fail(ctx->error, APUS_FATAL, rc == APUS_STALE ? "stale" : "not stale");
    }
    if (is(m, "kind")) {
        int32_t rc = ctx->state->map_put(ctx, 0, 0, "k", 1, "v", 1);
        return apus_fail(ctx->error, APUS_FATAL, rc == APUS_UNSUPPORTED ? "refused" : "taken");
    }
    return APUS_OK;
}

static const apus_port port = {
    .size = sizeof port, .name = APUS_STR("main"), .summary = APUS_STR("x")};
static const apus_port *const outputs[] = {&port};
static const apus_state_decl list = {
    .size = sizeof list, .kind = APUS_STATE_LIST, .name = APUS_STR("list"), .schema_version = 1};
static const apus_state_decl *const states[] = {&list};
static const apus_timer_decl timer = {
    .size = sizeof timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("timer")};
static const apus_timer_decl *const timer_decls[] = {&timer};
static const apus_operator_vt functions = {.size = sizeof functions, .process = process};
static const apus_component component = {
    .size = sizeof component, .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &functions, .id = APUS_STR("misfit"), .flags = APUS_KEYED, .input_count = 1,
    .output_count = 1, .outputs = outputs, .state_count = 1, .states = states, .timer_count = 1,
    .timers = timer_decls};
static const apus_component *const components[] = {&component};
static const apus_plugin plugin = {
    .size = sizeof plugin, .abi_minor = APUS_ABI_MINOR, .abi_minor_floor = 1,
    .id = APUS_STR("test.misfit"), .version = APUS_STR("1.0.0"), .vendor = APUS_STR("x"),
    .component_count = 1, .components = components};

static const apus_plugin *entry(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}

static const apus_plugin *refusing_entry(const apus_host *host, apus_error *error) {
    (void)host;
    apus_fail(error, APUS_CONFIG, "not on this host");
    return NULL;
}

static int checks;

static void expect(apus_test *t, const char *what, int32_t code, const char *message) {
    const char *found = apus_test_failure(t);
    checks++;
    if (!found || !strstr(found, message) || apus_test_failure_code(t) != code) {
        fprintf(stderr, "harness_test: %s: found '%s' (%d), expected '%s' (%d)\n", what,
            found ? found : "no failure", (int)apus_test_failure_code(t), message, (int)code);
        exit(1);
    }
    apus_test_close(t);
}

static void expect_fault(const char *how, int32_t code, const char *message) {
    char config[40];
    snprintf(config, sizeof config, "\"%s\"", how);
    apus_test *t = apus_test_open(entry, "misfit", config, NULL);
    apus_test_add(t, (apus_test_record){apus_test_bytes("k"), apus_test_bytes("v"), 1});
    apus_test_add(t, (apus_test_record){apus_test_bytes("k"), apus_test_bytes("v"), 2});
    apus_test_run(t, 0);
    if (strcmp(how, "timer") == 0) apus_test_watermark(t, 10);
    expect(t, how, code, message);
}

int main(void) {
    expect_fault("stall", 0, "no progress: 3 calls in a row stopped at record 0");
    expect_fault("beyond", 0, "ctx->at 2; expected 0 to 1");
    expect_fault("back", 0, "ctx->at 0; expected 1 to 1");
    expect_fault("code", 0, "result 77 is not one that the ABI knows");
    expect_fault("negative", -77, "error -77");
    expect_fault("overrun", 0, "ask apus_out_room first");
    expect_fault("buffer", 0, "refers to buffer 9, which is not there");
    expect_fault("timer", 0, "a timer is due, but the operator has no on_timers");
    expect_fault("stale", APUS_FATAL, "stale");
    expect_fault("kind", APUS_FATAL, "refused");
    expect(apus_test_open(entry, "misfit", "", NULL), "config", APUS_CONFIG, "expected a word");
    expect(apus_test_open(entry, "other", "\"\"", NULL), "component", 0, "no component 'other'");
    expect(apus_test_open(refusing_entry, NULL, NULL, NULL), "entry", APUS_CONFIG, "not on this");
    apus_test *t = apus_test_open(entry, NULL, "\"\"", NULL);
    apus_test_watermark(t, 5);
    apus_test_watermark(t, 5);
    expect(t, "watermark", 0, "a watermark must be later than the one before");
    t = apus_test_open(entry, NULL, "\"\"", NULL);
    apus_test_text(t, "main", 0);
    expect(t, "output", 0, "output 'main' has 0 records, none number 0");
    t = apus_test_open(entry, NULL, "\"\"", NULL);
    apus_test_run_broadcast(t, 0);
    expect(t, "broadcast", 0, "the operator has no process_broadcast");
    printf("harness_test: %d checks passed\n", checks);
    return 0;
}
