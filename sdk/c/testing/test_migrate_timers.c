// Armed timers of an older description of an operator: matched by their names, and re-planned by
// the functions of the newer one.
#include <stdlib.h>

#include "internal.h"

static int64_t index_now(const apus_component *after, apus_str name) {
    for (uint32_t i = 0; i < after->timer_count; i++) {
        if (has_same_text(after->timers[i]->name, name)) return i;
    }
    return -1;
}

static uint32_t version_of(const apus_timer_decl *decl) {
    return APUS_HAS(decl, migrate) && decl->schema_version > 0 ? decl->schema_version : 1;
}

// Whether a timer that was armed under one declaration may be armed under the other.
static int is_takeable(apus_test *t, const apus_timer_decl *before, const apus_timer_decl *after) {
    uint32_t from = version_of(before), to = version_of(after);
    if (before->domain != after->domain) {
        fail(t, APUS_INCOMPATIBLE, "timer '%.*s' changes its domain from %u to %u",
            (int)after->name.len, after->name.data, before->domain, after->domain);
        return 0;
    }
    int can_migrate = APUS_HAS(after, migrate) && after->migrate && after->min_readable > 0
        && from >= after->min_readable && from < to;
    if (from == to || can_migrate) return 1;
    fail(t, APUS_INCOMPATIBLE, "timer '%.*s' has version %u, which version %u cannot take",
        (int)after->name.len, after->name.data, from, to);
    return 0;
}

// Re-plans one timer; 0 when it is to be cancelled, or something is wrong.
static int replan(
    apus_test *t, const apus_timer_decl *before, const apus_timer_decl *after, timer *x) {
    apus_timer_migration migration = {
        .size = sizeof migration, .from_version = version_of(before),
        .to_version = version_of(after), .domain = after->domain,
        .key = {x->key.data, x->key.len}, .id = x->id, .time_us = x->time,
        .payload = {x->payload.data, x->payload.len}};
    apus_timer_target plans[2];
    block payloads[2];
    int32_t codes[2];
    apus_error error = {.size = sizeof error};
    for (int i = 0; i < 2; i++) {
        plans[i] = (apus_timer_target){.size = sizeof plans[i], .id = x->id, .time_us = x->time};
        payloads[i] = block_of(NULL, 0);
        apus_writer writer = {
            .size = sizeof writer, .write = write_to_block, .host_private = &payloads[i]};
        codes[i] = after->migrate(&migration, &plans[i], &writer, &error);
    }
    if (codes[0] != APUS_OK && codes[0] != APUS_NOT_FOUND) {
        fail(t, codes[0], "timer '%.*s' of version %u: %.*s", (int)after->name.len,
            after->name.data, migration.from_version, (int)error.len, error.message);
    } else if (codes[0] != codes[1] || plans[0].id != plans[1].id
        || plans[0].time_us != plans[1].time_us
        || !block_is(&payloads[1], payloads[0].data, payloads[0].len)) {
        fail(t, 0, "timer '%.*s': migrate gives something else the second time",
            (int)after->name.len, after->name.data);
    }
    x->id = plans[0].id;
    x->time = plans[0].time_us;
    if (payloads[0].len > 0) block_replace(&x->payload, payloads[0].data, payloads[0].len);
    block_free(&payloads[0]);
    block_free(&payloads[1]);
    return codes[0] == APUS_OK && !t->has_failed;
}

static void check_ids(apus_test *t, const apus_component *after) {
    for (uint64_t i = 0; i < t->timer_count && !t->has_failed; i++) {
        const timer *a = &t->timers[i];
        for (uint64_t k = 0; k < i && !t->has_failed; k++) {
            const timer *b = &t->timers[k];
            if (a->index != b->index || a->id != b->id
                || !block_is(&a->key, b->key.data, b->key.len)) continue;
            apus_str name = after->timers[a->index]->name;
            fail(t, APUS_INCOMPATIBLE, "timer '%.*s': migrate gave two timers the id %llu",
                (int)name.len, name.data, (unsigned long long)a->id);
        }
    }
}

void migrate_timers(apus_test *t, const apus_component *before, const apus_component *after) {
    if (before == after) return;
    uint64_t i = 0;
    while (i < t->timer_count && !t->has_failed) {
        timer *x = &t->timers[i];
        const apus_timer_decl *was = before->timers[x->index];
        int64_t index = index_now(after, was->name);
        if (index < 0) {
            fail(t, APUS_INCOMPATIBLE, "timer '%.*s' is armed, and the new version has none of "
                "that name; keep the timer, and do nothing when it fires", (int)was->name.len,
                was->name.data);
            return;
        }
        const apus_timer_decl *now = after->timers[index];
        x->index = (uint32_t)index;
        if (!is_takeable(t, was, now)) return;
        if (version_of(was) != version_of(now) && !replan(t, was, now, x)) {
            timer_remove(t, i);  // the last one takes its place
        } else {
            i++;
        }
    }
    check_ids(t, after);
}
