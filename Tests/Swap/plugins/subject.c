// The operator that is swapped. It keeps state of every kind per key and emits, for each record,
// all of it, and which version wrote the line; a timer for every fifth record emits one, too.
//
//   -DV=1|2|3           the schema of all states and of the timer
//   -DCODE=n            what lines say wrote them; V * 10 unless given
//   -DMIN_READABLE=n    the oldest schema that migrate takes
//   -DBACK              migrate goes back, too; nothing is new, and the timer stays as it is
//   -DFAULT_...         what is wrong with it
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "schema.h"

#ifndef CODE
#define CODE (V * 10)
#endif
#ifndef MIN_READABLE
#define MIN_READABLE 1
#endif
#ifdef BACK
#define TIMER_V 1
#else
#define TIMER_V V
#endif
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define PLUGIN_VERSION TEXT(V) "." TEXT(NUMBER) ".0"
#ifndef NUMBER
#define NUMBER 0
#endif

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

#ifdef FAULT_LOAD_CRASH
__attribute__((constructor)) static void crash_at_load(void) { *(volatile int *)16 = 1; }
#endif

// Of what is written in C++.
void throw_something(void);
void stay_resident(void);

typedef struct instance {
    int64_t pause_us;
    uint64_t handled;
    uint32_t subtask;
    // Between open and close.
    uint32_t is_open;
} instance;

static int64_t number_in(const uint8_t *text, uint64_t len, const char *name) {
    uint64_t name_len = strlen(name);
    for (uint64_t at = 0; at + name_len < len; at++) {
        if (memcmp(text + at, name, name_len)) continue;
        int64_t number = 0;
        for (at += name_len; at < len && text[at] >= '0' && text[at] <= '9'; at++) {
            number = number * 10 + (text[at] - '0');
        }
        return number;
    }
    return 0;
}

static int32_t create(const apus_args *args, void **self, apus_error *error) {
#ifdef FAULT_CREATE_CRASH
    *(volatile int *)16 = 1;
#endif
#ifdef FAULT_CREATE_FAILS
    return apus_fail(error, APUS_CONFIG, "this version does not want to be made");
#endif
#ifdef FAULT_CREATE_HANGS
    for (;;) pause();
#endif
    instance *made = calloc(1, sizeof *made);
    if (!made) return apus_fail(error, APUS_FATAL, "no memory");
    made->pause_us = number_in(args->config.data, args->config.len, "\"pause\":");
    made->subtask = args->subtask;
    *self = made;
    return APUS_OK;
}

// Its threads and files would be what a version has open: to be destroyed then is the host's fault.
static void destroy(void *self) {
    instance *own = self;
    if (own->is_open) {
        fprintf(stderr, "subject: version %d is destroyed, and was not closed\n", CODE);
        abort();
    }
    free(own);
}

#ifdef FAULT_THREAD
static void *run_for_ever(void *own) {
    volatile uint64_t *count = own;
    for (;;) {
        ++*count;
        usleep(1000);
    }
}
static uint64_t turns;
#endif

static int32_t open_instance(void *self, apus_ctx *ctx) {
    (void)ctx;
#ifdef FAULT_THREAD
    pthread_t thread;
    pthread_create(&thread, NULL, run_for_ever, &turns);
    pthread_detach(thread);
#endif
#ifdef FAULT_RESIDENT
    stay_resident();
#endif
    ((instance *)self)->is_open = 1;
    return APUS_OK;
}

// What a version that was replaced or taken back says last must be seen by nobody.
static void close_instance(void *self, apus_ctx *ctx) {
    (void)ctx;
    instance *own = self;
    if (!own->is_open) {
        fprintf(stderr, "subject: version %d is closed, and is not open\n", CODE);
        abort();
    }
    own->is_open = 0;
}

// Misbehaves when a record is handled. APUS_OK: go on.
static int32_t misbehave(instance *own, apus_ctx *ctx, uint32_t i, int64_t n) {
    (void)own, (void)ctx, (void)i, (void)n;
#ifdef FAULT_RECORD_CRASH
    *(volatile int *)16 = 1;
#endif
#ifdef FAULT_ABORT
    abort();
#endif
#ifdef FAULT_EXIT
    exit(0);
#endif
#ifdef FAULT_THROW
    throw_something();
#endif
#ifdef FAULT_FATAL
    return apus_fail(ctx->error, APUS_FATAL, "this version gives up");
#endif
#ifdef FAULT_SLOW
    usleep(3000);
#endif
#ifdef FAULT_HANG
    for (;;) pause();
#endif
#ifdef FAULT_LEAK
    char *lost = malloc(1 << 16);
    if (lost) memset(lost, 1, 1 << 16);
#endif
#ifdef FAULT_REJECTS
    if (n % 5 == 0) return apus_bad_record(ctx, i, "this version does not like it");
#endif
    return APUS_OK;
}

// Reads a state of a key; what is not there is 0.
static int32_t read_value(apus_ctx *ctx, uint32_t slot, uint32_t i, int64_t *number) {
    apus_bytes bytes;
    *number = 0;
    int32_t rc = ctx->state->value_get(ctx, slot, i, &bytes);
    if (rc == APUS_NOT_FOUND) return APUS_OK;
    if (rc != APUS_OK) return rc;
    if (decode(slot, V, bytes, number)) return APUS_OK;
    return apus_fail(ctx->error, APUS_FATAL, "state of another version, or damaged");
}

static int32_t write_value(apus_ctx *ctx, uint32_t slot, uint32_t i, int64_t number) {
    uint8_t bytes[32];
    return ctx->state->value_put(ctx, slot, i, bytes, encode(slot, V, number, bytes));
}

static int32_t count_seen(apus_ctx *ctx, uint32_t i, int64_t n, int64_t *seen) {
    char name[8];
    uint8_t bytes[32];
    apus_bytes found;
    uint64_t name_len = (uint64_t)snprintf(name, sizeof name, "m%lld", (long long)(n % 8));
    *seen = 0;
    int32_t rc = ctx->state->map_get(ctx, SEEN, i, name, name_len, &found);
    if (rc == APUS_OK && !decode(SEEN, V, found, seen)) {
        return apus_fail(ctx->error, APUS_FATAL, "an entry of another version, or damaged");
    }
    ++*seen;
    uint32_t len = encode(SEEN, V, *seen, bytes);
    return ctx->state->map_put(ctx, SEEN, i, name, name_len, bytes, len);
}

// All elements of the list, added up: they are of this version and in their order.
static int32_t add_log(apus_ctx *ctx, uint32_t i, int64_t *count, int64_t *total) {
    apus_cursor cursor = apus_cursor_all();
    apus_bytes values[16];
    uint32_t got;
    *count = *total = 0;
    for (;;) {
        int32_t rc = ctx->state->list_next(ctx, LOG, i, &cursor, values, 16, &got);
        if (rc == APUS_NOT_FOUND) return APUS_OK;
        if (rc != APUS_OK || got == 0) return rc;
        for (uint32_t j = 0; j < got; j++) {
            int64_t number;
            if (!decode(LOG, V, values[j], &number)) {
                return apus_fail(ctx->error, APUS_FATAL, "an element of another version");
            }
            ++*count;
            *total += number * *count;
        }
    }
}

static int32_t handle(instance *own, apus_ctx *ctx, const apus_batch *batch, uint32_t i) {
    const uint8_t *value, *key;
    uint32_t value_len, key_len;
    apus_value(batch, i, &value, &value_len);
    apus_key(batch, i, &key, &key_len);
    int64_t n = number_in(value, value_len, "\"n\":");
    int64_t sequence, sum, last, seen, count, total, extra = 0;
    int32_t rc = misbehave(own, ctx, i, n);
    if (rc != APUS_OK) return rc;
    if ((rc = ctx->state->counter_add(ctx, SEQUENCE, i, scale_of(V), &sequence))) return rc;
    sequence /= scale_of(V);
    if ((rc = read_value(ctx, SUM, i, &sum))) return rc;
    if ((rc = write_value(ctx, SUM, i, sum + n))) return rc;
    if ((rc = read_value(ctx, LAST, i, &last))) return rc;
    if ((rc = write_value(ctx, LAST, i, n))) return rc;
    if (sequence % 4 == 0) {
        uint8_t bytes[32];
        uint32_t len = encode(LOG, V, n, bytes);
        if ((rc = ctx->state->list_append(ctx, LOG, i, bytes, len))) return rc;
    }
    if ((rc = add_log(ctx, i, &count, &total))) return rc;
    if ((rc = count_seen(ctx, i, n, &seen))) return rc;
#if V > 1 && !defined BACK
    if ((rc = ctx->state->counter_add(ctx, 5, i, 1, &extra))) return rc;
#endif
    // What any version can tell of its state: there are no records with the number 0.
    if (sequence > 1 && (sum == 0 || last == 0)) ctx->counters[0]++;
    if (sequence / 4 != count) ctx->counters[0]++;
    if (sequence % 5 == 0) {
        char payload[32];
        int len = snprintf(payload, sizeof payload, "%s%lld", TIMER_V == 1 ? "" : "c" TEXT(V) ":",
                           (long long)sequence);
        rc = ctx->timers->set(ctx, 0, (uint64_t)sequence, i,
                              batch->ts[i] + DELAY_US + put_off(TIMER_V), payload, (uint64_t)len);
        if (rc != APUS_OK) return rc;
    }
#ifdef FAULT_WRONG_OUTPUT
    ctx->counters[0]++;
    sum = -sum;
#endif
    char text[320];
    int len = snprintf(
        text, sizeof text,
        "{\"k\":\"%.*s\",\"n\":%lld,\"c\":%lld,\"s\":%lld,\"p\":%lld,\"l\":%lld,\"t\":%lld,"
        "\"m\":%lld,\"x\":%lld,\"v\":%d}",
        (int)key_len, (const char *)key, (long long)n, (long long)sequence, (long long)(sum + n),
        (long long)last, (long long)count, (long long)total, (long long)seen, (long long)extra,
        CODE);
    return apus_emit_keyed(ctx->outs[0], batch, i, text, (uint32_t)len);
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
    instance *own = self;
    if (own->pause_us) usleep((useconds_t)own->pause_us);
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        if (apus_out_room(ctx->outs[0], 320)) return apus_at(ctx, i, APUS_YIELD);
        int32_t rc = handle(own, ctx, batch, i);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *batch = timers->batch;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
#ifdef FAULT_TIMER_CRASH
        *(volatile int *)16 = 1;
#endif
        if (apus_out_room(ctx->outs[0], 160)) return apus_at(ctx, i, APUS_YIELD);
        const uint8_t *payload, *key;
        uint32_t len, key_len;
        apus_value(batch, i, &payload, &len);
        apus_key(batch, i, &key, &key_len);
        char text[192];
        int n = snprintf(
            text, sizeof text, "{\"k\":\"%.*s\",\"d\":%llu,\"at\":%lld,\"payload\":\"%.*s\","
            "\"v\":%d}", (int)key_len, (const char *)key, (unsigned long long)timers->id[i],
            (long long)batch->ts[i], (int)len, (const char *)payload, CODE);
        int32_t rc = apus_emit_keyed(ctx->outs[0], batch, i, text, (uint32_t)n);
        if (rc != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

// MARK: Migration

#if V > 1
// Whether a migration of this key is one that goes wrong.
__attribute__((unused)) static int is_bad(apus_bytes key) {
    return key.len > 1 && key.data[key.len - 1] == '7';
}

static int32_t migrate(
    uint32_t slot, const apus_migration *from, apus_writer *writer, apus_error *error) {
    int64_t number;
    uint8_t bytes[40];
#ifdef FAULT_MIGRATE_CRASH
    if (is_bad(from->key)) *(volatile int *)16 = 1;
#endif
#ifdef FAULT_MIGRATE_FAILS
    if (slot == SUM && is_bad(from->key)) {
        return apus_fail(error, APUS_INCOMPATIBLE, "this key has what nobody can read");
    }
#endif
#ifdef FAULT_MIGRATE_DROPS
    if ((slot == SUM || slot == LOG) && is_bad(from->key)) return APUS_NOT_FOUND;
#endif
#ifdef FAULT_MIGRATE_LOOPS
    while (is_bad(from->key)) usleep(1000);
#endif
    if (!decode(slot, from->from_version, from->value, &number)) {
        return apus_fail(error, APUS_INCOMPATIBLE, "not the bytes of the version it names");
    }
#ifdef FAULT_MIGRATE_IMPURE
    static int64_t calls;
    number += calls++;
#endif
    return writer->write(writer, bytes, encode(slot, from->to_version, number, bytes));
}

#define MIGRATE(name, slot)                                                                  \
    __attribute__((unused)) static int32_t migrate_##name(                                   \
        const apus_migration *from, apus_writer *writer, apus_error *error) {                \
        return migrate(slot, from, writer, error);                                           \
    }
MIGRATE(sequence, SEQUENCE)
MIGRATE(sum, SUM)
MIGRATE(last, LAST)
MIGRATE(log, LOG)
MIGRATE(seen, SEEN)

__attribute__((unused)) static int32_t migrate_due(
    const apus_timer_migration *from, apus_timer_target *target, apus_writer *writer,
    apus_error *error) {
    (void)error;
    char payload[32];
    target->time_us = from->time_us - put_off(from->from_version) + put_off(from->to_version);
    int len = snprintf(payload, sizeof payload, "c%u:%llu", from->to_version,
                       (unsigned long long)from->id);
    return writer->write(writer, payload, (uint64_t)len);
}
#endif

#if V > 1 && !defined FAULT_NO_MIGRATE
#define MIGRATED(name) .min_readable = MIN_READABLE, .migrate = migrate_##name,
#else
#define MIGRATED(name)
#endif
#ifdef BACK
#define FLAGS .migration_flags = APUS_MIGRATES_BACK,
#else
#define FLAGS
#endif

// MARK: Description

static const apus_state_decl sequence_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_COUNTER, .name = APUS_STR("sequence"),
    .schema_version = V, MIGRATED(sequence) FLAGS};
static const apus_state_decl sum_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_VALUE, .name = APUS_STR("sum"),
    .schema_version = V, .fixed_len = 8 * V, MIGRATED(sum) FLAGS};
static const apus_state_decl last_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_VALUE,
#if V > 1
    .name = APUS_STR("last"), .renamed_from = APUS_STR("text"),
#else
    .name = APUS_STR("text"),
#endif
    .schema_version = V, MIGRATED(last) FLAGS};
static const apus_state_decl log_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_LIST, .name = APUS_STR("log"),
    .schema_version = V, MIGRATED(log) FLAGS};
static const apus_state_decl seen_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_MAP, .name = APUS_STR("seen"),
    .schema_version = V, MIGRATED(seen) FLAGS};
#if V > 1 && !defined BACK
static const apus_state_decl extra_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_COUNTER, .name = APUS_STR("extra"),
    .schema_version = 1};
#endif
static const apus_state_decl *const states[] = {
    &sequence_state, &sum_state, &last_state, &log_state, &seen_state,
#if V > 1 && !defined BACK
    &extra_state,
#endif
};

static const apus_timer_decl due_timer = {
    .size = sizeof(apus_timer_decl), .domain = APUS_EVENT_TIME, .name = APUS_STR("due"),
    .schema_version = TIMER_V,
#if TIMER_V > 1
    .min_readable = MIN_READABLE, .migrate = migrate_due,
#endif
};
static const apus_timer_decl *const timers[] = {&due_timer};

static const apus_counter_decl violations = {
    .size = sizeof(apus_counter_decl), .name = APUS_STR("violations"),
    .summary = APUS_STR("state that contradicts itself")};
static const apus_counter_decl *const counters[] = {&violations};

static const apus_port main_port = {
    .size = sizeof(apus_port), .name = APUS_STR("main"), .summary = APUS_STR("all state")};
static const apus_port *const outputs[] = {&main_port};

static const apus_operator_vt functions = {
    .size = sizeof(apus_operator_vt), .open = open_instance, .close = close_instance,
    .process = process, .on_timers = on_timers};

static const apus_component subject = {
    .size = sizeof(apus_component), .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &functions, .id = APUS_STR("subject"), .summary = APUS_STR("is swapped"),
    .flags = APUS_KEYED, .input_count = 1, .output_count = 1, .outputs = outputs,
    .state_count = sizeof states / sizeof *states, .states = states, .timer_count = 1,
    .timers = timers, .counter_count = 1, .counters = counters};
static const apus_component *const components[] = {&subject};

static const apus_plugin plugin = {
    .size = sizeof(apus_plugin), .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR_FLOOR, .id = APUS_STR("test.subject"),
    .version = APUS_STR(PLUGIN_VERSION), .vendor = APUS_STR("Nobody"), .component_count = 1,
    .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
