// What can be kept in state: types that say what their bytes are.
//
// Integers, bool, float, double, std::string, std::vector<std::uint8_t>, enums, std::optional,
// std::pair and std::tuple of such, and structs that list their members:
//
//     struct Ticket {
//         bool is_urgent = false;
//         std::int64_t since = 0;
//         static constexpr auto fields() {
//             return std::make_tuple(&Ticket::is_urgent, &Ticket::since);
//         }
//     };
//
// The bytes are those of the Swift and the Rust SDK: a plugin can be written anew in another
// language and finds its state. They sort as the values do, field by field, so that any of these
// can be the key of a Map, and the first fields of a key are a prefix by which it is found.
//
// A type that has changed says what it was, and how the old becomes the new:
//
//     struct Ticket {
//         ...
//         static constexpr std::uint32_t version = 2;
//         using previous = TicketV1;  // whose version is 1, as that of all who do not say
//         static Ticket migrate(const TicketV1 &old) { return {old.is_urgent, 0}; }
//     };
//
// and, when it can, what its values were. With that in each type of the chain, and for all states
// of the operator, a swap to a bad version can be undone without going back to a checkpoint:
//
//         static TicketV1 downgrade(const Ticket &now) { return {now.is_urgent}; }
#ifndef APUS_CPP_CODEC_HPP
#define APUS_CPP_CODEC_HPP

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "apus/cpp/errors.hpp"

namespace apus {

// Collects the bytes of values; its memory is used again.
class Encoder {
public:
    void clear() { bytes_.clear(); }
    const char *data() const { return bytes_.data(); }
    std::size_t size() const { return bytes_.size(); }
    std::string_view view() const { return bytes_; }

    void append(std::uint8_t byte) { bytes_.push_back(static_cast<char>(byte)); }
    void append(std::string_view bytes) { bytes_.append(bytes); }

    // Most significant byte first.
    template <class Bits>
    void append_bits(Bits bits) {
        for (int shift = 8 * (static_cast<int>(sizeof bits) - 1); shift >= 0; shift -= 8) {
            append(static_cast<std::uint8_t>(bits >> shift));
        }
    }

    // Such that the end can be found and the order is kept: 0 becomes 0 255, and 0 0 comes last.
    void append_delimited(std::string_view bytes) {
        std::size_t zero;
        while ((zero = bytes.find('\0')) != std::string_view::npos) {
            append(bytes.substr(0, zero + 1));
            append(std::uint8_t{255});
            bytes.remove_prefix(zero + 1);
        }
        append(bytes);
        bytes_.append(2, '\0');
    }

private:
    std::string bytes_;
};

// Reads values back.
class Decoder {
public:
    explicit Decoder(std::string_view bytes) : rest_(bytes) {}
    Decoder(const std::uint8_t *data, std::uint64_t size)
        : rest_(reinterpret_cast<const char *>(data), size) {}

    bool is_at_end() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }

    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            throw error("stored bytes end early: " + std::to_string(count) + " more are needed, "
                        + std::to_string(rest_.size()) + " are left; the type has changed");
        }
        std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    template <class Bits>
    Bits take_bits() {
        Bits bits = 0;
        for (char byte : take(sizeof bits)) {
            bits = static_cast<Bits>(static_cast<std::uint64_t>(bits) << 8
                                     | static_cast<std::uint8_t>(byte));
        }
        return bits;
    }

    bool take_flag() {
        auto byte = static_cast<std::uint8_t>(take(1)[0]);
        if (byte > 1) throw error("a stored truth value is " + std::to_string(byte));
        return byte == 1;
    }

    std::string take_delimited() {
        std::string text;
        while (true) {
            std::size_t zero = rest_.find('\0');
            if (zero == std::string_view::npos) zero = rest_.size();
            text.append(take(zero));
            auto mark = static_cast<std::uint8_t>(take(2)[1]);
            if (mark == 0) return text;
            if (mark != 255) throw error("stored bytes are no text: 0 " + std::to_string(mark));
            text.push_back('\0');
        }
    }

private:
    std::string_view rest_;
};

// How a type is kept. fixed is the number of bytes if it is always the same, else 0.
template <class T, class = void>
struct Codec;

template <class T>
struct Codec<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
    using Bits = std::make_unsigned_t<T>;
    static constexpr Bits flip =
        std::is_signed_v<T> ? static_cast<Bits>(Bits{1} << (8 * sizeof(T) - 1)) : Bits{0};
    static constexpr std::size_t fixed = sizeof(T);
    static void encode(Encoder &to, T value) {
        to.append_bits(static_cast<Bits>(static_cast<Bits>(value) ^ flip));
    }
    static T decode(Decoder &from) {
        return static_cast<T>(static_cast<Bits>(from.take_bits<Bits>() ^ flip));
    }
};

template <>
struct Codec<bool> {
    static constexpr std::size_t fixed = 1;
    static void encode(Encoder &to, bool value) { to.append(std::uint8_t{value}); }
    static bool decode(Decoder &from) { return from.take_flag(); }
};

template <class T>
struct Codec<T, std::enable_if_t<std::is_floating_point_v<T>>> {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    static_assert(sizeof(T) == sizeof(Bits), "float and double only");
    static constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
    static constexpr std::size_t fixed = sizeof(T);
    static void encode(Encoder &to, T value) {
        Bits bits;
        std::memcpy(&bits, &value, sizeof bits);
        to.append_bits(static_cast<Bits>(bits & sign ? ~bits : bits ^ sign));
    }
    static T decode(Decoder &from) {
        auto bits = from.take_bits<Bits>();
        bits = bits & sign ? bits ^ sign : ~bits;
        T value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
};

template <>
struct Codec<std::string> {
    static constexpr std::size_t fixed = 0;
    static void encode(Encoder &to, std::string_view value) { to.append_delimited(value); }
    static std::string decode(Decoder &from) { return from.take_delimited(); }
};

template <>
struct Codec<std::vector<std::uint8_t>> {
    static constexpr std::size_t fixed = 0;
    static void encode(Encoder &to, const std::vector<std::uint8_t> &value) {
        to.append_delimited({reinterpret_cast<const char *>(value.data()), value.size()});
    }
    static std::vector<std::uint8_t> decode(Decoder &from) {
        std::string bytes = from.take_delimited();
        return {bytes.begin(), bytes.end()};
    }
};

// Bytes as they are, up to the end: what a plugin in C keeps, or a codec of your own.
struct Raw {
    std::string bytes;
};

template <>
struct Codec<Raw> {
    static constexpr std::size_t fixed = 0;
    static void encode(Encoder &to, const Raw &value) { to.append(value.bytes); }
    static Raw decode(Decoder &from) { return {std::string(from.take(from.rest().size()))}; }
};

template <class T>
struct Codec<T, std::enable_if_t<std::is_enum_v<T>>> {
    using Number = std::underlying_type_t<T>;
    static constexpr std::size_t fixed = Codec<Number>::fixed;
    static void encode(Encoder &to, T value) {
        Codec<Number>::encode(to, static_cast<Number>(value));
    }
    static T decode(Decoder &from) { return static_cast<T>(Codec<Number>::decode(from)); }
};

template <class T>
struct Codec<std::optional<T>> {
    static constexpr std::size_t fixed = Codec<T>::fixed ? Codec<T>::fixed + 1 : 0;
    static void encode(Encoder &to, const std::optional<T> &value) {
        to.append(std::uint8_t{value.has_value()});
        if (value) return Codec<T>::encode(to, *value);
        for (std::size_t i = 0; i < Codec<T>::fixed; i++) to.append(std::uint8_t{0});
    }
    static std::optional<T> decode(Decoder &from) {
        if (from.take_flag()) return Codec<T>::decode(from);
        from.take(Codec<T>::fixed);
        return std::nullopt;
    }
};

namespace detail {

template <class... T>
struct Fields {
    static constexpr bool is_fixed = ((Codec<T>::fixed > 0) && ...);
    static constexpr std::size_t fixed = is_fixed ? (Codec<T>::fixed + ...) : 0;
};

template <class T>
struct MemberOf;
template <class Struct, class T>
struct MemberOf<T Struct::*> {
    using type = T;
};

template <class Tuple>
struct MembersOf;
template <class... Pointer>
struct MembersOf<std::tuple<Pointer...>> : Fields<typename MemberOf<Pointer>::type...> {};

template <class T, class = void>
struct HasPrevious : std::false_type {};
template <class T>
struct HasPrevious<T, std::void_t<typename T::previous>> : std::true_type {};

template <class T, class = void>
struct VersionOf : std::integral_constant<std::uint32_t, 1> {};
template <class T>
struct VersionOf<T, std::void_t<decltype(T::version)>>
    : std::integral_constant<std::uint32_t, T::version> {};

// The oldest version that can still be read.
template <class T>
constexpr std::uint32_t oldest() {
    if constexpr (HasPrevious<T>::value) {
        static_assert(VersionOf<typename T::previous>::value < VersionOf<T>::value,
            "the version of a type is greater than that of its previous");
        return oldest<typename T::previous>();
    } else {
        return VersionOf<T>::value;
    }
}

template <class T, class = void>
struct HasDowngrade : std::false_type {};
template <class T>
struct HasDowngrade<T, std::void_t<decltype(T::downgrade(std::declval<const T &>()))>>
    : std::true_type {
    using Result = decltype(T::downgrade(std::declval<const T &>()));
    static_assert(std::is_same_v<std::decay_t<Result>, typename T::previous>,
        "downgrade returns what the type calls its previous");
};

// Whether values can be written in each of the versions that can be read.
template <class T>
constexpr bool goes_back() {
    if constexpr (!HasPrevious<T>::value) {
        return true;  // there is but one
    } else {
        return HasDowngrade<T>::value && goes_back<typename T::previous>();
    }
}

// Appends what a value is in this or an older version.
template <class T>
void encode_version(std::uint32_t version, Encoder &to, const T &value) {
    if (version == VersionOf<T>::value) return Codec<T>::encode(to, value);
    if constexpr (HasDowngrade<T>::value) {
        encode_version<typename T::previous>(version, to, T::downgrade(value));
    } else {
        throw error("a value of version " + std::to_string(VersionOf<T>::value)
                    + " cannot be brought back to version " + std::to_string(version)
                    + "; its type has no downgrade");
    }
}

// Reads a value of this or an older version.
template <class T>
T decode_version(std::uint32_t version, Decoder &from) {
    if (version == VersionOf<T>::value) return Codec<T>::decode(from);
    if constexpr (HasPrevious<T>::value) {
        return T::migrate(decode_version<typename T::previous>(version, from));
    } else {
        throw error("version " + std::to_string(version) + " of the bytes cannot be read; the "
                    "oldest is " + std::to_string(VersionOf<T>::value));
    }
}

// A whole value, with nothing behind it.
template <class T>
T decode_all(const std::uint8_t *data, std::uint64_t size, const char *name) {
    Decoder from(data, size);
    T value = Codec<T>::decode(from);
    if (!from.is_at_end()) {
        throw error(std::string("state '") + name + "': " + std::to_string(from.rest().size())
                    + " of " + std::to_string(size) + " bytes are left over; the type has changed");
    }
    return value;
}

}  // namespace detail

template <class A, class B>
struct Codec<std::pair<A, B>> : detail::Fields<A, B> {
    static void encode(Encoder &to, const std::pair<A, B> &value) {
        Codec<A>::encode(to, value.first);
        Codec<B>::encode(to, value.second);
    }
    static std::pair<A, B> decode(Decoder &from) {
        A first = Codec<A>::decode(from);
        return {std::move(first), Codec<B>::decode(from)};
    }
};

template <class... T>
struct Codec<std::tuple<T...>> : detail::Fields<T...> {
    static void encode(Encoder &to, const std::tuple<T...> &value) {
        std::apply([&](const T &...field) { (Codec<T>::encode(to, field), ...); }, value);
    }
    static std::tuple<T...> decode(Decoder &from) {
        return std::tuple<T...>{Codec<T>::decode(from)...};  // braces evaluate from left to right
    }
};

template <class T>
struct Codec<T, std::void_t<decltype(T::fields())>> : detail::MembersOf<decltype(T::fields())> {
    static void encode(Encoder &to, const T &value) {
        std::apply([&](auto... member) { (encode_one(to, value.*member), ...); }, T::fields());
    }
    static T decode(Decoder &from) {
        T value{};
        std::apply([&](auto... member) { (decode_one(from, value.*member), ...); }, T::fields());
        return value;
    }

private:
    template <class F>
    static void encode_one(Encoder &to, const F &field) {
        Codec<F>::encode(to, field);
    }
    template <class F>
    static void decode_one(Decoder &from, F &field) {
        field = Codec<F>::decode(from);
    }
};

}  // namespace apus

#endif
