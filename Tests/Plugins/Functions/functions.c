// C functions for tests of function operators: no plugin, and no header of Apus.
#define _GNU_SOURCE
#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

// Types at their limits.

EXPORT int8_t same_i8(int8_t x) { return x; }
EXPORT int16_t same_i16(int16_t x) { return x; }
EXPORT int32_t same_i32(int32_t x) { return x; }
EXPORT int64_t same_i64(int64_t x) { return x; }
EXPORT uint8_t same_u8(uint8_t x) { return x; }
EXPORT uint16_t same_u16(uint16_t x) { return x; }
EXPORT uint32_t same_u32(uint32_t x) { return x; }
EXPORT uint64_t same_u64(uint64_t x) { return x; }
EXPORT float same_f32(float x) { return x; }
EXPORT double same_f64(double x) { return x; }
EXPORT bool opposite(bool x) { return !x; }

// Shapes: one that has a compiled loop, and many that have none.

EXPORT double weighted(double a, int32_t b, double c, uint8_t d, float e) {
    return a + 10.0 * b + 100.0 * c + 1000.0 * d + 10000.0 * (double)e;
}
EXPORT int64_t sum_of_nine(
    int8_t a, int16_t b, int32_t c, int64_t d, uint8_t e, uint16_t f, uint32_t g, uint64_t h,
    bool i) {
    return a + b + c + d + e + f + g + (int64_t)h + i;
}
EXPORT double sum_of_ten(
    double a, double b, double c, double d, double e, double f, double g, double h, double i,
    double j) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
EXPORT double add(double a, double b) { return a + b; }
EXPORT void half(double x, double *out) { *out = x / 2; }
EXPORT void halves(const double *x, double *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = x[i] / 2;
}
EXPORT void scale(const int32_t *x, double factor, float *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) out[i] = (float)(x[i] * factor);
}
EXPORT void lengths(const char *const *texts, int32_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (int32_t)strlen(texts[i]);
}
EXPORT void is_large(const double *x, bool *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = x[i] > 100;
}
// One more than there is room for: a trial finds it.
EXPORT void too_many(const double *x, double *out, size_t n) {
    for (size_t i = 0; i <= n; i++) out[i] = x[0];
}
static int64_t last_count;
EXPORT void remember_count(const int64_t *x, int64_t *out, int64_t n) {
    last_count = n;
    for (int64_t i = 0; i < n; i++) out[i] = x[i];
}

// Strings.

EXPORT const char *greeting(const char *name) {
    static char text[64];
    if (strcmp(name, "nobody") == 0) return NULL;
    snprintf(text, sizeof text, "hello, \"%s\"", name);
    return text;
}
EXPORT const char *same(const char *text) {
    static char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    return copy;
}
EXPORT char *reversed(const char *text) {
    size_t length = strlen(text);
    if (length == 0) return NULL;
    char *copy = malloc(length + 1);
    for (size_t i = 0; i < length; i++) copy[i] = text[length - 1 - i];
    copy[length] = 0;
    return copy;
}
EXPORT const char *not_utf8(const char *text) { (void)text; return "\xff\xfe"; }
EXPORT uint64_t count_zeros(const uint8_t *bytes, size_t length) {
    uint64_t count = 0;
    for (size_t i = 0; i < length; i++) count += bytes[i] == 0;
    return count;
}
EXPORT bool is_short(const char *text) { return strlen(text) < 4; }

EXPORT uint64_t heap_byte_count(void) { return mallinfo2().uordblks; }

// Threads: whether two were inside at the same time. Not atomic on purpose would be a matter of
// luck; so it is atomic, and what is counted is certain.
static atomic_int inside;
static atomic_int overlaps;
EXPORT int64_t crowded(int64_t x) {
    if (atomic_fetch_add(&inside, 1) > 0) atomic_fetch_add(&overlaps, 1);
    for (int i = 0; i < 20; i++) sched_yield();
    atomic_fetch_sub(&inside, 1);
    return x;
}
EXPORT int64_t overlap_count(void) { return atomic_load(&overlaps); }

// Misbehaviour.

EXPORT int32_t divide(int32_t a, int32_t b) { return a / b; }
EXPORT int32_t crash(int32_t x) { return *(volatile int32_t *)(intptr_t)(x & 1); }
EXPORT int32_t hang(int32_t x) {
    for (;;) pause();
    return x;
}
EXPORT int32_t leave(int32_t x) { exit(x & 0); }
EXPORT int32_t leave_at_once(int32_t x) { _exit(x & 0); }
EXPORT int32_t stop(int32_t x) { (void)x; abort(); }
// For ever, from 0 on down.
EXPORT int64_t deep(int64_t x) {
    volatile char room[4096];
    room[0] = (char)x;
    return x > 0 ? x : deep(x - 1) + room[0];
}
EXPORT int32_t needs_two_texts(const char *a, const char *b) { return strcmp(a, b); }
EXPORT int64_t needs_three(int64_t a, int64_t b, int64_t c) { return a + b + (c & 0xff); }
static int64_t calls;
EXPORT int64_t counter(void) { return ++calls; }
EXPORT int32_t talks(int32_t x) {
    puts("apus-function-report:{}");
    printf("no newline");
    fflush(stdout);
    return x;
}

// What is no function, and what is resolved when it is loaded.

EXPORT int32_t a_variable = 1;
EXPORT _Thread_local int32_t a_thread_local = 1;

static int64_t really_resolved(int64_t x) { return x + 1; }
static int64_t (*resolve(void))(int64_t) { return really_resolved; }
EXPORT int64_t resolved(int64_t x) __attribute__((ifunc("resolve")));

// A function of this name of one's own takes what it declares.
EXPORT int32_t printf_like_name(int32_t x) { return x; }
EXPORT int32_t syslog(int32_t x) { return x + 1; }
