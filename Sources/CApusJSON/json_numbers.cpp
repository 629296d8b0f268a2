// Numbers and strings, from and to the text that JSON has for them.

#include <charconv>
#include <cstring>

#include "CApusJSON.h"

namespace {

// JSON has no types of numbers, but those who read it often do: 8.0 stays a number with a fraction.
template <typename Number>
size_t write(Number number, uint8_t *to) {
    char *begin = reinterpret_cast<char *>(to);
    // The longest has 24 characters: sign, 17 digits, point, exponent.
    char *end = std::to_chars(begin, begin + APUS_JSON_NUMBER_MAX - 2, number).ptr;
    for (const char *at = begin; at < end; at++) {
        if (*at == '.' || *at == 'e') return end - begin;
    }
    *end++ = '.';
    *end++ = '0';
    return end - begin;
}

}  // namespace

bool apus_json_read_double(const uint8_t *bytes, size_t length, double *result) {
    const char *begin = reinterpret_cast<const char *>(bytes);
    auto [end, error] = std::from_chars(begin, begin + length, *result);
    return error == std::errc() && end == begin + length;
}

size_t apus_json_write_double(double number, uint8_t *to) {
    return write(number, to);
}

size_t apus_json_write_float(float number, uint8_t *to) {
    return write(number, to);
}

size_t apus_json_escape(const uint8_t *bytes, size_t length, uint8_t *to) {
    static const char digits[] = "0123456789abcdef";
    uint8_t *at = to;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            *at++ = byte;
            continue;
        }
        *at++ = '\\';
        switch (byte) {
        case '"':
        case '\\': *at++ = byte; break;
        case '\n': *at++ = 'n'; break;
        case '\r': *at++ = 'r'; break;
        case '\t': *at++ = 't'; break;
        default:
            memcpy(at, "u00", 3);
            at[3] = digits[byte >> 4];
            at[4] = digits[byte & 15];
            at += 5;
        }
    }
    return at - to;
}
