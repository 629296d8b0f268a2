#include "process_watch.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string>

#include "crash_report.h"
#include "modules.h"
#include "report_line.h"

namespace {

// Bits of apus_guard_site.remarks: what has been said about an instance already.
enum Remark : uint32_t {
    said_mode = 1,
    said_handler = 2,
    said_umask = 4,
    said_folder = 8,
    said_locale = 16,
    said_limit = 32,
    said_mask = 64,
};

struct Limit {
    __rlimit_resource_t resource;
    const char *name;
    rlimit value;
};

struct Remembered {
    bool is_valid = false;
    mode_t mask = 0;
    int folder = -1;
    dev_t device = 0;
    ino_t inode = 0;
    std::string locale;
    Limit limits[3] = {
        {RLIMIT_NOFILE, "number of open files", {}},
        {RLIMIT_FSIZE, "size of files", {}},
        {RLIMIT_AS, "memory", {}}};
};

std::mutex &lock() {
    static auto *made = new std::mutex;
    return *made;
}
Remembered &state() {
    static auto *made = new Remembered;
    return *made;
}
std::atomic<void (*)(const char *, const char *)> note_function{nullptr};

// umask() cannot be asked without setting it, which another thread might see; /proc can.
bool read_mask(mode_t &mask) {
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    char text[1024];
    ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    text[n > 0 ? n : 0] = 0;
    const char *at = strstr(text, "Umask:");
    if (!at) return false;
    mask = static_cast<mode_t>(strtoul(at + 6, nullptr, 8));
    return true;
}

// What the watchdog has said about no instance in particular.
std::atomic<uint32_t> general_remarks{0};

bool is_new(const apus_guard_site *site, uint32_t remark) {
    uint32_t before =
        site ? __atomic_fetch_or(
                   &const_cast<apus_guard_site *>(site)->remarks, remark, __ATOMIC_RELAXED)
             : general_remarks.fetch_or(remark, std::memory_order_relaxed);
    return !(before & remark);
}

void check_handlers(const apus_guard_site *site, const char *callback) {
    for (int number : apus_crash_signals) {
        struct sigaction found = {};
        if (sigaction(number, nullptr, &found) != 0) continue;
        if ((found.sa_flags & SA_SIGINFO) && found.sa_sigaction == apus_crash_handler) continue;
        apus_crash_install_handler(number);
        if (!is_new(site, said_handler)) continue;
        ReportLine line;
            line << "changed the handler of " << apus_crash_signal_name(number) << " (to ";
        if (found.sa_handler == SIG_DFL) line << "the default";
        else if (found.sa_handler == SIG_IGN) line << "none: ignored";
        else apus_modules_tell(line, reinterpret_cast<uintptr_t>(found.sa_handler));
        line << "); it was put back, crashes are reported by the host";
        apus_guard_note(site, callback, line.text());
    }
}

void check_mask(const apus_guard_site *site, const char *callback) {
    mode_t found;
    if (!read_mask(found) || found == state().mask) return;
    umask(state().mask);
    if (!is_new(site, said_umask)) return;
    ReportLine line;
    line << "changed the umask of the process; it was put back. Give files their mode with chmod";
    apus_guard_note(site, callback, line.text());
}

void check_folder(const apus_guard_site *site, const char *callback) {
    struct stat found = {};
    if (stat(".", &found) != 0) return;
    if (found.st_dev == state().device && found.st_ino == state().inode) return;
    if (state().folder < 0 || fchdir(state().folder) != 0) return;
    if (!is_new(site, said_folder)) return;
    ReportLine line;
    line << "changed the working directory of the process; it was put back. Use absolute paths, "
            "or openat()";
    apus_guard_note(site, callback, line.text());
}

void check_locale(const apus_guard_site *site, const char *callback) {
    const char *found = setlocale(LC_ALL, nullptr);
    if (!found || state().locale == found) return;
    ReportLine line;
    line << "changed the locale of the process to '" << found
         << "'; it was put back. Use newlocale() and uselocale()";
    setlocale(LC_ALL, state().locale.c_str());
    if (is_new(site, said_locale)) apus_guard_note(site, callback, line.text());
}

void check_limits(const apus_guard_site *site, const char *callback) {
    for (Limit &limit : state().limits) {
        rlimit found = {};
        if (getrlimit(limit.resource, &found) != 0) continue;
        if (found.rlim_cur == limit.value.rlim_cur) continue;
        rlimit wanted = found;
        wanted.rlim_cur = std::min(limit.value.rlim_cur, found.rlim_max);
        bool is_back = setrlimit(limit.resource, &wanted) == 0
                       && wanted.rlim_cur == limit.value.rlim_cur;
        if (!is_new(site, said_limit)) continue;
        ReportLine line;
            line << "changed the limit for the " << limit.name << " of the process; "
             << (is_back ? "it was put back" : "it cannot be put back");
        apus_guard_note(site, callback, line.text());
    }
}

void check_signal_mask(const apus_guard_site *site, const char *callback) {
    sigset_t found;
    if (pthread_sigmask(SIG_BLOCK, nullptr, &found) != 0) return;
    sigset_t freed;
    sigemptyset(&freed);
    bool is_changed = false;
    for (int number : apus_crash_signals) {
        if (sigismember(&found, number) != 1) continue;
        sigaddset(&freed, number);
        is_changed = true;
    }
    if (sigismember(&found, apus_sample_signal()) == 1) {
        sigaddset(&freed, apus_sample_signal());
        is_changed = true;
    }
    if (!is_changed) return;
    pthread_sigmask(SIG_UNBLOCK, &freed, nullptr);
    if (!is_new(site, said_mask)) return;
    ReportLine line;
    line << "blocked signals on the host's thread by which crashes and hanging calls are "
            "reported; they are let through again. Block signals on threads of your own";
    apus_guard_note(site, callback, line.text());
}

}  // namespace

void apus_process_remember() {
    std::lock_guard<std::mutex> guard(lock());
    Remembered &now = state();
    if (now.is_valid) return;
    now.is_valid = read_mask(now.mask);
    now.folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat here = {};
    if (stat(".", &here) == 0) {
        now.device = here.st_dev;
        now.inode = here.st_ino;
    }
    const char *locale = setlocale(LC_ALL, nullptr);
    now.locale = locale ? locale : "C";
    for (Limit &limit : now.limits) getrlimit(limit.resource, &limit.value);
}

void apus_process_check(const apus_guard_site *site, const char *callback) {
    if (site) {
        __atomic_add_fetch(
            &const_cast<apus_guard_site *>(site)->check_count, 1, __ATOMIC_RELAXED);
    }
    std::lock_guard<std::mutex> guard(lock());
    if (!state().is_valid) return;
    check_handlers(site, callback);
    check_mask(site, callback);
    check_folder(site, callback);
    check_locale(site, callback);
    check_limits(site, callback);
    if (site) check_signal_mask(site, callback);
}

void apus_process_tell_mode(
    const apus_guard_site *site, const char *callback, uint64_t expected, uint64_t found) {
    if (!is_new(site, said_mode)) return;
    ReportLine line;
    line << "changed the floating-point mode of the host's thread ("
         << ReportLine::Hex{expected} << " to " << ReportLine::Hex{found}
         << "): rounding, or how tiny numbers are treated; it was put back. Put it back before "
            "you return, and do not link with -ffast-math";
    apus_guard_note(site, callback, line.text());
}

void apus_guard_note(const apus_guard_site *site, const char *callback, const char *text) {
    ReportLine owner;
    if (site) {
        owner << site->owner << ", " << callback;
    } else {
        owner << "a plugin (loaded are ";
        apus_modules_tell_plugins(owner);
        owner << ")";
    }
    auto function = note_function.load(std::memory_order_acquire);
    if (function) return function(owner.text(), text);
    ReportLine line;
    line << "warning: " << owner.text() << ": " << text << "\n";
    line.write_out();
}

void apus_guard_set_note(void (*function)(const char *owner, const char *text)) {
    note_function.store(function, std::memory_order_release);
}
