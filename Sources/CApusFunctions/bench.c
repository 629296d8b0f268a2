#include "CApusFunctions.h"

__attribute__((noinline)) double apus_bench_multiply(double a, double b) {
    return a * b;
}

__attribute__((noinline)) void apus_bench_multiply_all(
    const double *a, const double *b, double *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = a[i] * b[i];
}

__attribute__((noinline)) void apus_bench_direct(
    const apus_cell *rows, apus_cell *results, size_t count) {
    for (size_t i = 0; i < count; i++) {
        results[i].f64 = apus_bench_multiply(rows[2 * i].f64, rows[2 * i + 1].f64);
    }
}
