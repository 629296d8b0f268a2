// The three operators.
#pragma once

#include <algorithm>
#include <string>

#include "apus/apus.hpp"
#include "fields.hpp"

// The record's time, if it is one that durations can be added to.
inline std::int64_t time_of(const apus::Record &record) {
    std::int64_t time = record.time().value_or(-1);
    if (time < 0 || time >= apus::seconds(253402300800)) {
        throw apus::bad_record("the record has no time of 1970 to 9999");
    }
    return time;
}

// Passes lines on whose number in a column is large enough; without state.
class Filter : public apus::Operator {
public:
    static constexpr auto id = "filter";
    static constexpr auto summary = "passes lines on whose number is large enough";

    apus::Metric kept{this, "kept", "passed on"};
    apus::Metric dropped{this, "dropped", "too small"};

    void configure(const apus::Config &config) {
        config.allow_only({"column", "minimum"});
        column_ = static_cast<std::size_t>(config.integer("column", 0, 999));
        minimum_ = config.integer("minimum");
    }

    void process(const apus::Record &record, apus::Context &context) {
        auto text = field(record.value(), column_);
        if (!text) throw apus::bad_record("column " + std::to_string(column_) + " is missing");
        auto amount = number(*text);
        if (!amount) {
            throw apus::bad_record("column " + std::to_string(column_) + " is not a whole number");
        }
        if (*amount < minimum_) return dropped.add(context);
        context.forward();
        kept.add(context);
    }

private:
    std::size_t column_ = 0;
    std::int64_t minimum_ = 0;
};

// Tells what a key did until it was silent for a while.
//
// A session ends when the key's next record is later than the gap, or when event time says that no
// such record can come any more, whichever is noticed first: both write the same line.
class Sessions : public apus::KeyedOperator {
public:
    static constexpr auto id = "sessions";
    static constexpr auto summary = "what a key did until it was silent for a while";
    static constexpr auto main_output = "sessions";

    struct Span {
        std::int64_t first = 0, last = 0;
        static constexpr auto fields() { return std::make_tuple(&Span::first, &Span::last); }
    };

    apus::Value<Span> span{this, "span"};
    apus::Value<std::int64_t> newest{this, "newest"};
    apus::Counter number{this, "number"};
    apus::List<std::string> items{this, "items"};
    apus::Timer silent{this, "silent"};
    apus::Output late{this, "late", "lines that came after their session"};
    apus::Metric late_count{this, "late", "late lines"};

    void configure(const apus::Config &config) {
        config.allow_only({"gap-seconds"});
        gap_ = apus::seconds(config.integer("gap-seconds", 1, 86400));
    }

    void process(const apus::Record &record, apus::Context &context) {
        std::int64_t time = time_of(record), latest = newest.get(context).value_or(time);
        if (time < latest - gap_) {
            late_count.add(context);
            return context.forward(late);
        }
        auto open = span.get(context);
        if (open && time > open->last + gap_) {
            end_session(record.key(), *open, context);
            open.reset();
        }
        Span now = open.value_or(Span{time, time});
        now = {std::min(now.first, time), std::max(now.last, time)};
        items.append(context, std::string(last_field(record.value())));
        span.set(context, now);
        newest.set(context, std::max(latest, time));
        context.set(silent, now.last + gap_);
    }

    void on_timer(const apus::FiredTimer &timer, apus::Context &context) {
        if (auto open = span.get(context)) end_session(timer.key(), *open, context);
    }

private:
    void end_session(std::string_view key, Span whole, apus::Context &context) {
        std::string line(key);
        line += ',' + std::to_string(number.add(context)) + ',' + std::to_string(whole.first)
            + ',' + std::to_string(whole.last);
        char separator = ',';
        items.for_each(context, [&](const std::string &item) {
            line += separator + item;
            separator = '+';
        });
        context.emit_with_key(key, line, whole.last);
        span.clear(context);
        items.clear(context);
    }

    std::int64_t gap_ = 0;
};

// Passes a line on unless its key has had the same id a short while ago.
//
// Each id has a timer that forgets it. A line may be noticed to be past that time before the timer
// fires; then the id is new, and its old timer finds it renewed.
class Dedup : public apus::KeyedOperator {
public:
    static constexpr auto id = "dedup";
    static constexpr auto summary =
        "passes a line on unless the key has had its id a short while ago";

    apus::Map<std::string, std::int64_t> seen{this, "seen"};
    apus::Counter number{this, "number"};
    apus::Timer expired{this, "expired"};
    apus::Output duplicates{this, "duplicates", "lines with ids that the key has had"};
    apus::Metric duplicate_count{this, "duplicates", "lines with known ids"};

    void configure(const apus::Config &config) {
        config.allow_only({"column", "ttl-seconds"});
        column_ = static_cast<std::size_t>(config.integer("column", 0, 999));
        ttl_ = apus::seconds(config.integer("ttl-seconds", 1, 86400));
    }

    void process(const apus::Record &record, apus::Context &context) {
        std::int64_t time = time_of(record);
        std::string id(field(record.value(), column_).value_or(""));
        if (id.empty()) throw apus::bad_record("the record has no id");
        auto before = seen.get(context, id);
        if (before && time < *before + ttl_) {
            duplicate_count.add(context);
            return context.forward(duplicates);
        }
        context.forward();
        seen.set(context, id, time);
        auto timer = static_cast<std::uint64_t>(number.add(context));
        context.set(expired, time + ttl_, timer, id);
    }

    void on_timer(const apus::FiredTimer &timer, apus::Context &context) {
        std::string id(timer.payload());
        auto before = seen.get(context, id);
        if (before && *before + ttl_ <= timer.time()) seen.remove(context, id);
    }

private:
    std::size_t column_ = 0;
    std::int64_t ttl_ = 0;
};
