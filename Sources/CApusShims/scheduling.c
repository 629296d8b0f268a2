#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CApusShims.h"

// The kernel's struct sched_attr as it was first; glibc has it only from 2.41 on.
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

enum { nice_max = 19 };

void apus_schedule_this_thread(int32_t nice_increment, int64_t slice_nanoseconds) {
    int nice = getpriority(PRIO_PROCESS, 0) + nice_increment;
    struct attributes attributes = {
        .size = sizeof attributes,
        .policy = SCHED_OTHER,
        .nice = nice < nice_max ? nice : nice_max,
        .runtime = (uint64_t)slice_nanoseconds,
    };
    syscall(SYS_sched_setattr, 0, &attributes, 0);
    if (slice_nanoseconds > 0) prctl(PR_SET_TIMERSLACK, 1000UL);
}

int32_t apus_thread_number(void) { return (int32_t)syscall(SYS_gettid); }
