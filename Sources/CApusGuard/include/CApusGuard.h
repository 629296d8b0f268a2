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
    const char *owner;    // "plugin aircraft 1.0.0, operator aircraft, subtask 1"
    const char *content;  // the hash of the plugin's file; NULL when it is not known yet
    const apus_ctx *ctx;  // the instance's context; NULL when there is none
    uint32_t stop;        // what ctx->stop points to, so that it lives as long as the site
    // The guard's own, zero at the begin: what has been said about this instance, and how often
    // it was looked at.
    uint32_t remarks;
    uint32_t check_count;
    uint32_t is_loader;  // 1 = the loader looks after the process's state itself
} apus_guard_site;

// dlopen of a plugin's file with RTLD_NOW | RTLD_LOCAL: its constructors are its code as well.
// NULL with the linker's message in the error. RTLD_NOW: a missing symbol is an error now and not
// a jump to nowhere later.
void *apus_guard_load(const apus_guard_site *, const char *path, apus_error *);

// dlclose of what apus_guard_load returned: the file's destructors are its code as well. Returns
// an APUS_ code, with the message in the error.
int32_t apus_guard_unload(const apus_guard_site *, void *handle, apus_error *);

// Where a loaded file lies: from its lowest to its highest address, and the bytes of its segments.
// Returns false when the handle's file is not to be found.
int32_t apus_guard_image_range(void *handle, uint64_t *start, uint64_t *end, uint64_t *bytes);

// What a plugin must leave as it is while it is loaded: handlers of the crash signals and of
// SIGCHLD, SIGPIPE, SIGINT, SIGTERM and SIGHUP, the calling thread's signal mask, floating-point
// mode, locale, umask, working directory, limits, environment.
typedef struct apus_process_state apus_process_state;
apus_process_state *apus_guard_process_state(void);
// Puts back what has changed since (but the environment), and frees the state. The text gets a line
// for each change: "what TAB before TAB after TAB 1", 0 at its end when it was not put back. On the
// same thread.
void apus_guard_restore_process(apus_process_state *, char *text, size_t capacity);

// A signal whose handler lies in a range of addresses; 0 for none.
int32_t apus_guard_has_handler_within(uint64_t start, uint64_t end);

// What keeps a sandbox from the network.
#define APUS_SANDBOX_NONE 0       // nothing: the system permits neither of the others
#define APUS_SANDBOX_NAMESPACE 1  // a network of its own, without anything in it
#define APUS_SANDBOX_FILTER 2     // sockets are refused by a filter of system calls

// Shuts this process up for good: no network, no new privileges, no core files, so much memory of
// its own, a process group of its own, death with its parent. Before it has other threads.
int32_t apus_guard_enter_sandbox(uint64_t memory_byte_count);

// Puts a file in memory in the place of standard output. Returns a descriptor of what standard
// output was, or -1.
int32_t apus_guard_capture_output(int32_t *captured);
// Copies what was printed since then, as much as there is room for, and gives standard output
// back. Returns how much that was.
uint64_t apus_guard_end_capture(int32_t results, int32_t captured, void *text, uint64_t capacity);

// What this machine's processor can do, as the GNU property of a file says it: bit 0 the baseline,
// bits 1 to 3 x86-64-v2 to v4; 0 on other processors.
uint32_t apus_guard_isa_levels(void);

// The version of the C library that runs: "2.36". A constant.
const char *apus_guard_libc_version(void);

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

// Runs a call of any shape: calls of C functions that are no plugin's.
int32_t apus_guard_call(
    const apus_guard_site *, const char *callback, int32_t (*call)(void *context), void *context,
    apus_error *);

// Installs handlers for SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP and SIGABRT that write a report
// with the owner and the callback to standard error and then let the signal take its course; see
// CApusWatch.h for what else is watched from then on.
void apus_guard_install_crash_report(void);

// Gives the calling thread a signal stack of its own, so that a stack overflow can be reported.
// The first call on a thread counts; the stack is freed with the thread.
void apus_guard_prepare_thread(void);

// Sources, sinks and codecs; see the headers of the plugin ABI. Errors go to ctx->error.
int32_t apus_guard_list_splits(
    const apus_guard_site *, const apus_source_vt *, void *self, apus_writer *, apus_error *);
int32_t apus_guard_source_open(
    const apus_guard_site *, const apus_source_vt *, void *self, apus_ctx *, const apus_split *,
    uint32_t count);
int32_t apus_guard_source_close(
    const apus_guard_site *, const apus_source_vt *, void *self, apus_ctx *);
int32_t apus_guard_poll(
    const apus_guard_site *, const apus_source_vt *, void *self, apus_ctx *,
    uint32_t max_records);
int32_t apus_guard_write_position(
    const apus_guard_site *, const apus_source_vt *, void *self, apus_ctx *, uint32_t index,
    apus_writer *);
int32_t apus_guard_on_checkpointed(
    const apus_guard_site *, const apus_source_vt *, void *self, apus_ctx *, uint32_t index,
    const apus_bytes *position);
int32_t apus_guard_sink_open(
    const apus_guard_site *, const apus_sink_vt *, void *self, apus_ctx *, uint64_t *epoch);
int32_t apus_guard_sink_close(
    const apus_guard_site *, const apus_sink_vt *, void *self, apus_ctx *);
int32_t apus_guard_sink_write(
    const apus_guard_site *, const apus_sink_vt *, void *self, apus_ctx *, const apus_batch *);
int32_t apus_guard_flush(
    const apus_guard_site *, const apus_sink_vt *, void *self, apus_ctx *);
int32_t apus_guard_commit(
    const apus_guard_site *, const apus_sink_vt *, void *self, apus_ctx *, uint64_t epoch);
int32_t apus_guard_decode(
    const apus_guard_site *, const apus_codec_vt *, void *self, apus_ctx *, const apus_batch *);
int32_t apus_guard_encode(
    const apus_guard_site *, const apus_codec_vt *, void *self, apus_ctx *, const apus_batch *,
    uint32_t index, apus_writer *);
int32_t apus_guard_split(
    const apus_guard_site *, const apus_codec_vt *, void *self, apus_ctx *, apus_framing *);

// An interface of a component by its name; NULL when it has none, or threw.
const void *apus_guard_component_extension(
    const apus_guard_site *, const apus_component *, const char *name);
int32_t apus_guard_snapshot_save(
    const apus_guard_site *, const apus_snapshot *, void *self, apus_ctx *, apus_writer *);
int32_t apus_guard_snapshot_load(
    const apus_guard_site *, const apus_snapshot *, void *self, apus_ctx *, apus_reader *,
    uint32_t version);

#ifdef __cplusplus
}
#endif

#include "CApusMigration.h"
#include "CApusWatch.h"

#endif
