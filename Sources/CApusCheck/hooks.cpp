// Hooks: the tables through which a library calls others are pointed at functions of ours, so that
// what the plugin calls is seen, and what anybody else calls is not.
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <new>
#include <set>
#include <string>

#include "notes.h"

namespace apus_check {

namespace {

// MARK: Allocations

std::atomic<uint64_t> allocation_number{0};
std::atomic<uint64_t> failing_number{0};
std::atomic<bool> fails_all_then{false};

// Whether this allocation is to fail.
bool allocate(size_t bytes) {
    if (callback_depth == 0) return false;
    counts.allocations++;
    counts.allocated_bytes += bytes;
    uint64_t failing = failing_number;
    if (failing == 0) return false;
    uint64_t number = ++allocation_number;
    if (number != failing && !(fails_all_then && number > failing)) return false;
    counts.refused_allocations++;
    return true;
}

void *hook_malloc(size_t n) {
    if (allocate(n)) return errno = ENOMEM, nullptr;
    return malloc(n);
}

void *hook_calloc(size_t count, size_t n) {
    if (allocate(count * n)) return errno = ENOMEM, nullptr;
    return calloc(count, n);
}

void *hook_realloc(void *old, size_t n) {
    if (allocate(n)) return errno = ENOMEM, nullptr;
    return realloc(old, n);
}

int hook_posix_memalign(void **to, size_t alignment, size_t n) {
    if (allocate(n)) return ENOMEM;
    return posix_memalign(to, alignment, n);
}

void *hook_aligned_alloc(size_t alignment, size_t n) {
    if (allocate(n)) return errno = ENOMEM, nullptr;
    return aligned_alloc(alignment, n);
}

char *hook_strdup(const char *text) {
    if (allocate(strlen(text) + 1)) return errno = ENOMEM, nullptr;
    return strdup(text);
}

void *hook_new(size_t n) {
    if (allocate(n)) throw std::bad_alloc();
    return ::operator new(n);
}

// Objects of Swift: counted, and never refused, because the runtime would end the process.
void *hook_swift_allocObject(void *metadata, size_t n, size_t mask) {
    using function = void *(*)(void *, size_t, size_t);
    static const auto real =
        reinterpret_cast<function>(dlsym(RTLD_DEFAULT, "swift_allocObject"));
    if (callback_depth > 0) {
        counts.allocations++;
        counts.allocated_bytes += n;
    }
    return real(metadata, n, mask);
}

// MARK: What a plugin must not call

const char *where() { return callback_depth > 0 ? "in a callback" : "on a thread of its own"; }

[[noreturn]] void end_process(const char *name) {
    violation(
        of_process,
        "called %s %s, which ends the process of all", name, where());
    _exit(99);
}

void note(const char *name, const char *why) {
    violation(of_process, "called %s %s, %s", name, where(), why);
}

#define ENDS(name, parameters) \
    [[noreturn]] void hook_##name parameters { end_process(#name); }
ENDS(exit, (int))
ENDS(_exit, (int))
ENDS(_Exit, (int))
ENDS(quick_exit, (int))
ENDS(execve, (const char *, char *const *, char *const *))
ENDS(execv, (const char *, char *const *))
ENDS(execvp, (const char *, char *const *))
ENDS(execl, (const char *, const char *, ...))
ENDS(execlp, (const char *, const char *, ...))

// Noted, and not done.
#define REFUSES(type, name, parameters, result, why) \
    type hook_##name parameters {                    \
        note(#name, why);                            \
        return result;                               \
    }
constexpr const char *shared = "which changes what all threads of the process share";
REFUSES(pid_t, fork, (), (errno = EPERM, -1), "in a process of many threads")
REFUSES(pid_t, vfork, (), (errno = EPERM, -1), "in a process of many threads")
REFUSES(int, system, (const char *), -1, "which starts another program")
REFUSES(FILE *, popen, (const char *, const char *), nullptr, "which starts another program")
REFUSES(
    int, posix_spawn,
    (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
     char *const[], char *const[]),
    EPERM, "which starts another program")
REFUSES(
    int, posix_spawnp,
    (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
     char *const[], char *const[]),
    EPERM, "which starts another program")
REFUSES(int, kill, (pid_t, int), (errno = EPERM, -1), "which signals a whole process")
REFUSES(int, raise, (int), -1, "which signals the process")
REFUSES(int, chdir, (const char *), 0, shared)
REFUSES(int, fchdir, (int), 0, shared)
REFUSES(mode_t, umask, (mode_t), 022, shared)
REFUSES(int, setenv, (const char *, const char *, int), 0, shared)
REFUSES(int, putenv, (char *), 0, shared)
REFUSES(int, unsetenv, (const char *), 0, shared)
REFUSES(int, clearenv, (), 0, shared)
REFUSES(int, setrlimit, (__rlimit_resource_t, const rlimit *), 0, shared)
REFUSES(int, mlockall, (int), 0, shared)
REFUSES(int, prctl, (int, ...), 0, shared)

// Those that only ask, by a null pointer, are allowed.
int hook_sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    if (action) note("sigaction", shared);
    return sigaction(number, nullptr, old);
}

using handler = void (*)(int);
handler hook_signal(int, handler) {
    note("signal", shared);
    return SIG_DFL;
}

char *hook_setlocale(int category, const char *locale) {
    if (locale) note("setlocale", shared);
    return setlocale(category, nullptr);
}

void *hook_dlopen(const char *file, int mode) {
    note("dlopen", "which loads code that nobody has checked");
    return dlopen(file, mode);
}

// MARK: What a callback must not wait for

void note_blocking(const char *name) {
    if (callback_depth == 0) return;
    violation(
        of_blocking,
        "called %s in a callback, which must not block", name);
}

#define BLOCKS(type, name, parameters, arguments) \
    type hook_##name parameters {                 \
        note_blocking(#name);                     \
        return name arguments;                    \
    }
BLOCKS(unsigned, sleep, (unsigned s), (s))
BLOCKS(int, usleep, (useconds_t s), (s))
BLOCKS(int, nanosleep, (const timespec *a, timespec *b), (a, b))
BLOCKS(
    int, clock_nanosleep, (clockid_t c, int f, const timespec *a, timespec *b), (c, f, a, b))
BLOCKS(int, connect, (int s, const sockaddr *a, socklen_t n), (s, a, n))
BLOCKS(int, accept, (int s, sockaddr *a, socklen_t *n), (s, a, n))
BLOCKS(int, poll, (pollfd * a, nfds_t n, int t), (a, n, t))
BLOCKS(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, timeval *t), (n, r, w, e, t))
BLOCKS(int, fsync, (int f), (f))
BLOCKS(int, fdatasync, (int f), (f))
BLOCKS(int, pause, (), ())

// MARK: What a plugin must not print

void note_printing(const char *name) {
    violation(
        of_printing,
        "called %s for standard output, which belongs to the host; use host->log", name);
}

int hook_puts(const char *) {
    note_printing("puts");
    return 0;
}

int hook_putchar(int c) {
    note_printing("putchar");
    return c;
}

int hook_printf(const char *, ...) {
    note_printing("printf");
    return 0;
}

int hook_vprintf(const char *, va_list) {
    note_printing("vprintf");
    return 0;
}

// MARK: The tables

struct Hook {
    uint32_t kind;
    const char *name;
    void *function;
};

#define HOOK(kind, name) {kind, #name, reinterpret_cast<void *>(hook_##name)}
const Hook hooks[] = {
    HOOK(APUS_CHECK_HOOK_ALLOCATION, malloc),
    HOOK(APUS_CHECK_HOOK_ALLOCATION, calloc),
    HOOK(APUS_CHECK_HOOK_ALLOCATION, realloc),
    HOOK(APUS_CHECK_HOOK_ALLOCATION, posix_memalign),
    HOOK(APUS_CHECK_HOOK_ALLOCATION, aligned_alloc),
    HOOK(APUS_CHECK_HOOK_ALLOCATION, strdup),
    {APUS_CHECK_HOOK_ALLOCATION, "_Znwm", reinterpret_cast<void *>(hook_new)},
    {APUS_CHECK_HOOK_ALLOCATION, "_Znam", reinterpret_cast<void *>(hook_new)},
    HOOK(APUS_CHECK_HOOK_ALLOCATION, swift_allocObject),
    HOOK(APUS_CHECK_HOOK_PROCESS, exit),
    HOOK(APUS_CHECK_HOOK_PROCESS, _exit),
    HOOK(APUS_CHECK_HOOK_PROCESS, _Exit),
    HOOK(APUS_CHECK_HOOK_PROCESS, quick_exit),
    HOOK(APUS_CHECK_HOOK_PROCESS, execve),
    HOOK(APUS_CHECK_HOOK_PROCESS, execv),
    HOOK(APUS_CHECK_HOOK_PROCESS, execvp),
    HOOK(APUS_CHECK_HOOK_PROCESS, execl),
    HOOK(APUS_CHECK_HOOK_PROCESS, execlp),
    HOOK(APUS_CHECK_HOOK_PROCESS, fork),
    HOOK(APUS_CHECK_HOOK_PROCESS, vfork),
    HOOK(APUS_CHECK_HOOK_PROCESS, system),
    HOOK(APUS_CHECK_HOOK_PROCESS, popen),
    HOOK(APUS_CHECK_HOOK_PROCESS, posix_spawn),
    HOOK(APUS_CHECK_HOOK_PROCESS, posix_spawnp),
    HOOK(APUS_CHECK_HOOK_PROCESS, kill),
    HOOK(APUS_CHECK_HOOK_PROCESS, raise),
    HOOK(APUS_CHECK_HOOK_PROCESS, chdir),
    HOOK(APUS_CHECK_HOOK_PROCESS, fchdir),
    HOOK(APUS_CHECK_HOOK_PROCESS, umask),
    HOOK(APUS_CHECK_HOOK_PROCESS, setenv),
    HOOK(APUS_CHECK_HOOK_PROCESS, putenv),
    HOOK(APUS_CHECK_HOOK_PROCESS, unsetenv),
    HOOK(APUS_CHECK_HOOK_PROCESS, clearenv),
    HOOK(APUS_CHECK_HOOK_PROCESS, setrlimit),
    HOOK(APUS_CHECK_HOOK_PROCESS, mlockall),
    HOOK(APUS_CHECK_HOOK_PROCESS, prctl),
    HOOK(APUS_CHECK_HOOK_PROCESS, sigaction),
    HOOK(APUS_CHECK_HOOK_PROCESS, signal),
    HOOK(APUS_CHECK_HOOK_PROCESS, setlocale),
    HOOK(APUS_CHECK_HOOK_PROCESS, dlopen),
    HOOK(APUS_CHECK_HOOK_BLOCKING, sleep),
    HOOK(APUS_CHECK_HOOK_BLOCKING, usleep),
    HOOK(APUS_CHECK_HOOK_BLOCKING, nanosleep),
    HOOK(APUS_CHECK_HOOK_BLOCKING, clock_nanosleep),
    HOOK(APUS_CHECK_HOOK_BLOCKING, connect),
    HOOK(APUS_CHECK_HOOK_BLOCKING, accept),
    HOOK(APUS_CHECK_HOOK_BLOCKING, poll),
    HOOK(APUS_CHECK_HOOK_BLOCKING, select),
    HOOK(APUS_CHECK_HOOK_BLOCKING, fsync),
    HOOK(APUS_CHECK_HOOK_BLOCKING, fdatasync),
    HOOK(APUS_CHECK_HOOK_BLOCKING, pause),
    HOOK(APUS_CHECK_HOOK_PRINTING, puts),
    HOOK(APUS_CHECK_HOOK_PRINTING, putchar),
    HOOK(APUS_CHECK_HOOK_PRINTING, printf),
    HOOK(APUS_CHECK_HOOK_PRINTING, vprintf),
};

#if defined(__x86_64__)
constexpr uint32_t slot_types[] = {R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT, R_X86_64_64};
#else
constexpr uint32_t slot_types[] = {R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_ABS64};
#endif

std::set<std::string> known_libraries;

std::string key_of(const dl_phdr_info *info) {
    return std::string(info->dlpi_name) + "@" + std::to_string(info->dlpi_addr);
}

struct Request {
    uint32_t kinds;
    uint32_t changed;
};

void patch(void **slot, void *function) {
    uintptr_t page = reinterpret_cast<uintptr_t>(slot) & ~uintptr_t(4095);
    // What was read-only after relocation stays writable in this process, which only checks.
    if (mprotect(reinterpret_cast<void *>(page), 4096, PROT_READ | PROT_WRITE) != 0) return;
    *slot = function;
}

void hook_relocations(
    Request &request, ElfW(Addr) base, const ElfW(Rela) *relocations, size_t bytes,
    const ElfW(Sym) *symbols, const char *strings) {
    for (size_t i = 0; i < bytes / sizeof(ElfW(Rela)); i++) {
        const ElfW(Rela) &relocation = relocations[i];
        uint32_t type = static_cast<uint32_t>(ELF64_R_TYPE(relocation.r_info));
        bool is_slot = false;
        for (uint32_t known : slot_types) is_slot |= type == known;
        if (!is_slot) continue;
        const char *name = strings + symbols[ELF64_R_SYM(relocation.r_info)].st_name;
        for (const Hook &hook : hooks) {
            if (!(hook.kind & request.kinds) || strcmp(hook.name, name) != 0) continue;
            patch(reinterpret_cast<void **>(base + relocation.r_offset), hook.function);
            request.changed++;
        }
    }
}

int hook_library(dl_phdr_info *info, size_t, void *data) {
    if (known_libraries.count(key_of(info))) return 0;
    const ElfW(Dyn) *dynamic = nullptr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
        dynamic = reinterpret_cast<const ElfW(Dyn) *>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    }
    if (!dynamic) return 0;
    const ElfW(Sym) *symbols = nullptr;
    const char *strings = nullptr;
    const ElfW(Rela) *data_table = nullptr, *call_table = nullptr;
    size_t data_bytes = 0, call_bytes = 0;
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        auto address = dynamic->d_un.d_ptr;
        switch (dynamic->d_tag) {
        case DT_SYMTAB: symbols = reinterpret_cast<const ElfW(Sym) *>(address); break;
        case DT_STRTAB: strings = reinterpret_cast<const char *>(address); break;
        case DT_RELA: data_table = reinterpret_cast<const ElfW(Rela) *>(address); break;
        case DT_RELASZ: data_bytes = dynamic->d_un.d_val; break;
        case DT_JMPREL: call_table = reinterpret_cast<const ElfW(Rela) *>(address); break;
        case DT_PLTRELSZ: call_bytes = dynamic->d_un.d_val; break;
        default: break;
        }
    }
    if (!symbols || !strings) return 0;
    Request &request = *static_cast<Request *>(data);
    if (data_table) {
        hook_relocations(request, info->dlpi_addr, data_table, data_bytes, symbols, strings);
    }
    if (call_table) {
        hook_relocations(request, info->dlpi_addr, call_table, call_bytes, symbols, strings);
    }
    return 0;
}

}  // namespace

}  // namespace apus_check

using namespace apus_check;

void apus_check_note_libraries(void) {
    dl_iterate_phdr(
        [](dl_phdr_info *info, size_t, void *) {
            known_libraries.insert(key_of(info));
            return 0;
        },
        nullptr);
}

uint32_t apus_check_hook(uint32_t kinds) {
    Request request = {kinds, 0};
    dl_iterate_phdr(hook_library, &request);
    return request.changed;
}

void apus_check_fail_allocation(uint64_t number, int then_all) {
    allocation_number = 0;
    fails_all_then = then_all != 0;
    failing_number = number;
}
