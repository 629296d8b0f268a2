// A sound operator, and with -DFAULT_<CHECK> the same with one fault that this check must find.
//
//   tally  keyed; counts the records of each key and emits (key, count as 8 bytes) for each;
//          remembers the last value of up to 64 bytes; a second after a record a timer emits "due".
//          Records without a value, or with an empty one, are bad.
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef FAULT_E60
#define APUS_ABI_MINOR_FLOOR 1
#endif
#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

#if defined FAULT_B16 || defined FAULT_B17 || defined FAULT_B18 || defined FAULT_B19 \
    || defined FAULT_B21
__attribute__((constructor)) static void begin(void) {
#ifdef FAULT_B16
    if (!getenv("PATH")) abort();
#endif
#ifdef FAULT_B17
    usleep(150000);
#endif
#ifdef FAULT_B18
    setenv("FAULTY", "1", 1);
#endif
#ifdef FAULT_B19
    puts("Faulty 1.0, all rights reserved");
#endif
#ifdef FAULT_B21
    char owner[32];
    snprintf(owner, sizeof owner, "%p", (void *)begin);
    setenv("FAULTY_OWNER", owner, 1);
#endif
}
#endif
#ifdef FAULT_B22
__attribute__((tls_model("initial-exec"))) static __thread volatile char storage[400];
#endif

#define COUNT 0
#define LAST 1
#define DUE 0
#define LAST_MAX 64
#define DELAY_US 1000000

typedef struct instance {
    uint64_t sequence;
    const uint8_t *kept;
    uint32_t kept_len;
    uint8_t *opened;
    apus_ctx *ctx;
    int64_t now;
    uint64_t records;
} instance;

#ifdef FAULT_D41
static instance *newest;
#endif
#ifdef FAULT_D42
static __thread instance *of_thread;
#endif

#if defined FAULT_D35 || defined FAULT_H89
// Memory that nobody frees, and that the compiler does not see through.
static void lose(size_t bytes) {
    void *volatile lost = malloc(bytes);
    (void)lost;
}
#endif

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    if (args->config.len < 2 || args->config.data[0] != '{') {
#ifdef FAULT_D36
        return 5;
#else
        return apus_fail(error, APUS_CONFIG, "expected an object");
#endif
    }
    instance *made = calloc(1, sizeof *made);
    if (!made) return apus_fail(error, APUS_FATAL, "no memory");
#ifdef FAULT_D35
    lose(64);
#endif
#ifdef FAULT_D44
    apus_fail(error, APUS_CONFIG, "left over");
#endif
#ifdef FAULT_D46
    int file = open("/dev/null", O_RDONLY);
    if (file < 0) {
        free(made);
        return APUS_FATAL;
    }
    close(file);
#endif
    *self = made;
    return APUS_OK;
}

static void destroy(void *self) {
    instance *it = self;
#ifdef FAULT_D37
    it->opened[0] = 0;
#endif
#ifdef FAULT_G77
    apus_bytes value;
    if (it->ctx) it->ctx->state->value_get(it->ctx, LAST, 0, &value);
#endif
    free(it->opened);
    free(it);
}

#if defined FAULT_D45
static void *idle(void *unused) {
    for (;;) pause();
    return unused;
}
#endif

static int32_t open_it(void *self, apus_ctx *ctx) {
    instance *it = self;
    (void)ctx;
    it->opened = malloc(32);
#ifdef FAULT_D38
    memset(it->opened, 0, 32);
#endif
    if (!it->opened) return apus_fail(ctx->error, APUS_FATAL, "no memory");
#ifdef FAULT_D41
    newest = it;
#endif
#ifdef FAULT_D42
    of_thread = it;
#endif
#ifdef FAULT_D45
    pthread_t thread;
    if (pthread_create(&thread, NULL, idle, NULL)) return APUS_FATAL;
#endif
    return APUS_OK;
}

static void close_it(void *self, apus_ctx *ctx) {
    instance *it = self;
    (void)it, (void)ctx;
#ifdef FAULT_D39
    if (it->records == 0) abort();
#endif
}

#ifdef FAULT_H88
static int __attribute__((noinline)) deep(uint32_t depth) {
    volatile char large[4096];
    large[depth & 4095] = (char)depth;
    if (depth == 0) return large[0];
    int below = deep(depth - 1);
    return below + large[depth & 4095];
}
#endif

#ifdef FAULT_E49
static uint64_t chance(void) {
    static uint64_t state = 1;
    return state = state * 6364136223846793005u + 1442695040888963407u;
}
#endif

// The faults that look at a record's value, before anything else is done with it.
static int32_t look(instance *it, apus_ctx *ctx, const uint8_t *value, uint32_t len) {
    (void)it, (void)ctx, (void)value, (void)len;
#ifdef FAULT_D46m
    uint8_t *volatile copy = malloc(len + 1);
    copy[len] = 0;
    free(copy);
#endif
#ifdef FAULT_E50
    char small[4096];
    if (len > 100000) memset(small, 1, *(volatile uint32_t *)&len);
    __asm__ volatile("" : : "r"(small) : "memory");
#endif
#ifdef FAULT_E52
    if (*(const volatile uint8_t *)(value + len) == 1) return APUS_FATAL;
#endif
#ifdef FAULT_E53
    *(volatile uint8_t *)value = *value;
#endif
#ifdef FAULT_E57
    if (*value == 0xFE) abort();
#endif
#ifdef FAULT_F75
    if (it->now && ctx->now_us - it->now > 86400000000 * 100) abort();
    it->now = ctx->now_us;
#endif
#ifdef FAULT_H84
    usleep(1);
#endif
#ifdef FAULT_H85
    setenv("FAULTY", "1", 1);
#endif
#ifdef FAULT_H86
    puts("a record");
#endif
#ifdef FAULT_H88
    if (deep(100) == 12345) return APUS_FATAL;
#endif
#ifdef FAULT_H89
    lose(100);
#endif
#ifdef FAULT_G77
    it->ctx = ctx;
#endif
    return APUS_OK;
}

// What is emitted for a count; in most plugins the count itself.
static uint64_t shown(instance *it, uint64_t count) {
    (void)it;
#ifdef FAULT_B21
    char owner[32];
    snprintf(owner, sizeof owner, "%p", (void *)begin);
    if (strcmp(getenv("FAULTY_OWNER"), owner) != 0) count += 1000;
#endif
#ifdef FAULT_B22
    storage[count & 127]++;
#endif
#ifdef FAULT_D41
    count += ++newest->sequence;
#endif
#ifdef FAULT_D42
    if (of_thread != it) count += 1000;
#endif
#ifdef FAULT_E49
    count += chance() >> 60;
#endif
#ifdef FAULT_E62
    volatile double third = 1.0;
    third = third / 3.0 + (double)count;
    memcpy(&count, (const void *)&third, sizeof count);
#endif
#ifdef FAULT_F63
    count += it->sequence++;
#endif
    return count;
}

// One record; APUS_YIELD when there is no room for what it writes.
static int32_t take(instance *it, apus_ctx *ctx, const apus_batch *b, uint32_t i) {
    apus_out *out = ctx->outs[0];
    const uint8_t *value;
    uint32_t len;
    apus_value(b, i, &value, &len);
    if (len == 0) return apus_bad_record(ctx, i, "an empty value");
    int32_t rc = look(it, ctx, value, len);
    if (rc != APUS_OK) return rc;
    it->records++;
#if !defined FAULT_E54 && !defined FAULT_E55
    if (apus_out_room(out, 64)) return APUS_YIELD;
#endif
    uint64_t *count;
    rc = ctx->state->value_mut(ctx, COUNT, i, (void **)&count);
    if (rc != APUS_OK) return rc;
    ++*count;
#ifdef FAULT_F67
    ((uint8_t *)count)[8] = 7;
#endif
#ifdef FAULT_E55
    if (apus_out_room(out, 64)) return APUS_YIELD;
#endif
    uint64_t number = shown(it, *count);
#ifdef FAULT_F66
    if (it->kept && it->kept_len) number += *it->kept;
    apus_bytes last;
    it->kept = NULL;
    if (ctx->state->value_get(ctx, LAST, i, &last) == APUS_OK) {
        it->kept = last.data;
        it->kept_len = (uint32_t)last.len;
    }
#endif
    rc = ctx->state->value_put(ctx, LAST, i, value, len < LAST_MAX ? len : LAST_MAX);
    if (rc != APUS_OK) return rc;
    int64_t ts = b->ts[i];
    if (ts != APUS_NO_TIME && ts < INT64_MAX - DELAY_US) {
        rc = ctx->timers->set(ctx, DUE, 0, i, ts + DELAY_US, "due", 3);
        if (rc != APUS_OK) return rc;
    }
#ifdef FAULT_E61
    if (*count % 3 == 0) return APUS_OK;
#endif
#ifdef FAULT_E54
    uint32_t at = out->count;
    out->key[at] = b->key[i];
    apus_view_inline(&out->value[at], &number, sizeof number);
    out->ts[at] = ts;
    out->kind[at] = 0;
    out->count = at + 1 < out->capacity ? at + 1 : out->capacity;
    return APUS_OK;
#else
    return apus_emit_keyed(out, b, i, &number, sizeof number);
#endif
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    instance *it = self;
#ifdef FAULT_E59
    if (b->size != sizeof *b) return apus_fail(ctx->error, APUS_FATAL, "not the size I know");
#endif
#ifdef FAULT_E60
    if (ctx->histogram_count > 1000) return APUS_FATAL;
#endif
#ifdef FAULT_E47
    if (b->count >= 1000) return 12345;
#endif
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int32_t rc = take(it, ctx, b, i);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
#ifdef FAULT_E56
        if (*ctx->stop) return apus_at(ctx, i, APUS_YIELD);
#else
        if (*ctx->stop) return apus_at(ctx, i + 1, APUS_YIELD);
#endif
    }
#ifdef FAULT_E48
    if (b->count > 0 && !apus_out_room(ctx->outs[0], 64)) {
        apus_emit_keyed(ctx->outs[0], b, b->count - 1, "end of batch", 12);
    }
#endif
    return APUS_OK;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
#ifdef FAULT_F74
    if (timers->batch->count > 10) return 4711;
#endif
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) {
        int32_t rc = apus_emit_keyed(ctx->outs[0], timers->batch, i, "due", 3);
        if (rc != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

#ifndef FAULT_C34
// Version 1 of `last` had a zero behind each value.
static int32_t migrate(const apus_migration *from, apus_writer *to, apus_error *error) {
    if (from->value.len == 0) return apus_fail(error, APUS_INCOMPATIBLE, "no zero at the end");
#ifdef FAULT_F71
    static _Atomic uint64_t calls;
    uint64_t number = ++calls;
    int32_t rc = to->write(to, &number, sizeof number);
    if (rc != APUS_OK) return rc;
#endif
    return to->write(to, from->value.data, from->value.len - 1);
}
#endif

#ifdef FAULT_D43
static const void *get_extension(const char *name) {
    return strcmp(name, "apus.snapshot/1") == 0 ? NULL : name;
}
#endif

// What the plugin is.
static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("counts")};
static const apus_port *const outputs[] = {&main_port};

static const apus_state_decl count_state = {
#ifndef FAULT_C27
    .size = sizeof count_state,
#endif
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("count"),
    .schema_version = 1,
    .fixed_len = 8,
    .schema = APUS_STR("u64: records")};
static const apus_state_decl last_state = {
    .size = sizeof last_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("last"),
    .schema_version = 2,
    .schema = APUS_STR("the last value"),
    .min_readable = 1,
#ifndef FAULT_C34
    .migrate = migrate,
#endif
};
static const apus_state_decl *const states[] = {&count_state, &last_state};
static const apus_timer_decl due_timer = {
    .size = sizeof due_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("due")};
static const apus_timer_decl *const timers[] = {&due_timer};

#ifdef FAULT_C33
static const char *const needs[] = {"apus.async", NULL};
#endif

static const apus_operator_vt functions = {
    .size = sizeof functions,
    .open = open_it,
    .close = close_it,
    .process = process,
    .on_timers = on_timers};

static const apus_component tally = {
    .size = sizeof tally,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("tally"),
    .summary = APUS_STR("counts the records of each key"),
#ifdef FAULT_C32
    .flags = APUS_KEYED | 1u << 20,
#else
    .flags = APUS_KEYED | APUS_DETERMINISTIC | APUS_FORWARDS_KEY | APUS_ONE_TO_ONE,
#endif
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 2,
    .states = states,
    .timer_count = 1,
    .timers = timers,
#ifdef FAULT_C33
    .needs = needs,
#endif
#ifdef FAULT_D43
    .get_extension = get_extension,
#endif
};
static const apus_component *const components[] = {&tally};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    static apus_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = APUS_ABI_MINOR,
        .abi_minor_floor = APUS_ABI_MINOR_FLOOR,
#ifdef FAULT_C28
        .id = APUS_STR("Faulty"),
#else
        .id = APUS_STR("test.faulty"),
#endif
#ifdef FAULT_C30
        .version = APUS_STR("1.0"),
#else
        .version = APUS_STR("1.0.0"),
#endif
        .vendor = APUS_STR("Apus"),
        .component_count = 1,
        .components = components};
    (void)host, (void)error;
#ifdef FAULT_C29
    static char version[] = "1.0.0";
    plugin.version.data = version;
    version[4]++;
#endif
#ifdef FAULT_B24
    if (host->size != sizeof *host) return apus_fail(error, APUS_FATAL, "not my host"), NULL;
#endif
#ifdef FAULT_B26
    static int calls;
    if (calls++) abort();
#endif
#ifdef FAULT_B15
    return apus_fail(error, APUS_FATAL, "not today"), NULL;
#endif
    return &plugin;
}
