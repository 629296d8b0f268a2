// A sound operator that makes asynchronous calls, and with -DFAULT_<CHECK> one with a fault.
//
//   ask  hands each record to a thread of the instance's own, which answers with the value
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

typedef struct call {
    struct call *next;
    uint64_t token;
    uint32_t len;
    uint8_t bytes[];
} call;

typedef struct {
    uint64_t instance;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    call *first;
    call **end;
    int is_closing;
    uint64_t answers;
} service;

static const apus_async_api *api;

static int answer(service *s, call *c) {
    apus_result result = {.value = {c->bytes, c->len}, .ts = APUS_NO_TIME};
#ifdef FAULT_G78
    static uint8_t number;
    number++;
    result.value = (apus_bytes){&number, 1};
#endif
#ifdef FAULT_G80
    usleep(2000);  // slow enough to be given up at all
#endif
    s->answers++;
    return api->complete(s->instance, c->token, APUS_OK, &result, 1);
}

static void *serve(void *argument) {
    service *s = argument;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->first && !s->is_closing) pthread_cond_wait(&s->changed, &s->lock);
        call *c = s->first;
        if (!c) break;
        s->first = c->next;
        if (!s->first) s->end = &s->first;
        pthread_mutex_unlock(&s->lock);
        int stale = answer(s, c) == APUS_STALE;
        (void)stale;
#ifdef FAULT_D40
        if (stale) abort();
#endif
        free(c);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    service *s = calloc(1, sizeof *s);
    if (!s) return apus_fail(error, APUS_FATAL, "no memory");
    s->instance = args->instance;
    s->end = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    *self = s;
    return APUS_OK;
}

static void destroy(void *self) {
    free(self);
}

static int32_t open_it(void *self, apus_ctx *ctx) {
    service *s = self;
    if (pthread_create(&s->thread, NULL, serve, s)) {
        return apus_fail(ctx->error, APUS_FATAL, "no thread");
    }
    return APUS_OK;
}

static void close_it(void *self, apus_ctx *ctx) {
    service *s = self;
    (void)ctx;
    pthread_mutex_lock(&s->lock);
    s->is_closing = 1;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
}

static int32_t ask(service *s, apus_ctx *ctx, const apus_batch *b, uint32_t i) {
    const uint8_t *value;
    uint32_t len;
    apus_value(b, i, &value, &len);
    call *c = malloc(sizeof *c + len);
    if (!c) return apus_fail(ctx->error, APUS_FATAL, "no memory");
    c->next = NULL;
    c->len = len;
    memcpy(c->bytes, value, len);
    int32_t rc = api->begin(ctx, i, 0, 0, &c->token);
    if (rc != APUS_OK) {
        free(c);
        return rc == APUS_LIMIT ? APUS_YIELD : rc;
    }
    pthread_mutex_lock(&s->lock);
    *s->end = c;
    s->end = &c->next;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return APUS_OK;
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    for (uint32_t i = ctx->at; i < b->count; i++) {
#ifdef FAULT_G81
        if (b->flags & APUS_BATCH_AGAIN) continue;
#endif
        int32_t rc = ask(self, ctx, b, i);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
#ifdef FAULT_G79
        rc = ask(self, ctx, b, i);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
#endif
    }
    return APUS_OK;
}

static void cancel(void *self, uint64_t token, uint64_t user) {
    (void)self, (void)token, (void)user;
#ifdef FAULT_G80
    abort();
#endif
}

static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("answers")};
static const apus_port *const outputs[] = {&main_port};

static const apus_operator_vt functions = {
    .size = sizeof functions,
    .open = open_it,
    .close = close_it,
    .process = process,
    .cancel = cancel};

static const char *const needs[] = {APUS_ASYNC, NULL};

static const apus_component component = {
    .size = sizeof component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("ask"),
    .summary = APUS_STR("asks a thread"),
    .flags = APUS_ASYNCHRONOUS,
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .needs = needs};
static const apus_component *const components[] = {&component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR,
    .id = APUS_STR("test.faulty-async"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = 1,
    .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    api = host->get_extension(APUS_ASYNC);
    if (!api) return apus_fail(error, APUS_FATAL, "needs apus.async/1"), NULL;
    return &plugin;
}
