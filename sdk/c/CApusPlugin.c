// The ABI is headers only. This file makes every build check that they compile as C11.
#include "apus/apus.h"

_Static_assert(sizeof(apus_view) == 16, "a view is 16 bytes, as Arrow's BinaryView");
_Static_assert(sizeof(apus_error) == 496, "the layout of apus_error is fixed");
_Static_assert(offsetof(apus_component, broadcast_input_count) == 120, "ABI 0.1 ends here");
_Static_assert(offsetof(apus_operator_vt, process_broadcast) == 48, "ABI 0.1 ends here");
_Static_assert(offsetof(apus_ctx, broadcast) == 96, "ABI 0.1 ends here");
_Static_assert(offsetof(apus_component, operator_state_count) == 136, "0.2 is as it was");
_Static_assert(offsetof(apus_component, histogram_count) == 152, "ABI 0.2 ends here");
_Static_assert(offsetof(apus_ctx, operator_state) == 112, "0.2 is as it was");
_Static_assert(offsetof(apus_ctx, instance_private) == 128, "ABI 0.2 ends here");
_Static_assert(offsetof(apus_operator_vt, on_async) == 56, "ABI 0.2 ends here");
_Static_assert(offsetof(apus_operator_state_decl, min_readable) == 48, "ABI 0.2 ends here");
_Static_assert(offsetof(apus_state_decl, min_readable) == 56, "ABI 0.1 ends here");
_Static_assert(offsetof(apus_timer_decl, schema_version) == 24, "ABI 0.1 ends here");
_Static_assert(sizeof(apus_note) == 64, "the note is frozen");
_Static_assert(sizeof(apus_elf_note) == 84, "the note is frozen");
_Static_assert(sizeof(apus_result) == 48, "elements of arrays never grow");
_Static_assert(sizeof(apus_operator_state_api) == 48, "functions are only added behind these");
_Static_assert(sizeof(apus_average_i64) == 24, "accumulators are kept as they are in memory");
_Static_assert(sizeof(apus_average_f64) == 24, "accumulators are kept as they are in memory");
