// What keeps the child that scans a plugin from doing harm. Nothing of it can be taken back, so
// that it is for that child only.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CApusGuard.h"

namespace {

bool write_text(const char *path, const char *text) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    bool written = write(descriptor, text, strlen(text)) == static_cast<ssize_t>(strlen(text));
    close(descriptor);
    return written;
}

// A network of its own, in which there is nothing. The user's number stays what it is.
bool leave_network() {
    unsigned user = getuid(), group = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    char text[64];
    write_text("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "%u %u 1", user, user);
    write_text("/proc/self/uid_map", text);
    snprintf(text, sizeof text, "%u %u 1", group, group);
    write_text("/proc/self/gid_map", text);
    return true;
}

#if defined(__x86_64__)
#define APUS_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define APUS_AUDIT_ARCH AUDIT_ARCH_AARCH64
#endif

// Refuses to make sockets, and io_uring, which can make them, too.
bool forbid_sockets() {
#define DENY(number)                                                       \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                   \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EACCES & SECCOMP_RET_DATA))
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, APUS_AUDIT_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        // Numbers of the x32 interface, another door to the same calls.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (ENOSYS & SECCOMP_RET_DATA)),
        DENY(SYS_socket),
        DENY(SYS_io_uring_setup),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
#undef DENY
    sock_fprog filter = {sizeof program / sizeof program[0], program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

void limit(int resource, rlim_t value) {
    rlimit limits = {value, value};
    setrlimit(static_cast<__rlimit_resource_t>(resource), &limits);
}

}  // namespace

int32_t apus_guard_enter_sandbox(uint64_t memory_byte_count) {
    // A group of its own: whatever it starts ends with it. And no life after its parent's.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 1);
    bool is_alone = leave_network();
    bool is_filtered = !is_alone && forbid_sockets();
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_DATA, memory_byte_count);
    if (is_alone) return APUS_SANDBOX_NAMESPACE;
    return is_filtered ? APUS_SANDBOX_FILTER : APUS_SANDBOX_NONE;
}

int32_t apus_guard_capture_output(int32_t *captured) {
    int results = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100);
    if (results < 0) return -1;
    *captured = memfd_create("apus-output", MFD_CLOEXEC);
    if (*captured < 0 || dup2(*captured, STDOUT_FILENO) < 0) return -1;
    return results;
}

uint64_t apus_guard_end_capture(
    int32_t results, int32_t captured, void *text, uint64_t capacity) {
    fflush(nullptr);
    ssize_t count = pread(captured, text, capacity, 0);
    dup2(results, STDOUT_FILENO);
    close(results);
    close(captured);
    return count > 0 ? static_cast<uint64_t>(count) : 0;
}
