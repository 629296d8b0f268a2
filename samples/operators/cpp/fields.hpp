// Fields of a line.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

// The field with this number, counted from 0.
inline std::optional<std::string_view> field(std::string_view line, std::size_t column) {
    while (true) {
        std::size_t comma = line.find(',');
        if (column == 0) return line.substr(0, comma);
        if (comma == std::string_view::npos) return std::nullopt;
        line.remove_prefix(comma + 1);
        column--;
    }
}

inline std::string_view last_field(std::string_view line) {
    return line.substr(line.rfind(',') + 1);  // npos + 1 is 0
}

// A whole number of at most 15 digits.
inline std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t number = 0;
    std::size_t digits = text.size() - (!text.empty() && text[0] == '-');
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (digits > 15 || code != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}
