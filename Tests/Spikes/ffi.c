// What a call by way of libffi costs: nanoseconds, the median of 21 rounds and the largest.
#include <ffi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CALLS 2000000

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((noinline)) static int64_t add(int64_t a, int64_t b, int64_t c) {
    __asm__ volatile("" : "+r"(a));
    return a + b + c;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(const char *name, double *rounds) {
    qsort(rounds, 21, sizeof *rounds, compare);
    printf("%s\t%f\t%f\n", name, rounds[10], rounds[20]);
}

int main(void) {
    ffi_cif cif;
    ffi_type *types[] = {&ffi_type_sint64, &ffi_type_sint64, &ffi_type_sint64};
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 3, &ffi_type_sint64, types) != FFI_OK) return 1;
    int64_t (*volatile function)(int64_t, int64_t, int64_t) = add;
    double direct[21], pointer[21], ffi[21];
    int64_t sum = 0, a, b = 2, c = 3, result;
    for (int round = 0; round < 21; round++) {
        uint64_t start = now();
        for (int64_t i = 0; i < CALLS; i++) sum += add(i, b, c);
        direct[round] = (double)(now() - start) / CALLS;
        start = now();
        for (int64_t i = 0; i < CALLS; i++) sum += function(i, b, c);
        pointer[round] = (double)(now() - start) / CALLS;
        void *values[] = {&a, &b, &c};
        start = now();
        for (int64_t i = 0; i < CALLS; i++) {
            a = i;
            ffi_call(&cif, FFI_FN(add), &result, values);
            sum += result;
        }
        ffi[round] = (double)(now() - start) / CALLS;
    }
    tell("direct call", direct);
    tell("call through a pointer (a compiled trampoline)", pointer);
    tell("ffi_call, prepared once", ffi);
#ifdef FFI_PLAN_AVAILABLE
    printf("plan API\tyes\n");
#else
    printf("plan API\tno\n");
#endif
    return sum == 0;
}
