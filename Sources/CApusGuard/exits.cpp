// The ways in which a plugin could end the process without a crash, or double it.
//
// exit(), _exit(), _Exit() and quick_exit() are defined here once more: plugins are bound to these
// and not to the C library's, because the program comes first. They end the process with status 3
// and a report when a plugin calls them, on a thread of the host or on one of its own, and do what
// they always do otherwise. A plugin that makes the system call itself is beyond us.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "crash_report.h"
#include "guarded.h"
#include "modules.h"

namespace {

std::atomic<bool> skips_handlers{false};

// What `apus_guard_original` points to until there is a page of its own.
const volatile uint8_t always_one = 1;

[[noreturn]] void end_at_once(int status) {
    for (;;) syscall(SYS_exit_group, status);
}

bool is_copy() {
    return !*apus_guard_original;
}

// Reports and ends when a plugin is to blame for the call that has `caller` as its return address.
void end_if_plugin(const char *function, int status, void *caller) {
    const apus_running &own = apus_running_call;
    if (is_copy()) end_at_once(status);  // what is to run at exit belongs to the original
    const apus_module *module = apus_module_of(reinterpret_cast<uintptr_t>(caller));
    bool is_plugin_code = module && module->owner;
    if (!own.site && !is_plugin_code) return;
    if (!apus_crash_begin_report()) end_at_once(apus_status_of_plugin);
    ReportLine line;
    line << "\napus: crash: " << function << " was called";
    if (own.site) apus_crash_tell_owner(line, own.site, own.callback);
    else line << " in " << module->owner << ", on a thread of its own";
    line << "\n";
    apus_crash_tell_call(line, own.site, own.count);
    line << "apus:   with status " << static_cast<uint64_t>(static_cast<uint32_t>(status))
         << ", from ";
    apus_modules_tell(line, reinterpret_cast<uintptr_t>(caller));
    line << "; a plugin returns APUS_FATAL instead. The status of this process is "
         << static_cast<uint64_t>(apus_status_of_plugin) << "\n";
    line.write_out();
    end_at_once(apus_status_of_plugin);
}

// The C library's own function.
template <typename Function>
Function *original(const char *name) {
    return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

// For those that have got hold of the C library's exit() all the same.
void at_exit() {
    if (is_copy()) end_at_once(0);
    if (apus_running_call.site) end_if_plugin("exit()", 0, nullptr);
}

// A fork() of a plugin.
void after_fork_in_original() {
    const apus_guard_site *site = apus_running_call.site;
    if (!site) return;
    if (__atomic_fetch_or(
            &const_cast<apus_guard_site *>(site)->remarks, 1u << 31, __ATOMIC_RELAXED)
        & (1u << 31)) {
        return;
    }
    apus_guard_note(
        site, apus_running_call.callback,
        "called fork(); the copy has the job's files open, and ends when it comes back to the "
        "host, or with this process. Use posix_spawn() to start programs");
}

void after_fork_in_copy() {
    if (!apus_running_call.site) return;
    // Otherwise it would keep the job's locks when this process has ended.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace

const volatile uint8_t *apus_guard_original = &always_one;

void apus_guard_end_copy(const apus_guard_site *site, const char *callback) {
    ReportLine line;
    line << "apus: a copy of the process that was made by fork() in " << site->owner
         << ", callback " << callback << " has ended: it must not go on with the job\n";
    line.write_out();
    end_at_once(apus_status_of_plugin);
}

void apus_guard_skip_exit_handlers(void) {
    skips_handlers.store(true);
}

void apus_exits_prepare() {
    if (apus_guard_original != &always_one) return;
    // A page that is zero in every copy of the process, however it was made.
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) {
        *static_cast<uint8_t *>(page) = 1;
        if (madvise(page, 4096, MADV_WIPEONFORK) == 0) {
            apus_guard_original = static_cast<const volatile uint8_t *>(page);
        }
    }
    atexit(at_exit);
    at_quick_exit(at_exit);
    pthread_atfork(nullptr, after_fork_in_original, after_fork_in_copy);
}

extern "C" {

__attribute__((visibility("default"))) void exit(int status) {
    end_if_plugin("exit()", status, __builtin_return_address(0));
    if (skips_handlers.load()) {
        fflush_unlocked(stdout);  // without the lock, which a thread of a plugin may hold
        end_at_once(status);
    }
    original<void(int)>("exit")(status);
    end_at_once(status);
}

__attribute__((visibility("default"))) void quick_exit(int status) {
    end_if_plugin("quick_exit()", status, __builtin_return_address(0));
    original<void(int)>("quick_exit")(status);
    end_at_once(status);
}

__attribute__((visibility("default"))) void _exit(int status) {
    end_if_plugin("_exit()", status, __builtin_return_address(0));
    end_at_once(status);
}

__attribute__((visibility("default"))) void _Exit(int status) {
    end_if_plugin("_Exit()", status, __builtin_return_address(0));
    end_at_once(status);
}

}  // extern "C"
