// Asks somebody else about each record: a thread of its own, which answers after some milliseconds.
//
//   -DV=1|2     the schema of its counter, and what lines say
//
// Counts the answers per key. A call that is lost makes a line too few, an answer that is taken
// twice one too many.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

#define SCALE (V == 1 ? 1 : 10)
#define CAPACITY 4096

static const apus_host *the_host;
static const apus_async_api *async;

typedef struct question {
    uint64_t token;
    uint32_t len;
    char text[128];
} question;

typedef struct instance {
    uint64_t number;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    uint32_t first, count, is_over;
    question questions[CAPACITY];
} instance;

static void *answer_all(void *self) {
    instance *own = self;
    for (;;) {
        pthread_mutex_lock(&own->lock);
        while (!own->count && !own->is_over) pthread_cond_wait(&own->bell, &own->lock);
        if (own->is_over) {
            pthread_mutex_unlock(&own->lock);
            return NULL;
        }
        question next = own->questions[own->first];
        own->first = (own->first + 1) % CAPACITY;
        own->count--;
        pthread_mutex_unlock(&own->lock);
        if (next.token % 16 == 0) usleep(2000);
        apus_result result = {.value = {(const uint8_t *)next.text, next.len}, .ts = APUS_NO_TIME};
        async->complete(own->number, next.token, APUS_OK, &result, 1);
    }
}

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    async = the_host->get_extension(APUS_ASYNC);
    instance *made = async ? calloc(1, sizeof *made) : NULL;
    if (!made) return apus_fail(error, APUS_CONFIG, "needs " APUS_ASYNC ", and memory");
    made->number = args->instance;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->bell, NULL);
    *self = made;
    return APUS_OK;
}

static void destroy(void *self) { free(self); }

static int32_t open_instance(void *self, apus_ctx *ctx) {
    instance *own = self;
    if (pthread_create(&own->thread, NULL, answer_all, own)) {
        return apus_fail(ctx->error, APUS_FATAL, "no thread");
    }
    return APUS_OK;
}

static void close_instance(void *self, apus_ctx *ctx) {
    (void)ctx;
    instance *own = self;
    pthread_mutex_lock(&own->lock);
    own->is_over = 1;
    pthread_cond_signal(&own->bell);
    pthread_mutex_unlock(&own->lock);
    pthread_join(own->thread, NULL);
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
    instance *own = self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        const uint8_t *value;
        question next = {0};
        apus_value(batch, i, &value, &next.len);
        if (next.len > sizeof next.text) return apus_bad_record(ctx, i, "too long");
        memcpy(next.text, value, next.len);
        int32_t rc = async->begin(ctx, i, 0, 0, &next.token);
        if (rc == APUS_LIMIT) return apus_at(ctx, i, APUS_YIELD);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        pthread_mutex_lock(&own->lock);
        own->questions[(own->first + own->count++) % CAPACITY] = next;
        pthread_cond_signal(&own->bell);
        pthread_mutex_unlock(&own->lock);
    }
    return APUS_OK;
}

static int32_t on_async(void *self, apus_ctx *ctx, const apus_async_batch *calls) {
    (void)self;
    const apus_batch *batch = calls->batch;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        if (apus_out_room(ctx->outs[0], 256)) return apus_at(ctx, i, APUS_YIELD);
        if (calls->status[i] != APUS_OK) {
            return apus_fail(ctx->error, APUS_FATAL, "a call has failed");
        }
        int64_t count;
        int32_t rc = ctx->state->counter_add(ctx, 0, i, SCALE, &count);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        if (count % SCALE) return apus_fail(ctx->error, APUS_FATAL, "a count of another version");
        apus_bytes answer = calls->results[calls->first[i]].value;
        char text[256];
        int len = snprintf(text, sizeof text, "{\"r\":%.*s,\"c\":%lld,\"v\":%d}", (int)answer.len,
                           (const char *)answer.data, (long long)(count / SCALE), V * 10);
        apus_emit_keyed(ctx->outs[0], batch, i, text, (uint32_t)len);
    }
    return APUS_OK;
}

#if V > 1
static int32_t migrate(const apus_migration *from, apus_writer *writer, apus_error *error) {
    (void)error;
    int64_t number;
    memcpy(&number, from->value.data, 8);
    number *= 10;
    return writer->write(writer, &number, 8);
}
#endif

static const apus_state_decl count_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_COUNTER, .name = APUS_STR("count"),
    .schema_version = V,
#if V > 1
    .min_readable = 1, .migrate = migrate,
#endif
};
static const apus_state_decl *const states[] = {&count_state};
static const apus_port main_port = {.size = sizeof(apus_port), .name = APUS_STR("main")};
static const apus_port *const outputs[] = {&main_port};
static const apus_operator_vt functions = {
    .size = sizeof(apus_operator_vt), .open = open_instance, .close = close_instance,
    .process = process, .on_async = on_async};
static const apus_component waiting = {
    .size = sizeof(apus_component), .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &functions, .id = APUS_STR("waiting"), .flags = APUS_KEYED | APUS_ASYNCHRONOUS,
    .input_count = 1, .output_count = 1, .outputs = outputs, .state_count = 1, .states = states};
static const apus_component *const components[] = {&waiting};
static const apus_plugin plugin = {
    .size = sizeof(apus_plugin), .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR_FLOOR, .id = APUS_STR("test.waiting"),
#if V > 1
    .version = APUS_STR("2.0.0"),
#else
    .version = APUS_STR("1.0.0"),
#endif
    .vendor = APUS_STR("Nobody"), .component_count = 1, .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)error;
    the_host = host;
    return &plugin;
}
