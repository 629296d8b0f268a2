// How late each aircraft is, whether it passes its delay on, and when it stays on the ground.
//
// The rules are in ../README.md. Records are rows of a CSV file, keyed by tail number, in the order
// of the file. Rows without a tail number are handed on by the output `unidentified`.
//
// "Grounded" asks whether an aircraft has a departure in (e, e + 48 h]. Event times are up to 24
// hours out of order, so the answer is not known when the next row comes, but it is known when the
// watermark has reached e + 48 h: it trails the newest row by the 24 hours that the job file
// allows, so no row with a time up to e + 48 h can be missing any more. A timer at e + 48 h
// therefore sees every departure of the window in the map. It removes e itself, which only windows
// that began before e can hold, and their timers have fired already: timers fire in order.
#define _POSIX_C_SOURCE 200809L  // gmtime_r
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

#define HOUR_US INT64_C(3600000000)
#define YEAR_10000_US (INT64_C(253402300800) * 1000000)
#define GROUNDED_AFTER_US (48 * HOUR_US)
#define LATE_ARRIVAL_MINUTES 30
#define LATE_DEPARTURE_MINUTES 15
#define TAILNUM_LEN_MAX 32
#define LINE_LEN_MAX 256

enum { RESULTS, UNIDENTIFIED };  // outputs
enum { DELAYS, DEPARTURES };     // states
enum { GROUNDED };               // timers

// The instance: the columns that are read, counted from 0.
typedef struct aircraft {
    uint32_t dep_delay;
    uint32_t arr_delay;
} aircraft;

// A number of minutes that may be missing.
typedef struct minutes {
    int64_t value;
    int64_t is_known;
} minutes;

// The state `delays`: all zero before the first row.
typedef struct delays {
    int64_t flights;
    int64_t total;
    minutes previous;
} delays;

typedef struct line {
    char text[LINE_LEN_MAX];
    uint32_t len;
} line;

// --- The configuration -------------------------------------------------------------------------

// Reads the two columns, in either order; whether that is all there is. Strict although sscanf is
// not, because what was read is written again and compared.
static int read_config(aircraft *self, apus_bytes config) {
    static const char *const forms[] = {
        "{\"dep-delay-column\":%" PRIu32 ",\"arr-delay-column\":%" PRIu32 "}",
        "{\"arr-delay-column\":%" PRIu32 ",\"dep-delay-column\":%" PRIu32 "}"};
    char text[128] = {0}, again[128];
    if (config.len >= sizeof text) return 0;
    memcpy(text, config.data, config.len);
    for (int form = 0; form < 2; form++) {
        uint32_t column[2];
        if (sscanf(text, forms[form], &column[0], &column[1]) != 2) continue;
        snprintf(again, sizeof again, forms[form], column[0], column[1]);
        self->dep_delay = column[form];
        self->arr_delay = column[1 - form];
        return strcmp(text, again) == 0 && column[0] != column[1];
    }
    return 0;
}

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    aircraft *a = malloc(sizeof *a);
    if (!a) return apus_fail(error, APUS_FATAL, "no memory");
    if (read_config(a, args->config)) {
        *self = a;
        return APUS_OK;
    }
    free(a);
    char message[400];
    int shown = args->config.len < 120 ? (int)args->config.len : 120;
    snprintf(message, sizeof message,
        "config is %.*s; expected dep-delay-column and arr-delay-column, and nothing else: the "
        "numbers of these two columns of the CSV file, counted from 0",
        shown, (const char *)args->config.data);
    return apus_fail(error, APUS_CONFIG, message);
}

static void destroy(void *self) {
    free(self);
}

// --- Rows --------------------------------------------------------------------------------------

// Reads a delay, which is missing when the field is "NA" or empty; NULL or why it is bad.
static const char *read_minutes(const char *field, size_t len, minutes *m) {
    m->value = 0;
    m->is_known = !(len == 0 || (len == 2 && memcmp(field, "NA", 2) == 0));
    if (!m->is_known) return NULL;
    int is_negative = field[0] == '-';
    size_t i = (size_t)is_negative;
    if (i == len || len > 9) return "a delay is not a whole number of minutes";
    for (; i < len; i++) {
        if (field[i] < '0' || field[i] > '9') return "a delay is not a whole number of minutes";
        m->value = m->value * 10 + (field[i] - '0');
    }
    if (is_negative) m->value = -m->value;
    return NULL;
}

// Finds the delays of a row; NULL or why the row is bad.
static const char *read_row(
    const aircraft *self, const char *row, size_t len, minutes *dep_delay, minutes *arr_delay) {
    if (memchr(row, '"', len)) return "quoted fields are not part of this format";
    uint32_t column = 0;
    size_t start = 0;
    int found = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && row[i] != ',') continue;
        if (column == self->dep_delay || column == self->arr_delay) {
            minutes *m = column == self->dep_delay ? dep_delay : arr_delay;
            const char *reason = read_minutes(row + start, i - start, m);
            if (reason) return reason;
            found++;
        }
        column++;
        start = i + 1;
    }
    return found == 2 ? NULL : "the row has fewer columns than the configuration names";
}

// --- Lines -------------------------------------------------------------------------------------

// Begins a line; leaves it open for more fields.
static void begin_line(
    line *l, const char *type, const uint8_t *tailnum, uint32_t tailnum_len, int64_t time_us) {
    char time[32];
    time_t seconds = time_us / 1000000;
    struct tm civil;
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &civil));
    l->len = (uint32_t)snprintf(l->text, sizeof l->text,
        "{\"type\":\"%s\",\"tailnum\":\"%.*s\",\"event_time\":\"%s\"", type, (int)tailnum_len,
        (const char *)tailnum, time);
}

static void add_number(line *l, const char *name, int64_t value) {
    l->len += (uint32_t)snprintf(
        l->text + l->len, sizeof l->text - l->len, ",\"%s\":%" PRId64, name, value);
}

static int32_t emit_line(apus_ctx *ctx, const apus_batch *b, uint32_t i, line *l) {
    l->text[l->len++] = '}';
    return apus_emit_keyed(ctx->outs[RESULTS], b, i, l->text, l->len);
}

// --- The operator ------------------------------------------------------------------------------

// The map's key for a time; bytes in this order sort as the times do, from 1970 on.
static void departure_key(int64_t time_us, uint8_t key[8]) {
    for (int i = 0; i < 8; i++) key[i] = (uint8_t)((uint64_t)time_us >> (56 - 8 * i));
}

static int32_t stop(apus_ctx *ctx, uint32_t i, int32_t code) {
    ctx->at = i;
    return code < 0 ? apus_fail(ctx->error, code, "the host refused state or a timer") : code;
}

// One more departure at this time, and a timer for it; setting the same timer twice is harmless.
static int32_t note_departure(apus_ctx *ctx, uint32_t i, int64_t time_us) {
    uint8_t key[8];
    departure_key(time_us, key);
    uint64_t count = 0;
    apus_bytes stored;
    int32_t rc = ctx->state->map_get(ctx, DEPARTURES, i, key, sizeof key, &stored);
    if (rc == APUS_OK) memcpy(&count, stored.data, sizeof count);
    else if (rc != APUS_NOT_FOUND) return rc;
    count++;
    rc = ctx->state->map_put(ctx, DEPARTURES, i, key, sizeof key, &count, sizeof count);
    if (rc != APUS_OK) return rc;
    return ctx->timers->set(
        ctx, GROUNDED, (uint64_t)time_us, i, time_us + GROUNDED_AFTER_US, NULL, 0);
}

// Writes the lines of a row, all or none. APUS_OK or APUS_LIMIT.
static int32_t write_lines(
    apus_ctx *ctx, const apus_batch *b, uint32_t i, const delays *before, const delays *after,
    const minutes *dep_delay) {
    const uint8_t *tailnum;
    uint32_t len;
    apus_key(b, i, &tailnum, &len);
    apus_out *out = ctx->outs[RESULTS];
    int32_t rc = apus_out_room(out, 2 * LINE_LEN_MAX);
    if (rc != APUS_OK) return rc;
    apus_mark mark = apus_out_mark(out);
    line l;
    if (after->flights != before->flights) {
        begin_line(&l, "delay", tailnum, len, b->ts[i]);
        add_number(&l, "flights", after->flights);
        add_number(&l, "total_arr_delay_minutes", after->total);
        emit_line(ctx, b, i, &l);
    }
    int was_late = before->previous.is_known && before->previous.value > LATE_ARRIVAL_MINUTES;
    if (was_late && dep_delay->is_known && dep_delay->value > LATE_DEPARTURE_MINUTES) {
        begin_line(&l, "knock-on", tailnum, len, b->ts[i]);
        add_number(&l, "previous_arr_delay_minutes", before->previous.value);
        add_number(&l, "dep_delay_minutes", dep_delay->value);
        // There is room for this many bytes, but perhaps not for a second record.
        rc = emit_line(ctx, b, i, &l);
        if (rc != APUS_OK) apus_rollback(out, &mark);
    }
    return rc;
}

static const char *check_key(const apus_batch *b, uint32_t i) {
    const uint8_t *key;
    uint32_t len;
    apus_key(b, i, &key, &len);
    if (len > TAILNUM_LEN_MAX) return "the tail number is longer than 32 bytes";
    for (uint32_t j = 0; j < len; j++) {
        if (key[j] < ' ' || key[j] > '~' || key[j] == '"' || key[j] == '\\') {
            return "the tail number has characters that JSON would have to escape";
        }
    }
    if (b->ts[i] < 0 || b->ts[i] >= YEAR_10000_US) return "no event time of 1970 to 9999";
    return NULL;
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    for (uint32_t i = ctx->at; i < b->count; i++) {
        if (!apus_has_key(b, i)) {
            int32_t rc = apus_forward(ctx->outs[UNIDENTIFIED], b, i);
            if (rc != APUS_OK) return stop(ctx, i, APUS_YIELD);
            continue;
        }
        const uint8_t *row;
        uint32_t len;
        apus_value(b, i, &row, &len);
        minutes dep_delay, arr_delay;
        const char *reason = check_key(b, i);
        if (!reason) reason = read_row(self, (const char *)row, len, &dep_delay, &arr_delay);
        if (reason) return apus_bad_record(ctx, i, reason);

        delays *state;
        int32_t rc = ctx->state->value_mut(ctx, DELAYS, i, (void **)&state);
        if (rc != APUS_OK) return stop(ctx, i, rc);
        delays next = *state;
        next.flights += arr_delay.is_known;
        next.total += arr_delay.value;
        next.previous = arr_delay;
        // Lines first, then state: when the lines do not fit, the row is done again from scratch.
        if (write_lines(ctx, b, i, state, &next, &dep_delay)) return stop(ctx, i, APUS_YIELD);
        *state = next;
        rc = note_departure(ctx, i, b->ts[i]);
        if (rc != APUS_OK) return stop(ctx, i, rc);
    }
    return APUS_OK;
}

// Whether the key of timer i has no departure in (time, time + 48 h]; or an error.
static int32_t stayed(apus_ctx *ctx, uint32_t i, int64_t time_us, int *is_grounded) {
    uint8_t from[8], to[8];
    departure_key(time_us + 1, from);
    departure_key(time_us + GROUNDED_AFTER_US + 1, to);
    apus_cursor cursor =
        apus_cursor_range((apus_bytes){from, sizeof from}, (apus_bytes){to, sizeof to});
    apus_entry entry;
    uint32_t count = 0;
    int32_t rc = ctx->state->map_next(ctx, DEPARTURES, i, &cursor, &entry, 1, &count);
    *is_grounded = count == 0;
    return rc;
}

static int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    (void)self;
    const apus_batch *b = timers->batch;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int64_t time_us = (int64_t)timers->id[i];
        const uint8_t *tailnum;
        uint32_t len;
        apus_key(b, i, &tailnum, &len);
        uint8_t key[8];
        departure_key(time_us, key);
        int is_grounded;
        apus_bytes stored;
        int32_t rc = stayed(ctx, i, time_us, &is_grounded);
        if (rc == APUS_OK) rc = ctx->state->map_get(ctx, DEPARTURES, i, key, sizeof key, &stored);
        if (rc != APUS_OK) return stop(ctx, i, rc);
        uint64_t count;
        memcpy(&count, stored.data, sizeof count);
        for (; is_grounded && count > 0; count--) {
            line l;
            begin_line(&l, "grounded", tailnum, len, time_us);
            if (emit_line(ctx, b, i, &l) == APUS_OK) continue;
            // Remembers how many are left, so that what is written now is not written again.
            rc = ctx->state->map_put(ctx, DEPARTURES, i, key, sizeof key, &count, sizeof count);
            return stop(ctx, i, rc == APUS_OK ? APUS_YIELD : rc);
        }
        rc = ctx->state->map_remove(ctx, DEPARTURES, i, key, sizeof key);
        if (rc != APUS_OK) return stop(ctx, i, rc);
    }
    return APUS_OK;
}

// --- The description ---------------------------------------------------------------------------

static const apus_port results = {
    .size = sizeof results,
    .name = APUS_STR("results"),
    .summary = APUS_STR("delay, knock-on and grounded, as JSON lines")};
static const apus_port unidentified = {
    .size = sizeof unidentified,
    .name = APUS_STR("unidentified"),
    .summary = APUS_STR("rows without a tail number, as they came")};
static const apus_port *const outputs[] = {&results, &unidentified};

static const apus_state_decl delays_state = {
    .size = sizeof delays_state,
    .kind = APUS_STATE_VALUE,
    .name = APUS_STR("delays"),
    .schema_version = 1,
    .fixed_len = sizeof(delays),
    .schema = APUS_STR("i64: rows with arr_delay, their sum, the last row's, whether it had one")};
static const apus_state_decl departures_state = {
    .size = sizeof departures_state,
    .kind = APUS_STATE_MAP,
    .name = APUS_STR("departures"),
    .schema_version = 1,
    .schema = APUS_STR("event time in us, big-endian -> u64: rows with that time")};
static const apus_state_decl *const states[] = {&delays_state, &departures_state};

static const apus_timer_decl grounded_timer = {
    .size = sizeof grounded_timer, .domain = APUS_EVENT_TIME, .name = APUS_STR("grounded")};
static const apus_timer_decl *const timer_names[] = {&grounded_timer};

static const apus_operator_vt functions = {
    .size = sizeof functions, .process = process, .on_timers = on_timers};

static const apus_component component = {
    .size = sizeof component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("aircraft"),
    .summary = APUS_STR("delays per aircraft, and aircraft that stay on the ground"),
    .flags = APUS_KEYED | APUS_ACCEPTS_NULL_KEY,
    .input_count = 1,
    .output_count = 2,
    .outputs = outputs,
    .state_count = 2,
    .states = states,
    .timer_count = 1,
    .timers = timer_names};
static const apus_component *const components[] = {&component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = 1,
    .id = APUS_STR("apus.samples.aircraft"),
    .version = APUS_STR("0.1.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = 1,
    .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
