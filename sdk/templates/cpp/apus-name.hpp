// apus-name: counts the records of each key, and tells the count when the key has been silent for
// a minute of event time.
#pragma once

#include <string>

#include "apus/apus.hpp"

class ApusNameOperator : public apus::KeyedOperator {
public:
    static constexpr auto id = "apus-name";
    static constexpr auto summary =
        "counts the records of each key until it is silent for a minute";

    // State and timers, kept by the host for each key; the names are stable for ever.
    apus::Counter count{this, "count"};
    apus::Timer quiet{this, "quiet"};

    void process(const apus::Record &record, apus::Context &context) {
        std::int64_t time = record.time().value_or(-1);
        if (time < 0 || time > INT64_MAX - apus::minutes(1)) {
            throw apus::bad_record("the record has no time");
        }
        count.add(context);
        context.set(quiet, time + apus::minutes(1));
    }

    void on_timer(const apus::FiredTimer &timer, apus::Context &context) {
        context.emit(std::string(timer.key()) + "," + std::to_string(count.get(context)));
        count.clear(context);
    }
};
