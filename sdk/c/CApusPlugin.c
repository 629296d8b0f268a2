// The ABI is headers only. This file makes every build check that they compile as C11.
//
// CApusLayout.c checks where each field lies, sdk/abi/compare.py that no field of a released one
// has moved.
#include "apus/apus.h"

_Static_assert(sizeof(apus_view) == 16, "a view is 16 bytes, as Arrow's BinaryView");
_Static_assert(sizeof(apus_error) == 496, "the layout of apus_error is fixed");
_Static_assert(sizeof(apus_note) == 64, "the note is frozen");
_Static_assert(sizeof(apus_elf_note) == 84, "the note is frozen");
_Static_assert(sizeof(apus_result) == 48, "elements of arrays never grow");
_Static_assert(sizeof(apus_average_i64) == 24, "accumulators are kept as they are in memory");
_Static_assert(sizeof(apus_average_f64) == 24, "accumulators are kept as they are in memory");
