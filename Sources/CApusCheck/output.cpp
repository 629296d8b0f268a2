#include "output.h"

#include "instance.h"

namespace apus_check {

namespace {

// As much as the host itself would take is twice that.
constexpr uint64_t callback_bytes_max = 32u << 20;
constexpr uint64_t record_bytes_max = 512u << 20;
constexpr uint32_t known_kinds = APUS_KIND_NULL_KEY | APUS_KIND_NULL_VALUE;

int32_t more(apus_out *out, uint64_t bytes) {
    return static_cast<Output *>(out->host_private)->more(bytes);
}

}  // namespace

Output::Output(Instance &instance, uint32_t port, const apus_check_rules &rules)
    : instance(instance), rules(rules) {
    capacity = rules.record_capacity ? rules.record_capacity : 1024;
    size_t bytes = sizeof(apus_out) + (rules.struct_change == APUS_CHECK_BIGGER ? 64 : 0);
    size_t block = home.add(bytes);
    home.map();
    builder = reinterpret_cast<apus_out *>(home.at(block));
    memset(static_cast<void *>(builder), 0xAA, bytes);
    *builder = apus_out{};
    builder->size = static_cast<uint32_t>(bytes);
    builder->port = port;
    builder->more = apus_check::more;
    builder->host_private = this;
}

Output::~Output() = default;

void Output::begin(uint32_t buffer) {
    arena_buffer = buffer;
    written = 0;
    records.clear();
    bool is_fresh = pages.is_mapped() && builder->count == 0 && builder->used == 0;
    if (!is_fresh) segment(0);
    builder->arena_buffer = buffer;
}

// New columns and a new arena: what was there can neither be written nor read any more.
void Output::segment(uint64_t bytes) {
    pages.retire();
    pages.set_slack(!rules.guards_output);
    size_t arena = rules.arena_capacity ? rules.arena_capacity : 64u << 10;
    room = bytes > arena ? bytes : arena;
    size_t key = pages.add(capacity * sizeof(apus_view));
    size_t value = pages.add(capacity * sizeof(apus_view));
    size_t ts = pages.add(capacity * sizeof(int64_t));
    size_t kind = pages.add(capacity);
    size_t block = pages.add(room);
    pages.map();
    builder->key = reinterpret_cast<apus_view *>(pages.at(key));
    builder->value = reinterpret_cast<apus_view *>(pages.at(value));
    builder->ts = reinterpret_cast<int64_t *>(pages.at(ts));
    builder->kind = pages.at(kind);
    builder->arena = pages.at(block);
    builder->count = 0;
    builder->used = 0;
    builder->capacity = capacity;
    builder->room = static_cast<uint32_t>(room);
    builder->arena_buffer = arena_buffer;
}

bool Output::is_intact() {
    if (builder->count <= capacity && builder->used <= room) return true;
    violation(
        of_output,
        "%s wrote behind the end of output %u: %u records of %u, %u bytes of %zu",
        instance.callback, builder->port, builder->count, capacity, builder->used, room);
    builder->count = 0;
    builder->used = 0;
    return false;
}

int32_t Output::more(uint64_t bytes) {
    counts.more_calls++;
    instance.more_count++;
    trace('i', "more", "\"port\":%u,\"bytes\":%llu", builder->port,
          static_cast<unsigned long long>(bytes));
    if (bytes > record_bytes_max || !is_intact()) return APUS_LIMIT;
    bool is_empty = builder->count == 0 && records.empty();
    // A builder with nothing in it takes any record, or nothing would ever come of it; and after a
    // callback that met a limit comes one that does not, in which what takes several records for
    // one can be done.
    if (!is_empty && instance.may_limit) {
        bool is_hit = rules.limit_at && instance.more_count == rules.limit_at;
        if (rules.limit_seed) is_hit |= next_random(instance.limit_random) & 1;
        if (is_hit) {
            counts.limits++;
            instance.was_limited = true;
            return APUS_LIMIT;
        }
    }
    if (builder->count > 0) {
        written += builder->used + builder->count * 48u;
        if (written >= callback_bytes_max) {
            written -= builder->used + builder->count * 48u;
            counts.limits++;
            return APUS_LIMIT;
        }
    }
    settle();
    segment(bytes);
    return APUS_OK;
}

bool Output::copy(const apus_view *v, const char *column, uint32_t index, std::string &to) {
    if (v->len <= APUS_VIEW_INLINE) {
        for (uint32_t i = v->len; i < APUS_VIEW_INLINE; i++) {
            if (v->u.bytes[i] == 0) continue;
            violation(
                of_output,
                "%s wrote a %s (record %u of output %u) of %u bytes in place, and bytes behind "
                "them that are not zero; use apus_view_inline",
                instance.callback, column, index, builder->port, v->len);
            break;
        }
        to.assign(reinterpret_cast<const char *>(v->u.bytes), v->len);
        return true;
    }
    uint32_t buffer = v->u.ref.buffer;
    bool is_own = buffer == arena_buffer;
    uint64_t end = static_cast<uint64_t>(v->u.ref.offset) + v->len;
    uint64_t size = is_own ? builder->used : instance.input.buffer_bytes(buffer);
    if (end > size) {
        violation(
            of_output,
            "%s wrote a %s (record %u of output %u) that refers to bytes %u..<%llu of buffer %u, "
            "which has %llu",
            instance.callback, column, index, builder->port, v->u.ref.offset,
            static_cast<unsigned long long>(end), buffer, static_cast<unsigned long long>(size));
        to.clear();
        return false;
    }
    const uint8_t *start =
        is_own ? builder->arena : instance.input.batch()->buffers[buffer];
    start += v->u.ref.offset;
    if (memcmp(start, v->u.ref.prefix, 4) != 0) {
        violation(
            of_output,
            "%s wrote a %s (record %u of output %u) whose prefix is not its first 4 bytes",
            instance.callback, column, index, builder->port);
    }
    to.assign(reinterpret_cast<const char *>(start), v->len);
    return true;
}

// Copies what is in the columns.
void Output::settle() {
    for (uint32_t i = 0; i < builder->count; i++) {
        records.emplace_back();
        Record &record = records.back();
        record.kind = builder->kind[i];
        if (record.kind & ~known_kinds) {
            violation(
                of_output,
                "%s wrote kind %u (record %u of output %u), which the ABI does not know",
                instance.callback, record.kind, i, builder->port);
        }
        record.has_key = !(record.kind & APUS_KIND_NULL_KEY);
        record.ts = builder->ts[i];
        if (record.has_key) copy(&builder->key[i], "key", i, record.key);
        if (!(record.kind & APUS_KIND_NULL_VALUE)) {
            copy(&builder->value[i], "value", i, record.value);
        }
    }
}

void Output::deliver(apus_out *host) {
    if (is_intact()) settle();
    for (const Record &record : records) {
        int32_t rc = apus_emit(
            host, record.has_key ? record.key.data() : nullptr,
            static_cast<uint32_t>(record.key.size()), record.value.data(),
            static_cast<uint32_t>(record.value.size()), record.ts);
        if (rc != APUS_OK) {
            violation(
                of_output,
                "%s wrote more than the host takes at once", instance.callback);
            break;
        }
        host->kind[host->count - 1] |= record.kind & APUS_KIND_NULL_VALUE;
    }
    records.clear();
    if (builder->count > 0 || builder->used > 0) segment(0);
}

}  // namespace apus_check
