// The commonest shapes of functions, each with a loop that the compiler has made for it: a call
// costs what an indirect call costs, and libffi is not needed.
#include <string.h>

#include "function.h"

#define MEMBER_I8 i8
#define MEMBER_I16 i16
#define MEMBER_I32 i32
#define MEMBER_I64 i64
#define MEMBER_U8 u8
#define MEMBER_U32 u32
#define MEMBER_U64 u64
#define MEMBER_F32 f32
#define MEMBER_F64 f64
#define MEMBER_BOOL truth
#define MEMBER_PTR ptr
#define C_I8 int8_t
#define C_I16 int16_t
#define C_I32 int32_t
#define C_I64 int64_t
#define C_U8 uint8_t
#define C_U32 uint32_t
#define C_U64 uint64_t
#define C_F32 float
#define C_F64 double
#define C_BOOL bool
#define C_PTR const void *

// Result and arguments.
#define SHAPES(ONE, TWO, THREE, FOUR) \
    ONE(F64, F64)                     \
    ONE(F32, F32)                     \
    ONE(I32, I32)                     \
    ONE(I64, I64)                     \
    ONE(U32, U32)                     \
    ONE(U64, U64)                     \
    ONE(U8, U8)                       \
    ONE(I64, F64)                     \
    ONE(F64, I64)                     \
    ONE(I32, F64)                     \
    ONE(F64, I32)                     \
    ONE(BOOL, F64)                    \
    ONE(BOOL, I32)                    \
    ONE(BOOL, I64)                    \
    ONE(I32, PTR)                     \
    ONE(I64, PTR)                     \
    ONE(U64, PTR)                     \
    ONE(F64, PTR)                     \
    ONE(BOOL, PTR)                    \
    ONE(PTR, PTR)                     \
    ONE(PTR, I32)                     \
    ONE(PTR, I64)                     \
    TWO(F64, F64, F64)                \
    TWO(F32, F32, F32)                \
    TWO(I32, I32, I32)                \
    TWO(I64, I64, I64)                \
    TWO(U32, U32, U32)                \
    TWO(U64, U64, U64)                \
    TWO(F64, F64, I32)                \
    TWO(F64, I32, F64)                \
    TWO(BOOL, F64, F64)               \
    TWO(BOOL, I64, I64)               \
    TWO(I32, PTR, PTR)                \
    TWO(BOOL, PTR, PTR)               \
    TWO(U32, PTR, U64)                \
    TWO(U64, PTR, U64)                \
    TWO(I32, PTR, U64)                \
    TWO(I64, PTR, U64)                \
    TWO(PTR, PTR, PTR)                \
    TWO(PTR, PTR, I32)                \
    THREE(F64, F64, F64, F64)         \
    THREE(F32, F32, F32, F32)         \
    THREE(I64, I64, I64, I64)         \
    THREE(U64, U64, PTR, U64)         \
    THREE(U32, U32, PTR, U64)         \
    FOUR(F64, F64, F64, F64, F64)

// `at` is written before each call: it tells which record a crash or an exception belongs to.
#define EACH_ROW(width, call)                                      \
    const apus_cell *row = calls->rows + calls->at * (width);      \
    for (size_t i = calls->at; i < calls->count; i++, row += (width)) { \
        calls->at = i;                                             \
        call;                                                      \
    }

#define LOOP_ONE(R, A)                                                          \
    static void R##_of_##A(void *address, apus_calls *calls) {                  \
        C_##R (*f)(C_##A) = (C_##R (*)(C_##A))address;                          \
        EACH_ROW(1, calls->results[i].MEMBER(R) = f(row[0].MEMBER(A)))          \
    }
#define LOOP_TWO(R, A, B)                                                       \
    static void R##_of_##A##_##B(void *address, apus_calls *calls) {            \
        C_##R (*f)(C_##A, C_##B) = (C_##R (*)(C_##A, C_##B))address;            \
        EACH_ROW(2, calls->results[i].MEMBER(R) = f(row[0].MEMBER(A), row[1].MEMBER(B))) \
    }
#define LOOP_THREE(R, A, B, C)                                                  \
    static void R##_of_##A##_##B##_##C(void *address, apus_calls *calls) {      \
        C_##R (*f)(C_##A, C_##B, C_##C) = (C_##R (*)(C_##A, C_##B, C_##C))address; \
        EACH_ROW(3, calls->results[i].MEMBER(R) =                               \
                        f(row[0].MEMBER(A), row[1].MEMBER(B), row[2].MEMBER(C))) \
    }
#define LOOP_FOUR(R, A, B, C, D)                                                \
    static void R##_of_##A##_##B##_##C##_##D(void *address, apus_calls *calls) { \
        C_##R (*f)(C_##A, C_##B, C_##C, C_##D) =                                \
            (C_##R (*)(C_##A, C_##B, C_##C, C_##D))address;                     \
        EACH_ROW(4, calls->results[i].MEMBER(R) =                               \
                        f(row[0].MEMBER(A), row[1].MEMBER(B), row[2].MEMBER(C), \
                          row[3].MEMBER(D)))                                    \
    }
#define MEMBER(T) MEMBER_##T

SHAPES(LOOP_ONE, LOOP_TWO, LOOP_THREE, LOOP_FOUR)

#define TYPE(T) APUS_TYPE_##T
#define ENTRY_ONE(R, A) {R##_of_##A, TYPE(R), 1, {TYPE(A)}},
#define ENTRY_TWO(R, A, B) {R##_of_##A##_##B, TYPE(R), 2, {TYPE(A), TYPE(B)}},
#define ENTRY_THREE(R, A, B, C) \
    {R##_of_##A##_##B##_##C, TYPE(R), 3, {TYPE(A), TYPE(B), TYPE(C)}},
#define ENTRY_FOUR(R, A, B, C, D) \
    {R##_of_##A##_##B##_##C##_##D, TYPE(R), 4, {TYPE(A), TYPE(B), TYPE(C), TYPE(D)}},

static const struct {
    apus_loop *loop;
    uint8_t result;
    uint8_t cell_count;
    uint8_t cells[4];
} loops[] = {SHAPES(ENTRY_ONE, ENTRY_TWO, ENTRY_THREE, ENTRY_FOUR)};

apus_loop *apus_find_loop(uint8_t result, const uint8_t *cells, size_t cell_count) {
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
        if (loops[i].result == result && loops[i].cell_count == cell_count &&
            memcmp(loops[i].cells, cells, cell_count) == 0) {
            return loops[i].loop;
        }
    }
    return NULL;
}

size_t apus_function_loop_count(void) {
    return sizeof loops / sizeof loops[0];
}
