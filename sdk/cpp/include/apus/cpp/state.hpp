// State per key, declared as members of a KeyedOperator.
//
// All functions throw apus::error when there is no key in hand, or the bytes are not those of the
// type. What T may be is in codec.hpp.
#ifndef APUS_CPP_STATE_HPP
#define APUS_CPP_STATE_HPP

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "apus/cpp/entries.hpp"
#include "apus/cpp/operator.hpp"

namespace apus {
namespace detail {

// Migrates one value of a state, forward or back.
template <class T>
std::int32_t migrate_value(const apus_migration *from, apus_writer *to, apus_error *slot) {
    try {
        Decoder decoder(from->value.data, from->value.len);
        T value = decode_version<T>(from->from_version, decoder);
        Encoder bytes;
        encode_version<T>(from->to_version, bytes, value);
        return to->write(to, bytes.data(), bytes.size());
    } catch (const std::exception &problem) {
        return fill(slot, APUS_INCOMPATIBLE, problem.what());
    } catch (...) {
        return fill(slot, APUS_INCOMPATIBLE, "something was thrown that is no std::exception");
    }
}

template <class T>
StateDecl declare(const char *name, std::uint32_t kind, const Options &options) {
    StateDecl decl;
    decl.name = name;
    decl.kind = kind;
    decl.version = VersionOf<T>::value;
    decl.oldest = oldest<T>();
    decl.options = options;
    if constexpr (HasPrevious<T>::value) {
        decl.migrate = migrate_value<T>;
        decl.goes_back = goes_back<T>();
    }
    return decl;
}

// What all states have.
class State {
public:
    // Forgets all that the key has here.
    void clear(Context &context) const {
        apus_ctx *ctx = context.frame().context;
        std::int32_t code = ctx->state->clear(ctx, slot_, context.record());
        if (code != APUS_NOT_FOUND) check(code, "state", name_);
    }

protected:
    State(KeyedOperator *owner, StateDecl decl, const char *name)
        : name_(name), slot_(note(owner->apus_declarations.states, std::move(decl))) {}

    // Calls a function of the host for the key in hand; false when there is nothing.
    template <class Function, class... Arguments>
    bool call(Context &context, Function function, Arguments... arguments) const {
        apus_ctx *ctx = context.frame().context;
        std::int32_t code =
            (ctx->state->*function)(ctx, slot_, context.record(), arguments...);
        if (code == APUS_NOT_FOUND) return false;
        check(code, "state", name_);
        return true;
    }

    template <class T>
    static std::string_view encoded(Encoder &scratch, const T &value) {
        scratch.clear();
        Codec<T>::encode(scratch, value);
        return scratch.view();
    }

    const char *name_;
    std::uint32_t slot_;
};

}  // namespace detail

// One value per key.
template <class T>
class Value : public detail::State {
public:
    Value(KeyedOperator *owner, const char *name, const Options &options = {})
        : State(owner, declaration(name, options), name) {}

    std::optional<T> get(Context &context) const {
        apus_bytes bytes;
        if (!call(context, &apus_state_api::value_get, &bytes)) return std::nullopt;
        return detail::decode_all<T>(bytes.data, bytes.len, name_);
    }

    void set(Context &context, const T &value) const {
        std::string_view bytes = encoded(context.frame().value_scratch, value);
        call(context, &apus_state_api::value_put, bytes.data(), bytes.size());
    }

    // Changes the value, or `initial` if there is none, and stores it; what `change` returns.
    template <class Change>
    auto modify(Context &context, Change change, T initial = T{}) const {
        std::optional<T> stored = get(context);
        T value = stored ? std::move(*stored) : std::move(initial);
        if constexpr (std::is_void_v<decltype(change(value))>) {
            change(value);
            set(context, value);
        } else {
            auto result = change(value);
            set(context, value);
            return result;
        }
    }

private:
    static detail::StateDecl declaration(const char *name, const Options &options) {
        auto decl = detail::declare<T>(name, APUS_STATE_VALUE, options);
        if (Codec<T>::fixed <= 65536) decl.fixed = static_cast<std::uint32_t>(Codec<T>::fixed);
        return decl;
    }
};

// One sum per key.
class Counter : public detail::State {
public:
    Counter(KeyedOperator *owner, const char *name, const Options &options = {})
        : State(owner, detail::declare<std::int64_t>(name, APUS_STATE_COUNTER, options), name) {}

    // The new sum.
    std::int64_t add(Context &context, std::int64_t by = 1) const {
        std::int64_t sum = 0;
        call(context, &apus_state_api::counter_add, by, &sum);
        return sum;
    }

    std::int64_t get(Context &context) const {
        std::int64_t sum = 0;
        call(context, &apus_state_api::counter_get, &sum);
        return sum;
    }
};

// Values per key, in the order in which they were appended.
template <class T>
class List : public detail::State {
public:
    List(KeyedOperator *owner, const char *name, const Options &options = {})
        : State(owner, detail::declare<T>(name, APUS_STATE_LIST, options), name) {}

    void append(Context &context, const T &value) const {
        std::string_view bytes = encoded(context.frame().value_scratch, value);
        call(context, &apus_state_api::list_append, bytes.data(), bytes.size());
    }

    std::uint64_t size(Context &context) const {
        std::uint64_t count = 0;
        call(context, &apus_state_api::list_count, &count);
        return count;
    }

    // Calls visit(value) for each, in order; it must not change the list.
    template <class Visit>
    void for_each(Context &context, Visit visit) const {
        apus_cursor cursor = apus_cursor_all();
        apus_bytes values[32];
        std::uint32_t count = 0;
        do {
            if (!call(context, &apus_state_api::list_next, &cursor, values, 32u, &count)) return;
            for (std::uint32_t i = 0; i < count; i++) {
                visit(detail::decode_all<T>(values[i].data, values[i].len, name_));
            }
        } while (count > 0);
    }

    std::vector<T> all(Context &context) const {
        std::vector<T> values;
        for_each(context, [&](T value) { values.push_back(std::move(value)); });
        return values;
    }
};

// Entries per key, ordered by their own keys.
template <class K, class V>
class Map : public detail::State {
public:
    Map(KeyedOperator *owner, const char *name, const Options &options = {})
        : State(owner, detail::declare<V>(name, APUS_STATE_MAP, options), name) {}

    std::optional<V> get(Context &context, const K &key) const {
        std::string_view bytes = encoded(context.frame().key_scratch, key);
        apus_bytes value;
        if (!call(context, &apus_state_api::map_get, bytes.data(), bytes.size(), &value)) {
            return std::nullopt;
        }
        return detail::decode_all<V>(value.data, value.len, name_);
    }

    void set(Context &context, const K &key, const V &value) const {
        std::string_view k = encoded(context.frame().key_scratch, key);
        std::string_view v = encoded(context.frame().value_scratch, value);
        call(context, &apus_state_api::map_put, k.data(), k.size(), v.data(), v.size());
    }

    // Whether there was such an entry.
    bool remove(Context &context, const K &key) const {
        std::string_view bytes = encoded(context.frame().key_scratch, key);
        return call(context, &apus_state_api::map_remove, bytes.data(), bytes.size());
    }

    std::uint64_t size(Context &context) const {
        std::uint64_t count = 0;
        call(context, &apus_state_api::map_count, &count);
        return count;
    }

    // Calls visit(key, value) for each, in the order of keys, until it returns false, if it
    // returns anything; it must not change the map.
    template <class Visit>
    void for_each(Context &context, Visit visit) const {
        walk(context, apus_cursor_all(), visit);
    }

    // The same for keys from ..< to.
    template <class Visit>
    void for_each_in(Context &context, const K &from, const K &to, Visit visit) const {
        Encoder first, last;
        encoded(first, from);
        encoded(last, to);
        walk(context, apus_cursor_range(detail::bytes(first), detail::bytes(last)), visit);
    }

    // The same for keys that start with the first fields of a key.
    template <class Prefix, class Visit>
    void for_each_with(Context &context, const Prefix &prefix, Visit visit) const {
        Encoder first;
        encoded(first, prefix);
        walk(context, apus_cursor_prefix(detail::bytes(first)), visit);
    }

private:
    template <class Visit>
    void walk(Context &context, apus_cursor cursor, Visit &visit) const {
        apus_entry entries[32];
        std::uint32_t count = 0;
        do {
            if (!call(context, &apus_state_api::map_next, &cursor, entries, 32u, &count)) return;
            for (std::uint32_t i = 0; i < count; i++) {
                if (!detail::visit_entry<K, V>(entries[i], name_, visit)) return;
            }
        } while (count > 0);
    }
};

}  // namespace apus

#endif
