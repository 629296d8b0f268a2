// The ABI is headers only. This file makes every build check that they compile as C11.
#include "apus/apus.h"

_Static_assert(sizeof(apus_view) == 16, "a view is 16 bytes, as Arrow's BinaryView");
_Static_assert(sizeof(apus_error) == 496, "the layout of apus_error is fixed");
_Static_assert(offsetof(apus_component, broadcast_input_count) == 120, "ABI 0.1 ends here");
_Static_assert(offsetof(apus_operator_vt, process_broadcast) == 48, "ABI 0.1 ends here");
_Static_assert(offsetof(apus_ctx, broadcast) == 96, "ABI 0.1 ends here");
_Static_assert(sizeof(apus_average_i64) == 24, "accumulators are kept as they are in memory");
_Static_assert(sizeof(apus_average_f64) == 24, "accumulators are kept as they are in memory");
