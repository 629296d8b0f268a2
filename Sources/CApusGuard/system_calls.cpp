#include "system_calls.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "modules.h"

namespace {

struct Name {
    long number;
    const char *text;
};

const Name names[] = {
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_close, "close"},
    {SYS_ppoll, "ppoll"},
#ifdef SYS_poll
    {SYS_poll, "poll"},
    {SYS_select, "select"},
    {SYS_pause, "pause"},
    {SYS_epoll_wait, "epoll_wait"},
    {SYS_open, "open"},
#endif
    {SYS_pselect6, "pselect6"},
    {SYS_epoll_pwait, "epoll_pwait"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_futex, "futex: a lock, a condition or another thread"},
    {SYS_connect, "connect"},
    {SYS_accept, "accept"},
    {SYS_accept4, "accept4"},
    {SYS_sendto, "sendto"},
    {SYS_recvfrom, "recvfrom"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_openat, "openat"},
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_flock, "flock"},
    {SYS_wait4, "wait4"},
    {SYS_waitid, "waitid"},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait"},
};

}  // namespace

bool apus_find_waiting(pid_t thread, apus_waiting &waiting) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", static_cast<int>(thread));
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    char text[256];
    ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    if (n <= 0 || text[0] < '0' || text[0] > '9') return false;
    text[n] = 0;
    // Number, six arguments, stack pointer, instruction.
    char *at = text;
    waiting.number = strtol(at, &at, 0);
    for (int i = 0; i < 6; i++) strtoull(at, &at, 0);
    waiting.stack = strtoull(at, &at, 0);
    waiting.instruction = strtoull(at, &at, 0);
    return true;
}

void apus_tell_system_call(ReportLine &line, long number) {
    for (const Name &name : names) {
        if (name.number == number) {
            line << name.text;
            return;
        }
    }
    line << "number " << static_cast<uint64_t>(number);
}

void apus_find_plugin_frames(uintptr_t stack, uintptr_t stack_high, apus_frames &frames) {
    frames.count = 0;
    static uintptr_t words[4096];
    if (stack % sizeof(uintptr_t) || stack_high <= stack) return;
    size_t size = std::min<size_t>(sizeof words, stack_high - stack);
    iovec local = {words, size};
    iovec remote = {reinterpret_cast<void *>(stack), size};
    // Not a plain read: should the thread end meanwhile, this fails and does not crash.
    ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    for (ssize_t i = 0; i < got / static_cast<ssize_t>(sizeof(uintptr_t)); i++) {
        const apus_module *module = apus_module_of(words[i]);
        if (!module || !module->owner || frames.count == 4) continue;
        if (words[i] < module->code_start || words[i] >= module->code_end) continue;
        frames.addresses[frames.count++] = reinterpret_cast<void *>(words[i]);
    }
}
