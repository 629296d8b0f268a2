// Sources, sinks and codecs for tests: well-behaved, unless the configuration has the name of a
// misdeed. Operators with a private snapshot and with a secret.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

static const apus_host *the_host;

typedef struct instance {
    char config[256];
    uint32_t subtask;
    uint32_t parallelism;
    uint64_t id;
    uint32_t calls;
    // Of the source: its splits.
    uint32_t count;
    char names[16][8];
    uint64_t next[16];
    // Of the operators.
    uint64_t sum;
    uint64_t seen;
} instance;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    instance *i = calloc(1, sizeof *i);
    if (!i || args->config.len >= sizeof i->config) return apus_fail(error, APUS_FATAL, "no room");
    memcpy(i->config, args->config.data, args->config.len);
    i->subtask = args->subtask;
    i->parallelism = args->parallelism;
    i->id = args->instance;
    if (strstr(i->config, "refused")) {
        free(i);
        return apus_fail(error, APUS_CONFIG, "expected something else");
    }
    *self = i;
    return APUS_OK;
}

static void destroy(void *self) { free(self); }

static int does(const void *self, const char *misdeed) {
    return strstr(((const instance *)self)->config, misdeed) != NULL;
}

static uint64_t number(const void *self, const char *key, uint64_t otherwise) {
    const char *found = strstr(((const instance *)self)->config, key);
    return found ? strtoull(found + strlen(key), NULL, 10) : otherwise;
}

// --- A source ------------------------------------------------------------------------------------

static int32_t list_splits(void *self, apus_writer *splits, apus_error *error) {
    if (does(self, "list-error")) return apus_fail(error, APUS_FATAL, "the list is lost");
    if (does(self, "list-code")) return 77;
    uint32_t count = (uint32_t)number(self, "splits=", 3);
    for (uint32_t i = 0; i < count; i++) {
        char name[] = {(char)('a' + (does(self, "list-twice") ? 0 : i))};
        uint32_t len = does(self, "list-empty") ? 0 : does(self, "list-cut") ? 9 : 1;
        if (does(self, "list-without-b") && name[0] == 'b') continue;
        int32_t rc = splits->write(splits, &len, sizeof len);
        if (rc == APUS_OK) rc = splits->write(splits, name, 1);
        if (rc != APUS_OK) return rc;
    }
    return does(self, "list-odd") ? splits->write(splits, "xy", 2) : APUS_OK;
}

static int32_t open_source(void *self, apus_ctx *ctx, const apus_split *splits, uint32_t count) {
    instance *s = self;
    if (does(self, "open-error")) return apus_fail(ctx->error, APUS_FATAL, "it is locked");
    if (count > 16) return apus_fail(ctx->error, APUS_FATAL, "too many splits");
    s->count = count;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(s->names[i], splits[i].name.data, splits[i].name.len);
        if (splits[i].position.data) {
            if (splits[i].position.len != 8) return apus_fail(ctx->error, APUS_FATAL, "not mine");
            memcpy(&s->next[i], splits[i].position.data, 8);
        }
    }
    return APUS_OK;
}

static int32_t poll(void *self, apus_ctx *ctx, uint32_t max_records) {
    instance *s = self;
    s->calls++;
    apus_out *out = ctx->outs[0];
    if (does(self, "poll-silent")) return APUS_OK;
    if (does(self, "poll-posts")) {
        const apus_async_api *async = the_host->get_extension(APUS_ASYNC);
        return async && async->post(s->id, 1) == APUS_OK ? APUS_IDLE : APUS_FATAL;
    }
    if (does(self, "poll-yields")) return APUS_YIELD;
    if (does(self, "poll-code")) return 77;
    if (does(self, "poll-negative")) return -999;
    if (does(self, "poll-fatal")) return apus_fail(ctx->error, APUS_FATAL, "the wire is cut");
    if (does(self, "poll-retry") && s->calls <= 3) {
        return apus_fail(ctx->error, APUS_RETRY, "not now");
    }
    if (does(self, "poll-overrun")) {
        out->count = out->capacity + 1;
        return APUS_OK;
    }
    uint64_t total = number(self, "records=", 10);
    uint32_t written = 0;
    uint32_t limit = does(self, "poll-too-many") ? max_records + 1 : max_records;
    int is_done = 1;
    for (uint32_t i = 0; i < s->count; i++) {
        for (; written < limit && s->next[i] < total; s->next[i]++, written++) {
            char value[64];
            int n = does(self, "json")
                ? snprintf(
                      value, sizeof value, "{\"k\":\"%s\",\"t\":%" PRIu64 "}", s->names[i],
                      s->next[i])
                : snprintf(value, sizeof value, "%s:%" PRIu64, s->names[i], s->next[i]);
            int32_t rc = apus_emit(
                out, s->names[i], (uint32_t)strlen(s->names[i]), value, (uint32_t)n,
                (int64_t)s->next[i]);
            if (rc != APUS_OK) return APUS_YIELD;
        }
        if (s->next[i] < total) is_done = 0;
    }
    if (!is_done) return APUS_OK;
    return does(self, "endless") ? APUS_IDLE : APUS_END;
}

static int32_t write_position(
    void *self, apus_ctx *ctx, uint32_t index, apus_writer *position) {
    instance *s = self;
    if (does(self, "position-error")) return apus_fail(ctx->error, APUS_FATAL, "I am nowhere");
    if (does(self, "position-long")) {
        char kilobyte[1024] = {0};
        for (int i = 0; i < 65; i++) position->write(position, kilobyte, sizeof kilobyte);
        return APUS_OK;
    }
    return position->write(position, &s->next[index], 8);
}

static int32_t on_checkpointed(
    void *self, apus_ctx *ctx, uint32_t index, const apus_bytes *position) {
    instance *s = self;
    if (does(self, "checkpointed-error")) return apus_fail(ctx->error, APUS_FATAL, "no thanks");
    if (does(self, "checkpointed-retry")) return apus_fail(ctx->error, APUS_RETRY, "later");
    if (does(self, "log") && the_host->log) {
        uint64_t at = 0;
        memcpy(&at, position->data, sizeof at);
        char text[64];
        int n = snprintf(
            text, sizeof text, "checkpointed %s at %" PRIu64, s->names[index], at);
        the_host->log(s->id, APUS_LOG_INFO, text, (uint64_t)n);
    }
    return APUS_OK;
}

static void close_source(void *self, apus_ctx *ctx) { (void)self, (void)ctx; }

static const apus_source_vt source_functions = {
    .size = sizeof source_functions,
    .list_splits = list_splits,
    .open = open_source,
    .close = close_source,
    .poll = poll,
    .write_position = write_position,
    .on_checkpointed = on_checkpointed};

// --- Sinks ---------------------------------------------------------------------------------------

static int32_t open_sink(void *self, apus_ctx *ctx, uint64_t *epoch) {
    if (does(self, "open-error")) return apus_fail(ctx->error, APUS_FATAL, "it is locked");
    *epoch = number(self, "epoch=", 0);
    return APUS_OK;
}

static int32_t write_records(void *self, apus_ctx *ctx, const apus_batch *batch) {
    instance *s = self;
    s->calls++;
    if (does(self, "write-code")) return 77;
    if (does(self, "write-fatal")) return apus_fail(ctx->error, APUS_FATAL, "the table is gone");
    if (does(self, "write-yields")) return apus_at(ctx, ctx->at, APUS_YIELD);
    if (does(self, "write-behind")) return apus_at(ctx, batch->count + 5, APUS_YIELD);
    if (does(self, "record-behind")) return apus_at(ctx, batch->count, APUS_RECORD);
    if (does(self, "write-retry") && s->calls <= 2) {
        return apus_fail(ctx->error, APUS_RETRY, "not now");
    }
    uint32_t step = does(self, "write-one") ? 1 : batch->count;
    for (uint32_t i = ctx->at, end = i + step; i < batch->count; i++) {
        if (i == end) return apus_at(ctx, i, APUS_YIELD);
        const uint8_t *value;
        uint32_t len;
        apus_value(batch, i, &value, &len);
        if (len >= 3 && !memcmp(value, "bad", 3)) return apus_bad_record(ctx, i, "it is bad");
        ctx->counters[0]++;
    }
    return APUS_OK;
}

static int32_t flush(void *self, apus_ctx *ctx) {
    instance *s = self;
    if (does(self, "flush-fatal")) return apus_fail(ctx->error, APUS_FATAL, "the pipe is broken");
    if (does(self, "flush-retry") && s->seen++ < 2) {
        return apus_fail(ctx->error, APUS_RETRY, "busy");
    }
    return does(self, "flush-code") ? 3 : APUS_OK;
}

static int32_t commit(void *self, apus_ctx *ctx, uint64_t epoch) {
    instance *s = self;
    (void)epoch;
    if (does(self, "commit-fatal")) return apus_fail(ctx->error, APUS_FATAL, "a constraint");
    if (does(self, "commit-retry") && s->seen++ < 2) {
        return apus_fail(ctx->error, APUS_RETRY, "deadlock");
    }
    return does(self, "commit-code") ? 3 : APUS_OK;
}

static const apus_sink_vt sink_functions = {
    .size = sizeof sink_functions,
    .open = open_sink,
    .write = write_records,
    .flush = flush,
    .commit = commit};

static const apus_sink_vt flush_functions = {
    .size = sizeof flush_functions, .open = open_sink, .write = write_records, .flush = flush};

// --- A codec: records between commas -------------------------------------------------------------

static int32_t decode(void *self, apus_ctx *ctx, const apus_batch *frames) {
    if (does(self, "decode-code")) return 77;
    if (does(self, "decode-yields")) return apus_at(ctx, ctx->at, APUS_YIELD);
    if (does(self, "decode-behind")) return apus_at(ctx, frames->count + 1, APUS_YIELD);
    if (does(self, "decode-record-behind")) return apus_at(ctx, frames->count, APUS_RECORD);
    for (uint32_t i = ctx->at; i < frames->count; i++) {
        const uint8_t *value;
        uint32_t len;
        apus_value(frames, i, &value, &len);
        if (len >= 3 && !memcmp(value, "bad", 3)) return apus_bad_record(ctx, i, "it is bad");
        // Each frame twice, so that one may be more than one.
        uint32_t copies = does(self, "twice") ? 2 : 1;
        for (uint32_t n = 0; n < copies; n++) {
            if (apus_emit(ctx->outs[0], NULL, 0, value, len, APUS_NO_TIME) != APUS_OK) {
                return apus_at(ctx, i, APUS_YIELD);
            }
        }
    }
    return APUS_OK;
}

static int32_t encode(
    void *self, apus_ctx *ctx, const apus_batch *batch, uint32_t i, apus_writer *writer) {
    if (does(self, "encode-code")) return 77;
    const uint8_t *value;
    uint32_t len;
    apus_value(batch, i, &value, &len);
    int32_t rc = writer->write(writer, value, len);
    if (len >= 3 && !memcmp(value, "bad", 3)) return apus_bad_record(ctx, i, "it is bad");
    return rc == APUS_OK ? writer->write(writer, ",", 1) : rc;
}

static int32_t split(void *self, apus_ctx *ctx, apus_framing *framing) {
    if (does(self, "split-error")) return apus_fail(ctx->error, APUS_RECORD, "what is this");
    if (does(self, "split-beyond")) {
        framing->used = framing->bytes.len + 1;
        return APUS_OK;
    }
    if (does(self, "split-many")) {
        framing->count = framing->capacity + 1;
        return APUS_OK;
    }
    if (does(self, "split-outside")) {
        framing->frames[framing->count++] = (apus_frame){0, framing->bytes.len + 1};
        framing->used = framing->bytes.len;
        return APUS_OK;
    }
    uint64_t at = 0;
    while (framing->count < framing->capacity) {
        const uint8_t *start = framing->bytes.data + at;
        const uint8_t *end = memchr(start, ',', framing->bytes.len - at);
        if (!end) break;
        framing->frames[framing->count++] = (apus_frame){at, (uint64_t)(end - start)};
        at += (uint64_t)(end - start) + 1;
    }
    framing->used = at;
    return APUS_OK;
}

static const apus_codec_vt codec_functions = {
    .size = sizeof codec_functions, .decode = decode, .encode = encode, .split = split};
static const apus_codec_vt decode_functions = {.size = sizeof decode_functions, .decode = decode};

// --- An operator with a private snapshot: adds up, and tells the sum at the end ------------------

static int32_t add_up(void *self, apus_ctx *ctx, const apus_batch *batch) {
    instance *o = self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        const uint8_t *value;
        uint32_t len;
        apus_value(batch, i, &value, &len);
        const uint8_t *colon = memchr(value, ':', len);
        char digits[24] = {0};
        size_t n = colon ? len - (size_t)(colon - value) - 1 : 0;
        if (n == 0 || n >= sizeof digits) return apus_bad_record(ctx, i, "no number");
        memcpy(digits, colon + 1, n);
        o->sum += strtoull(digits, NULL, 10);
        o->seen++;
        if (apus_forward(ctx->outs[0], batch, i) != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

static void tell(void *self, apus_ctx *ctx) {
    instance *o = self;
    char text[64];
    int n = snprintf(text, sizeof text, "sum %" PRIu64 " of %" PRIu64, o->sum, o->seen);
    apus_emit(ctx->outs[0], NULL, 0, text, (uint32_t)n, APUS_NO_TIME);
}

// Parallelism, sum and count; in portions, as a real one would.
static int32_t save(void *self, apus_ctx *ctx, apus_writer *writer) {
    instance *o = self;
    if (does(self, "save-error")) return apus_fail(ctx->error, APUS_FATAL, "nothing to hold it");
    if (does(self, "save-long")) {
        static char mebibyte[1 << 20];
        for (int i = 0; i < 65; i++) writer->write(writer, mebibyte, sizeof mebibyte);
        return APUS_OK;
    }
    const uint64_t values[] = {o->parallelism, o->sum, o->seen};
    for (int i = 0; i < 3; i++) {
        int32_t rc = writer->write(writer, &values[i], sizeof values[i]);
        if (rc != APUS_OK) return rc;
    }
    return APUS_OK;
}

static int32_t load(void *self, apus_ctx *ctx, apus_reader *reader, uint32_t version) {
    instance *o = self;
    if (version != 3 || does(self, "load-error")) {
        return apus_fail(ctx->error, APUS_INCOMPATIBLE, "the bytes are of another version");
    }
    for (;;) {
        uint64_t values[3];
        uint64_t got = 0;
        while (got < sizeof values) {
            uint64_t n;
            // In steps of 7: portions may be shorter than what is asked for.
            uint64_t wanted = sizeof values - got < 7 ? sizeof values - got : 7;
            int32_t rc = reader->read(reader, (char *)values + got, wanted, &n);
            if (rc != APUS_OK) return rc;
            if (n == 0) return got == 0 ? APUS_OK : apus_fail(ctx->error, APUS_FATAL, "cut off");
            got += n;
        }
        // The bytes of all, when there are other subtasks than before: one of them takes all.
        if (values[0] != o->parallelism && o->subtask != 0) continue;
        o->sum += values[1];
        o->seen += values[2];
    }
}

static const apus_snapshot snapshot = {
    .size = sizeof snapshot, .version = 3, .save = save, .load = load};

static const void *get_extension(const char *name) {
    return strcmp(name, APUS_SNAPSHOT) ? NULL : &snapshot;
}

static const apus_operator_vt sum_functions = {
    .size = sizeof sum_functions, .process = add_up, .close = tell};

// --- An operator with a secret: says how long it is, and what its first byte is ------------------

static int32_t use_secret(void *self, apus_ctx *ctx, const apus_batch *batch) {
    instance *o = self;
    const apus_secrets_api *secrets = the_host->get_extension(APUS_SECRETS);
    if (!secrets) return apus_fail(ctx->error, APUS_FATAL, "no secrets here");
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        const uint8_t *name;
        uint32_t len;
        apus_value(batch, i, &name, &len);
        apus_bytes secret;
        char text[64];
        int32_t rc = secrets->get(o->id, (const char *)name, len, &secret);
        int n = rc == APUS_OK
            ? snprintf(text, sizeof text, "%" PRIu64 " %c", secret.len, secret.data[0])
            : snprintf(text, sizeof text, "code %d", rc);
        apus_emit_keyed(ctx->outs[0], batch, i, text, (uint32_t)n);
    }
    return APUS_OK;
}

static const apus_operator_vt secret_functions = {
    .size = sizeof secret_functions, .process = use_secret};

// --- What there is -------------------------------------------------------------------------------

static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("all")};
static const apus_port *const outputs[] = {&main_port};

static const apus_counter_decl taken = {
    .size = sizeof taken, .name = APUS_STR("taken"), .summary = APUS_STR("records")};
static const apus_counter_decl *const counters[] = {&taken};

#define COMPONENT(name, what, functions, text)                                                   \
    static const apus_component name = {                                                         \
        .size = sizeof name, .kind = what, .create = create, .destroy = destroy,                 \
        .vt = &functions, .id = APUS_STR(text), .summary = APUS_STR("for tests"),                \
        .input_count = 1, .output_count = 1, .outputs = outputs, .counter_count = 1,             \
        .counters = counters}

COMPONENT(source, APUS_SOURCE, source_functions, "letters");
COMPONENT(sink, APUS_SINK, sink_functions, "both");
COMPONENT(flush_sink, APUS_SINK, flush_functions, "at-once");
COMPONENT(codec, APUS_CODEC, codec_functions, "commas");
COMPONENT(decode_codec, APUS_CODEC, decode_functions, "lines");
COMPONENT(secret, APUS_OPERATOR, secret_functions, "secret");

static const apus_component sum = {
    .size = sizeof sum,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &sum_functions,
    .id = APUS_STR("sum"),
    .summary = APUS_STR("for tests"),
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .get_extension = get_extension};

static const apus_component *const components[] = {
    &source, &sink, &flush_sink, &codec, &decode_codec, &secret, &sum};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = 3,
    .id = APUS_STR("test.endpoints"),
    .version = APUS_STR("1.2.3"),
    .vendor = APUS_STR("Apus"),
    .component_count = sizeof components / sizeof components[0],
    .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)error;
    the_host = host;
    return &plugin;
}
