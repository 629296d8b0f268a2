// Entries of maps, those of keys and those of broadcast state.
#ifndef APUS_CPP_ENTRIES_HPP
#define APUS_CPP_ENTRIES_HPP

#include "apus/cpp/codec.hpp"

namespace apus::detail {

inline apus_bytes bytes(const Encoder &from) {
    return {reinterpret_cast<const std::uint8_t *>(from.data()), from.size()};
}

// Calls visit(key, value); whether it wants more.
template <class K, class V, class Visit>
bool visit_entry(const apus_entry &entry, const char *name, Visit &visit) {
    K key = decode_all<K>(entry.key.data, entry.key.len, name);
    V value = decode_all<V>(entry.value.data, entry.value.len, name);
    if constexpr (std::is_void_v<decltype(visit(std::move(key), std::move(value)))>) {
        visit(std::move(key), std::move(value));
        return true;
    } else {
        return visit(std::move(key), std::move(value));
    }
}

}  // namespace apus::detail

#endif
