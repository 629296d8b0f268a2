// Misbehaves when it is loaded; LOAD is what, and each has its name below.
#define GOOD 1
#define OWN_ENTRY 1
#include "base.h"

#include <pthread.h>
#include <sys/stat.h>

#include <clocale>
#include <csignal>
#include <stdexcept>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

int32_t misbehave(Call &) {
    return APUS_OK;
}

void on_signal(int) {}

[[maybe_unused]] void *wait_for_ever(void *) {
    for (;;) pause();
}

// Which process of the host this is: the one that scans has "scan" among its arguments.
[[maybe_unused]] bool is_scan() {
    char text[4096];
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] == 0) text[i] = ' ';
    }
    text[n > 0 ? n : 0] = 0;
    return strstr(text, " scan ") != nullptr;
}

[[gnu::constructor]] void constructor() {
#if defined(MARKER)
    leave_marker(MARKER, is_scan() ? "scan\n" : "job\n");
#endif
#if defined(LOAD_ABORT)
    abort();
#elif defined(LOAD_SEGV)
    *reinterpret_cast<volatile int *>(16) = 1;
#elif defined(LOAD_THROW)
    throw std::runtime_error("thrown by a constructor");
#elif defined(LOAD_EXIT)
    exit(0);
#elif defined(LOAD_SLEEP)
    for (;;) sleep(3600);
#elif defined(LOAD_THREAD)
    pthread_t thread;
    pthread_create(&thread, nullptr, wait_for_ever, nullptr);
#elif defined(LOAD_FILE)
    if (open("/dev/null", O_RDONLY) < 0) abort();
#elif defined(LOAD_HANDLER)
    signal(SIGSEGV, on_signal);
    signal(SIGCHLD, on_signal);
#elif defined(LOAD_FLOAT)
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
#elif defined(LOAD_LOCALE)
    setlocale(LC_ALL, "C.UTF-8");
#elif defined(LOAD_UMASK)
    umask(0777);
#elif defined(LOAD_CHDIR)
    if (chdir("/") != 0) abort();
#elif defined(LOAD_ENVIRONMENT)
    setenv("HOME", "/nowhere", 1);
#elif defined(LOAD_BANNER)
    printf("Welcome to the hostile plugin!\n");
    fflush(stdout);
#elif defined(LOAD_BOMB)
    while (malloc(64u << 20)) {
    }
    abort();
#endif
    (void)on_signal;
}

}  // namespace

extern const void *const load_misbehaves;
const void *const load_misbehaves = reinterpret_cast<const void *>(&misbehave);

#if defined(ENTRY_NULL)
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
    return nullptr;
}
#elif defined(ENTRY_REFUSES)
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *error) {
    apus_fail(error, APUS_FATAL, "I do not like this host");
    return nullptr;
}
#elif defined(ENTRY_THROWS)
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
    throw std::runtime_error("thrown by the entry");
}
#elif defined(ENTRY_GARBAGE)
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
    return reinterpret_cast<const apus_plugin *>(0x5a5a5a5a5a5aull);
}
#elif defined(ENTRY_SLEEPS)
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
    for (;;) sleep(3600);
}
#elif defined(ENTRY_CHANGES)
// Another version in each process and at each call.
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
    static char version[32];
    static int calls = 0;
    int n = snprintf(version, sizeof version, "1.%d.%d", is_scan() ? 1 : 2, calls++);
    plugin.version = {version, static_cast<uint64_t>(n)};
    if (!is_scan()) component.id = APUS_STR("counts-differently");
    return &plugin;
}
#elif defined(CHANGE)
// One statement spoils the description.
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
    static std::string huge(10u << 20, 'n');
    (void)huge;
    CHANGE;
    return &plugin;
}
#else
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
    return &plugin;
}
#endif
