// What handlers throw, and what becomes of it.
#ifndef APUS_CPP_ERRORS_HPP
#define APUS_CPP_ERRORS_HPP

#include <stdexcept>
#include <string>
#include <string_view>

#include "apus/apus.h"

namespace apus {

// The record in hand is bad: it is set aside with the reason, and the job goes on.
class bad_record : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The configuration in the job file is wrong: the job does not start.
class config_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Work cannot go on: state cannot be read, a handle is not declared, a limit was reached.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

namespace detail {

inline std::int32_t fill(apus_error *slot, std::int32_t code, std::string_view message) {
    return apus_fail_bytes(slot, code, message.data(), message.size());
}

// What a code of the host means for a state or a timer.
[[noreturn]] inline void refused(const char *kind, const char *name, std::int32_t code) {
    std::string text = std::string(kind) + " '" + name + "': ";
    switch (code) {
    case APUS_UNSUPPORTED:
        throw error(text + "there is no key here, or this is no member of the operator");
    case APUS_STALE: throw error(text + "it was changed while it was walked through");
    case APUS_LIMIT: throw error(text + "a limit is reached");
    case APUS_READ_ONLY: throw error(text + "it can be changed in process_broadcast alone");
    default: throw error(text + "the host returned " + std::to_string(code));
    }
}

inline void check(std::int32_t code, const char *kind, const char *name) {
    if (APUS_UNLIKELY(code != APUS_OK)) refused(kind, name, code);
}

}  // namespace detail
}  // namespace apus

#endif
