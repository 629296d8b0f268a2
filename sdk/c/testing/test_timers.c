// Timers of the test host: a heap is not worth it for tests.
#include <stdlib.h>

#include "internal.h"

static timer *timer_find(apus_test *t, uint32_t index, uint64_t id, const block *key) {
    for (uint64_t i = 0; i < t->timer_count; i++) {
        timer *found = &t->timers[i];
        if (found->index == index && found->id == id
            && block_is(&found->key, key->data, key->len)) {
            return found;
        }
    }
    return NULL;
}

void timer_remove(apus_test *t, uint64_t position) {
    block_free(&t->timers[position].key);
    block_free(&t->timers[position].payload);
    t->timers[position] = t->timers[--t->timer_count];
}

static int32_t set(
    apus_ctx *ctx, uint32_t index, uint64_t id, uint32_t rec, int64_t time_us,
    const void *payload, uint64_t len) {
    apus_test *t = test_of(ctx);
    const kept *k = record_in_hand(ctx, rec);
    if (!k || index >= t->component->timer_count || (!payload && len)) return APUS_UNSUPPORTED;
    timer *found = timer_find(t, index, id, &k->key);
    if (!found) {
        t->timers = grown(t->timers, t->timer_count, &t->timer_capacity, sizeof *t->timers);
        found = &t->timers[t->timer_count++];
        memset(found, 0, sizeof *found);
        found->index = index;
        found->id = id;
        found->key = block_of(k->key.data, k->key.len);
    }
    found->time = time_us;
    block_replace(&found->payload, payload, len);
    return APUS_OK;
}

static int32_t cancel(apus_ctx *ctx, uint32_t index, uint64_t id, uint32_t rec) {
    apus_test *t = test_of(ctx);
    const kept *k = record_in_hand(ctx, rec);
    if (!k || index >= t->component->timer_count) return APUS_UNSUPPORTED;
    timer *found = timer_find(t, index, id, &k->key);
    if (!found) return APUS_NOT_FOUND;
    timer_remove(t, (uint64_t)(found - t->timers));
    return APUS_OK;
}

const apus_timer_api test_timer_api = {
    .size = sizeof test_timer_api, .set = set, .cancel = cancel};

static int is_before(const timer *a, const timer *b) {
    if (a->time != b->time) return a->time < b->time;
    if (a->index != b->index) return a->index < b->index;
    return a->id < b->id;
}

// The earliest timer that is due and whose key has none among those taken; or -1.
static int64_t next_due(apus_test *t, uint32_t domain, int64_t until, const kept_list *taken) {
    int64_t best = -1;
    for (uint64_t i = 0; i < t->timer_count; i++) {
        const timer *x = &t->timers[i];
        if (t->component->timers[x->index]->domain != domain || x->time > until) continue;
        if (best >= 0 && !is_before(x, &t->timers[best])) continue;
        int is_free = 1;
        for (uint64_t k = 0; k < taken->count && is_free; k++) {
            is_free = !block_is(&taken->at[k].key, x->key.data, x->key.len);
        }
        if (is_free) best = (int64_t)i;
    }
    return best;
}

// Fires what is due in rounds, in which each key has one timer at most: what the callback sets or
// cancels is in force for the key's next timer.
void fire_timers(apus_test *t, uint32_t domain, int64_t until) {
    for (int round = 0; !t->has_failed; round++) {
        kept_list due = {0};
        uint32_t *indexes = NULL;
        uint64_t *ids = NULL, index_capacity = 0, id_capacity = 0;
        int64_t found;
        while (due.count < 65536 && (found = next_due(t, domain, until, &due)) >= 0) {
            const timer *x = &t->timers[found];
            indexes = grown(indexes, due.count, &index_capacity, sizeof *indexes);
            ids = grown(ids, due.count, &id_capacity, sizeof *ids);
            indexes[due.count] = x->index;
            ids[due.count] = x->id;
            kept *k = kept_add(&due);
            k->key = block_of(x->key.data, x->key.len);
            k->value = block_of(x->payload.data, x->payload.len);
            k->has_key = k->has_value = 1;
            k->ts = x->time;
            timer_remove(t, (uint64_t)found);
        }
        uint64_t count = due.count;
        if (round > 100000) {
            fail(t, 0, "timers fire without end: each sets another one that is due at once");
        } else if (count > 0 && !t->vt->on_timers) {
            fail(t, 0, "a timer is due, but the operator has no on_timers");
        } else if (count > 0) {
            apus_timers timers = {
                .size = sizeof timers, .domain = domain, .timer = indexes, .id = ids};
            run_batch(t, &due, &timers, 0, 0);
        }
        kept_clear(&due);
        free(indexes);
        free(ids);
        if (count == 0) return;
    }
}
