// What of a process a plugin may change while it is loaded, and must not: remembered before,
// compared and put back after.
#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CApusGuard.h"

extern "C" char **environ;

namespace {

struct Watched {
    int number;
    const char *name;
};

const Watched watched_signals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},   {SIGFPE, "SIGFPE"},
    {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGCHLD, "SIGCHLD"}, {SIGPIPE, "SIGPIPE"},
    {SIGINT, "SIGINT"},   {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"},
};
constexpr size_t signal_count = sizeof watched_signals / sizeof watched_signals[0];

const Watched watched_limits[] = {
    {RLIMIT_NOFILE, "the limit of open files"}, {RLIMIT_STACK, "the limit of stacks"},
    {RLIMIT_CORE, "the limit of core files"},   {RLIMIT_AS, "the limit of address space"},
    {RLIMIT_DATA, "the limit of data"},         {RLIMIT_CPU, "the limit of processor time"},
    {RLIMIT_FSIZE, "the limit of file sizes"},  {RLIMIT_NPROC, "the limit of processes"},
};
constexpr size_t limit_count = sizeof watched_limits / sizeof watched_limits[0];

// The rounding and precision of floating-point numbers, without the flags of past operations.
struct FloatingPoint {
    uint32_t vector = 0;  // MXCSR, or FPCR
    uint16_t scalar = 0;  // the control word of the x87

    static FloatingPoint now() {
        FloatingPoint mode;
#if defined(__x86_64__)
        __asm__ volatile("stmxcsr %0" : "=m"(mode.vector));
        __asm__ volatile("fnstcw %0" : "=m"(mode.scalar));
        mode.vector &= ~0x3fu;
#elif defined(__aarch64__)
        uint64_t control;
        __asm__ volatile("mrs %0, fpcr" : "=r"(control));
        mode.vector = static_cast<uint32_t>(control);
#endif
        return mode;
    }
    void restore() const {
#if defined(__x86_64__)
        __asm__ volatile("ldmxcsr %0" : : "m"(vector));
        __asm__ volatile("fldcw %0" : : "m"(scalar));
#elif defined(__aarch64__)
        uint64_t control = vector;
        __asm__ volatile("msr fpcr, %0" : : "r"(control));
#endif
    }
    bool operator==(const FloatingPoint &other) const {
        return vector == other.vector && scalar == other.scalar;
    }
    std::string text() const {
        char text[64];
        snprintf(text, sizeof text, "0x%x, 0x%x", vector, scalar);
        return text;
    }
};

// Reads the mask without changing it: other threads may be making files.
mode_t file_mask() {
    mode_t mask = 022;
    if (FILE *status = fopen("/proc/self/status", "re")) {
        char line[256];
        while (fgets(line, sizeof line, status)) {
            unsigned value;
            if (sscanf(line, "Umask: %o", &value) == 1) mask = value;
        }
        fclose(status);
    }
    return mask;
}

std::string working_folder() {
    char *path = getcwd(nullptr, 0);
    std::string text = path ? path : "?";
    free(path);
    return text;
}

std::string locale_name() {
    const char *name = setlocale(LC_ALL, nullptr);
    return name ? name : "?";
}

std::vector<std::string> variables() {
    std::vector<std::string> all;
    for (char **entry = environ; entry && *entry; entry++) all.emplace_back(*entry);
    return all;
}

const void *handler(const struct sigaction &action) {
    return reinterpret_cast<const void *>(action.sa_sigaction);
}

std::string text_of(const struct sigaction &action) {
    if (action.sa_handler == SIG_DFL) return "the default";
    if (action.sa_handler == SIG_IGN) return "ignored";
    char text[40];
    snprintf(text, sizeof text, "a handler at %p", handler(action));
    return text;
}

std::string text_of(rlim_t limit) {
    return limit == RLIM_INFINITY ? "none" : std::to_string(limit);
}

std::string text_of(mode_t mask) {
    char text[16];
    snprintf(text, sizeof text, "0%03o", static_cast<unsigned>(mask));
    return text;
}

// Lines "what TAB before TAB after TAB 1 if it was put back", as many as there is room for.
class Changes {
  public:
    Changes(char *text, size_t capacity) : text(text), left(capacity) {
        if (left) *text = 0;
    }
    void add(const std::string &what, const std::string &before, const std::string &after,
             bool restored) {
        std::string line = clean(what) + "\t" + clean(before) + "\t" + clean(after) +
                           (restored ? "\t1\n" : "\t0\n");
        if (line.size() + 1 > left) return;
        memcpy(text, line.c_str(), line.size() + 1);
        text += line.size();
        left -= line.size();
    }

  private:
    static std::string clean(std::string text) {
        if (text.size() > 200) text = text.substr(0, 200) + "...";
        for (char &c : text)
            if (static_cast<unsigned char>(c) < 32) c = ' ';
        return text;
    }
    char *text;
    size_t left;
};

}  // namespace

struct apus_process_state {
    struct sigaction actions[signal_count];
    sigset_t mask;
    FloatingPoint mode;
    std::string locale;
    mode_t umask;
    std::string folder;
    int folder_descriptor;
    rlimit limits[limit_count];
    std::vector<std::string> environment;
};

apus_process_state *apus_guard_process_state(void) {
    auto *state = new apus_process_state;
    for (size_t i = 0; i < signal_count; i++)
        sigaction(watched_signals[i].number, nullptr, &state->actions[i]);
    pthread_sigmask(SIG_SETMASK, nullptr, &state->mask);
    state->mode = FloatingPoint::now();
    state->locale = locale_name();
    state->umask = file_mask();
    state->folder = working_folder();
    state->folder_descriptor = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < limit_count; i++)
        getrlimit(static_cast<__rlimit_resource_t>(watched_limits[i].number), &state->limits[i]);
    state->environment = variables();
    return state;
}

namespace {

void restore_signals(const apus_process_state &state, Changes &changes) {
    for (size_t i = 0; i < signal_count; i++) {
        struct sigaction now;
        sigaction(watched_signals[i].number, nullptr, &now);
        if (handler(now) == handler(state.actions[i])) continue;
        bool restored = sigaction(watched_signals[i].number, &state.actions[i], nullptr) == 0;
        changes.add(std::string("the handler of ") + watched_signals[i].name,
                    text_of(state.actions[i]), text_of(now), restored);
    }
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (int number = 1; number < NSIG; number++) {
        int before = sigismember(&state.mask, number), after = sigismember(&mask, number);
        if (before == after) continue;
        bool restored = pthread_sigmask(SIG_SETMASK, &state.mask, nullptr) == 0;
        changes.add("the thread's signal mask", before ? "signal blocked" : "signal let through",
                    after ? "signal blocked" : "signal let through", restored);
        break;
    }
}

void restore_limits(const apus_process_state &state, Changes &changes) {
    for (size_t i = 0; i < limit_count; i++) {
        auto resource = static_cast<__rlimit_resource_t>(watched_limits[i].number);
        rlimit now;
        getrlimit(resource, &now);
        if (now.rlim_cur == state.limits[i].rlim_cur && now.rlim_max == state.limits[i].rlim_max)
            continue;
        bool restored = setrlimit(resource, &state.limits[i]) == 0;
        changes.add(watched_limits[i].name, text_of(state.limits[i].rlim_cur),
                    text_of(now.rlim_cur), restored);
    }
}

// Names only: values may be secrets. They are not put back, because other threads may be reading.
void compare_environment(const apus_process_state &state, Changes &changes) {
    auto name = [](const std::string &entry) { return entry.substr(0, entry.find('=')); };
    std::vector<std::string> now = variables();
    auto missing = [&](const std::vector<std::string> &from, const std::vector<std::string> &in) {
        std::string names;
        for (const std::string &entry : from) {
            bool found = false;
            for (const std::string &other : in) found = found || other == entry;
            if (!found) names += (names.empty() ? "" : ", ") + name(entry);
        }
        return names;
    };
    std::string gone = missing(state.environment, now), added = missing(now, state.environment);
    if (gone.empty() && added.empty()) return;
    changes.add("the environment", gone.empty() ? "without " + added : "another " + gone,
                added.empty() ? "without " + gone : "another " + added, false);
}

}  // namespace

void apus_guard_restore_process(apus_process_state *state, char *text, size_t capacity) {
    Changes changes(text, capacity);
    restore_signals(*state, changes);
    FloatingPoint mode = FloatingPoint::now();
    if (!(mode == state->mode)) {
        state->mode.restore();
        changes.add("the floating-point mode", state->mode.text(), mode.text(), true);
    }
    std::string locale = locale_name();
    if (locale != state->locale) {
        bool restored = setlocale(LC_ALL, state->locale.c_str()) != nullptr;
        changes.add("the locale", state->locale, locale, restored);
    }
    mode_t mask = file_mask();
    if (mask != state->umask) {
        umask(state->umask);
        changes.add("the umask", text_of(state->umask), text_of(mask), true);
    }
    std::string folder = working_folder();
    if (folder != state->folder) {
        bool restored = state->folder_descriptor >= 0 && fchdir(state->folder_descriptor) == 0;
        changes.add("the working directory", state->folder, folder, restored);
    }
    restore_limits(*state, changes);
    compare_environment(*state, changes);
    if (state->folder_descriptor >= 0) close(state->folder_descriptor);
    delete state;
}

int32_t apus_guard_has_handler_within(uint64_t start, uint64_t end) {
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, nullptr, &action) != 0) continue;
        auto address = reinterpret_cast<uint64_t>(handler(action));
        if (address >= start && address < end) return number;
    }
    return 0;
}
