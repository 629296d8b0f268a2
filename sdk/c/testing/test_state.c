// State per key of the test host.
#include <stdlib.h>

#include "internal.h"

#define LENGTH_MAX INT32_MAX

apus_test *test_of(apus_ctx *ctx) {
    return ctx ? ctx->host_private : NULL;
}

// The record or timer that is in hand under this number, if it has a key.
const kept *record_in_hand(apus_ctx *ctx, uint32_t rec) {
    apus_test *t = test_of(ctx);
    if (!t || !t->batch || !t->hand || rec >= t->hand->count) return NULL;
    const kept *k = &t->hand->at[rec];
    return k->has_key ? k : NULL;
}

row *row_find(apus_test *t, uint32_t slot, const void *key, uint64_t key_len) {
    for (row *r = t->rows; r; r = r->next) {
        if (r->slot == slot && block_is(&r->key, key, key_len)) return r;
    }
    return NULL;
}

void row_remove(apus_test *t, row *gone) {
    for (row **link = &t->rows; *link; link = &(*link)->next) {
        if (*link != gone) continue;
        *link = gone->next;
        block_free(&gone->key);
        block_free(&gone->value);
        items_free(&gone->items);
        free(gone);
        return;
    }
}

// The slot's declaration if it is of this kind, or of any kind with 0.
static const apus_state_decl *slot_of(apus_ctx *ctx, uint32_t slot, uint32_t kind) {
    apus_test *t = test_of(ctx);
    if (!t || slot >= t->component->state_count) return NULL;
    const apus_state_decl *decl = t->component->states[slot];
    return kind == 0 || decl->kind == kind ? decl : NULL;
}

static row *existing(apus_ctx *ctx, uint32_t slot, uint32_t rec, uint32_t kind, int32_t *rc) {
    const kept *k = record_in_hand(ctx, rec);
    *rc = APUS_UNSUPPORTED;
    if (!k || !slot_of(ctx, slot, kind)) return NULL;
    row *r = row_find(test_of(ctx), slot, k->key.data, k->key.len);
    *rc = r ? APUS_OK : APUS_NOT_FOUND;
    return r;
}

static row *made(apus_ctx *ctx, uint32_t slot, uint32_t rec, uint32_t kind, int32_t *rc) {
    row *r = existing(ctx, slot, rec, kind, rc);
    if (r || *rc != APUS_NOT_FOUND) return r;
    r = calloc(1, sizeof *r);
    if (!r) abort();
    const kept *k = record_in_hand(ctx, rec);
    r->slot = slot;
    r->key = block_of(k->key.data, k->key.len);
    r->next = test_of(ctx)->rows;
    test_of(ctx)->rows = r;
    *rc = APUS_OK;
    return r;
}

static int is_readable(const void *bytes, uint64_t len) {
    return bytes || len == 0;
}

static int32_t value_get(apus_ctx *ctx, uint32_t slot, uint32_t rec, apus_bytes *value) {
    int32_t rc;
    row *r = existing(ctx, slot, rec, APUS_STATE_VALUE, &rc);
    if (!value) return APUS_UNSUPPORTED;
    if (r) *value = (apus_bytes){r->value.data, r->value.len};
    return rc;
}

static int32_t value_put(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *value, uint64_t len) {
    const apus_state_decl *decl = slot_of(ctx, slot, APUS_STATE_VALUE);
    if (!decl || !is_readable(value, len)) return APUS_UNSUPPORTED;
    if (decl->fixed_len && len != decl->fixed_len) return APUS_UNSUPPORTED;
    if (len >= LENGTH_MAX) return APUS_LIMIT;
    int32_t rc;
    row *r = made(ctx, slot, rec, APUS_STATE_VALUE, &rc);
    if (!r) return rc;
    if (decl->fixed_len && r->value.data) memmove(r->value.data, value, len);
    else block_replace(&r->value, value, len);
    return rc;
}

static int32_t value_mut(apus_ctx *ctx, uint32_t slot, uint32_t rec, void **value) {
    const apus_state_decl *decl = slot_of(ctx, slot, APUS_STATE_VALUE);
    if (!decl || !decl->fixed_len || !value) return APUS_UNSUPPORTED;
    int32_t rc;
    row *r = made(ctx, slot, rec, APUS_STATE_VALUE, &rc);
    if (!r) return rc;
    if (!r->value.data) {
        r->value.data = calloc(1, decl->fixed_len + 1u);
        r->value.len = decl->fixed_len;
        if (!r->value.data) abort();
    }
    *value = r->value.data;
    return rc;
}

static int32_t value_mut_many(
    apus_ctx *ctx, uint32_t slot, uint32_t first, uint32_t count, void **values,
    uint8_t *created) {
    const apus_state_decl *decl = slot_of(ctx, slot, APUS_STATE_VALUE);
    apus_test *t = test_of(ctx);
    if (!decl || !decl->fixed_len || !values || !t->hand) return APUS_UNSUPPORTED;
    if ((uint64_t)first + count > t->hand->count) return APUS_UNSUPPORTED;
    for (uint32_t i = 0; i < count; i++) {
        const kept *k = record_in_hand(ctx, first + i);
        values[i] = NULL;
        if (created) created[i] = k && !row_find(t, slot, k->key.data, k->key.len);
        if (k) value_mut(ctx, slot, first + i, &values[i]);
    }
    return APUS_OK;
}

static int32_t counter_add(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, int64_t by, int64_t *sum) {
    int32_t rc;
    row *r = made(ctx, slot, rec, APUS_STATE_COUNTER, &rc);
    if (!r) return rc;
    r->sum = (int64_t)((uint64_t)r->sum + (uint64_t)by);
    if (sum) *sum = r->sum;
    return rc;
}

static int32_t counter_get(apus_ctx *ctx, uint32_t slot, uint32_t rec, int64_t *sum) {
    int32_t rc;
    if (!sum) return APUS_UNSUPPORTED;
    row *r = existing(ctx, slot, rec, APUS_STATE_COUNTER, &rc);
    *sum = r ? r->sum : 0;
    return rc;
}

static int32_t list_append(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *value, uint64_t len) {
    if (!is_readable(value, len)) return APUS_UNSUPPORTED;
    if (len >= LENGTH_MAX) return APUS_LIMIT;
    int32_t rc;
    row *r = made(ctx, slot, rec, APUS_STATE_LIST, &rc);
    return r ? items_append(&r->items, value, len) : rc;
}

static int32_t count_of(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, uint32_t kind, uint64_t *count) {
    int32_t rc;
    if (!count) return APUS_UNSUPPORTED;
    row *r = existing(ctx, slot, rec, kind, &rc);
    *count = r ? r->items.count : 0;
    return rc;
}

static int32_t list_count(apus_ctx *ctx, uint32_t slot, uint32_t rec, uint64_t *count) {
    return count_of(ctx, slot, rec, APUS_STATE_LIST, count);
}

static int32_t list_next(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, apus_cursor *cursor, apus_bytes *values,
    uint32_t capacity, uint32_t *count) {
    int32_t rc;
    if (!cursor || !values || !count) return APUS_UNSUPPORTED;
    *count = 0;
    row *r = existing(ctx, slot, rec, APUS_STATE_LIST, &rc);
    if (r) return items_next_value(&r->items, cursor, values, capacity, count);
    return rc == APUS_NOT_FOUND && cursor->started ? APUS_STALE : rc;
}

static int32_t map_get(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len,
    apus_bytes *value) {
    int32_t rc;
    if (!value || !is_readable(key, key_len)) return APUS_UNSUPPORTED;
    row *r = existing(ctx, slot, rec, APUS_STATE_MAP, &rc);
    if (!r) return rc;
    int64_t found = items_find(&r->items, key, key_len);
    if (found < 0) return APUS_NOT_FOUND;
    *value = (apus_bytes){r->items.at[found].value.data, r->items.at[found].value.len};
    return APUS_OK;
}

static int32_t map_put(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len,
    const void *value, uint64_t len) {
    if (!is_readable(key, key_len) || !is_readable(value, len)) return APUS_UNSUPPORTED;
    if (key_len >= LENGTH_MAX || len >= LENGTH_MAX) return APUS_LIMIT;
    int32_t rc;
    row *r = made(ctx, slot, rec, APUS_STATE_MAP, &rc);
    if (r) items_put(&r->items, key, key_len, value, len);
    return rc;
}

static int32_t map_remove(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len) {
    int32_t rc;
    if (!is_readable(key, key_len)) return APUS_UNSUPPORTED;
    row *r = existing(ctx, slot, rec, APUS_STATE_MAP, &rc);
    if (!r) return rc;
    if (!items_remove(&r->items, key, key_len)) return APUS_NOT_FOUND;
    if (r->items.count == 0) row_remove(test_of(ctx), r);
    return APUS_OK;
}

static int32_t map_count(apus_ctx *ctx, uint32_t slot, uint32_t rec, uint64_t *count) {
    return count_of(ctx, slot, rec, APUS_STATE_MAP, count);
}

static int32_t map_next(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, apus_cursor *cursor, apus_entry *entries,
    uint32_t capacity, uint32_t *count) {
    int32_t rc;
    if (!cursor || !entries || !count) return APUS_UNSUPPORTED;
    *count = 0;
    row *r = existing(ctx, slot, rec, APUS_STATE_MAP, &rc);
    if (r) return items_next_entry(&r->items, cursor, entries, capacity, count);
    return rc == APUS_NOT_FOUND && cursor->started ? APUS_STALE : rc;
}

static int32_t clear(apus_ctx *ctx, uint32_t slot, uint32_t rec) {
    int32_t rc;
    row *r = existing(ctx, slot, rec, 0, &rc);
    if (r) row_remove(test_of(ctx), r);
    return rc;
}

const apus_state_api test_state_api = {
    .size = sizeof test_state_api,
    .value_get = value_get,
    .value_put = value_put,
    .value_mut = value_mut,
    .value_mut_many = value_mut_many,
    .counter_add = counter_add,
    .counter_get = counter_get,
    .list_append = list_append,
    .list_count = list_count,
    .list_next = list_next,
    .map_get = map_get,
    .map_put = map_put,
    .map_remove = map_remove,
    .map_count = map_count,
    .map_next = map_next,
    .clear = clear};
