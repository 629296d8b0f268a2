// What belongs to the whole process, or to the host's thread, and is not a plugin's to change.
#pragma once

#include "CApusGuard.h"

// So many calls of each instance are followed by a check; then the watchdog's has to do.
constexpr uint32_t apus_process_checks_per_site = 4;

// Remembers how things are; before the first plugin is loaded.
void apus_process_remember();

// Looks whether it is still so, puts it back, and tells what was different: signal handlers for
// crashes, umask, working directory, locale, resource limits, and of this thread the blocked
// signals. `site` is who has just run, or NULL when that is not known.
void apus_process_check(const apus_guard_site *site, const char *callback);

// Tells that a call has changed the floating-point mode, once for each instance.
void apus_process_tell_mode(
    const apus_guard_site *, const char *callback, uint64_t expected, uint64_t found);

// Passes a warning to the host's log: who has done it, as far as is known, and what.
void apus_guard_note(const apus_guard_site *, const char *callback, const char *text);
