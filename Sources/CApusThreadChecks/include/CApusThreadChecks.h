// Checks that a plugin calls the host's functions only where their thread tags allow it.
//
// The tables that a plugin gets are replaced by tables of checking functions, made from the
// headers. Each checks the thread, the callback that runs on it and the context that it was given,
// reports what is wrong, and calls the real function all the same. Whoever calls the plugin says so
// with enter and leave. For `apus plugin check` and tests: a job does not pay for it.
#ifndef CAPUS_THREAD_CHECKS_H
#define CAPUS_THREAD_CHECKS_H

#include <apus/apus.h>

#ifdef __cplusplus
extern "C" {
#endif

// A call where it is not allowed. The texts are static.
typedef struct apus_violation {
    const char *function;  // "apus_state_api.value_get", or "process" when the host is to blame
    const char *tag;       // "op"
    const char *expected;  // where it may be called, in words
    const char *found;     // where it was called, in words
    const char *callback;  // that runs on the calling thread; NULL = none
    uint64_t instance;     // of the context that was given; 0 when there is none that is known
    uint64_t thread;       // the calling thread, as the system numbers it
    uint32_t is_of_host;   // 1: the host has broken the contract, not the plugin
} apus_violation;

// Called on the thread that the call was made on, and possibly on several at once.
typedef void (*apus_violation_report)(void *user, const apus_violation *);

// Who is told of violations from now on; NULL = nobody. Not while calls are under way.
void apus_thread_checks_report_to(apus_violation_report report, void *user);

// Puts checking tables into a context, and a checking `more` into its outputs; they are to stay
// as they are until detach. APUS_LIMIT when 256 contexts have them.
int32_t apus_thread_checks_attach(apus_ctx *ctx);

// Takes them out again. What a plugin calls with the context after that is a violation.
void apus_thread_checks_detach(apus_ctx *ctx);

// The host table with checks, which gives extensions with checks. One per process: the first real
// one counts.
const apus_host *apus_thread_checks_host(const apus_host *real);

// A callback begins on this thread: the name of its field, as "process", "create", "migrate" or
// "apus_plugin_v0". ctx is NULL where the callback has none.
void apus_thread_checks_enter(const char *callback, apus_ctx *ctx);

// The callback that began last on this thread has returned.
void apus_thread_checks_leave(void);

// A function of the ABI and where it may be called.
typedef struct apus_thread_rule {
    const char *table;    // the struct whose field it is; NULL for functions and their types
    const char *name;
    const char *tag;      // "ctl", "op", "any", "pure"
    uint32_t since;       // the minor version
    uint32_t is_of_host;  // 1: the plugin calls it, 0: the host does
} apus_thread_rule;

// All functions of the ABI, in the order of the headers; NULL for an index behind the last one.
const apus_thread_rule *apus_thread_rule_at(uint32_t index);
extern const uint32_t apus_thread_rule_count;

#ifdef __cplusplus
}
#endif

#endif
