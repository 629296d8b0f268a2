// The call into a plugin that runs on this thread, if any.
#pragma once

#include "CApusGuard.h"

struct apus_running {
    const apus_guard_site *site;
    const char *callback;
};

extern thread_local apus_running apus_running_call;
