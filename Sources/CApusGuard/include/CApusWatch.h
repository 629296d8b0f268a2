// What the guard watches besides exceptions: calls that do not return, ends of the process, copies
// of it, what belongs to it.
//
// From apus_guard_install_crash_report on, a plugin that calls exit(), _exit() or quick_exit() is
// reported and ends the process with status 3; a copy of the process that a plugin makes by fork()
// ends when it comes back to the host; what plugins change of the process is told and put back.
#ifndef CAPUS_WATCH_H
#define CAPUS_WATCH_H

#include "CApusGuard.h"

#ifdef __cplusplus
extern "C" {
#endif

// What ctx->stop is to point to.
const uint32_t *apus_guard_stop_word(const apus_guard_site *);

// Asks the callback that runs to return soon. Any thread.
void apus_guard_request_stop(const apus_guard_site *);

// Whether the last call on this thread came back through the guard: one that left by longjmp did
// not, and what the caller believes is its result is none. APUS_OK, or APUS_FATAL with the error
// filled in.
int32_t apus_guard_check_return(apus_error *);

// From now on exit() ends the process at once: what plugins have registered for the exit, and
// destructors of their static objects, do not run. For a program that has closed everything by
// then: such code could crash or hang a job that has succeeded.
void apus_guard_skip_exit_handlers(void);

// Where warnings go: who is meant ("plugin ..., process") and what he did, without the end of the
// line; standard error when nothing is set. Any thread.
void apus_guard_set_note(void (*)(const char *owner, const char *text));

// How long a callback may take, in nanoseconds.
typedef struct apus_guard_limits {
    uint64_t warning;  // then a line says who runs, and where
    uint64_t timeout;  // then the callback is asked to return; 0 = it may take for ever
    uint64_t grace;    // so long after that the process ends with status 3 and a report
} apus_guard_limits;

// Starts a thread that watches the calls into plugins, once; later calls change the limits. Time
// during which the process was stopped does not count. It also looks every two seconds whether a
// plugin has changed what belongs to the process.
void apus_guard_start_watchdog(const apus_guard_limits *);

// Looks again which files are loaded; after one was unloaded.
void apus_guard_refresh_modules(void);

#ifdef __cplusplus
}
#endif

#endif
