// Tells what a key did until it was silent for a while.
//
// A session ends when the key's next record is later than the gap, or when event time says that no
// such record can come any more, whichever is noticed first: both write the same line.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "operators.h"

enum { SESSIONS, LATE };                // outputs
enum { SPAN, NEWEST, NUMBER, ITEMS };   // states
enum { SILENT };                        // timers
enum { LATE_COUNT };                    // counters

typedef struct span {
    int64_t first, last;
} span;

typedef struct sessions {
    int64_t gap_us;
    char *line;  // scratch
    size_t capacity, len;
} sessions;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static const char *const names[] = {"gap-seconds"};
    int64_t seconds;
    if (!read_config(args->config, names, &seconds, 1) || seconds < 1 || seconds > 86400) {
        return refuse_config(
            error, args->config, "gap-seconds, a whole number of 1 to 86400, and nothing else");
    }
    sessions *s = calloc(1, sizeof *s);
    if (!s) return apus_fail(error, APUS_FATAL, "no memory");
    s->gap_us = seconds * SECOND_US;
    *self = s;
    return APUS_OK;
}

static void destroy(void *self) {
    sessions *s = self;
    free(s->line);
    free(s);
}

// --- The line of a session ---------------------------------------------------------------------

static int add(sessions *s, const void *bytes, size_t len) {
    if (s->len + len > s->capacity) {
        size_t capacity = 2 * (s->len + len);
        char *grown = realloc(s->line, capacity);
        if (!grown) return 0;
        s->line = grown;
        s->capacity = capacity;
    }
    if (len) memcpy(s->line + s->len, bytes, len);
    s->len += len;
    return 1;
}

// key,number,first,last,item+item+item
static int32_t make_line(
    sessions *s, apus_ctx *ctx, const apus_batch *b, uint32_t i, span whole, int64_t number) {
    const uint8_t *key;
    uint32_t key_len;
    apus_key(b, i, &key, &key_len);
    char text[80];
    int n = snprintf(text, sizeof text, ",%" PRId64 ",%" PRId64 ",%" PRId64, number, whole.first,
        whole.last);
    s->len = 0;
    int is_whole = add(s, key, key_len) && add(s, text, (size_t)n);
    apus_cursor cursor = apus_cursor_all();
    apus_bytes items[16];
    uint32_t count = 0;
    char separator = ',';
    do {
        int32_t rc = ctx->state->list_next(ctx, ITEMS, i, &cursor, items, 16, &count);
        if (rc != APUS_OK) return rc;
        for (uint32_t item = 0; item < count; item++, separator = '+') {
            is_whole = is_whole && add(s, &separator, 1)
                && add(s, items[item].data, (size_t)items[item].len);
        }
    } while (count > 0);
    return is_whole ? APUS_OK : APUS_FATAL;
}

// Writes the session's line, then forgets it; nothing has changed when there is no room.
static int32_t end_session(
    sessions *s, apus_ctx *ctx, const apus_batch *b, uint32_t i, span whole) {
    int64_t number;
    int32_t rc = ctx->state->counter_get(ctx, NUMBER, i, &number);
    if (rc != APUS_OK && rc != APUS_NOT_FOUND) return rc;
    rc = make_line(s, ctx, b, i, whole, number + 1);
    if (rc != APUS_OK) return rc;
    const uint8_t *key;
    uint32_t len;
    apus_key(b, i, &key, &len);
    rc = apus_emit(ctx->outs[SESSIONS], key, len, s->line, (uint32_t)s->len, whole.last);
    if (rc != APUS_OK) return rc;
    rc = ctx->state->counter_add(ctx, NUMBER, i, 1, NULL);
    if (rc == APUS_OK) rc = ctx->state->clear(ctx, SPAN, i);
    if (rc == APUS_OK) rc = ctx->state->clear(ctx, ITEMS, i);
    return rc;
}

// --- Callbacks ---------------------------------------------------------------------------------

// Reads a state of fixed length; whether there is one.
static int32_t read_state(
    apus_ctx *ctx, uint32_t slot, uint32_t i, void *to, size_t len, int *is_there) {
    apus_bytes stored;
    int32_t rc = ctx->state->value_get(ctx, slot, i, &stored);
    *is_there = rc == APUS_OK;
    if (rc == APUS_OK) memcpy(to, stored.data, len);
    return rc == APUS_NOT_FOUND ? APUS_OK : rc;
}

static int32_t process_record(sessions *s, apus_ctx *ctx, const apus_batch *b, uint32_t i) {
    int64_t time = b->ts[i], newest = 0;
    span now = {time, time};
    int is_known = 0, is_open = 0;
    int32_t rc = read_state(ctx, NEWEST, i, &newest, sizeof newest, &is_known);
    if (rc != APUS_OK) return rc;
    if (is_known && time < newest - s->gap_us) {
        rc = apus_forward(ctx->outs[LATE], b, i);
        if (rc == APUS_OK) ctx->counters[LATE_COUNT]++;
        return rc;
    }
    span before;
    rc = read_state(ctx, SPAN, i, &before, sizeof before, &is_open);
    if (rc != APUS_OK) return rc;
    if (is_open && time > before.last + s->gap_us) {
        rc = end_session(s, ctx, b, i, before);
        if (rc != APUS_OK) return rc;
    } else if (is_open) {
        if (before.first < now.first) now.first = before.first;
        if (before.last > now.last) now.last = before.last;
    }
    field item = last_field(b, i);
    rc = ctx->state->list_append(ctx, ITEMS, i, item.data, item.len);
    if (rc == APUS_OK) rc = ctx->state->value_put(ctx, SPAN, i, &now, sizeof now);
    if (rc != APUS_OK) return rc;
    if (!is_known || time > newest) newest = time;
    rc = ctx->state->value_put(ctx, NEWEST, i, &newest, sizeof newest);
    if (rc != APUS_OK) return rc;
    return ctx->timers->set(ctx, SILENT, 0, i, now.last + s->gap_us, NULL, 0);
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (!has_time(b, i)) return apus_bad_record(ctx, i, NO_TIME);
        int32_t rc = process_record(self, ctx, b, i);
        if (rc != APUS_OK) return stop_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) {
        span whole;
        int is_open;
        int32_t rc = read_state(ctx, SPAN, i, &whole, sizeof whole, &is_open);
        if (rc == APUS_OK && is_open) rc = end_session(self, ctx, timers->batch, i, whole);
        if (rc != APUS_OK) return stop_at(ctx, i, rc);
    }
    return APUS_OK;
}

// --- The description ---------------------------------------------------------------------------

static const apus_port sessions_port = {
    .size = sizeof sessions_port,
    .name = APUS_STR("sessions"),
    .summary = APUS_STR("key,number,first,last,items of sessions that have ended")};
static const apus_port late_port = {
    .size = sizeof late_port,
    .name = APUS_STR("late"),
    .summary = APUS_STR("lines that came after their session")};
static const apus_port *const outputs[] = {&sessions_port, &late_port};

static const apus_state_decl span_state = {
    .size = sizeof span_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("span"),
    .schema_version = 1,
    .fixed_len = sizeof(span),
    .schema = APUS_STR("i64 first, i64 last: times in us of the session that is open")};
static const apus_state_decl newest_state = {
    .size = sizeof newest_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("newest"),
    .schema_version = 1,
    .fixed_len = sizeof(int64_t),
    .schema = APUS_STR("i64: newest time in us")};
static const apus_state_decl number_state = {
    .size = sizeof number_state,
    .kind = APUS_STATE_COUNTER,
    .name = APUS_STR("number"),
    .schema_version = 1,
    .schema = APUS_STR("sessions that have ended")};
static const apus_state_decl items_state = {
    .size = sizeof items_state,
    .kind = APUS_STATE_LIST,
    .name = APUS_STR("items"),
    .schema_version = 1,
    .schema = APUS_STR("text: last fields of the session that is open")};
static const apus_state_decl *const states[] = {
    &span_state, &newest_state, &number_state, &items_state};

static const apus_timer_decl silent_timer = {
    .size = sizeof silent_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("silent")};
static const apus_timer_decl *const timer_decls[] = {&silent_timer};

static const apus_counter_decl late_counter = {
    .size = sizeof late_counter, .name = APUS_STR("late"), .summary = APUS_STR("late lines")};
static const apus_counter_decl *const counters[] = {&late_counter};

static const apus_operator_vt functions = {
    .size = sizeof functions, .process = process, .on_timers = on_timers};

const apus_component sessions_component = {
    .size = sizeof sessions_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("sessions"),
    .summary = APUS_STR("what a key did until it was silent for a while"),
    .flags = APUS_KEYED,
    .input_count = 1,
    .output_count = 2,
    .outputs = outputs,
    .state_count = 4,
    .states = states,
    .timer_count = 1,
    .timers = timer_decls,
    .counter_count = 1,
    .counters = counters};
