// A thread that looks whether calls into plugins come back.
//
// A call costs no clock: it counts its thread's turns, and the watchdog looks several times in the
// time that is allowed whether the turn is still the same. Only time that the watchdog itself has
// seen pass counts, so that a process that was stopped for a while is not ended.
#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "crash_report.h"
#include "guarded.h"
#include "modules.h"
#include "process_watch.h"
#include "system_calls.h"

namespace {

constexpr uint64_t nanoseconds_per_second = 1'000'000'000;
// The longest time between two looks.
constexpr uint64_t step_max = nanoseconds_per_second / 5;
constexpr uint64_t step_min = nanoseconds_per_second / 100;
// How often it is looked whether plugins have changed what is the process's.
constexpr uint64_t check_interval = 2 * nanoseconds_per_second;

std::atomic<uint64_t> warning_after{0}, timeout{0}, grace{0};

uint64_t now() {
    timespec time = {};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * nanoseconds_per_second
           + static_cast<uint64_t>(time.tv_nsec);
}

// What is to be said about a call; made under the lock, said without.
struct Finding {
    enum Kind { none, slow, asked, hung } kind = none;
    const apus_guard_site *site = nullptr;
    const char *callback = nullptr;
    uint32_t count = 0;
    uint64_t elapsed = 0;
    pid_t thread = 0;
    uintptr_t stack_high = 0;
};

struct Scan {
    uint64_t passed;
    Finding finding;
};

void look(apus_running *call, void *context) {
    auto *scan = static_cast<Scan *>(context);
    uint64_t turn = __atomic_load_n(&call->turn, __ATOMIC_ACQUIRE);
    if (turn % 2 == 0 || turn != call->seen_turn) {
        call->seen_turn = turn;
        call->seen_nanoseconds = 0;
        call->next_report = warning_after.load(std::memory_order_relaxed);
        call->is_asked_to_stop = false;
        return;
    }
    call->seen_nanoseconds += scan->passed;
    if (scan->finding.kind != Finding::none) return;  // the others have their turn soon
    uint64_t limit = timeout.load(std::memory_order_relaxed);
    Finding found;
    if (limit && call->seen_nanoseconds >= limit + grace.load(std::memory_order_relaxed)) {
        found.kind = Finding::hung;
    } else if (limit && call->seen_nanoseconds >= limit && !call->is_asked_to_stop) {
        found.kind = Finding::asked;
    } else if (call->next_report && call->seen_nanoseconds >= call->next_report) {
        found.kind = Finding::slow;
        call->next_report = call->seen_nanoseconds * 2;
    } else {
        return;
    }
    found.site = call->site;
    found.callback = call->callback;
    found.count = call->count;
    found.elapsed = call->seen_nanoseconds;
    found.thread = call->thread;
    found.stack_high = call->stack_high;
    // It may have come back in the meantime.
    if (__atomic_load_n(&call->turn, __ATOMIC_ACQUIRE) != turn || !found.site) return;
    if (found.kind == Finding::asked) {
        call->is_asked_to_stop = true;
        __atomic_or_fetch(
            &const_cast<apus_guard_site *>(found.site)->stop, apus_stop_of_watchdog,
            __ATOMIC_RELEASE);
    }
    scan->finding = found;
}

// Where the thread is. One that waits in a system call is not disturbed: a signal would make
// sleep() and poll() return early.
void tell_where(ReportLine &line, const Finding &found, bool may_disturb) {
    apus_waiting waiting;
    bool waits = apus_find_waiting(found.thread, waiting);
    if (waits) {
        line << "apus:   it waits in the system call ";
        apus_tell_system_call(line, waiting.number);
        line << ", called at ";
        apus_modules_tell(line, waiting.instruction);
        line << "\n";
    } else {
        line << "apus:   it is computing\n";
    }
    apus_frames frames;
    if (waits && !may_disturb) {
        apus_find_plugin_frames(waiting.stack, found.stack_high, frames);
        if (frames.count) apus_frames_tell(line, frames);
    } else if (apus_sample(found.thread, frames)) {
        apus_frames_tell(line, frames);
    } else {
        line << "apus:   no stack: the thread does not answer\n";
    }
}

void tell_slow(const Finding &found) {
    ReportLine line;
    line << "has not returned for ";
    line.seconds(found.elapsed) << " s\n";
    apus_crash_tell_call(line, found.site, found.count);
    tell_where(line, found, false);
    line.strip_end();
    apus_guard_note(found.site, found.callback, line.text());
}

void tell_asked(const Finding &found) {
    ReportLine line;
    line << "has not returned for ";
    line.seconds(found.elapsed) << " s and is asked to stop; the process ends in ";
    line.seconds(grace.load()) << " s if it does not return (spec.plugins.call-timeout)";
    apus_guard_note(found.site, found.callback, line.text());
}

[[noreturn]] void end_hung(const Finding &found) {
    if (!apus_crash_begin_report()) abort();
    ReportLine line;
    line << "\napus: crash: hung for ";
    line.seconds(found.elapsed) << " s";
    apus_crash_tell_owner(line, found.site, found.callback);
    line << "\n";
    apus_crash_tell_call(line, found.site, found.count);
    tell_where(line, found, true);
    line << "apus:   a callback may take ";
    line.seconds(timeout.load()) << " s (spec.plugins.call-timeout), and did not return when it "
                                    "was asked to by ctx->stop. The status of this process is "
                                 << static_cast<uint64_t>(apus_status_of_plugin) << "\n";
    line.write_out();
    for (;;) _exit(apus_status_of_plugin);
}

uint64_t step() {
    uint64_t shortest = step_max;
    if (uint64_t wanted = warning_after.load()) shortest = std::min(shortest, wanted / 5);
    if (uint64_t wanted = timeout.load()) shortest = std::min(shortest, wanted / 5);
    return std::max(shortest, step_min);
}

void *run(void *) {
    uint64_t last = now(), next_check = last + check_interval;
    for (;;) {
        uint64_t pause = step();
        timespec until = {
            static_cast<time_t>(pause / nanoseconds_per_second),
            static_cast<long>(pause % nanoseconds_per_second)};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &until, nullptr);
        uint64_t time = now();
        Scan scan = {std::min(time - last, 2 * pause), Finding()};
        last = time;
        apus_guard_each_thread(look, &scan);
        switch (scan.finding.kind) {
            case Finding::none: break;
            case Finding::slow: tell_slow(scan.finding); break;
            case Finding::asked: tell_asked(scan.finding); break;
            case Finding::hung: end_hung(scan.finding);
        }
        if (time >= next_check) {
            next_check = time + check_interval;
            apus_process_check(nullptr, nullptr);
        }
    }
    return nullptr;
}

}  // namespace

void apus_guard_start_watchdog(const apus_guard_limits *limits) {
    warning_after.store(limits->warning);
    grace.store(limits->grace);
    timeout.store(limits->timeout);
    static bool is_started = false;
    if (is_started) return;
    is_started = true;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    if (pthread_create(&thread, nullptr, run, nullptr) == 0) {
        pthread_setname_np(thread, "apus-watchdog");
        pthread_detach(thread);
    } else {
        apus_guard_note(nullptr, nullptr,
            "cannot be watched, because no thread could be started: if it hangs, so does the job");
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
