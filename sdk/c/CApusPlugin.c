// The ABI is headers only. This file makes every build check that they compile as C11.
#include "apus/apus.h"

_Static_assert(sizeof(apus_view) == 16, "a view is 16 bytes, as Arrow's BinaryView");
_Static_assert(sizeof(apus_error) == 496, "the layout of apus_error is fixed");
_Static_assert(sizeof(apus_average_i64) == 24, "accumulators are kept as they are in memory");
_Static_assert(sizeof(apus_average_f64) == 24, "accumulators are kept as they are in memory");
