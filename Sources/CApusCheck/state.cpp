// State, timers, broadcast and operator state as the plugin sees them: the host's, but what comes
// out is a copy that is taken away when the contract says that it expires.
#include "instance.h"

namespace apus_check {

namespace {

// A function of the host: refused, and told, when it may not be called like that.
#define ENTER(name)                       \
    Instance *instance = caller(ctx, name); \
    if (!instance) return APUS_UNSUPPORTED; \
    apus_ctx *host = instance->host

int32_t done(const char *name, uint32_t slot, uint32_t rec, int32_t rc) {
    trace('i', name, "\"slot\":%u,\"record\":%u,\"result\":%d", slot, rec, rc);
    return rc;
}

// MARK: State per key

int32_t value_get(apus_ctx *ctx, uint32_t slot, uint32_t rec, apus_bytes *value) {
    ENTER("state->value_get");
    std::string place = instance->place('k', slot, rec);
    instance->write_back(place);
    int32_t rc = host->state->value_get(host, slot, rec, value);
    if (rc == APUS_OK) instance->lend(place, value, "value_get");
    return done("value_get", slot, rec, rc);
}

int32_t value_put(apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *value, uint64_t len) {
    ENTER("state->value_put");
    std::string place = instance->place('k', slot, rec);
    instance->write_back(place);
    int32_t rc = host->state->value_put(host, slot, rec, value, len);
    if (rc == APUS_OK) instance->expire(place);
    return done("value_put", slot, rec, rc);
}

void *lend_for_writing(Instance *instance, uint32_t slot, uint32_t rec, void *original) {
    std::string place = instance->place('k', slot, rec);
    auto found = instance->writable.find(place);
    if (found != instance->writable.end()) return found->second.copy;
    size_t len = instance->fixed_length(slot);
    uint8_t *copy = instance->leases.lease(original, len, "value_mut");
    instance->writable[place] = {copy, original, len};
    return copy;
}

int32_t value_mut(apus_ctx *ctx, uint32_t slot, uint32_t rec, void **value) {
    ENTER("state->value_mut");
    int32_t rc = host->state->value_mut(host, slot, rec, value);
    if (rc == APUS_OK && instance->rules().expires_state) {
        *value = lend_for_writing(instance, slot, rec, *value);
    }
    return done("value_mut", slot, rec, rc);
}

int32_t value_mut_many(
    apus_ctx *ctx, uint32_t slot, uint32_t first, uint32_t count, void **values,
    uint8_t *created) {
    ENTER("state->value_mut_many");
    int32_t rc = host->state->value_mut_many(host, slot, first, count, values, created);
    if (rc == APUS_OK && instance->rules().expires_state) {
        for (uint32_t i = 0; i < count; i++) {
            if (values[i]) values[i] = lend_for_writing(instance, slot, first + i, values[i]);
        }
    }
    return done("value_mut_many", slot, first, rc);
}

int32_t counter_add(apus_ctx *ctx, uint32_t slot, uint32_t rec, int64_t by, int64_t *sum) {
    ENTER("state->counter_add");
    return done("counter_add", slot, rec, host->state->counter_add(host, slot, rec, by, sum));
}

int32_t counter_get(apus_ctx *ctx, uint32_t slot, uint32_t rec, int64_t *sum) {
    ENTER("state->counter_get");
    return done("counter_get", slot, rec, host->state->counter_get(host, slot, rec, sum));
}

int32_t list_append(apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *value, uint64_t len) {
    ENTER("state->list_append");
    int32_t rc = host->state->list_append(host, slot, rec, value, len);
    if (rc == APUS_OK) instance->expire(instance->place('k', slot, rec));
    return done("list_append", slot, rec, rc);
}

int32_t list_count(apus_ctx *ctx, uint32_t slot, uint32_t rec, uint64_t *count) {
    ENTER("state->list_count");
    return done("list_count", slot, rec, host->state->list_count(host, slot, rec, count));
}

int32_t list_next(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, apus_cursor *cursor, apus_bytes *values,
    uint32_t capacity, uint32_t *count) {
    ENTER("state->list_next");
    int32_t rc = host->state->list_next(host, slot, rec, cursor, values, capacity, count);
    if (rc == APUS_OK) {
        std::string place = instance->place('k', slot, rec);
        for (uint32_t i = 0; i < *count; i++) instance->lend(place, &values[i], "list_next");
    }
    return done("list_next", slot, rec, rc);
}

int32_t map_get(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len,
    apus_bytes *value) {
    ENTER("state->map_get");
    int32_t rc = host->state->map_get(host, slot, rec, key, key_len, value);
    if (rc == APUS_OK) instance->lend(instance->place('k', slot, rec), value, "map_get");
    return done("map_get", slot, rec, rc);
}

int32_t map_put(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len,
    const void *value, uint64_t len) {
    ENTER("state->map_put");
    int32_t rc = host->state->map_put(host, slot, rec, key, key_len, value, len);
    if (rc == APUS_OK) instance->expire(instance->place('k', slot, rec));
    return done("map_put", slot, rec, rc);
}

int32_t map_remove(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, const void *key, uint64_t key_len) {
    ENTER("state->map_remove");
    int32_t rc = host->state->map_remove(host, slot, rec, key, key_len);
    if (rc == APUS_OK) instance->expire(instance->place('k', slot, rec));
    return done("map_remove", slot, rec, rc);
}

int32_t map_count(apus_ctx *ctx, uint32_t slot, uint32_t rec, uint64_t *count) {
    ENTER("state->map_count");
    return done("map_count", slot, rec, host->state->map_count(host, slot, rec, count));
}

int32_t map_next(
    apus_ctx *ctx, uint32_t slot, uint32_t rec, apus_cursor *cursor, apus_entry *entries,
    uint32_t capacity, uint32_t *count) {
    ENTER("state->map_next");
    int32_t rc = host->state->map_next(host, slot, rec, cursor, entries, capacity, count);
    if (rc == APUS_OK) {
        std::string place = instance->place('k', slot, rec);
        for (uint32_t i = 0; i < *count; i++) {
            instance->lend(place, &entries[i].key, "map_next");
            instance->lend(place, &entries[i].value, "map_next");
        }
    }
    return done("map_next", slot, rec, rc);
}

int32_t clear(apus_ctx *ctx, uint32_t slot, uint32_t rec) {
    ENTER("state->clear");
    std::string place = instance->place('k', slot, rec);
    instance->write_back(place);
    int32_t rc = host->state->clear(host, slot, rec);
    if (rc == APUS_OK) instance->expire(place);
    return done("clear", slot, rec, rc);
}

// MARK: Timers

int32_t timer_set(
    apus_ctx *ctx, uint32_t timer, uint64_t id, uint32_t rec, int64_t time_us,
    const void *payload, uint64_t len) {
    ENTER("timers->set");
    int32_t rc = host->timers->set(host, timer, id, rec, time_us, payload, len);
    return done("timer_set", timer, rec, rc);
}

int32_t timer_cancel(apus_ctx *ctx, uint32_t timer, uint64_t id, uint32_t rec) {
    ENTER("timers->cancel");
    return done("timer_cancel", timer, rec, host->timers->cancel(host, timer, id, rec));
}

// MARK: Broadcast state

int32_t broadcast_get(
    apus_ctx *ctx, uint32_t index, const void *key, uint64_t key_len, apus_bytes *value) {
    ENTER("broadcast->get");
    int32_t rc = host->broadcast->get(host, index, key, key_len, value);
    if (rc == APUS_OK) instance->lend(instance->place('b', index, 0), value, "broadcast->get");
    return done("broadcast_get", index, 0, rc);
}

int32_t broadcast_count(apus_ctx *ctx, uint32_t index, uint64_t *count) {
    ENTER("broadcast->count");
    return done("broadcast_count", index, 0, host->broadcast->count(host, index, count));
}

int32_t broadcast_next(
    apus_ctx *ctx, uint32_t index, apus_cursor *cursor, apus_entry *entries, uint32_t capacity,
    uint32_t *count) {
    ENTER("broadcast->next");
    int32_t rc = host->broadcast->next(host, index, cursor, entries, capacity, count);
    if (rc == APUS_OK) {
        std::string place = instance->place('b', index, 0);
        for (uint32_t i = 0; i < *count; i++) {
            instance->lend(place, &entries[i].key, "broadcast->next");
            instance->lend(place, &entries[i].value, "broadcast->next");
        }
    }
    return done("broadcast_next", index, 0, rc);
}

int32_t broadcast_put(
    apus_ctx *ctx, uint32_t index, const void *key, uint64_t key_len, const void *value,
    uint64_t len) {
    ENTER("broadcast->put");
    int32_t rc = host->broadcast->put(host, index, key, key_len, value, len);
    if (rc == APUS_OK) instance->expire(instance->place('b', index, 0));
    return done("broadcast_put", index, 0, rc);
}

int32_t broadcast_remove(apus_ctx *ctx, uint32_t index, const void *key, uint64_t key_len) {
    ENTER("broadcast->remove");
    int32_t rc = host->broadcast->remove(host, index, key, key_len);
    if (rc == APUS_OK) instance->expire(instance->place('b', index, 0));
    return done("broadcast_remove", index, 0, rc);
}

int32_t broadcast_clear(apus_ctx *ctx, uint32_t index) {
    ENTER("broadcast->clear");
    int32_t rc = host->broadcast->clear(host, index);
    if (rc == APUS_OK) instance->expire(instance->place('b', index, 0));
    return done("broadcast_clear", index, 0, rc);
}

// MARK: Operator state

int32_t items_count(apus_ctx *ctx, uint32_t index, uint64_t *count) {
    ENTER("operator_state->count");
    return done("items_count", index, 0, host->operator_state->count(host, index, count));
}

int32_t items_get(apus_ctx *ctx, uint32_t index, uint64_t position, apus_bytes *item) {
    ENTER("operator_state->get");
    int32_t rc = host->operator_state->get(host, index, position, item);
    if (rc == APUS_OK) {
        instance->lend(instance->place('o', index, 0), item, "operator_state->get");
    }
    return done("items_get", index, 0, rc);
}

int32_t items_append(apus_ctx *ctx, uint32_t index, const void *item, uint64_t len) {
    ENTER("operator_state->append");
    int32_t rc = host->operator_state->append(host, index, item, len);
    if (rc == APUS_OK) instance->expire(instance->place('o', index, 0));
    return done("items_append", index, 0, rc);
}

int32_t items_set(
    apus_ctx *ctx, uint32_t index, uint64_t position, const void *item, uint64_t len) {
    ENTER("operator_state->set");
    int32_t rc = host->operator_state->set(host, index, position, item, len);
    if (rc == APUS_OK) instance->expire(instance->place('o', index, 0));
    return done("items_set", index, 0, rc);
}

int32_t items_truncate(apus_ctx *ctx, uint32_t index, uint64_t count) {
    ENTER("operator_state->truncate");
    int32_t rc = host->operator_state->truncate(host, index, count);
    if (rc == APUS_OK) instance->expire(instance->place('o', index, 0));
    return done("items_truncate", index, 0, rc);
}

}  // namespace

const apus_state_api state_functions = {
    sizeof(apus_state_api), 0, value_get, value_put, value_mut, value_mut_many, counter_add,
    counter_get, list_append, list_count, list_next, map_get, map_put, map_remove, map_count,
    map_next, clear};

const apus_timer_api timer_functions = {sizeof(apus_timer_api), 0, timer_set, timer_cancel};

const apus_broadcast_api broadcast_functions = {
    sizeof(apus_broadcast_api), 0, broadcast_get, broadcast_count, broadcast_next, broadcast_put,
    broadcast_remove, broadcast_clear};

const apus_operator_state_api operator_state_functions = {
    sizeof(apus_operator_state_api), 0, items_count, items_get, items_append, items_set,
    items_truncate};

}  // namespace apus_check
