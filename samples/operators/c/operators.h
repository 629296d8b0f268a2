// What the three operators share: fields of a line, numbers, and a strict look at a configuration.
#ifndef OPERATORS_H
#define OPERATORS_H

#include "apus/apus.h"

#define SECOND_US INT64_C(1000000)
#define YEAR_10000_US (INT64_C(253402300800) * SECOND_US)
#define NO_TIME "the record has no time of 1970 to 9999"

// A piece of a line.
typedef struct field {
    const char *data;
    uint32_t len;
} field;

extern const apus_component filter_component, sessions_component, dedup_component;

// The field of record i's value with this number, counted from 0; whether there is one.
int find_field(const apus_batch *b, uint32_t i, uint32_t column, field *f);
// The last field.
field last_field(const apus_batch *b, uint32_t i);
// Reads a whole number of at most 15 digits; whether it is one.
int read_number(field f, int64_t *number);
// Reads `{"a":1,"b":2}` with exactly these names, in any order; whether that is all there is.
int read_config(apus_bytes config, const char *const *names, int64_t *numbers, uint32_t count);
// Reports a configuration that read_config does not take. Returns APUS_CONFIG.
int32_t refuse_config(apus_error *error, apus_bytes config, const char *expected);
// Whether a record's time is one that durations can be added to.
static inline int has_time(const apus_batch *b, uint32_t i) {
    return b->ts[i] >= 0 && b->ts[i] < YEAR_10000_US;
}
// Stops at record i with a code of the host, explained when it is an error.
int32_t stop_at(apus_ctx *ctx, uint32_t i, int32_t code);

#endif
