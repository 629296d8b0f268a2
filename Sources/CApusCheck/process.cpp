// What the process is like: everything that a plugin shares with everybody and must leave alone.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "CApusCheck.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

extern char **environ;

namespace {

void add(std::string &text, const std::string &name, const std::string &value) {
    text += name + ": " + value + "\n";
}

std::string number(unsigned long long value) { return std::to_string(value); }

void describe_settings(std::string &text) {
    char folder[4096];
    add(text, "folder", getcwd(folder, sizeof folder) ? folder : "unknown");
    if (FILE *status = fopen("/proc/self/status", "re")) {
        char line[512];
        while (fgets(line, sizeof line, status)) {
            if (strncmp(line, "Umask:", 6) == 0) {
                add(text, "umask", std::string(line + 7, strcspn(line + 7, "\n")));
            }
        }
        fclose(status);
    }
    const char *locale = setlocale(LC_ALL, nullptr);
    add(text, "locale", locale ? locale : "unknown");
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action = {};
        if (sigaction(signal, nullptr, &action) != 0) continue;
        auto handler = reinterpret_cast<uintptr_t>(action.sa_handler);
        if (handler == 0) continue;
        add(text, "handler of signal " + number(signal),
            handler == 1 ? "ignored" : number(handler));
    }
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (int signal = 1; signal < NSIG; signal++) {
        if (sigismember(&blocked, signal) == 1) add(text, "blocked signal", number(signal));
    }
    add(text, "rounding mode", number(static_cast<unsigned>(fegetround())));
#if defined(__x86_64__)
    // Without the flags of exceptions, which every division may set.
    add(text, "floating-point control", number(_mm_getcsr() & ~0x3fu));
#endif
    unsigned long long hash = 1469598103934665603u;
    for (char **variable = environ; variable && *variable; variable++) {
        for (const char *at = *variable; *at; at++) {
            hash = (hash ^ static_cast<unsigned char>(*at)) * 1099511628211u;
        }
        hash *= 31;
    }
    add(text, "environment", number(hash));
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        rlimit limit = {};
        if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) continue;
        add(text, "limit of resource " + number(static_cast<unsigned>(resource)),
            number(limit.rlim_cur));
    }
    for (int timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
        itimerval value = {};
        getitimer(static_cast<__itimer_which_t>(timer), &value);
        if (value.it_value.tv_sec || value.it_value.tv_usec) {
            add(text, "interval timer", number(static_cast<unsigned>(timer)));
        }
    }
}

std::vector<std::string> names_in(const char *path) {
    std::vector<std::string> names;
    DIR *folder = opendir(path);
    if (!folder) return names;
    std::string own = number(static_cast<unsigned>(dirfd(folder)));
    while (dirent *entry = readdir(folder)) {
        std::string name = entry->d_name;
        if (name != "." && name != ".." && name != own) names.push_back(name);
    }
    closedir(folder);
    std::sort(names.begin(), names.end());
    return names;
}

void describe_descriptors(std::string &text) {
    for (const std::string &name : names_in("/proc/self/fd")) {
        char target[512];
        ssize_t length =
            readlink(("/proc/self/fd/" + name).c_str(), target, sizeof target - 1);
        if (length < 0) continue;
        add(text, "file " + name, std::string(target, static_cast<size_t>(length)));
    }
}

void describe_threads(std::string &text) {
    std::vector<std::string> names = names_in("/proc/self/task");
    add(text, "threads", number(names.size()));
}

int diverted = -1;

}  // namespace

void apus_check_describe_process(char *to, uint64_t capacity, uint32_t parts) {
    std::string text;
    if (parts & APUS_CHECK_SETTINGS) describe_settings(text);
    if (parts & APUS_CHECK_DESCRIPTORS) describe_descriptors(text);
    if (parts & APUS_CHECK_THREADS) describe_threads(text);
    snprintf(to, capacity, "%s", text.c_str());
}

uint64_t apus_check_resident_bytes(void) {
    unsigned long long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    if (fscanf(file, "%llu %llu", &pages, &resident) != 2) resident = 0;
    fclose(file);
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t apus_check_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void apus_check_round_upwards(int is_on) {
    fesetround(is_on ? FE_UPWARD : FE_TONEAREST);
}

int apus_check_limit_descriptors(uint64_t count) {
    rlimit limit = {};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : errno;
}

int apus_check_divert_output(void) {
    fflush(stdout);
    // Far away from the numbers that a plugin might close by mistake.
    int old = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 200);
    int memory = memfd_create("standard output", MFD_CLOEXEC);
    if (old < 0 || memory < 0) return -1;
    diverted = fcntl(memory, F_DUPFD_CLOEXEC, 201);
    dup2(memory, STDOUT_FILENO);
    close(memory);
    return old;
}

uint64_t apus_check_diverted_output(char *text, uint64_t capacity) {
    fflush(stdout);
    if (diverted < 0 || capacity == 0) return 0;
    off_t end = lseek(diverted, 0, SEEK_END);
    ssize_t count = pread(diverted, text, capacity - 1, 0);
    text[count > 0 ? count : 0] = 0;
    return end > 0 ? static_cast<uint64_t>(end) : 0;
}

void apus_check_say(int descriptor, const char *text, uint64_t len) {
    while (len > 0) {
        ssize_t written = write(descriptor, text, len);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text += written;
        len -= static_cast<uint64_t>(written);
    }
}
