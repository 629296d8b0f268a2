// Operators that make asynchronous calls to a thread of their own, which answers after a while that
// depends on the value: so answers come out of order. The configuration's `mode` says how:
//
//   echo     answers with the value
//   inside   the same, before begin's caller has returned
//   flaky    fails each call the first time, and answers when it is begun again
//   failing  fails every call, and says why
//   never    never answers
//   twice    answers twice and with forged tokens; counts those that were not refused as `wrong`
//   greedy   begins three calls for each record
//   nothing  answers without results
//   late     answers only after the instance is closed; must be refused
//   event    posts an event for each record, and begins no call
//
// `calls` lets results leave as they are; `tally` counts per key when an answer comes, and breaks
// the job when event time has passed a record whose call was under way.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

enum mode { ECHO, INSIDE, FLAKY, FAILING, NEVER, TWICE, GREEDY, NOTHING, LATE, EVENT };
static const char *const modes[] = {"echo",  "inside", "flaky",   "failing", "never",
                                    "twice", "greedy", "nothing", "late",    "event"};

typedef struct call {
    struct call *next;
    int64_t due_ns;
    uint64_t token;
    int32_t status;
    uint32_t len;
    uint8_t bytes[];
} call;

typedef struct {
    enum mode mode;
    uint64_t instance;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    call *first;
    int is_closing;
    uint64_t wrong;  // completions that should have been refused
    uint64_t event;
} service;

enum { COUNTER_WRONG, COUNTER_CANCELLED };

static const apus_async_api *api;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int32_t answer(service *s, const call *c) {
    apus_result result = {{NULL, 0}, {c->bytes, c->len}, APUS_NO_TIME, 0, 0};
    if (c->status < 0) result.value = (apus_bytes){(const uint8_t *)"no luck", 7};
    return api->complete(s->instance, c->token, c->status, &result, s->mode == NOTHING ? 0 : 1);
}

static void answer_in_a_row(service *s, const call *c) {
    answer(s, c);
    if (s->mode != TWICE) return;
    // The same again, an older one of the same place, places that there are not.
    uint64_t forged[] = {c->token, c->token - (1ull << 32), c->token | 0xFFFFFF, 0, UINT64_MAX};
    call *wrong = malloc(sizeof *c + c->len);
    memcpy(wrong, c, sizeof *c + c->len);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        wrong->token = forged[i];
        if (answer(s, wrong) != APUS_STALE) s->wrong++;
    }
    free(wrong);
}

static void *serve(void *argument) {
    service *s = argument;
    pthread_mutex_lock(&s->lock);
    while (!s->is_closing) {
        call *c = s->first;
        int64_t now = now_ns();
        if (c && c->due_ns <= now) {
            s->first = c->next;
            pthread_mutex_unlock(&s->lock);
            answer_in_a_row(s, c);
            free(c);
            pthread_mutex_lock(&s->lock);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        int64_t wait = c && c->due_ns - now < 10000000 ? c->due_ns - now : 10000000;
        until.tv_nsec += wait % 1000000000;
        until.tv_sec += wait / 1000000000 + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&s->changed, &s->lock, &until);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    service *s = calloc(1, sizeof *s);
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)args->config.len, (const char *)args->config.data);
    size_t found = 0;
    while (found < sizeof modes / sizeof *modes && !strstr(text, modes[found])) found++;
    if (found == sizeof modes / sizeof *modes) {
        free(s);
        return apus_fail(error, APUS_CONFIG, "expected a mode");
    }
    s->mode = (enum mode)found;
    s->instance = args->instance;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    pthread_create(&s->thread, NULL, serve, s);
    *self = s;
    return APUS_OK;
}

// Answers everything when nobody wants to know any more.
static void *answer_late(void *argument) {
    service *s = argument;
    usleep(20000);
    uint64_t accepted = 0;
    for (call *c = s->first; c;) {
        call *next = c->next;
        if (answer(s, c) != APUS_STALE) accepted++;
        free(c);
        c = next;
    }
    // The service itself is not freed: destroy may come before this or after it.
    if (accepted || api->post(s->instance, 1) != APUS_STALE) abort();
    return NULL;
}

static void close_instance(void *self, apus_ctx *ctx) {
    service *s = self;
    pthread_mutex_lock(&s->lock);
    s->is_closing = 1;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    ctx->counters[COUNTER_WRONG] += s->wrong;
    if (s->mode != LATE) return;
    pthread_t thread;
    pthread_create(&thread, NULL, answer_late, s);
    pthread_detach(thread);
}

static void destroy(void *self) {
    service *s = self;
    if (s->mode == LATE) return;
    pthread_mutex_lock(&s->lock);
    int is_running = !s->is_closing;
    s->is_closing = 1;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (is_running) pthread_join(s->thread, NULL);
    for (call *c = s->first; c;) {
        call *next = c->next;
        free(c);
        c = next;
    }
    free(s);
}

static void ask(service *s, uint64_t token, const uint8_t *bytes, uint32_t len, int is_again) {
    call *c = malloc(sizeof *c + len);
    uint64_t hash = token * 0x9E3779B97F4A7C15ull;
    for (uint32_t i = 0; i < len; i++) hash = (hash ^ bytes[i]) * 0x100000001B3ull;
    *c = (call){NULL, now_ns() + (int64_t)(hash >> 33 & 0xFFFFF), token, APUS_OK, len};
    if (s->mode == FAILING || (s->mode == FLAKY && !is_again)) c->status = APUS_RETRY;
    memcpy(c->bytes, bytes, len);
    if (s->mode == INSIDE) {
        answer(s, c);
        free(c);
        return;
    }
    pthread_mutex_lock(&s->lock);
    call **at = &s->first;
    if (s->mode != NEVER && s->mode != LATE) {
        while (*at && (*at)->due_ns <= c->due_ns) at = &(*at)->next;
    } else {
        c->due_ns = INT64_MAX;
    }
    c->next = *at;
    *at = c;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    service *s = self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        const uint8_t *bytes;
        uint32_t len;
        apus_value(b, i, &bytes, &len);
        if (s->mode == EVENT) {
            api->post(s->instance, s->event++ % 3);
            continue;
        }
        uint64_t tokens[3];
        int wanted = s->mode == GREEDY ? 3 : 1, got = 0;
        while (got < wanted && api->begin(ctx, i, 0, i, &tokens[got]) == APUS_OK) got++;
        if (got < wanted) {
            // What was begun for this record is answered without results: it comes again.
            for (int k = 0; k < got; k++) api->complete(s->instance, tokens[k], APUS_OK, NULL, 0);
            return apus_at(ctx, i, APUS_YIELD);
        }
        for (int k = 0; k < got; k++) {
            ask(s, tokens[k], bytes, len, (b->flags & APUS_BATCH_AGAIN) != 0);
        }
    }
    return APUS_OK;
}

static int32_t on_async(void *self, apus_ctx *ctx, const apus_async_batch *calls) {
    (void)self;
    const apus_batch *b = calls->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (calls->status[i] != APUS_OK) return apus_bad_record(ctx, i, "the call has failed");
        if (calls->first[i + 1] - calls->first[i] != 1) {
            return apus_fail(ctx->error, APUS_FATAL, "expected one result");
        }
        if (ctx->watermark_us >= b->ts[i] && b->ts[i] != APUS_NO_TIME) {
            return apus_fail(ctx->error, APUS_FATAL, "event time has passed a call under way");
        }
        const uint8_t *key;
        uint32_t key_len;
        apus_key(b, i, &key, &key_len);
        apus_observe(ctx, 0, calls->results[calls->first[i]].value.len);
        int64_t count;
        int32_t rc = ctx->state->counter_add(ctx, 0, i, 1, &count);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        char text[64];
        int n = snprintf(text, sizeof text, "%.*s:%lld", (int)key_len, (const char *)key,
                         (long long)count);
        rc = apus_emit_keyed(ctx->outs[0], b, i, text, (uint32_t)n);
        if (rc != APUS_OK) {
            ctx->state->counter_add(ctx, 0, i, -1, NULL);
            return apus_at(ctx, i, rc);
        }
    }
    return APUS_OK;
}

static uint64_t cancelled;

static void cancel(void *self, uint64_t token, uint64_t user) {
    (void)self, (void)token, (void)user;
    __atomic_add_fetch(&cancelled, 1, __ATOMIC_RELAXED);
}

static int32_t on_event(void *self, apus_ctx *ctx, uint64_t event) {
    (void)self;
    char text = (char)('0' + event);
    return apus_emit(ctx->outs[0], NULL, 0, &text, 1, APUS_NO_TIME);
}

static int32_t on_watermark(void *self, apus_ctx *ctx, int64_t watermark) {
    (void)self, (void)watermark;
    ctx->counters[COUNTER_CANCELLED] = __atomic_load_n(&cancelled, __ATOMIC_RELAXED);
    return APUS_OK;
}

static const apus_operator_vt calls_vt = {
    .size = sizeof(apus_operator_vt), .close = close_instance, .process = process,
    .on_watermark = on_watermark, .cancel = cancel, .on_event = on_event};
static const apus_operator_vt tally_vt = {
    .size = sizeof(apus_operator_vt), .close = close_instance, .process = process,
    .on_watermark = on_watermark, .on_async = on_async, .cancel = cancel};

static const apus_port port = {.size = sizeof(apus_port), .name = APUS_STR("main")};
static const apus_port *const ports[] = {&port};
static const apus_counter_decl wrong_decl = {
    .size = sizeof(apus_counter_decl), .name = APUS_STR("wrong")};
static const apus_counter_decl cancelled_decl = {
    .size = sizeof(apus_counter_decl), .flags = APUS_GAUGE, .name = APUS_STR("cancelled")};
static const apus_counter_decl *const counters[] = {&wrong_decl, &cancelled_decl};
static const apus_state_decl count_decl = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_COUNTER, .name = APUS_STR("count"),
    .schema_version = 1};
static const apus_state_decl *const states[] = {&count_decl};

static const apus_histogram_decl bytes_decl = {
    .size = sizeof(apus_histogram_decl), .name = APUS_STR("answer_bytes")};
static const apus_histogram_decl *const histograms[] = {&bytes_decl};

static const char *const needs[] = {APUS_ASYNC, NULL};
static const apus_component calls_component = {
    .size = sizeof(apus_component), .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &calls_vt, .id = APUS_STR("calls"), .flags = APUS_ASYNCHRONOUS, .input_count = 1,
    .output_count = 1, .outputs = ports, .counter_count = 2, .counters = counters, .needs = needs};
static const apus_component tally_component = {
    .size = sizeof(apus_component), .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &tally_vt, .id = APUS_STR("tally"), .flags = APUS_ASYNCHRONOUS | APUS_KEYED,
    .input_count = 1, .output_count = 1, .outputs = ports, .state_count = 1, .states = states,
    .histogram_count = 1, .histograms = histograms,
    .counter_count = 2, .counters = counters, .needs = needs};
static const apus_component *const components[] = {&calls_component, &tally_component};
static const apus_plugin plugin = {
    .size = sizeof(apus_plugin), .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR_FLOOR, .id = APUS_STR("test.async"),
    .version = APUS_STR("1.0.0"), .component_count = 2, .components = components};

const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    api = host->get_extension(APUS_ASYNC);
    if (!api) {
        apus_fail(error, APUS_UNSUPPORTED, "the host has no asynchronous calls");
        return NULL;
    }
    return &plugin;
}
