// The Apus SDK for C++17: headers only, nothing to link.
//
//     class Visits : public apus::KeyedOperator {
//     public:
//         static constexpr auto id = "visits";
//         static constexpr auto summary = "counts visits until a day without any";
//
//         apus::Counter visits{this, "visits"};
//         apus::Timer quiet{this, "quiet"};
//
//         void process(const apus::Record &record, apus::Context &context) {
//             if (!record.time()) throw apus::bad_record("no event time");
//             visits.add(context, 1);
//             context.set(quiet, *record.time() + apus::hours(24));
//         }
//
//         void on_timer(const apus::FiredTimer &, apus::Context &context) {
//             context.emit(std::to_string(visits.get(context)));
//             visits.clear(context);
//         }
//     };
//
//     APUS_PLUGIN("com.example.visits", "1.0.0", "Example", apus::component<Visits>())
//
// State, timers, outputs and metrics are members that are given `this`: the order of the members is
// the order of the slots. Each subtask has its own instance, called by one thread at a time.
//
// Exceptions: apus::bad_record sets the record in hand aside, and takes back what was emitted for
// it, though not what was written to state: check first, then write. apus::config_error, from
// configure, refuses the configuration. Any other exception ends the job with its what().
//
// Outputs that are full, results and resumption are the SDK's business: what finds no room while
// a handler runs is set aside and written between records.
//
// Views (std::string_view) of a record are valid until the handler returns.
#ifndef APUS_APUS_HPP
#define APUS_APUS_HPP

#include "apus/cpp/codec.hpp"
#include "apus/cpp/config.hpp"
#include "apus/cpp/context.hpp"
#include "apus/cpp/errors.hpp"
#include "apus/cpp/function.hpp"
#include "apus/cpp/operator.hpp"
#include "apus/cpp/plugin.hpp"
#include "apus/cpp/shared.hpp"
#include "apus/cpp/state.hpp"

#endif
