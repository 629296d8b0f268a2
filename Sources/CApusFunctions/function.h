// What a function is called by.
#pragma once

#include <ffi.h>

#include "CApusFunctions.h"

// Makes the calls from row `at` to the end.
typedef void apus_loop(void *address, apus_calls *calls);

struct apus_function {
    void *address;
    apus_loop *loop;  // NULL for libffi
    int32_t strings;
    uint8_t result;
    size_t cell_count;
    ffi_cif cif;
    ffi_type *types[APUS_FUNCTION_CELLS_MAX];
    // For trials: the same with as many further arguments as there are registers left.
    ffi_cif trial_cif;
    ffi_type *trial_types[APUS_FUNCTION_CELLS_MAX + 16];
    size_t spare_integer_count, spare_float_count;
};

// The compiled loop for these types, or NULL.
apus_loop *apus_find_loop(uint8_t result, const uint8_t *cells, size_t cell_count);
