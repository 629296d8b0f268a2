// Broadcast and operator state of the test host.
#include "internal.h"

static items *broadcast(apus_ctx *ctx, uint32_t index) {
    apus_test *t = test_of(ctx);
    return t && index < t->component->broadcast_count ? &t->broadcasts[index] : NULL;
}

static int32_t get(
    apus_ctx *ctx, uint32_t index, const void *key, uint64_t key_len, apus_bytes *value) {
    items *map = broadcast(ctx, index);
    if (!map || !value || (!key && key_len)) return APUS_UNSUPPORTED;
    int64_t found = items_find(map, key, key_len);
    if (found < 0) return APUS_NOT_FOUND;
    *value = (apus_bytes){map->at[found].value.data, map->at[found].value.len};
    return APUS_OK;
}

static int32_t count(apus_ctx *ctx, uint32_t index, uint64_t *count) {
    items *map = broadcast(ctx, index);
    if (!map || !count) return APUS_UNSUPPORTED;
    *count = map->count;
    return APUS_OK;
}

static int32_t next(
    apus_ctx *ctx, uint32_t index, apus_cursor *cursor, apus_entry *entries, uint32_t capacity,
    uint32_t *count) {
    items *map = broadcast(ctx, index);
    if (!map || !cursor || !entries || !count) return APUS_UNSUPPORTED;
    return items_next_entry(map, cursor, entries, capacity, count);
}

static int32_t put(
    apus_ctx *ctx, uint32_t index, const void *key, uint64_t key_len, const void *value,
    uint64_t len) {
    items *map = broadcast(ctx, index);
    if (!map || (!key && key_len) || (!value && len)) return APUS_UNSUPPORTED;
    if (!test_of(ctx)->may_broadcast) return APUS_READ_ONLY;
    items_put(map, key, key_len, value, len);
    return APUS_OK;
}

static int32_t remove_entry(apus_ctx *ctx, uint32_t index, const void *key, uint64_t key_len) {
    items *map = broadcast(ctx, index);
    if (!map || (!key && key_len)) return APUS_UNSUPPORTED;
    if (!test_of(ctx)->may_broadcast) return APUS_READ_ONLY;
    return items_remove(map, key, key_len) ? APUS_OK : APUS_NOT_FOUND;
}

static int32_t clear(apus_ctx *ctx, uint32_t index) {
    items *map = broadcast(ctx, index);
    if (!map) return APUS_UNSUPPORTED;
    if (!test_of(ctx)->may_broadcast) return APUS_READ_ONLY;
    items_truncate(map, 0);
    return APUS_OK;
}

const apus_broadcast_api test_broadcast_api = {
    .size = sizeof test_broadcast_api,
    .get = get,
    .count = count,
    .next = next,
    .put = put,
    .remove = remove_entry,
    .clear = clear};

static items *list_of(apus_ctx *ctx, uint32_t index) {
    apus_test *t = test_of(ctx);
    return t && index < t->component->operator_state_count ? &t->operator_states[index] : NULL;
}

static int32_t item_count(apus_ctx *ctx, uint32_t index, uint64_t *count) {
    items *list = list_of(ctx, index);
    if (!list || !count) return APUS_UNSUPPORTED;
    *count = list->count;
    return APUS_OK;
}

static int32_t item_get(apus_ctx *ctx, uint32_t index, uint64_t position, apus_bytes *value) {
    items *list = list_of(ctx, index);
    if (!list || !value) return APUS_UNSUPPORTED;
    if (position >= list->count) return APUS_NOT_FOUND;
    *value = (apus_bytes){list->at[position].value.data, list->at[position].value.len};
    return APUS_OK;
}

static int32_t item_append(apus_ctx *ctx, uint32_t index, const void *value, uint64_t len) {
    items *list = list_of(ctx, index);
    if (!list || (!value && len)) return APUS_UNSUPPORTED;
    return items_append(list, value, len);
}

static int32_t item_set(
    apus_ctx *ctx, uint32_t index, uint64_t position, const void *value, uint64_t len) {
    items *list = list_of(ctx, index);
    if (!list || (!value && len)) return APUS_UNSUPPORTED;
    if (position >= list->count) return APUS_NOT_FOUND;
    block_replace(&list->at[position].value, value, len);
    return APUS_OK;
}

static int32_t item_truncate(apus_ctx *ctx, uint32_t index, uint64_t count) {
    items *list = list_of(ctx, index);
    if (!list) return APUS_UNSUPPORTED;
    items_truncate(list, count);
    return APUS_OK;
}

const apus_operator_state_api test_operator_state_api = {
    .size = sizeof test_operator_state_api,
    .count = item_count,
    .get = item_get,
    .append = item_append,
    .set = item_set,
    .truncate = item_truncate};
