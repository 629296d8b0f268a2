// A plugin made with the C++ SDK of ABI 0.3, for the corpus.
//
//   gathered  keyed; a value, a counter, a list, a map and a timer for each record
#include <string>

#include "apus/apus.hpp"

class Gathered : public apus::KeyedOperator {
public:
    static constexpr auto id = "gathered";
    static constexpr auto summary = "what a key has had so far";

    apus::Value<std::int64_t> newest{this, "newest"};
    apus::Counter number{this, "number"};
    apus::List<std::string> ends{this, "ends"};
    apus::Map<std::string, std::int64_t> seen{this, "seen"};
    apus::Timer due{this, "due"};
    apus::Output marks{this, "marks", "records that are marked"};
    apus::Metric records{this, "records", "records"};

    void process(const apus::Record &record, apus::Context &context) {
        std::string_view value = record.value();
        if (value.size() < 10) throw apus::bad_record("the record is too short");
        std::int64_t time = record.time().value_or(0);
        std::int64_t before = newest.get(context).value_or(-1);
        std::int64_t count = number.add(context);
        std::string end(value.substr(value.size() - 3, 2));
        ends.append(context, end);
        seen.set(context, end, time);
        std::string line = std::to_string(count) + ' ' + std::to_string(before) + ' ';
        ends.for_each(context, [&](const std::string &item) { line += item[0]; });
        std::int64_t times = 0;
        seen.for_each(context, [&](const std::string &, std::int64_t at) { times += at; });
        newest.set(context, time);
        context.set(due, time + 1000, static_cast<std::uint64_t>(count), end);
        context.emit(line + ' ' + std::to_string(times));
        if (count % 10 == 0) context.forward(marks);
        records.add(context);
    }

    void on_timer(const apus::FiredTimer &timer, apus::Context &context) {
        std::string line = "due " + std::to_string(timer.id()) + ' ' + std::string(timer.payload());
        context.emit_with_key(timer.key(), line, timer.time());
    }
};

APUS_PLUGIN("corpus.cpp03", "1.0.0", "Apus", apus::component<Gathered>())
