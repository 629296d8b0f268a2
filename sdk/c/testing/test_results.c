// What the test host lets a test look at: see apus/test.h.
#include <stdlib.h>

#include "internal.h"

static output *find_output(apus_test *t, const char *name) {
    for (uint32_t i = 0; t->component && i < t->output_count; i++) {
        if (is_text(t->component->outputs[i]->name, name)) return &t->outputs[i];
    }
    // An operator may call its main output what it likes.
    if (t->output_count > 0 && strcmp(name, "main") == 0) return &t->outputs[0];
    fail(t, 0, "there is no output '%s'", name);
    return NULL;
}

uint64_t apus_test_count(apus_test *t, const char *name) {
    output *o = find_output(t, name);
    return o ? o->received.count : 0;
}

static const kept *find_received(apus_test *t, const char *name, uint64_t index) {
    output *o = find_output(t, name);
    if (o && index < o->received.count) return &o->received.at[index];
    if (o) {
        fail(t, 0, "output '%s' has %llu records, none number %llu", name,
            (unsigned long long)o->received.count, (unsigned long long)index);
    }
    return NULL;
}

apus_test_record apus_test_output(apus_test *t, const char *name, uint64_t index) {
    const kept *k = find_received(t, name, index);
    return k ? kept_record(k) : (apus_test_record){{NULL, 0}, {NULL, 0}, APUS_NO_TIME};
}

const char *apus_test_text(apus_test *t, const char *name, uint64_t index) {
    const kept *k = find_received(t, name, index);
    return k && k->value.data ? (const char *)k->value.data : "";
}

uint64_t apus_test_rejected_count(const apus_test *t) {
    return t->rejected.count;
}

const char *apus_test_rejected(apus_test *t, uint64_t index, apus_test_record *record) {
    if (index >= t->rejected.count) {
        fail(t, 0, "%llu records were refused, none number %llu",
            (unsigned long long)t->rejected.count, (unsigned long long)index);
        return "";
    }
    if (record) *record = kept_record(&t->rejected.at[index]);
    return (const char *)t->reasons[index].data;
}

uint64_t apus_test_counter(apus_test *t, const char *name) {
    for (uint32_t i = 0; t->component && i < t->component->counter_count; i++) {
        if (is_text(t->component->counters[i]->name, name)) return t->counters[i];
    }
    fail(t, 0, "there is no counter '%s'", name);
    return 0;
}

uint64_t apus_test_log_count(const apus_test *t) {
    return t->line_count;
}

const char *apus_test_log(apus_test *t, uint64_t index, uint32_t *level) {
    if (index >= t->line_count) {
        fail(t, 0, "the log has %llu lines", (unsigned long long)t->line_count);
        return "";
    }
    if (level) *level = t->lines[index].level;
    return (const char *)t->lines[index].text.data;
}

void apus_test_forget(apus_test *t) {
    for (uint32_t i = 0; i < t->output_count; i++) kept_clear(&t->outputs[i].received);
    for (uint64_t i = 0; i < t->rejected.count; i++) block_free(&t->reasons[i]);
    kept_clear(&t->rejected);
    for (uint64_t i = 0; i < t->line_count; i++) block_free(&t->lines[i].text);
    t->line_count = 0;
}

// MARK: State.

static row *find_row(apus_test *t, const char *state, apus_bytes key) {
    for (uint32_t i = 0; t->component && i < t->component->state_count; i++) {
        if (!is_text(t->component->states[i]->name, state)) continue;
        return row_find(t, i, key.data, key.len);
    }
    fail(t, 0, "there is no state '%s'", state);
    return NULL;
}

int apus_test_value(apus_test *t, const char *state, apus_bytes key, apus_bytes *value) {
    row *r = find_row(t, state, key);
    if (!r) return 0;
    if (t->component->states[r->slot]->kind == APUS_STATE_COUNTER) {
        *value = (apus_bytes){(const uint8_t *)&r->sum, sizeof r->sum};
    } else {
        *value = (apus_bytes){r->value.data, r->value.len};
    }
    return 1;
}

int64_t apus_test_sum(apus_test *t, const char *state, apus_bytes key) {
    row *r = find_row(t, state, key);
    return r ? r->sum : 0;
}

static apus_entry entry_of(apus_test *t, const items *list, uint64_t position) {
    if (list && position < list->count) {
        const item *i = &list->at[position];
        return (apus_entry){{i->key.data, i->key.len}, {i->value.data, i->value.len}};
    }
    fail(t, 0, "there is no entry number %llu", (unsigned long long)position);
    return (apus_entry){{NULL, 0}, {NULL, 0}};
}

uint64_t apus_test_entry_count(apus_test *t, const char *state, apus_bytes key) {
    row *r = find_row(t, state, key);
    return r ? r->items.count : 0;
}

apus_entry apus_test_entry(
    apus_test *t, const char *state, apus_bytes key, uint64_t position) {
    row *r = find_row(t, state, key);
    return entry_of(t, r ? &r->items : NULL, position);
}

static items *find_shared(apus_test *t, const char *state) {
    const apus_component *c = t->component;
    for (uint32_t i = 0; c && i < c->broadcast_count; i++) {
        if (is_text(c->broadcasts[i]->name, state)) return &t->broadcasts[i];
    }
    for (uint32_t i = 0; c && i < c->operator_state_count; i++) {
        if (is_text(c->operator_states[i]->name, state)) return &t->operator_states[i];
    }
    fail(t, 0, "there is no broadcast or operator state '%s'", state);
    return NULL;
}

uint64_t apus_test_shared_count(apus_test *t, const char *state) {
    items *list = find_shared(t, state);
    return list ? list->count : 0;
}

apus_entry apus_test_shared(apus_test *t, const char *state, uint64_t position) {
    return entry_of(t, find_shared(t, state), position);
}

uint64_t apus_test_key_count(apus_test *t, const char *state) {
    uint64_t count = 0;
    find_row(t, state, apus_test_bytes(""));  // fails when there is no such state
    for (row *r = t->rows; r; r = r->next) {
        count += is_text(t->component->states[r->slot]->name, state) ? 1 : 0;
    }
    return count;
}

// MARK: Timers.

static int find_timer(apus_test *t, const char *name) {
    for (uint32_t i = 0; t->component && i < t->component->timer_count; i++) {
        if (is_text(t->component->timers[i]->name, name)) return (int)i;
    }
    fail(t, 0, "there is no timer '%s'", name);
    return -1;
}

uint64_t apus_test_timer_count(apus_test *t, const char *name) {
    int index = find_timer(t, name);
    uint64_t count = 0;
    for (uint64_t i = 0; i < t->timer_count; i++) count += (int)t->timers[i].index == index;
    return count;
}

int apus_test_next_timer(apus_test *t, const char *name, int64_t *time_us) {
    int index = find_timer(t, name);
    int is_found = 0;
    for (uint64_t i = 0; i < t->timer_count; i++) {
        const timer *x = &t->timers[i];
        if ((int)x->index != index || (is_found && x->time >= *time_us)) continue;
        *time_us = x->time;
        is_found = 1;
    }
    return is_found;
}
