// Lists and ordered maps of the test host.
#include <stdlib.h>

#include "internal.h"

static item *make_room(items *list, uint64_t position) {
    list->at = grown(list->at, list->count, &list->capacity, sizeof *list->at);
    item *place = &list->at[position];
    memmove(place + 1, place, (list->count - position) * sizeof *place);
    list->count++;
    memset(place, 0, sizeof *place);
    return place;
}

int32_t items_append(items *list, const void *value, uint64_t len) {
    block copy = block_of(value, len);  // before the array moves
    make_room(list, list->count)->value = copy;
    list->version++;
    return APUS_OK;
}

static int compare(const block *b, const void *key, uint64_t len) {
    uint64_t shorter = b->len < len ? b->len : len;
    int order = shorter ? memcmp(b->data, key, shorter) : 0;
    if (order) return order;
    return b->len < len ? -1 : b->len > len;
}

// The position of a key, or -1 - the position where it would be.
int64_t items_find(const items *list, const void *key, uint64_t len) {
    uint64_t low = 0, high = list->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = compare(&list->at[middle].key, key, len);
        if (order == 0) return (int64_t)middle;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return -1 - (int64_t)low;
}

void items_put(items *list, const void *key, uint64_t key_len, const void *value, uint64_t len) {
    int64_t found = items_find(list, key, key_len);
    if (found >= 0) {
        block_replace(&list->at[found].value, value, len);
    } else {
        item entry = {block_of(key, key_len), block_of(value, len)};
        *make_room(list, (uint64_t)(-1 - found)) = entry;
    }
    list->version++;
}

int items_remove(items *list, const void *key, uint64_t key_len) {
    int64_t found = items_find(list, key, key_len);
    if (found < 0) return 0;
    item *place = &list->at[found];
    block_free(&place->key);
    block_free(&place->value);
    memmove(place, place + 1, (list->count - (uint64_t)found - 1) * sizeof *place);
    list->count--;
    list->version++;
    return 1;
}

// Sets a walk up, or sees that nothing has changed since.
static int32_t step(items *list, apus_cursor *c) {
    if (!c->started) {
        c->started = 1;
        c->version = list->version;
        c->position = 0;
        if (c->from.data) {
            int64_t found = items_find(list, c->from.data, c->from.len);
            c->position = (uint64_t)(found >= 0 ? found : -1 - found);
        }
    }
    return c->version == list->version ? APUS_OK : APUS_STALE;
}

int32_t items_next_value(
    items *list, apus_cursor *c, apus_bytes *values, uint32_t capacity, uint32_t *count) {
    *count = 0;
    int32_t rc = step(list, c);
    while (rc == APUS_OK && *count < capacity && c->position < list->count) {
        const block *b = &list->at[c->position++].value;
        values[(*count)++] = (apus_bytes){b->data, b->len};
    }
    return rc;
}

static int is_wanted(const apus_cursor *c, const block *key) {
    if (c->is_prefix) {
        return key->len >= c->from.len
            && (c->from.len == 0 || memcmp(key->data, c->from.data, c->from.len) == 0);
    }
    return !c->to.data || compare(key, c->to.data, c->to.len) < 0;
}

int32_t items_next_entry(
    items *list, apus_cursor *c, apus_entry *entries, uint32_t capacity, uint32_t *count) {
    *count = 0;
    int32_t rc = step(list, c);
    while (rc == APUS_OK && *count < capacity && c->position < list->count) {
        const item *i = &list->at[c->position];
        if (!is_wanted(c, &i->key)) break;
        c->position++;
        entries[(*count)++] =
            (apus_entry){{i->key.data, i->key.len}, {i->value.data, i->value.len}};
    }
    return rc;
}

void items_truncate(items *list, uint64_t count) {
    while (list->count > count) {
        item *last = &list->at[--list->count];
        block_free(&last->key);
        block_free(&last->value);
        list->version++;
    }
}

void items_free(items *list) {
    items_truncate(list, 0);
    free(list->at);
    memset(list, 0, sizeof *list);
}
