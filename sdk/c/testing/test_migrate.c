// State of an older description of an operator, made readable for a newer one: slots are matched by
// their names, and values brought forward by the newer one's functions.
#include <stdlib.h>

#include "internal.h"

int has_same_text(apus_str a, apus_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

// The name that a state had in older versions; empty when it has always had its own.
static apus_str former_name(const apus_state_decl *decl) {
    return APUS_HAS(decl, migrate) ? decl->renamed_from : (apus_str){NULL, 0};
}

// The slot that has this state now, by its own or by its former name; or -1.
int64_t slot_now(
    const apus_state_decl *const *after, uint32_t count, const apus_state_decl *was) {
    apus_str name = was->name;
    for (uint32_t i = 0; i < count; i++) {
        if (has_same_text(after[i]->name, name)) return i;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (has_same_text(former_name(after[i]), name)) return i;
    }
    // On the way back it has its former name again.
    for (uint32_t i = 0; i < count; i++) {
        if (has_same_text(former_name(was), after[i]->name)) return i;
    }
    return -1;
}

int32_t write_to_block(apus_writer *writer, const void *bytes, uint64_t len) {
    block *to = writer->host_private;
    block whole = block_of(NULL, to->len + len);
    if (to->len) memcpy(whole.data, to->data, to->len);
    if (len) memcpy(whole.data + to->len, bytes, len);
    block_free(to);
    *to = whole;
    return APUS_OK;
}

// Whether the newer of two versions says what becomes of the older one's values.
static int goes_forward(const apus_state_decl *before, const apus_state_decl *after) {
    return APUS_HAS(after, migrate) && after->migrate && after->min_readable > 0
        && before->schema_version >= after->min_readable
        && before->schema_version < after->schema_version;
}

// Whether the newer of two versions, which is left, makes the older one's values, too.
static int goes_back(const apus_state_decl *before, const apus_state_decl *after) {
    return APUS_HAS(before, migrate) && (before->migration_flags & APUS_MIGRATES_BACK)
        && goes_forward(after, before);
}

// Migrates one value in place; 0 when it is to be dropped.
static int migrate_block(
    apus_test *t, const apus_state_decl *before, const apus_state_decl *after, const block *key,
    apus_bytes entry, block *value) {
    const apus_state_decl *decl = goes_back(before, after) ? before : after;
    uint32_t from_version = before->schema_version;
    apus_migration migration = {
        .size = sizeof migration, .from_version = from_version,
        .to_version = after->schema_version, .key = {key->data, key->len}, .entry = entry,
        .value = {value->data, value->len}};
    block to = block_of(NULL, 0), again = block_of(NULL, 0);
    apus_writer writer = {.size = sizeof writer, .write = write_to_block, .host_private = &to};
    apus_writer second = {.size = sizeof second, .write = write_to_block, .host_private = &again};
    apus_error error = {.size = sizeof error};
    int32_t rc = decl->migrate(&migration, &writer, &error);
    int32_t rc_again = decl->migrate(&migration, &second, &error);
    if (rc != APUS_OK && rc != APUS_NOT_FOUND) {
        fail(t, rc, "state '%.*s' of version %u: %.*s", (int)decl->name.len, decl->name.data,
            from_version, (int)error.len, error.message);
    } else if (rc != rc_again || !block_is(&again, to.data, to.len)) {
        fail(t, 0, "state '%.*s': migrate gives something else the second time",
            (int)decl->name.len, decl->name.data);
    } else if (rc == APUS_OK && after->fixed_len && to.len != after->fixed_len) {
        fail(t, 0, "state '%.*s': migrate wrote %llu bytes; expected %u", (int)decl->name.len,
            decl->name.data, (unsigned long long)to.len, after->fixed_len);
    }
    block_free(&again);
    block_free(value);
    *value = to;
    return rc == APUS_OK;
}

// Whether values of this version can be used: as they are, or migrated.
int can_take_state(
    apus_test *t, const apus_state_decl *before, const apus_state_decl *after) {
    uint32_t from = before->schema_version, to = after->schema_version;
    if (before->kind != after->kind) {
        fail(t, APUS_INCOMPATIBLE, "state '%.*s' changes its kind from %u to %u",
            (int)after->name.len, after->name.data, before->kind, after->kind);
        return 0;
    }
    if (from == to || goes_forward(before, after) || goes_back(before, after)) return 1;
    fail(t, APUS_INCOMPATIBLE, "state '%.*s' has version %u, which version %u cannot read",
        (int)after->name.len, after->name.data, from, to);
    return 0;
}

void migrate_items(
    apus_test *t, items *list, const block *key, const apus_state_decl *before,
    const apus_state_decl *after) {
    uint64_t left = 0;
    for (uint64_t i = 0; i < list->count; i++) {
        item *entry = &list->at[i];
        uint64_t position = i;
        apus_bytes name = {entry->key.data, entry->key.len};
        if (!entry->key.data) name = (apus_bytes){(const uint8_t *)&position, sizeof position};
        if (t->has_failed || migrate_block(t, before, after, key, name, &entry->value)) {
            list->at[left++] = *entry;
        } else {
            block_free(&entry->key);
            block_free(&entry->value);
        }
    }
    list->count = left;
}

// Whether anything is left of it.
static int migrate_row(
    apus_test *t, row *r, const apus_state_decl *before, const apus_state_decl *after) {
    apus_bytes none = {NULL, 0};
    if (r->value.data) return migrate_block(t, before, after, &r->key, none, &r->value);
    if (r->items.count == 0) return 1;
    migrate_items(t, &r->items, &r->key, before, after);
    return r->items.count > 0;
}

void migrate_states(apus_test *t, const apus_component *before, const apus_component *after) {
    if (before == after) return;
    row *old = t->rows;
    t->rows = NULL;
    while (old) {
        row *r = old;
        old = r->next;
        r->next = t->rows;
        t->rows = r;
        const apus_state_decl *was = before->states[r->slot];
        int64_t slot = slot_now(after->states, after->state_count, was);
        if (slot < 0) {  // a host keeps it as an orphan, which nobody can see
            row_remove(t, r);
            continue;
        }
        const apus_state_decl *now = after->states[slot];
        r->slot = (uint32_t)slot;
        if (t->has_failed || !can_take_state(t, was, now)) continue;
        if (was->schema_version != now->schema_version && !migrate_row(t, r, was, now)) {
            row_remove(t, r);
        }
    }
}
