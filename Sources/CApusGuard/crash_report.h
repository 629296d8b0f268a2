// What the parts of the guard share about crashes.
#pragma once

#include <csignal>

#include "report_line.h"
#include "running_call.h"

constexpr int apus_crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};

// The status with which the host ends when a plugin did not return, or ended the process.
constexpr int apus_status_of_plugin = 3;

void apus_crash_handler(int, siginfo_t *, void *);
void apus_crash_install_handler(int signal_number);
const char *apus_crash_signal_name(int signal_number);

// Takes the right to report how the process ends; others wait until it has ended. False when this
// thread has it already: then something went wrong while it reported.
bool apus_crash_begin_report();

// Appends " in plugin ..., callback process", or that it was no plugin.
void apus_crash_tell_owner(ReportLine &, const apus_guard_site *, const char *callback);

// Appends a line with the plugin's content and the records in hand; none when nothing is known.
void apus_crash_tell_call(ReportLine &, const apus_guard_site *, uint32_t count);

// The signal by which the watchdog has a thread tell where it is.
int apus_sample_signal();

// Where a thread is: its frames, the innermost first.
struct apus_frames {
    void *addresses[24];
    int count;
};

// Asks a thread of this process for its frames; false when it does not answer in time.
bool apus_sample(pid_t thread, apus_frames &frames);

// Installs the handler of that signal, and has the unwinder load what it needs.
void apus_sample_prepare();

// Appends frames from the first one of a plugin on, or all of them when there is none.
void apus_frames_tell(ReportLine &, const apus_frames &);

// The frames of this thread, from the one at `instruction` on, where a signal has interrupted it.
// Safe in a signal handler.
void apus_frames_here(apus_frames &, uintptr_t instruction);

// The instruction at which a signal has interrupted the thread, from what its handler gets.
uintptr_t apus_interrupted_at(void *context);

// Notes who calls exit() and its like, and what a fork leaves behind.
void apus_exits_prepare();
