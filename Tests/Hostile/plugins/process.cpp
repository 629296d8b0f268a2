// Does to the process what only the host may do.
#include "base.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cfenv>
#include <clocale>
#include <csignal>
#include <ctime>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

std::string at_exit_marker;

void at_exit() {
    leave_marker(at_exit_marker, "at exit\n");
}

void on_signal(int) {
    _exit(0);
}

void take_handlers() {
    for (int number : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE}) signal(number, on_signal);
}

double passed(const timespec &since) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec - since.tv_sec)
           + static_cast<double>(now.tv_nsec - since.tv_nsec) / 1e9;
}

// Stays for so many milliseconds, whatever interrupts it.
void stay(uint64_t milliseconds) {
    timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (passed(begin) * 1000 < static_cast<double>(milliseconds)) usleep(1000);
}

int32_t until_stopped(Call &call) {
    while (!__atomic_load_n(call.ctx->stop, __ATOMIC_ACQUIRE)) usleep(1000);
    // Some progress, as a callback that is asked to stop should make.
    return APUS_OK;
}

int32_t call_own_functions(Call &call) {
    apus_error error = {};
    error.size = sizeof error;
    void *other = nullptr;
    apus_args args = {};
    args.size = sizeof args;
    const apus_plugin *again = apus_plugin_v0(the_host, &error);
    if (!again || again->components[0]->create(&args, &other, &error) != APUS_OK) {
        return apus_fail(call.error, APUS_FATAL, "cannot call myself");
    }
    again->components[0]->destroy(other);
    return APUS_OK;
}

int32_t dlclose_itself(Call &call) {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void *>(&dlclose_itself), &info)) return APUS_FATAL;
    void *handle = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    if (!handle) return apus_fail(call.error, APUS_FATAL, "cannot find myself");
    for (int i = 0; i < 4; i++) dlclose(handle);
    return APUS_OK;
}

int32_t change_files(Call &call, const std::string &act) {
    if (act == "close-files") {
        for (int file = 0; file < 1000; file++) close(file);
    }
    if (act == "fork-and-stay") {
        if (fork() == 0) {
            for (;;) pause();
        }
        kill(getpid(), SIGKILL);
    }
    if (act == "network") {
        int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to = {};
        to.sin_family = AF_INET;
        to.sin_port = htons(9);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(file, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0) return APUS_FATAL;
        close(file);
    }
    (void)call;
    return APUS_OK;
}

int32_t change_process(const std::string &act) {
    if (act == "chdir" && chdir("/") != 0) return APUS_FATAL;
    if (act == "umask") umask(0777);
    if (act == "locale" && !setlocale(LC_ALL, "C.UTF-8")) return APUS_FATAL;
    if (act == "round-up") fesetround(FE_UPWARD);
#if defined(__x86_64__)
    if (act == "flush-denormals") _mm_setcsr(_mm_getcsr() | 0x8040);
#else
    if (act == "flush-denormals") fesetround(FE_DOWNWARD);
#endif
    if (act == "rlimit") {
        rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 3;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (act == "block-signals") {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
    }
    return APUS_OK;
}

int32_t misbehave(Call &call) {
    const std::string &act = call.self->act;
    if (act == "atexit") {
        at_exit_marker = call.self->marker;
        atexit(at_exit);
    }
    if (act == "crash-at-exit") atexit([] { abort(); });
    if (act == "hang-at-exit") {
        static struct Late {
            ~Late() {
                for (;;) pause();
            }
        } late;
    }
    if (act == "take-handlers") {
        take_handlers();
        stay(2'500);
    }
    if (act == "take-handlers-and-crash") {
        take_handlers();
        // The host looks at the first calls of each instance, and every two seconds.
        stay(2'500);
        *reinterpret_cast<volatile int *>(16) = 1;
    }
    if (act == "slow") stay(600);
    if (act == "until-stopped") return until_stopped(call);
    if (act == "call-own-functions") return call_own_functions(call);
    if (act == "dlclose") return dlclose_itself(call);
    if (act == "dlopen-global") dlopen("libm.so.6", RTLD_NOW | RTLD_GLOBAL);
    int32_t rc = change_files(call, act);
    return rc == APUS_OK ? change_process(act) : rc;
}

}  // namespace
