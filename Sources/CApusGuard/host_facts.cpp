// What a plugin's file is compared with before it is loaded.
#include "CApusGuard.h"

#include <gnu/libc-version.h>

uint32_t apus_guard_isa_levels(void) {
#if defined(__x86_64__)
    uint32_t levels = 1;
    if (__builtin_cpu_supports("x86-64-v2")) levels |= 2;
    if (__builtin_cpu_supports("x86-64-v3")) levels |= 4;
    if (__builtin_cpu_supports("x86-64-v4")) levels |= 8;
    return levels;
#else
    return 0;
#endif
}

const char *apus_guard_libc_version(void) { return gnu_get_libc_version(); }
