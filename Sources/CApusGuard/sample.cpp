// Where a thread is: a signal has it write its frames into memory that lies ready.
#include <execinfo.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "crash_report.h"
#include "modules.h"

namespace {

apus_frames sampled;
bool is_wanted = false, is_ready = false;

void on_sample(int, siginfo_t *, void *context) {
    int error = errno;
    if (__atomic_exchange_n(&is_wanted, false, __ATOMIC_ACQ_REL)) {
        apus_frames_here(sampled, apus_interrupted_at(context));
        __atomic_store_n(&is_ready, true, __ATOMIC_RELEASE);
    }
    errno = error;
}

}  // namespace

int apus_sample_signal() {
    return SIGRTMAX - 3;
}

void apus_frames_here(apus_frames &frames, uintptr_t instruction) {
    frames.count = backtrace(frames.addresses, sizeof frames.addresses / sizeof(void *));
    // The first ones are the handler's.
    for (int first = 0; first < frames.count; first++) {
        if (reinterpret_cast<uintptr_t>(frames.addresses[first]) != instruction) continue;
        frames.count -= first;
        memmove(frames.addresses, frames.addresses + first, frames.count * sizeof(void *));
        return;
    }
}

void apus_sample_prepare() {
    apus_frames frames;
    apus_frames_here(frames, 0);  // loads the unwinder, which a signal handler could not
    struct sigaction action = {};
    action.sa_sigaction = on_sample;
    action.sa_flags = SA_RESTART | SA_ONSTACK | SA_SIGINFO;
    sigaction(apus_sample_signal(), &action, nullptr);
}

bool apus_sample(pid_t thread, apus_frames &frames) {
    static std::mutex one_at_a_time;
    std::lock_guard<std::mutex> guard(one_at_a_time);
    __atomic_store_n(&is_ready, false, __ATOMIC_RELAXED);
    __atomic_store_n(&is_wanted, true, __ATOMIC_RELEASE);
    if (syscall(SYS_tgkill, getpid(), thread, apus_sample_signal()) != 0) return false;
    for (int tries = 0; tries < 200; tries++) {
        if (__atomic_load_n(&is_ready, __ATOMIC_ACQUIRE)) {
            frames = sampled;
            return true;
        }
        timespec moment = {0, 1'000'000};
        nanosleep(&moment, nullptr);
    }
    // It has the signal blocked. Should it come later: nobody asks any more.
    return !__atomic_exchange_n(&is_wanted, false, __ATOMIC_ACQ_REL) && is_ready
           && (frames = sampled, true);
}

void apus_frames_tell(ReportLine &line, const apus_frames &frames) {
    int first = 0;
    while (first < frames.count) {
        const apus_module *module =
            apus_module_of(reinterpret_cast<uintptr_t>(frames.addresses[first]));
        if (module && module->owner) break;
        first++;
    }
    bool is_plugin = first < frames.count;
    if (!is_plugin) first = 0;
    else if (first > 0) first--;  // what the plugin has called
    if (frames.count == 0) return;
    line << "apus:   stack: ";
    for (int i = first; i < frames.count && i < first + 10; i++) {
        if (i > first) line << " < ";
        apus_modules_tell(line, reinterpret_cast<uintptr_t>(frames.addresses[i]));
    }
    line << "\n";
}
