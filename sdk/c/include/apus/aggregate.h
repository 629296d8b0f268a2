// Aggregates: state that is folded in place by inline code, so that no value is copied.
//
// An aggregate is a VALUE with a fixed length, its accumulator. All zero means that nothing was
// folded, which is how the host creates it. There is no call of its own: expiry, eviction and
// checkpoints treat it as any other value. Numbers are in the byte order of the machine, which is
// little-endian wherever Apus runs; a savepoint has the same bytes.
//
//   accumulator       bytes  layout                                        result
//   apus_count            8  u64 count                                     u64
//   apus_sum_i64         16  128-bit sum: u64 low, i64 high                i64
//   apus_sum_f64         16  f64 sum, f64 compensation                     f64
//   apus_extreme_i64     16  u64 count, i64 value (minimum or maximum)     i64
//   apus_extreme_f64     16  u64 count, f64 value (minimum or maximum)     f64
//   apus_average_i64     24  u64 count, 128-bit sum: u64 low, i64 high     f64
//   apus_average_f64     24  u64 count, f64 sum, f64 compensation          f64
//
// Overflow: a sum of integers is kept in 128 bits and cannot overflow; a result that does not fit
// in 64 is APUS_LIMIT, with the nearest number that does, and is right again when later numbers
// bring the sum back. Averages of integers are made from the exact sum. A sum of doubles beyond
// 1.8e308 is infinite and stays so.
// Rounding: sums of doubles are compensated (Neumaier), so that the error does not grow with the
// number of records; do not compile with -ffast-math, which removes the compensation.
// NaN: a NaN that is folded into a sum, minimum, maximum or average of doubles is its result from
// then on, and so are opposite infinities in sums. -0 is below +0. Minimum, maximum and all
// aggregates of integers do not depend on the order of the records.
#ifndef APUS_AGGREGATE_H
#define APUS_AGGREGATE_H

#include "apus/context.h"

typedef struct apus_count {
    uint64_t count;
} apus_count;

typedef struct apus_sum_i64 {
    uint64_t low;
    int64_t high;
} apus_sum_i64;

typedef struct apus_sum_f64 {
    double sum;
    double compensation;
} apus_sum_f64;

typedef struct apus_extreme_i64 {
    uint64_t count;
    int64_t value;
} apus_extreme_i64;

typedef struct apus_extreme_f64 {
    uint64_t count;
    double value;
} apus_extreme_f64;

typedef struct apus_average_i64 {
    uint64_t count;
    apus_sum_i64 sum;
} apus_average_i64;

typedef struct apus_average_f64 {
    uint64_t count;
    apus_sum_f64 sum;
} apus_average_f64;

// What is kept in checkpoints for people, and for tools that show results.
#define APUS_COUNT_SCHEMA "aggregate count: u64 count"
#define APUS_SUM_I64_SCHEMA "aggregate sum of i64: u64 low, i64 high"
#define APUS_SUM_F64_SCHEMA "aggregate sum of f64: f64 sum, f64 compensation"
#define APUS_MINIMUM_I64_SCHEMA "aggregate minimum of i64: u64 count, i64 value"
#define APUS_MAXIMUM_I64_SCHEMA "aggregate maximum of i64: u64 count, i64 value"
#define APUS_MINIMUM_F64_SCHEMA "aggregate minimum of f64: u64 count, f64 value"
#define APUS_MAXIMUM_F64_SCHEMA "aggregate maximum of f64: u64 count, f64 value"
#define APUS_AVERAGE_I64_SCHEMA "aggregate average of i64: u64 count, u64 low, i64 high"
#define APUS_AVERAGE_F64_SCHEMA "aggregate average of f64: u64 count, f64 sum, f64 compensation"

// Initialises an apus_state_decl for an aggregate, built in or the plugin's own:
//     static const apus_state_decl total = APUS_AGGREGATE("total", apus_sum_i64, 1,
//         APUS_SUM_I64_SCHEMA);
// An accumulator of the plugin's own is a struct without pointers, for which all zero is empty.
#define APUS_AGGREGATE(name, accumulator, version, schema) \
    {sizeof(apus_state_decl), APUS_STATE_VALUE, APUS_STR(name), (version), \
     (uint32_t)sizeof(accumulator), 0, 0, APUS_STR(schema), 0, 0, {NULL, 0}, NULL}

// MARK: Folding a number into an accumulator, and its result.
//
// Results are APUS_OK, APUS_NOT_FOUND when nothing was folded (0 then), or APUS_LIMIT as above.
// They look at nothing but the accumulator: [any].

static inline void apus_count_fold(apus_count *a) {
    a->count++;
}

static inline void apus_sum_i64_fold(apus_sum_i64 *a, int64_t number) {
    uint64_t low = a->low + (uint64_t)number;
    uint64_t high = (uint64_t)a->high + (low < a->low) + (number < 0 ? UINT64_MAX : 0);
    a->low = low;
    a->high = (int64_t)high;
}

static inline int32_t apus_sum_i64_result(const apus_sum_i64 *a, int64_t *result) {
    // It fits when the high half is no more than the low half's sign.
    if (a->high == ((int64_t)a->low < 0 ? -1 : 0)) {
        *result = (int64_t)a->low;
        return APUS_OK;
    }
    *result = a->high < 0 ? INT64_MIN : INT64_MAX;
    return APUS_LIMIT;
}

static inline void apus_sum_f64_fold(apus_sum_f64 *a, double number) {
    double sum = a->sum + number;
    double large = __builtin_fabs(a->sum) >= __builtin_fabs(number) ? a->sum : number;
    double small = __builtin_fabs(a->sum) >= __builtin_fabs(number) ? number : a->sum;
    // What the addition has rounded away; meaningless, and not needed, once it is infinite.
    double lost = (large - sum) + small;
    a->sum = sum;
    if (__builtin_isfinite(lost)) a->compensation += lost;
}

static inline int32_t apus_sum_f64_result(const apus_sum_f64 *a, double *result) {
    *result = __builtin_isfinite(a->sum) ? a->sum + a->compensation : a->sum;
    return APUS_OK;
}

static inline void apus_minimum_i64_fold(apus_extreme_i64 *a, int64_t number) {
    if (a->count == 0 || number < a->value) a->value = number;
    a->count++;
}

static inline void apus_maximum_i64_fold(apus_extreme_i64 *a, int64_t number) {
    if (a->count == 0 || number > a->value) a->value = number;
    a->count++;
}

static inline int32_t apus_extreme_i64_result(const apus_extreme_i64 *a, int64_t *result) {
    *result = a->value;
    return a->count ? APUS_OK : APUS_NOT_FOUND;
}

static inline void apus_minimum_f64_fold(apus_extreme_f64 *a, double number) {
    int is_less = number < a->value
        || (number == a->value && __builtin_signbit(number) && !__builtin_signbit(a->value));
    if (a->count == 0 || __builtin_isnan(number) || is_less) a->value = number;
    a->count++;
}

static inline void apus_maximum_f64_fold(apus_extreme_f64 *a, double number) {
    int is_more = number > a->value
        || (number == a->value && !__builtin_signbit(number) && __builtin_signbit(a->value));
    if (a->count == 0 || __builtin_isnan(number) || is_more) a->value = number;
    a->count++;
}

static inline int32_t apus_extreme_f64_result(const apus_extreme_f64 *a, double *result) {
    *result = a->value;
    return a->count ? APUS_OK : APUS_NOT_FOUND;
}

static inline void apus_average_i64_fold(apus_average_i64 *a, int64_t number) {
    a->count++;
    apus_sum_i64_fold(&a->sum, number);
}

static inline int32_t apus_average_i64_result(const apus_average_i64 *a, double *result) {
    *result = 0;
    if (a->count == 0) return APUS_NOT_FOUND;
    // The whole part exactly, so that only the fraction is rounded before the end.
    __extension__ typedef __int128 wide;
    __extension__ typedef unsigned __int128 unsigned_wide;
    wide sum = (wide)(((unsigned_wide)(uint64_t)a->sum.high << 64) | a->sum.low);
    wide count = (wide)a->count;
    *result = (double)(sum / count) + (double)(sum % count) / (double)a->count;
    return APUS_OK;
}

static inline void apus_average_f64_fold(apus_average_f64 *a, double number) {
    a->count++;
    apus_sum_f64_fold(&a->sum, number);
}

static inline int32_t apus_average_f64_result(const apus_average_f64 *a, double *result) {
    *result = 0;
    if (a->count == 0) return APUS_NOT_FOUND;
    apus_sum_f64_result(&a->sum, result);
    *result /= (double)a->count;
    return APUS_OK;
}

// MARK: Accumulators in state.

// The accumulator of record rec's key, to fold into: created empty. Valid until the callback
// returns, or the same slot of the same key is written by other means. [op]
static inline int32_t apus_accumulator(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, void **accumulator) {
    return ctx->state->value_mut(ctx, slot, rec, accumulator);
}

// Copies the accumulator of record rec's key, to read its result; all zero with APUS_NOT_FOUND.
// APUS_UNSUPPORTED when the state has values of another length. [op]
static inline int32_t apus_accumulator_get(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, void *copy, uint64_t len) {
    apus_bytes found;
    memset(copy, 0, len);
    int32_t rc = ctx->state->value_get(ctx, slot, rec, &found);
    if (rc != APUS_OK) return rc;
    if (found.len != len) return APUS_UNSUPPORTED;
    memcpy(copy, found.data, len);
    return APUS_OK;
}

// Folds record rec into its accumulator. A result other than APUS_OK says that the accumulator
// was left as it was; the host's functions must not be used for the same slot. [op]
typedef int32_t (*apus_fold)(void *self, apus_ctx *, const apus_batch *, uint32_t rec, void *);

// Calls fold for the records ctx->at ..< batch->count, in order, with accumulators that are looked
// up many at a time, which is a little faster than one by one. The result is one
// for process() to return: APUS_OK when all are folded, else what fold returned, with ctx->at at
// that record. A record without key is given NULL. [op]
static inline int32_t apus_fold_each(
    apus_ctx *ctx, uint32_t slot, const apus_batch *batch, apus_fold fold, void *self) {
    void *accumulators[256];
    uint8_t created[256];
    while (ctx->at < batch->count) {
        uint32_t first = ctx->at;
        uint32_t left = batch->count - first;
        uint32_t count = left < 256 ? left : 256;
        int32_t rc = ctx->state->value_mut_many(ctx, slot, first, count, accumulators, created);
        for (uint32_t i = 0; rc == APUS_OK && i < count; i++) {
            rc = fold(self, ctx, batch, first + i, accumulators[i]);
            if (rc == APUS_OK) {
                ctx->at = first + i + 1;
                continue;
            }
            // Those that were created for records not reached go again, else they would be kept.
            ctx->at = first + i;
            for (uint32_t rest = i; rest < count; rest++) {
                if (created[rest]) ctx->state->clear(ctx, slot, first + rest);
            }
        }
        if (rc != APUS_OK) return rc;
    }
    return APUS_OK;
}

#endif
