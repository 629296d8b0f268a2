#include "input.h"

namespace apus_check {

namespace {

constexpr size_t own_buffer_count_max = 64;
constexpr size_t own_buffer_bytes_max = 96u << 20;
// What a later host may put behind the fields that this version knows.
constexpr size_t growth = 64;

bool is_null(const uint8_t *kind, uint32_t i, uint8_t bit) { return kind && (kind[i] & bit); }

}  // namespace

std::string bytes_of(const apus_batch *b, const apus_view *v) {
    return std::string(
        reinterpret_cast<const char *>(apus_view_data(v, b->buffers)), v->len);
}

void Input::collect(const apus_batch *b, const apus_view *column, const uint8_t *kind) {
    if (!column) return;
    uint8_t bit = column == b->key ? APUS_KIND_NULL_KEY : APUS_KIND_NULL_VALUE;
    for (uint32_t i = 0; i < b->count; i++) {
        if (is_null(kind, i, bit) || column[i].len <= APUS_VIEW_INLINE) continue;
        long_count++;
        long_bytes += column[i].len;
    }
}

void Input::take(const apus_batch *b, const apus_check_rules &rules) {
    bool grows = rules.struct_change == APUS_CHECK_BIGGER;
    pages.set_slack(!rules.guards_input);
    long_count = long_bytes = next = filled = 0;
    collect(b, b->key, b->kind);
    collect(b, b->value, b->kind);
    shares = long_count > own_buffer_count_max || long_bytes > own_buffer_bytes_max;
    bool has_kinds = false;
    for (uint32_t i = 0; b->kind && i < b->count; i++) has_kinds |= b->kind[i] != 0;

    size_t n = b->count;
    size_t own = shares ? 1 : (long_count ? long_count : 1);
    size_t header = pages.add(sizeof(apus_batch) + (grows ? growth : 0));
    size_t keys = pages.add(b->key ? n * sizeof(apus_view) : 0);
    size_t values = pages.add(n * sizeof(apus_view));
    size_t times = pages.add(n * sizeof(int64_t));
    size_t hashes = pages.add(b->key_hash ? n * sizeof(uint64_t) : 0);
    size_t kinds = pages.add(has_kinds ? n : 0);
    size_t table = pages.add(own * sizeof(uint8_t *));
    std::vector<size_t> payloads;
    sizes.clear();
    starts.clear();
    auto reserve = [&](size_t bytes) {
        payloads.push_back(pages.add(bytes));
        sizes.push_back(bytes);
    };
    if (shares) {
        reserve(long_bytes);
    } else {
        for (const apus_view *column : {b->key, b->value}) {
            uint8_t bit = column == b->key ? APUS_KIND_NULL_KEY : APUS_KIND_NULL_VALUE;
            for (uint32_t i = 0; column && i < b->count; i++) {
                if (is_null(b->kind, i, bit) || column[i].len <= APUS_VIEW_INLINE) continue;
                reserve(column[i].len);
            }
        }
        if (payloads.empty()) reserve(0);
    }
    pages.map();
    for (size_t payload : payloads) starts.push_back(pages.at(payload));

    copy = reinterpret_cast<apus_batch *>(pages.at(header));
    memset(static_cast<void *>(copy), 0xAA, pages.bytes(header));
    *copy = *b;
    copy->size = static_cast<uint32_t>(pages.bytes(header));
    if (b->key) {
        auto *column = reinterpret_cast<apus_view *>(pages.at(keys));
        place(b, b->key, b->kind, column);
        copy->key = column;
    }
    auto *column = reinterpret_cast<apus_view *>(pages.at(values));
    place(b, b->value, b->kind, column);
    copy->value = column;
    if (n) memcpy(pages.at(times), b->ts, n * sizeof(int64_t));
    copy->ts = reinterpret_cast<const int64_t *>(pages.at(times));
    if (b->key_hash) {
        if (n) memcpy(pages.at(hashes), b->key_hash, n * sizeof(uint64_t));
        copy->key_hash = reinterpret_cast<const uint64_t *>(pages.at(hashes));
    }
    // NULL means that all are zero, which a plugin must bear.
    copy->kind = nullptr;
    if (has_kinds) {
        memcpy(pages.at(kinds), b->kind, n);
        copy->kind = pages.at(kinds);
    }
    memcpy(pages.at(table), starts.data(), own * sizeof(uint8_t *));
    copy->buffers = reinterpret_cast<const uint8_t *const *>(pages.at(table));
    copy->buffer_count = static_cast<uint32_t>(own);
    copy->host_private = nullptr;
    if (rules.seals_input) pages.seal();
}

void Input::place(
    const apus_batch *b, const apus_view *from, const uint8_t *kind, apus_view *to) {
    uint8_t bit = from == b->key ? APUS_KIND_NULL_KEY : APUS_KIND_NULL_VALUE;
    for (uint32_t i = 0; i < b->count; i++) {
        if (is_null(kind, i, bit)) {
            memset(static_cast<void *>(&to[i]), 0, sizeof to[i]);
            continue;
        }
        to[i] = from[i];
        if (from[i].len <= APUS_VIEW_INLINE) continue;
        size_t buffer = shares ? 0 : next++;
        size_t offset = shares ? filled : 0;
        memcpy(starts[buffer] + offset, apus_view_data(&from[i], b->buffers), from[i].len);
        to[i].u.ref.buffer = static_cast<uint32_t>(buffer);
        to[i].u.ref.offset = static_cast<uint32_t>(offset);
        filled += from[i].len;
    }
}

void Input::retire() {
    pages.retire();
    copy = nullptr;
}

}  // namespace apus_check
