// How the test host calls an operator, and goes on after each result as the ABI says.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define IDLE_CALLS_MAX 3

// MARK: The log, which only knows the number of an instance.

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static apus_test *all;
static uint64_t instances;
static const uint32_t log_level = APUS_LOG_DEBUG;

void register_test(apus_test *t) {
    pthread_mutex_lock(&lock);
    t->instance = ++instances;
    t->next = all;
    all = t;
    pthread_mutex_unlock(&lock);
}

void unregister_test(apus_test *t) {
    pthread_mutex_lock(&lock);
    for (apus_test **link = &all; *link; link = &(*link)->next) {
        if (*link != t) continue;
        *link = t->next;
        break;
    }
    pthread_mutex_unlock(&lock);
}

static void log_line(uint64_t instance, uint32_t level, const char *text, uint64_t len) {
    pthread_mutex_lock(&lock);
    for (apus_test *t = all; t; t = t->next) {
        if (t->instance != instance) continue;
        t->lines = grown(t->lines, t->line_count, &t->line_capacity, sizeof *t->lines);
        t->lines[t->line_count++] = (line){level, block_of(text, len)};
    }
    pthread_mutex_unlock(&lock);
}

static const void *get_extension(const char *id) {
    (void)id;
    return NULL;
}

const apus_host test_host = {
    .size = sizeof test_host,
    .major = APUS_ABI_MAJOR,
    .minor = APUS_ABI_MINOR,
    .log_level = &log_level,
    .log = log_line,
    .get_extension = get_extension,
    .name = APUS_STR("apus test"),
    .version = APUS_STR("0")};

// MARK: Batches.

static apus_view view_of(batch *b, uint64_t *used, const block *bytes) {
    apus_view v;
    if (bytes->len <= APUS_VIEW_INLINE) {
        apus_view_inline(&v, bytes->data, (uint32_t)bytes->len);
        return v;
    }
    uint8_t *to = b->arena + *used;
    memcpy(to, bytes->data, bytes->len);
    v.len = (uint32_t)bytes->len;
    memcpy(v.u.ref.prefix, to, 4);
    v.u.ref.buffer = 0;
    v.u.ref.offset = (uint32_t)*used;
    *used += bytes->len;
    return v;
}

// FNV-1a instead of the real host's XXH3: good enough to be told apart.
static uint64_t hash_of(const block *key) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (uint64_t i = 0; i < key->len; i++) h = (h ^ key->data[i]) * UINT64_C(1099511628211);
    return h;
}

void batch_open(apus_test *t, batch *b, const kept_list *records, uint64_t first, uint64_t count) {
    memset(b, 0, sizeof *b);
    uint64_t bytes = 1, used = 0;
    for (uint64_t i = first; i < first + count; i++) {
        bytes += records->at[i].key.len + records->at[i].value.len;
    }
    apus_view *key = calloc(count + 1, sizeof *key), *value = calloc(count + 1, sizeof *value);
    int64_t *ts = calloc(count + 1, sizeof *ts);
    uint64_t *hash = calloc(count + 1, sizeof *hash);
    uint8_t *kind = calloc(count + 1, 1);
    b->arena = malloc(bytes);
    if (!key || !value || !ts || !hash || !kind || !b->arena) abort();
    for (uint64_t i = 0; i < count; i++) {
        const kept *k = &records->at[first + i];
        key[i] = view_of(b, &used, &k->key);
        value[i] = view_of(b, &used, &k->value);
        ts[i] = k->ts;
        hash[i] = hash_of(&k->key);
        if (!k->has_key) kind[i] |= APUS_KIND_NULL_KEY;
        if (!k->has_value) kind[i] |= APUS_KIND_NULL_VALUE;
    }
    b->buffers[0] = b->arena;
    int is_keyed = (t->component->flags & APUS_KEYED) != 0;
    b->view = (apus_batch){
        .size = sizeof b->view, .count = (uint32_t)count, .key = key, .value = value, .ts = ts,
        .key_hash = hash, .kind = kind, .buffers = b->buffers, .buffer_count = 1};
    if (!is_keyed) {
        free(key);
        free(hash);
        b->view.key = NULL;
        b->view.key_hash = NULL;
    }
}

void batch_close(batch *b) {
    free((void *)b->view.key);
    free((void *)b->view.value);
    free((void *)b->view.ts);
    free((void *)b->view.key_hash);
    free((void *)b->view.kind);
    free(b->arena);
}

// MARK: Calls.

int32_t begin_call(apus_test *t, uint32_t at) {
    for (uint32_t i = 0; i < t->output_count; i++) output_begin(&t->outputs[i]);
    memset(&t->error, 0, sizeof t->error);
    t->error.size = sizeof t->error;
    t->stop = t->options.keeps_stopping;
    t->ctx.at = at;
    return 0;
}

void end_call(apus_test *t) {
    for (uint32_t i = 0; i < t->output_count; i++) output_drain(&t->outputs[i]);
}

static int has_written(const apus_test *t) {
    for (uint32_t i = 0; i < t->output_count; i++) {
        if (t->outputs[i].received.count > t->outputs[i].count_before) return 1;
    }
    return 0;
}

static void reject(apus_test *t, const kept *k) {
    t->reasons = grown(
        t->reasons, t->rejected.count, &t->reason_capacity, sizeof *t->reasons);
    t->reasons[t->rejected.count] = block_of(t->error.message, t->error.len);
    kept *copy = kept_add(&t->rejected);
    *copy = *k;
    copy->key = block_of(k->key.data, k->key.len);
    copy->value = block_of(k->value.data, k->value.len);
}

// Judges a result; the record to go on with, or `count` when nothing is left to do.
static uint32_t settle(
    apus_test *t, const kept_list *hand, int32_t rc, uint32_t before, int *idle) {
    uint32_t count = (uint32_t)hand->count, at = t->ctx.at;
    if (rc == APUS_OK || t->has_failed) return count;
    if (rc < 0 && rc != APUS_RECORD && rc != APUS_LIMIT) {
        fail(t, rc, "%.*s", (int)t->error.len, t->error.message);
        if (t->failure[0] == 0) snprintf(t->failure, sizeof t->failure, "error %d", (int)rc);
        return count;
    }
    if (at < before || at >= count) {
        fail(t, 0, "result %d with ctx->at %u; expected %u to %u: the record to go on with, or "
            "the bad one", (int)rc, at, before, count - 1);
        return count;
    }
    if (rc == APUS_RECORD) {
        reject(t, &hand->at[at]);
        return at + 1;
    }
    if (rc > 0 && rc != APUS_YIELD) {
        fail(t, 0, "result %d is not one that the ABI knows", (int)rc);
        return count;
    }
    *idle = at > before || has_written(t) ? 0 : *idle + 1;
    if (*idle >= IDLE_CALLS_MAX) {
        fail(t, 0, "no progress: %d calls in a row stopped at record %u and wrote nothing", *idle,
            at);
        return count;
    }
    return at;
}

// Has one batch handled: of records, of a broadcast input, or of timers.
void run_batch(
    apus_test *t, const kept_list *hand, const apus_timers *timers, uint32_t input,
    int is_broadcast) {
    if (hand->count == 0 || t->has_failed) return;
    batch b;
    batch_open(t, &b, hand, 0, hand->count);
    b.view.input = input;
    apus_timers fired;
    if (timers) {
        fired = *timers;
        fired.batch = &b.view;
    }
    if (is_broadcast) {
        free((void *)b.view.key);
        free((void *)b.view.key_hash);
        b.view.key = NULL;
        b.view.key_hash = NULL;
    }
    uint32_t at = 0;
    int idle = 0;
    while (at < hand->count && !t->has_failed) {
        begin_call(t, at);
        t->batch = &b.view;
        t->hand = is_broadcast ? NULL : hand;
        t->may_broadcast = is_broadcast;
        int32_t rc = timers ? t->vt->on_timers(t->self, &t->ctx, &fired)
            : is_broadcast  ? t->vt->process_broadcast(t->self, &t->ctx, &b.view)
                            : t->vt->process(t->self, &t->ctx, &b.view);
        end_call(t);
        t->batch = NULL;
        t->hand = NULL;
        t->may_broadcast = 0;
        at = settle(t, hand, rc, at, &idle);
        if (!timers) after_call(t);
    }
    batch_close(&b);
}

// Timers that were set for a time that had passed already.
void after_call(apus_test *t) {
    fire_timers(t, APUS_EVENT_TIME, t->ctx.watermark_us);
    fire_timers(t, APUS_PROCESSING_TIME, t->ctx.now_us);
}

// A record without a key is none of a keyed operator's business unless it says so.
static int is_for_operator(const apus_test *t, const kept *k) {
    uint32_t flags = t->component->flags;
    return !(flags & APUS_KEYED) || k->has_key || (flags & APUS_ACCEPTS_NULL_KEY);
}

void run_records(apus_test *t, const kept_list *records, uint32_t input, int is_broadcast) {
    uint64_t size = t->options.batch_records ? t->options.batch_records : 65536;
    kept_list part = {0};
    for (uint64_t i = 0; i < records->count; i++) {
        const kept *k = &records->at[i];
        if (!is_broadcast && !is_for_operator(t, k)) {
            t->error.len = (uint32_t)snprintf(
                t->error.message, sizeof t->error.message, "the record has no key");
            reject(t, k);
        } else {
            *kept_add(&part) = *k;  // the bytes stay those of `records`
        }
        if (part.count == size || i + 1 == records->count) {
            run_batch(t, &part, NULL, input, is_broadcast);
            part.count = 0;
        }
    }
    free(part.at);
}
