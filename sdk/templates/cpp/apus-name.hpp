// apus-name: counts the records of each key and minute, and tells the count when that is over.
#pragma once

#include <string>

#include "apus/apus.hpp"

class ApusNameOperator : public apus::KeyedOperator {
public:
    static constexpr auto id = "apus-name";
    static constexpr auto summary = "counts the records of each key and minute";

    // State and timers, kept by the host for each key; the names are stable for ever.
    apus::Map<std::int64_t, std::int64_t> counts{this, "counts"};  // by the minute's number
    apus::Timer minute_is_over{this, "minute-is-over"};

    void process(const apus::Record &record, apus::Context &context) {
        std::int64_t time = record.time().value_or(-1);
        if (time < 0 || time >= apus::seconds(253402300800)) {
            throw apus::bad_record("the record has no time");
        }
        std::int64_t minute = time / apus::minutes(1);
        counts.set(context, minute, counts.get(context, minute).value_or(0) + 1);
        // Setting the minute's timer again replaces it.
        context.set(minute_is_over, apus::minutes(minute + 1), static_cast<std::uint64_t>(minute));
    }

    void on_timer(const apus::FiredTimer &timer, apus::Context &context) {
        auto minute = static_cast<std::int64_t>(timer.id());
        std::int64_t count = counts.get(context, minute).value_or(0);
        context.emit(std::string(timer.key()) + "," + std::to_string(count));
        counts.remove(context, minute);
    }
};
