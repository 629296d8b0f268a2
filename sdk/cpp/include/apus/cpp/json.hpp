// As much of JSON as a configuration needs: an object's fields, and a text.
#ifndef APUS_CPP_JSON_HPP
#define APUS_CPP_JSON_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus::detail {

class Json {
public:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    // Splits an object into names and values as they stand there; false when it is none.
    static bool read_object(std::string_view json, Fields &fields) {
        Json reader(json);
        reader.skip_space();
        if (!reader.eat('{')) return false;
        reader.skip_space();
        if (reader.eat('}')) return reader.is_at_end();
        do {
            std::string name;
            reader.skip_space();
            if (!reader.text(name)) return false;
            reader.skip_space();
            if (!reader.eat(':')) return false;
            reader.skip_space();
            std::size_t start = reader.at_;
            if (!reader.skip_value(0)) return false;
            for (const auto &field : fields) {
                if (field.first == name) return false;
            }
            fields.emplace_back(name, json.substr(start, reader.at_ - start));
            reader.skip_space();
        } while (reader.eat(','));
        return reader.eat('}') && reader.is_at_end();
    }

    // The text that a value is; false when it is none.
    static bool read_text(std::string_view json, std::string &text) {
        Json reader(json);
        return reader.text(text) && reader.at_ == json.size();
    }

private:
    explicit Json(std::string_view json) : json_(json) {}

    bool eat(char wanted) {
        if (at_ == json_.size() || json_[at_] != wanted) return false;
        at_++;
        return true;
    }

    void skip_space() {
        while (at_ < json_.size() && std::string_view(" \t\r\n").find(json_[at_]) < 4) at_++;
    }

    bool is_at_end() {
        skip_space();
        return at_ == json_.size();
    }

    bool text(std::string &text) {
        if (!eat('"')) return false;
        while (at_ < json_.size()) {
            char c = json_[at_++];
            if (c == '"') return true;
            if (static_cast<unsigned char>(c) < ' ') return false;
            if (c != '\\') text.push_back(c);
            else if (!escape(text)) return false;
        }
        return false;
    }

    bool escape(std::string &text) {
        if (at_ == json_.size()) return false;
        char c = json_[at_++];
        if (c == 'u') return unicode(text);
        std::size_t which = std::string_view("\"\\/bfnrt").find(c);
        if (which == std::string_view::npos) return false;
        text.push_back("\"\\/\b\f\n\r\t"[which]);
        return true;
    }

    bool unicode(std::string &text) {
        std::uint32_t code = 0, low = 0;
        if (!hexadecimal(code) || (code >= 0xDC00 && code < 0xE000)) return false;
        if (code >= 0xD800 && code < 0xDC00) {
            if (!eat('\\') || !eat('u') || !hexadecimal(low)) return false;
            if (low < 0xDC00 || low >= 0xE000) return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        auto add = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
        if (code < 0x80) return add(code), true;
        if (code < 0x800) {
            add(0xC0 | code >> 6);
        } else {
            if (code < 0x10000) {
                add(0xE0 | code >> 12);
            } else {
                add(0xF0 | code >> 18);
                add(0x80 | (code >> 12 & 0x3F));
            }
            add(0x80 | (code >> 6 & 0x3F));
        }
        add(0x80 | (code & 0x3F));
        return true;
    }

    bool hexadecimal(std::uint32_t &code) {
        if (json_.size() - at_ < 4) return false;
        for (int i = 0; i < 4; i++) {
            char c = json_[at_++];
            std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
            if (digit == std::string_view::npos) return false;
            code = code << 4 | static_cast<std::uint32_t>(digit < 16 ? digit : digit - 6);
        }
        return true;
    }

    // The host has checked that it is JSON; this only has to find the end.
    bool skip_value(int depth) {
        if (depth > 64 || at_ == json_.size()) return false;
        std::string ignored;
        if (json_[at_] == '"') return text(ignored);
        if (json_[at_] == '{' || json_[at_] == '[') return skip_group(depth);
        std::size_t start = at_;
        while (at_ < json_.size() && std::string_view(",]} \t\r\n").find(json_[at_]) > 6) at_++;
        return at_ > start;
    }

    bool skip_group(int depth) {
        bool is_object = json_[at_++] == '{';
        char end = is_object ? '}' : ']';
        skip_space();
        if (eat(end)) return true;
        do {
            std::string ignored;
            skip_space();
            if (is_object) {
                if (!text(ignored)) return false;
                skip_space();
                if (!eat(':')) return false;
                skip_space();
            }
            if (!skip_value(depth + 1)) return false;
            skip_space();
        } while (eat(','));
        return eat(end);
    }

    std::string_view json_;
    std::size_t at_ = 0;
};

}  // namespace apus::detail

#endif
