// Every call into a plugin goes through here: exceptions are caught, and while a call runs the
// thread knows whose it is, so that a crash can be blamed on the right plugin.
#ifndef CAPUS_GUARD_H
#define CAPUS_GUARD_H

#include <apus/apus.h>

#ifdef __cplusplus
extern "C" {
#endif

// Whose code runs. The owner keeps it as long as calls are made with it.
typedef struct apus_guard_site {
    const char *owner;  // "plugin aircraft 1.0.0, operator aircraft, subtask 1"
} apus_guard_site;

// dlopen of a plugin's file with RTLD_NOW | RTLD_LOCAL: its constructors are its code as well.
// NULL with the linker's message in the error. RTLD_NOW: a missing symbol is an error now and not
// a jump to nowhere later.
void *apus_guard_load(const apus_guard_site *, const char *path, apus_error *);

// An exception becomes APUS_EXCEPTION with the exception's text in the error.
const apus_plugin *apus_guard_entry(
    const apus_guard_site *, void *entry, const apus_host *, apus_error *);
int32_t apus_guard_create(
    const apus_guard_site *, const apus_component *, const apus_args *, void **self, apus_error *);
void apus_guard_destroy(const apus_guard_site *, const apus_component *, void *self);
int32_t apus_guard_open(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *);
int32_t apus_guard_close(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *);
int32_t apus_guard_process(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *, const apus_batch *);
int32_t apus_guard_process_broadcast(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *, const apus_batch *);
int32_t apus_guard_on_timers(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *,
    const apus_timers *);
int32_t apus_guard_on_watermark(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *, int64_t);

int32_t apus_guard_on_async(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *,
    const apus_async_batch *);
void apus_guard_cancel(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *, uint64_t token,
    uint64_t user);
int32_t apus_guard_on_event(
    const apus_guard_site *, const apus_operator_vt *, void *self, apus_ctx *, uint64_t event);

// Whose callback runs on the calling thread; NULL when none does.
const apus_guard_site *apus_guard_running_site(void);

// 1 when what runs on the calling thread is loading, the entry function, create or destroy.
int32_t apus_guard_running_control(void);

// Installs handlers for SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP and SIGABRT that write one line
// with the owner and the callback to standard error and then let the signal take its course.
void apus_guard_install_crash_report(void);

// Gives the calling thread a signal stack of its own, so that a stack overflow can be reported.
// The first call on a thread counts; the stack is freed with the thread.
void apus_guard_prepare_thread(void);

#ifdef __cplusplus
}
#endif

#endif
