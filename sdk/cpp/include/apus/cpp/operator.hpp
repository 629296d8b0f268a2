// What operators derive from, and what they declare.
#ifndef APUS_CPP_OPERATOR_HPP
#define APUS_CPP_OPERATOR_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "apus/cpp/config.hpp"
#include "apus/cpp/context.hpp"

namespace apus {

// What makes a timer fire.
enum class TimeDomain : std::uint32_t {
    event = APUS_EVENT_TIME,           // the watermark reaches the time
    processing = APUS_PROCESSING_TIME  // the clock on the wall reaches the time
};

// Who gets the items of operator state when a job goes on from a checkpoint: operator_state.h.
enum class Redistribution : std::uint32_t { split = APUS_SPLIT, all = APUS_UNION };

// What may be said of a state besides its name: `Options().renamed_from("old").schema("us")`.
class Options {
public:
    // What the bytes mean, for people; kept in checkpoints.
    Options &schema(const char *text) {
        schema_ = text;
        return *this;
    }
    // The name that the state had in older versions of the operator.
    Options &renamed_from(const char *name) {
        renamed_from_ = name;
        return *this;
    }

    std::string schema_, renamed_from_;
};

namespace detail {

struct StateDecl {
    std::string name;
    std::uint32_t kind = 0;  // or the redistribution of operator state
    std::uint32_t version = 1, oldest = 1, fixed = 0;
    Options options;
    apus_migrate migrate = nullptr;
    bool goes_back = false;
};

struct NamedDecl {
    std::string name, summary;
    TimeDomain domain = TimeDomain::event;
};

struct Declarations {
    std::vector<NamedDecl> outputs{{"main", "the main output"}};
    std::vector<NamedDecl> timers, metrics;
    std::vector<StateDecl> states, broadcasts, operator_states;
};

template <class Decl>
std::uint32_t note(std::vector<Decl> &list, Decl decl) {
    list.push_back(std::move(decl));
    return static_cast<std::uint32_t>(list.size() - 1);
}

}  // namespace detail

// An operator without keys. Derive from it, and give the class
//
//     static constexpr auto id = "...";       // its name in the plugin: [a-z0-9-]
//     static constexpr auto summary = "...";  // what it does, in one line
//     void process(const apus::Record &, apus::Context &);
//
// and, as needed, what else is below, with the same names: the SDK calls the class's own, without
// virtual functions. It needs a constructor without arguments, which is called once more than
// there are instances, to learn what it declares.
class Operator {
public:
    static constexpr std::uint32_t input_count = 1;
    static constexpr std::uint32_t broadcast_input_count = 0;
    static constexpr bool is_keyed = false;
    static constexpr bool accepts_records_without_key = false;
    // What the main output is called; the job file says `operator` or `operator.name`.
    static constexpr const char *main_output = "main";

    Operator() = default;
    Operator(const Operator &) = delete;
    Operator &operator=(const Operator &) = delete;

    // Takes over the configuration; config_error or bad_record refuse it.
    void configure(const Config &) {}
    // Begins, before the first record. Operator state has what the checkpoint had.
    void open(Context &) {}
    // Event time has reached this; all timers due by then have fired. No record is in hand.
    void on_watermark(std::int64_t /*time_us*/, Context &) {}
    // The last callback: what may not outlive it is ended here.
    void close() {}
    // A record of a broadcast input, as every subtask gets it: broadcast state can be changed.
    void process_broadcast(const Record &, Context &) {
        throw error("the operator has a broadcast input but no process_broadcast");
    }

    detail::Declarations apus_declarations;  // for the SDK
};

// An operator whose records have keys, and which keeps state and sets timers per key.
class KeyedOperator : public Operator {
public:
    static constexpr bool is_keyed = true;

    // A timer that is due; state, outputs and timers are those of the timer's key.
    void on_timer(const FiredTimer &, Context &) {}
};

// A side output; the job file says `operator.name`.
class Output {
public:
    Output(Operator *owner, const char *name, const char *summary)
        : index_(detail::note(owner->apus_declarations.outputs, {name, summary})) {}

    operator OutputIndex() const { return OutputIndex{index_}; }

private:
    std::uint32_t index_;
};

// A kind of timer. A timer is known by its key, its declaration and an id of your choice.
class Timer {
public:
    Timer(KeyedOperator *owner, const char *name, TimeDomain domain = TimeDomain::event)
        : name_(name), index_(detail::note(owner->apus_declarations.timers, {name, "", domain})) {}

    operator TimerIndex() const { return TimerIndex{index_, name_}; }

private:
    const char *name_;
    std::uint32_t index_;
};

// A number that an operator counts for the people who watch the job.
class Metric {
public:
    Metric(Operator *owner, const char *name, const char *summary)
        : index_(detail::note(owner->apus_declarations.metrics, {name, summary})) {}

    void add(Context &context, std::uint64_t amount = 1) const {
        context.frame().context->counters[index_] += amount;
    }

private:
    std::uint32_t index_;
};

}  // namespace apus

#endif
