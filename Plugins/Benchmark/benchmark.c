// Operators to measure the runtime with: as little work of their own as possible.
//
//   keyed-count   counts the records of each key; emits (key, count as 8 bytes, little-endian)
//   passthrough   hands every record on without copying it
//   timers        sets one event-time timer per record, 1 ms after it; emits a record when it fires
//   store         keeps the last value of each key; emits (key, its first 8 bytes and the length of
//                 the value before, 8 bytes, little-endian)
//   store-2       the same with another schema: 8 zeros behind each value that `store` has left
//   stamp, stamp-2  write 1 or 2 into a record of 16 bytes: into the 9th for an operator of the id
//                 `top`, into the 10th for `left`, the 11th for `right`, the 12th for any other
//   arm           sets the event-time timer that a value names: id and time, 8 bytes each,
//                 little-endian; emits (key, id) when it fires
//   nothing       does nothing with its records, so that only the call is left
//   filter        hands on the records whose value begins with an even byte
//   ask           makes an asynchronous call for each record, which a thread answers after 1 ms
//
// Source and sink are in endpoints.c.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "apus/apus.h"

#include "endpoints.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

// How many records value_mut_many gets at once: 8 KiB of pointers, which stay in the first cache.
#define CHUNK 1024u

#define TIMER_DELAY_US 1000

// No operator here has a configuration or memory of its own: an instance is any non-null pointer.
static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static char instance;
    (void)args, (void)error;
    *self = &instance;
    return APUS_OK;
}

static void destroy(void *self) {
    (void)self;
}

static int32_t keyed_count(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    apus_out *out = ctx->outs[0];
    void *counts[CHUNK];
    for (uint32_t first = ctx->at; first < b->count; first += CHUNK) {
        uint32_t n = b->count - first < CHUNK ? b->count - first : CHUNK;
        int32_t rc = ctx->state->value_mut_many(ctx, 0, first, n, counts, NULL);
        if (rc != APUS_OK) return apus_at(ctx, first, rc);
        for (uint32_t i = 0; i < n; i++) {
            // Asked for before counting, so that a record that is called again counts once.
            if (apus_out_room(out, sizeof(uint64_t))) return apus_at(ctx, first + i, APUS_YIELD);
            uint64_t count = ++*(uint64_t *)counts[i];
            apus_emit_keyed(out, b, first + i, &count, sizeof count);
        }
    }
    return APUS_OK;
}

static int32_t pass_through(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    apus_out *out = ctx->outs[0];
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (apus_forward(out, b, i)) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

static int32_t nothing(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self, (void)ctx, (void)b;
    return APUS_OK;
}

static int32_t filter(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    apus_out *out = ctx->outs[0];
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t len;
        apus_value(b, i, &value, &len);
        if (len == 0 || value[0] & 1) continue;
        if (apus_forward(out, b, i)) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

// ---- Asynchronous calls: a service that answers each after a millisecond, in a thread of its own

#define ANSWER_NS 1000000
#define PENDING_MAX (1u << 17)

typedef struct service {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t instance;
    int is_closing;
    uint32_t first, count;
    struct {
        uint64_t token;
        int64_t due_ns;
    } pending[PENDING_MAX];
} service;

static const apus_async_api *async_api;

static int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *answer(void *argument) {
    service *s = argument;
    pthread_mutex_lock(&s->lock);
    while (!s->is_closing) {
        if (s->count == 0) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        int64_t due = s->pending[s->first].due_ns, now = monotonic_ns();
        if (due > now) {
            pthread_mutex_unlock(&s->lock);
            struct timespec wait = {0, due - now};
            nanosleep(&wait, NULL);
            pthread_mutex_lock(&s->lock);
            continue;
        }
        uint64_t token = s->pending[s->first].token;
        s->first = (s->first + 1) % PENDING_MAX;
        s->count--;
        pthread_mutex_unlock(&s->lock);
        apus_result result = {{NULL, 0}, {(const uint8_t *)&token, 8}, APUS_NO_TIME, 0, 0};
        async_api->complete(s->instance, token, APUS_OK, &result, 1);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int32_t create_service(const apus_args *args, void **self, apus_error *error) {
    service *s = calloc(1, sizeof *s);
    if (!s) return apus_fail(error, APUS_FATAL, "no memory for the service");
    s->instance = args->instance;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (pthread_create(&s->thread, NULL, answer, s)) {
        free(s);
        return apus_fail(error, APUS_FATAL, "no thread for the service");
    }
    *self = s;
    return APUS_OK;
}

static void destroy_service(void *self) {
    service *s = self;
    pthread_mutex_lock(&s->lock);
    s->is_closing = 1;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    free(s);
}

static int32_t ask(void *self, apus_ctx *ctx, const apus_batch *b) {
    service *s = self;
    pthread_mutex_lock(&s->lock);
    int64_t due = monotonic_ns() + ANSWER_NS;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        uint64_t token;
        if (s->count == PENDING_MAX || async_api->begin(ctx, i, 0, 0, &token) != APUS_OK) {
            pthread_mutex_unlock(&s->lock);
            return apus_at(ctx, i, APUS_YIELD);
        }
        uint32_t at = (s->first + s->count++) % PENDING_MAX;
        s->pending[at].token = token;
        s->pending[at].due_ns = due;
    }
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return APUS_OK;
}

static int32_t set_timers(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t ts = b->ts[i];
        if (ts == APUS_NO_TIME) return apus_bad_record(ctx, i, "the record has no event time");
        int32_t rc = ctx->timers->set(ctx, 0, (uint64_t)ts, i, ts + TIMER_DELAY_US, NULL, 0);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        ctx->counters[0]++;
    }
    return APUS_OK;
}

static int32_t fire_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int32_t rc = apus_emit_keyed(ctx->outs[0], b, i, &timers->id[i], sizeof timers->id[i]);
        if (rc != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
        ctx->counters[1]++;
    }
    return APUS_OK;
}

static int32_t store(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    apus_out *out = ctx->outs[0];
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t length;
        apus_value(b, i, &value, &length);
        if (length < sizeof(uint64_t)) return apus_bad_record(ctx, i, "the value is too short");
        uint64_t stamp[2] = {0, 0};
        memcpy(&stamp[0], value, sizeof stamp[0]);
        // Asked for before storing, so that a record that is called again finds what was before it.
        if (apus_out_room(out, sizeof stamp)) return apus_at(ctx, i, APUS_YIELD);
        apus_bytes before;
        int32_t rc = ctx->state->value_get(ctx, 0, i, &before);
        if (rc == APUS_OK) stamp[1] = before.len;
        else if (rc != APUS_NOT_FOUND) return apus_at(ctx, i, rc);
        rc = ctx->state->value_put(ctx, 0, i, value, length);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        apus_emit_keyed(out, b, i, stamp, sizeof stamp);
    }
    return APUS_OK;
}

// ---- A version of itself in each record, at a place for each operator of a diamond

typedef struct stamper {
    uint8_t place, version;
} stamper;

static const stamper stampers[2][4] = {
    {{8, 1}, {9, 1}, {10, 1}, {11, 1}}, {{8, 2}, {9, 2}, {10, 2}, {11, 2}}};

static int32_t create_stamper(const stamper *all, const apus_args *args, void **self) {
    static const char *const names[] = {"top", "left", "right"};
    uint32_t at = 0;
    while (at < 3 && (args->operator_id.len != strlen(names[at]) ||
                      memcmp(args->operator_id.data, names[at], args->operator_id.len))) {
        at++;
    }
    *self = (void *)&all[at];
    return APUS_OK;
}

static int32_t create_stamp(const apus_args *args, void **self, apus_error *error) {
    (void)error;
    return create_stamper(stampers[0], args, self);
}

static int32_t create_stamp_2(const apus_args *args, void **self, apus_error *error) {
    (void)error;
    return create_stamper(stampers[1], args, self);
}

static int32_t stamp(void *self, apus_ctx *ctx, const apus_batch *b) {
    const stamper *own = self;
    apus_out *out = ctx->outs[0];
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t length;
        apus_value(b, i, &value, &length);
        uint8_t stamped[16];
        if (length != sizeof stamped) return apus_bad_record(ctx, i, "the value is not 16 bytes");
        if (apus_out_room(out, sizeof stamped)) return apus_at(ctx, i, APUS_YIELD);
        memcpy(stamped, value, sizeof stamped);
        stamped[own->place] = own->version;
        apus_emit_keyed(out, b, i, stamped, sizeof stamped);
    }
    return APUS_OK;
}

static int32_t arm(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *value;
        uint32_t length;
        apus_value(b, i, &value, &length);
        uint64_t id;
        int64_t time;
        if (length != sizeof id + sizeof time) {
            return apus_bad_record(ctx, i, "the value is no id and time of 8 bytes each");
        }
        memcpy(&id, value, sizeof id);
        memcpy(&time, value + sizeof id, sizeof time);
        int32_t rc = ctx->timers->set(ctx, 0, id, i, time, NULL, 0);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        ctx->counters[0]++;
    }
    return APUS_OK;
}

static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("one record for each")};
static const apus_port *const outputs[] = {&main_port};

static const apus_state_decl count_state = {
    .size = sizeof count_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("count"),
    .schema_version = 1,
    .fixed_len = sizeof(uint64_t),
    .schema = APUS_STR("u64, little-endian")};
static const apus_state_decl *const states[] = {&count_state};

static const apus_state_decl value_state = {
    .size = sizeof value_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("value"),
    .schema_version = 1,
    .schema = APUS_STR("bytes")};
static const apus_state_decl *const stored_states[] = {&value_state};

static int32_t grow(const apus_migration *m, apus_writer *w, apus_error *error) {
    static const uint64_t zero;
    (void)error;
    int32_t rc = w->write(w, m->value.data, m->value.len);
    if (rc != APUS_OK || m->to_version < m->from_version) return rc;
    return w->write(w, &zero, sizeof zero);
}

static const apus_state_decl grown_state = {
    .size = sizeof grown_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("value"),
    .schema_version = 2,
    .schema = APUS_STR("bytes, and 8 zeros if it was migrated"),
    .min_readable = 1,
    .migration_flags = APUS_MIGRATES_BACK,
    .migrate = grow};
static const apus_state_decl *const grown_states[] = {&grown_state};

static const apus_timer_decl due_timer = {
    .size = sizeof due_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("due")};
static const apus_timer_decl *const timer_names[] = {&due_timer};

static const apus_counter_decl sets_counter = {
    .size = sizeof sets_counter, .name = APUS_STR("sets"), .summary = APUS_STR("timers set")};
static const apus_counter_decl fires_counter = {
    .size = sizeof fires_counter, .name = APUS_STR("fires"), .summary = APUS_STR("timers fired")};
static const apus_counter_decl *const counters[] = {&sets_counter, &fires_counter};

static const apus_operator_vt keyed_count_vt = {
    .size = sizeof keyed_count_vt, .process = keyed_count};
static const apus_operator_vt pass_through_vt = {
    .size = sizeof pass_through_vt, .process = pass_through};
static const apus_operator_vt timers_vt = {
    .size = sizeof timers_vt, .process = set_timers, .on_timers = fire_timers};

static const apus_operator_vt store_vt = {.size = sizeof store_vt, .process = store};
static const apus_operator_vt stamp_vt = {.size = sizeof stamp_vt, .process = stamp};
static const apus_operator_vt arm_vt = {
    .size = sizeof arm_vt, .process = arm, .on_timers = fire_timers};

static const apus_operator_vt nothing_vt = {.size = sizeof nothing_vt, .process = nothing};
static const apus_operator_vt filter_vt = {.size = sizeof filter_vt, .process = filter};
static const apus_operator_vt ask_vt = {.size = sizeof ask_vt, .process = ask};

static const apus_component keyed_count_component = {
    .size = sizeof keyed_count_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &keyed_count_vt,
    .id = APUS_STR("keyed-count"),
    .summary = APUS_STR("counts the records of each key"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 1,
    .states = states};

static const apus_component pass_through_component = {
    .size = sizeof pass_through_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &pass_through_vt,
    .id = APUS_STR("passthrough"),
    .summary = APUS_STR("hands every record on"),
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs};

static const apus_component nothing_component = {
    .size = sizeof nothing_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &nothing_vt,
    .id = APUS_STR("nothing"),
    .summary = APUS_STR("does nothing with its records"),
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs};

static const apus_component filter_component = {
    .size = sizeof filter_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &filter_vt,
    .id = APUS_STR("filter"),
    .summary = APUS_STR("hands on the records whose value begins with an even byte"),
    .flags = APUS_FILTER_ONLY | APUS_DETERMINISTIC,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs};

static const char *const needs_async[] = {APUS_ASYNC, NULL};

static const apus_component ask_component = {
    .size = sizeof ask_component,
    .kind = APUS_OPERATOR,
    .create = create_service,
    .destroy = destroy_service,
    .vt = &ask_vt,
    .id = APUS_STR("ask"),
    .summary = APUS_STR("makes a call for each record, which is answered after 1 ms"),
    .flags = APUS_ASYNCHRONOUS,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .needs = needs_async};

static const apus_component timers_component = {
    .size = sizeof timers_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &timers_vt,
    .id = APUS_STR("timers"),
    .summary = APUS_STR("sets a timer for each record"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .timer_count = 1,
    .timers = timer_names,
    .counter_count = 2,
    .counters = counters};

static const apus_component store_component = {
    .size = sizeof store_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &store_vt,
    .id = APUS_STR("store"),
    .summary = APUS_STR("keeps the last value of each key"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 1,
    .states = stored_states};

static const apus_component store_2_component = {
    .size = sizeof store_2_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &store_vt,
    .id = APUS_STR("store-2"),
    .summary = APUS_STR("keeps the last value of each key, with another schema"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .state_count = 1,
    .states = grown_states};

static const apus_component stamp_component = {
    .size = sizeof stamp_component,
    .kind = APUS_OPERATOR,
    .create = create_stamp,
    .destroy = destroy,
    .vt = &stamp_vt,
    .id = APUS_STR("stamp"),
    .summary = APUS_STR("writes 1 into each record"),
    .flags = APUS_KEYED,
    .input_count = 2,
    .output_count = 1,
    .outputs = outputs};

static const apus_component stamp_2_component = {
    .size = sizeof stamp_2_component,
    .kind = APUS_OPERATOR,
    .create = create_stamp_2,
    .destroy = destroy,
    .vt = &stamp_vt,
    .id = APUS_STR("stamp-2"),
    .summary = APUS_STR("writes 2 into each record"),
    .flags = APUS_KEYED,
    .input_count = 2,
    .output_count = 1,
    .outputs = outputs};

static const apus_component arm_component = {
    .size = sizeof arm_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &arm_vt,
    .id = APUS_STR("arm"),
    .summary = APUS_STR("sets the timer that each record names"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .timer_count = 1,
    .timers = timer_names,
    .counter_count = 2,
    .counters = counters};

static const apus_component *const components[] = {
    &keyed_count_component, &pass_through_component, &timers_component, &store_component,
    &arm_component,         &nothing_component,      &filter_component, &ask_component,
    &generate_component,    &discard_component,      &store_2_component,
    &stamp_component,       &stamp_2_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = 1,
    .id = APUS_STR("apus.benchmark"),
    .version = APUS_STR("0.1.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = sizeof components / sizeof components[0],
    .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)error;
    if (APUS_HAS(host, get_extension)) async_api = host->get_extension(APUS_ASYNC);
    return &plugin;
}
