// State that belongs to no key: the same maps in all subtasks, and lists of a subtask's own.
#ifndef APUS_CPP_SHARED_HPP
#define APUS_CPP_SHARED_HPP

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "apus/cpp/entries.hpp"
#include "apus/cpp/state.hpp"

namespace apus {

// A map that every subtask has, for rules and settings; process_broadcast alone may change it.
// See apus/broadcast.h for what it may depend on.
template <class K, class V>
class Broadcast {
public:
    Broadcast(Operator *owner, const char *name, const Options &options = {})
        : name_(name),
          index_(detail::note(owner->apus_declarations.broadcasts,
              detail::declare<V>(name, APUS_STATE_BROADCAST, options))) {}

    std::optional<V> get(Context &context, const K &key) const {
        Encoder k;
        Codec<K>::encode(k, key);
        apus_bytes value;
        if (!call(context, &apus_broadcast_api::get, k.data(), k.size(), &value)) {
            return std::nullopt;
        }
        return detail::decode_all<V>(value.data, value.len, name_);
    }

    void set(Context &context, const K &key, const V &value) const {
        Encoder k, v;
        Codec<K>::encode(k, key);
        Codec<V>::encode(v, value);
        call(context, &apus_broadcast_api::put, k.data(), k.size(), v.data(), v.size());
    }

    // Whether there was such an entry.
    bool remove(Context &context, const K &key) const {
        Encoder k;
        Codec<K>::encode(k, key);
        return call(context, &apus_broadcast_api::remove, k.data(), k.size());
    }

    void clear(Context &context) const { call(context, &apus_broadcast_api::clear); }

    std::uint64_t size(Context &context) const {
        std::uint64_t count = 0;
        call(context, &apus_broadcast_api::count, &count);
        return count;
    }

    // As Map::for_each.
    template <class Visit>
    void for_each(Context &context, Visit visit) const {
        apus_cursor cursor = apus_cursor_all();
        apus_entry entries[32];
        std::uint32_t count = 0;
        do {
            if (!call(context, &apus_broadcast_api::next, &cursor, entries, 32u, &count)) return;
            for (std::uint32_t i = 0; i < count; i++) {
                if (!detail::visit_entry<K, V>(entries[i], name_, visit)) return;
            }
        } while (count > 0);
    }

private:
    template <class Function, class... Arguments>
    bool call(Context &context, Function function, Arguments... arguments) const {
        apus_ctx *ctx = context.frame().context;
        std::int32_t code = (ctx->broadcast->*function)(ctx, index_, arguments...);
        if (code == APUS_NOT_FOUND) return false;
        detail::check(code, "broadcast state", name_);
        return true;
    }

    const char *name_;
    std::uint32_t index_;
};

// Items that belong to the subtask: how far it is, what waits to be sent. Any operator may have
// some; open finds what the checkpoint had.
template <class T>
class OperatorList {
public:
    OperatorList(Operator *owner, const char *name, Redistribution redistribution,
        const Options &options = {})
        : name_(name),
          index_(detail::note(owner->apus_declarations.operator_states,
              detail::declare<T>(name, static_cast<std::uint32_t>(redistribution), options))) {}

    std::uint64_t size(Context &context) const {
        std::uint64_t count = 0;
        call(context, &apus_operator_state_api::count, &count);
        return count;
    }

    // None behind the end.
    std::optional<T> get(Context &context, std::uint64_t position) const {
        apus_bytes item;
        if (!call(context, &apus_operator_state_api::get, position, &item)) return std::nullopt;
        return detail::decode_all<T>(item.data, item.len, name_);
    }

    std::vector<T> all(Context &context) const {
        std::vector<T> items;
        for (std::uint64_t i = 0, n = size(context); i < n; i++) items.push_back(*get(context, i));
        return items;
    }

    void append(Context &context, const T &item) const {
        Encoder bytes;
        Codec<T>::encode(bytes, item);
        call(context, &apus_operator_state_api::append, bytes.data(), bytes.size());
    }

    // Whether there is such a position.
    bool set(Context &context, std::uint64_t position, const T &item) const {
        Encoder bytes;
        Codec<T>::encode(bytes, item);
        return call(
            context, &apus_operator_state_api::set, position, bytes.data(), bytes.size());
    }

    // Removes the items from this position on.
    void truncate(Context &context, std::uint64_t count) const {
        call(context, &apus_operator_state_api::truncate, count);
    }

private:
    template <class Function, class... Arguments>
    bool call(Context &context, Function function, Arguments... arguments) const {
        apus_ctx *ctx = context.frame().context;
        std::int32_t code = (ctx->operator_state->*function)(ctx, index_, arguments...);
        if (code == APUS_NOT_FOUND) return false;
        detail::check(code, "operator state", name_);
        return true;
    }

    const char *name_;
    std::uint32_t index_;
};

}  // namespace apus

#endif
