// What is noted while a check runs: violations, counts, the trace.
#pragma once

#include <atomic>
#include <string>

#include "CApusCheck.h"

namespace apus_check {

struct Counts {
    std::atomic<uint64_t> callbacks{0}, host_calls{0}, more_calls{0}, limits{0}, stops{0};
    std::atomic<uint64_t> stack_bytes{0}, allocations{0}, allocated_bytes{0};
    std::atomic<uint64_t> refused_allocations{0};
};
extern Counts counts;

// Kinds of violations: the first letter of their texts, by which a check takes those that are its.
constexpr char of_output = 'o';    // what was written to an output
constexpr char of_state = 's';     // writes beside bytes of state
constexpr char of_threads = 't';   // who calls what, when
constexpr char of_context = 'c';   // writes to what may only be read
constexpr char of_errors = 'e';    // what is in an error
constexpr char of_process = 'p';   // what belongs to the whole process
constexpr char of_blocking = 'b';  // waiting in a callback
constexpr char of_printing = 'q';  // standard output

void violation(char kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

// One line of the trace, if there is one: 'B' begins, 'E' ends, 'i' is in between.
extern std::atomic<int> trace_descriptor;
void trace(char phase, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Whether this thread is in a callback that must not block, and whose allocations count.
extern thread_local int callback_depth;

}  // namespace apus_check
