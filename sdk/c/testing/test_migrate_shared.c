// Broadcast and operator state of an older description of an operator, made readable for a newer
// one as keyed state is.
#include "internal.h"

// What the items of an operator state are in the terms of any other state.
static apus_state_decl as_state(const apus_operator_state_decl *decl) {
    apus_state_decl state = {
        .size = offsetof(apus_state_decl, min_readable), .kind = decl->redistribution,
        .name = decl->name, .schema_version = decl->schema_version};
    if (!APUS_HAS(decl, migrate)) return state;
    state.size = sizeof state;
    state.min_readable = decl->min_readable;
    state.renamed_from = decl->renamed_from;
    state.migrate = decl->migrate;
    return state;
}

// Moves each list to where the newer description has it, and brings what is in it forward.
static void migrate_lists(
    apus_test *t, items *lists, const apus_state_decl *const *before, uint32_t count_before,
    const apus_state_decl *const *after, uint32_t count_after) {
    items old[STATES_MAX];
    memcpy(old, lists, sizeof old);
    memset(lists, 0, sizeof old);
    for (uint32_t i = 0; i < count_before; i++) {
        int64_t slot = slot_now(after, count_after, before[i]);
        if (slot >= 0 && old[i].count > 0 && lists[slot].count > 0) {
            fail(t, APUS_INCOMPATIBLE, "state '%.*s' takes over from two that have something",
                (int)after[slot]->name.len, after[slot]->name.data);
        }
        if (slot < 0 || old[i].count == 0 || t->has_failed) {
            items_free(&old[i]);
            continue;
        }
        lists[slot] = old[i];
        if (can_take_state(t, before[i], after[slot])
            && before[i]->schema_version != after[slot]->schema_version) {
            migrate_items(t, &lists[slot], &(block){NULL, 0}, before[i], after[slot]);
        }
    }
}

void migrate_shared(apus_test *t, const apus_component *before, const apus_component *after) {
    if (before == after) return;
    migrate_lists(
        t, t->broadcasts, before->broadcasts, before->broadcast_count, after->broadcasts,
        after->broadcast_count);
    apus_state_decl states[2][STATES_MAX];
    const apus_state_decl *rows[2][STATES_MAX];
    const apus_component *both[] = {before, after};
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < both[side]->operator_state_count; i++) {
            states[side][i] = as_state(both[side]->operator_states[i]);
            rows[side][i] = &states[side][i];
        }
    }
    migrate_lists(
        t, t->operator_states, rows[0], before->operator_state_count, rows[1],
        after->operator_state_count);
}
