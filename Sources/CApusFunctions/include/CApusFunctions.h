// Calls C functions whose types are known only at run time: the commonest by compiled loops, the
// others by libffi. Nothing here allocates per call.
#ifndef CAPUS_FUNCTIONS_H
#define CAPUS_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The types that the machine knows of. A string is a pointer, bytes are a pointer and a U64.
#define APUS_TYPE_VOID 0
#define APUS_TYPE_I8 1
#define APUS_TYPE_I16 2
#define APUS_TYPE_I32 3
#define APUS_TYPE_I64 4
#define APUS_TYPE_U8 5
#define APUS_TYPE_U16 6
#define APUS_TYPE_U32 7
#define APUS_TYPE_U64 8
#define APUS_TYPE_F32 9
#define APUS_TYPE_F64 10
#define APUS_TYPE_BOOL 11
#define APUS_TYPE_PTR 12

// The most cells that the arguments of a function take.
#define APUS_FUNCTION_CELLS_MAX 32

// An argument or a result, in 8 bytes, of which the first have it.
typedef union apus_cell {
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    float f32;
    double f64;
    bool truth;
    const void *ptr;
} apus_cell;

// How a function is called. Immutable, and free to be used by any number of threads.
typedef struct apus_function apus_function;

// What a string result becomes.
#define APUS_STRING_NONE 0      // the function returns no string
#define APUS_STRING_BORROWED 1  // copied at once, before the next call
#define APUS_STRING_MALLOC 2    // copied, and freed with free()

// Makes what a function at an address is called by; NULL when memory lacks or there are more cells
// than APUS_FUNCTION_CELLS_MAX.
//
// The types are APUS_TYPE_ constants, one per cell. strings tells what a result of type PTR is.
// Where use_ffi is true no compiled loop is used even if there is one.
apus_function *apus_function_create(
    void *address, uint8_t result, const uint8_t *cells, size_t cell_count, int32_t strings,
    bool use_ffi);
void apus_function_destroy(apus_function *);

// Whether calls go through libffi.
bool apus_function_uses_ffi(const apus_function *);

// How many compiled loops there are.
size_t apus_function_loop_count(void);

// Text that grows: what strings are copied to.
typedef struct apus_text {
    uint8_t *bytes;
    size_t used;
    size_t capacity;
} apus_text;

void apus_text_destroy(apus_text *);

// Calls that are to be made one after another, one per row.
typedef struct apus_calls {
    const apus_function *function;
    const apus_cell *rows;  // rows of as many cells as the function has, one after another
    apus_cell *results;     // one per row; of a string its offset in text
    size_t *lengths;        // of a string, one per row; APUS_NO_STRING where NULL was returned
    apus_text *text;        // for strings
    size_t count;           // rows
    size_t at;              // the row that is being called, or was last
} apus_calls;

#define APUS_NO_STRING SIZE_MAX

// Makes the calls from row `at` to the end. The argument is an apus_calls: what
// apus_guard_call() takes. Returns 0, or -1 when there is no memory for strings.
int32_t apus_function_run(void *calls);

// One call for a trial. Behind the declared arguments come others, in the registers that are left,
// which a function that takes no more never looks at. `poison` is 0 or 1: two sets of them. As
// pointers they lead nowhere, so that a function with more parameters than were declared crashes,
// or returns different results for the two sets.
typedef struct apus_trial {
    const apus_function *function;
    const apus_cell *row;
    apus_cell *result;
    int32_t poison;
} apus_trial;

// Makes the call. The argument is an apus_trial: what apus_guard_call() takes.
int32_t apus_function_try(void *trial);

// Memory whose end is the end of what may be read: a copy of some bytes that ends just before a
// page that nobody may touch. NULL when there is none. Never freed.
void *apus_fenced_copy(const void *bytes, size_t length);

// Symbols of a loaded library.

#define APUS_SYMBOL_MISSING 0
#define APUS_SYMBOL_FUNCTION 1  // resolved at load time ("IFUNC") or not
#define APUS_SYMBOL_DATA 2
#define APUS_SYMBOL_THREAD_LOCAL 3

// The kind of a symbol that a library itself defines.
int32_t apus_symbol_kind(void *handle, const char *name);

// Calls back with each function that a library itself defines.
void apus_symbol_each(void *handle, void *context, void (*each)(void *context, const char *name));

// The path of a loaded library, or of the library in which an address lies; "" when unknown.
const char *apus_library_path(void *handle);
const char *apus_library_of(const void *address);

// For the benchmark: the same work by a loop of the compiler, and functions to do it.

double apus_bench_multiply(double a, double b);
void apus_bench_multiply_all(const double *a, const double *b, double *out, size_t count);
// Fills results with multiply(a, b) of rows of two cells, by calls that the compiler knows.
void apus_bench_direct(const apus_cell *rows, apus_cell *results, size_t count);

#ifdef __cplusplus
}
#endif

#endif
