// Values of an older description of an operator, made readable for a newer one.
#include "internal.h"

void migrate_states(apus_test *t, const apus_component *before, const apus_component *after) {
    if (before == after) return;
    if (before->state_count != after->state_count) {
        fail(t, 0, "the number of states changes from %u to %u", before->state_count,
            after->state_count);
    }
}
