// The call into a plugin that runs on this thread, if any; written by guard.cpp, read by the
// crash report on the same thread and by the watchdog on its own.
#pragma once

#include <sys/types.h>

#include "CApusGuard.h"

struct apus_running {
    // Who runs; NULL between calls.
    const apus_guard_site *site;
    const char *callback;
    // Records of the batch in hand; 0 when there is none.
    uint32_t count;
    // What is known about the reason, should the process end now; NULL for nothing.
    const char *reason;
    // Odd while a call runs: one more at its begin and at its end. So a call costs no clock: the
    // watchdog looks whether it is still the same.
    uint64_t turn;

    // The thread, filled in when it is enlisted.
    bool is_listed;
    pid_t thread;
    uintptr_t stack_low, stack_high;
    apus_running *next, *previous;

    // The watchdog's: the turn it saw last, for how long, and when it speaks again.
    uint64_t seen_turn;
    uint64_t seen_nanoseconds;
    uint64_t next_report;
    bool is_asked_to_stop;
};

// __thread and not thread_local: no initialiser that every access has to look for.
extern __thread apus_running apus_running_call;

// Adds the calling thread to those that the watchdog looks at, until the thread ends.
void apus_guard_enlist();

// Calls a function for each thread that is listed, under the lock that keeps them alive.
void apus_guard_each_thread(void (*body)(apus_running *, void *), void *context);
