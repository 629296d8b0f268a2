// What a thread of this process waits for, without disturbing it.
#pragma once

#include <sys/types.h>

#include "crash_report.h"

struct apus_waiting {
    long number;
    uintptr_t stack, instruction;
};

// Whether a thread waits in a system call, and in which.
bool apus_find_waiting(pid_t thread, apus_waiting &waiting);

// Appends the call's name and number.
void apus_tell_system_call(ReportLine &, long number);

// Return addresses into plugins that lie on a stack, from its pointer on: the callers, the
// innermost first, and perhaps some that have returned.
void apus_find_plugin_frames(uintptr_t stack, uintptr_t stack_high, apus_frames &frames);
