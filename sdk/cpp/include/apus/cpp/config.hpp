// The operator's configuration in the job file: an object of JSON, read strictly.
#ifndef APUS_CPP_CONFIG_HPP
#define APUS_CPP_CONFIG_HPP

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apus/cpp/errors.hpp"
#include "apus/cpp/json.hpp"

namespace apus {

// Lent to configure. All functions throw config_error, with what was found and what was expected.
class Config {
public:
    explicit Config(const apus_args &args)
        : Config(std::string_view(
            reinterpret_cast<const char *>(args.config.data), args.config.len)) {
        subtask_ = args.subtask;
        parallelism_ = args.parallelism;
        job_ = std::string(args.job.data, args.job.len);
        operator_id_ = std::string(args.operator_id.data, args.operator_id.len);
    }

    explicit Config(std::string_view json) : json_(json) {
        if (json_.empty() || json_ == "null") json_ = "{}";
        if (!detail::Json::read_object(json_, fields_)) {
            throw config_error("config is " + shown(json_) + "; expected an object of JSON");
        }
    }

    // The whole of it, and one field as it stands there: for lists and objects.
    const std::string &json() const { return json_; }
    std::optional<std::string_view> raw(std::string_view name) const {
        for (const auto &field : fields_) {
            if (field.first == name) return std::string_view(field.second);
        }
        return std::nullopt;
    }
    bool has(std::string_view name) const { return raw(name).has_value(); }

    std::uint32_t subtask() const { return subtask_; }
    std::uint32_t parallelism() const { return parallelism_; }
    const std::string &job() const { return job_; }
    const std::string &operator_id() const { return operator_id_; }

    // A whole number within bounds.
    std::int64_t integer(
        std::string_view name, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
        std::int64_t most = std::numeric_limits<std::int64_t>::max()) const {
        std::string expected = "a whole number";
        if (least != std::numeric_limits<std::int64_t>::min()
            || most != std::numeric_limits<std::int64_t>::max()) {
            expected += " from " + std::to_string(least) + " to " + std::to_string(most);
        }
        std::string_view text = needed(name, expected);
        std::int64_t number = 0;
        auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (code != std::errc() || end != text.data() + text.size() || number < least
            || number > most) {
            wrong(name, text, expected);
        }
        return number;
    }

    double number(std::string_view name) const {
        std::string_view text = needed(name, "a number");
        double number = 0;
        auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (code != std::errc() || end != text.data() + text.size()) wrong(name, text, "a number");
        return number;
    }

    std::string text(std::string_view name) const {
        std::string_view raw = needed(name, "a text");
        std::string text;
        if (!detail::Json::read_text(raw, text)) wrong(name, raw, "a text");
        return text;
    }

    bool boolean(std::string_view name) const {
        std::string_view raw = needed(name, "true or false");
        if (raw != "true" && raw != "false") wrong(name, raw, "true or false");
        return raw == "true";
    }

    // Refuses fields with other names, and so finds the misspelled one.
    void allow_only(std::initializer_list<std::string_view> names) const {
        for (const auto &field : fields_) {
            bool is_known = false;
            for (std::string_view name : names) is_known = is_known || name == field.first;
            if (is_known) continue;
            std::string text = "unknown key '" + field.first + "'; expected";
            for (std::string_view name : names) text += " '" + std::string(name) + "'";
            throw config_error(text);
        }
    }

private:
    static std::string shown(std::string_view text) {
        return std::string(text.substr(0, 120));
    }

    std::string_view needed(std::string_view name, const std::string &expected) const {
        if (auto found = raw(name)) return *found;
        throw config_error("no '" + std::string(name) + "'; expected " + expected);
    }

    [[noreturn]] static void wrong(
        std::string_view name, std::string_view found, const std::string &expected) {
        throw config_error("'" + std::string(name) + "' is " + shown(found) + "; expected "
                           + expected);
    }

    std::string json_;
    std::vector<std::pair<std::string, std::string>> fields_;
    std::uint32_t subtask_ = 0, parallelism_ = 1;
    std::string job_, operator_id_;
};

}  // namespace apus

#endif
