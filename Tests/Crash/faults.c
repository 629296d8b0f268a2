// Makes calls of the C library fail for files below chosen folders; preloaded into a process.
//
//   APUS_FAULT_ROOTS   folders, separated by ':'; nothing else is touched
//   APUS_FAULT_CALL    write, sync, create, rename, link, remove, truncate, folder or read
//   APUS_FAULT_AT      the first call of that kind that fails, from 1
//   APUS_FAULT_COUNT   how many fail; 0: all, as long as the file APUS_FAULT_SWITCH is there
//   APUS_FAULT_ERROR   the error number
//   APUS_FAULT_TORN    1: the first write that fails takes half of its bytes before that
//   APUS_FAULT_LOG     gets a line "<call> <path>" for each call that fails
//
// Counting is of the whole process.  Calls that the C library makes inside of itself (fopen and
// fwrite) are not seen.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *roots, *wanted, *switch_path, *log_path;
static long first, count, error_number, is_torn;
static atomic_long calls;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

__attribute__((constructor)) static void begin(void) {
    roots = getenv("APUS_FAULT_ROOTS");
    wanted = getenv("APUS_FAULT_CALL");
    switch_path = getenv("APUS_FAULT_SWITCH");
    log_path = getenv("APUS_FAULT_LOG");
    first = number("APUS_FAULT_AT");
    count = number("APUS_FAULT_COUNT");
    error_number = number("APUS_FAULT_ERROR");
    is_torn = number("APUS_FAULT_TORN");
}

static int is_below(const char *path) {
    for (const char *root = roots; root && *root;) {
        size_t length = strcspn(root, ":");
        if (!strncmp(path, root, length) && (path[length] == '/' || !path[length])) return 1;
        root += length + (root[length] == ':');
    }
    return 0;
}

static void note(const char *call, const char *path) {
    char line[4400];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    int file = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0) return;
    syscall(SYS_write, file, line, length);
    syscall(SYS_close, file);
}

// What happens to a call: 0 nothing, 1 it fails, 2 it fails after half of its bytes.
static int verdict(const char *call, const char *path) {
    if (!wanted || !path || strcmp(call, wanted) || !is_below(path)) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (number < first) return 0;
    if (count > 0 && number >= first + count) return 0;
    if (count == 0 && switch_path && syscall(SYS_access, switch_path, F_OK) != 0) return 0;
    if (log_path) note(call, path);
    errno = (int)error_number;
    return is_torn && number == first ? 2 : 1;
}

static int verdict_of(const char *call, int descriptor) {
    char link[64], path[4096];
    if (!wanted || strcmp(call, wanted)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return verdict(call, path);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *bytes, size_t size) {
    REAL(write);
    switch (verdict_of("write", file)) {
    case 0: return real(file, bytes, size);
    case 1: return -1;
    }
    if (size > 1) real(file, bytes, size / 2);
    errno = (int)error_number;
    return -1;
}

#define PWRITE(name, offset_type) \
    ssize_t name(int file, const void *bytes, size_t size, offset_type at) { \
        REAL(name); \
        return verdict_of("write", file) ? -1 : real(file, bytes, size, at); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int part_count) {
    REAL(writev);
    return verdict_of("write", file) ? -1 : real(file, parts, part_count);
}

ssize_t read(int file, void *bytes, size_t size) {
    REAL(read);
    return verdict_of("read", file) ? -1 : real(file, bytes, size);
}

#define PREAD(name, offset_type) \
    ssize_t name(int file, void *bytes, size_t size, offset_type at) { \
        REAL(name); \
        return verdict_of("read", file) ? -1 : real(file, bytes, size, at); \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

int fsync(int file) {
    REAL(fsync);
    return verdict_of("sync", file) ? -1 : real(file);
}

int fdatasync(int file) {
    REAL(fdatasync);
    return verdict_of("sync", file) ? -1 : real(file);
}

int sync_file_range(int file, off64_t from, off64_t size, unsigned flags) {
    REAL(sync_file_range);
    // Without flags it asks whether the call is there; no disk makes that fail.
    return flags && verdict_of("sync", file) ? -1 : real(file, from, size, flags);
}

#define TRUNCATE(name, offset_type) \
    int name(int file, offset_type size) { \
        REAL(name); \
        return verdict_of("truncate", file) ? -1 : real(file, size); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        mode_t mode = 0; \
        if (flags & O_CREAT) { \
            va_list list; \
            va_start(list, flags); \
            mode = va_arg(list, mode_t); \
            va_end(list); \
            if (verdict("create", path)) return -1; \
        } \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
    REAL(rename);
    return verdict("rename", to) ? -1 : real(from, to);
}

int link(const char *from, const char *to) {
    REAL(link);
    return verdict("link", to) ? -1 : real(from, to);
}

int unlink(const char *path) {
    REAL(unlink);
    return verdict("remove", path) ? -1 : real(path);
}

int rmdir(const char *path) {
    REAL(rmdir);
    return verdict("remove", path) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return verdict("folder", path) ? -1 : real(path, mode);
}
