#include "notes.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "pages.h"

namespace apus_check {

Counts counts;
std::atomic<int> trace_descriptor{-1};
thread_local int callback_depth = 0;

namespace {

// In fixed memory: a violation may be told while the heap is broken or refuses to serve.
constexpr uint32_t violation_capacity = 64;
constexpr size_t violation_length = 512;
char texts[violation_capacity][violation_length];
std::atomic<uint32_t> violation_count{0};
std::atomic<int> report_descriptor{-1};
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Memory that must not be touched any more.
constexpr size_t retired_capacity = 48;
struct Retired {
    void *base;
    size_t bytes;
};
Retired retired[retired_capacity];
size_t retired_next = 0;

void write_all(int descriptor, const char *text, size_t length) {
    while (length > 0) {
        ssize_t count = write(descriptor, text, length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        text += count;
        length -= static_cast<size_t>(count);
    }
}

}  // namespace

void Pages::retire() {
    if (!base) return;
    mprotect(base, total, PROT_NONE);
    madvise(base, total, MADV_DONTNEED);
    pthread_mutex_lock(&lock);
    Retired &place = retired[retired_next++ % retired_capacity];
    if (place.base) munmap(place.base, place.bytes);
    place = {base, total};
    pthread_mutex_unlock(&lock);
    base = nullptr;
    blocks.clear();
    total = 0;
}

void violation(char kind, const char *format, ...) {
    char text[violation_length] = {kind};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + 1, sizeof text - 1, format, arguments);
    va_end(arguments);
    apus_check_violation(text);
}

void trace(char phase, const char *name, const char *format, ...) {
    int descriptor = trace_descriptor.load(std::memory_order_relaxed);
    if (descriptor < 0) return;
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char line[1024];
    int length = snprintf(
        line, sizeof line,
        "{\"name\":\"%s\",\"ph\":\"%c\",%s\"ts\":%lld.%03ld,\"pid\":%d,\"tid\":%ld,\"args\":{",
        name, phase, phase == 'i' ? "\"s\":\"t\"," : "",
        static_cast<long long>(now.tv_sec) * 1000000 + now.tv_nsec / 1000, now.tv_nsec % 1000,
        getpid(), syscall(SYS_gettid));
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - 8 - length, format, arguments);
    va_end(arguments);
    if (length > static_cast<int>(sizeof line) - 8) length = sizeof line - 8;
    memcpy(line + length, "}},\n", 4);
    write_all(descriptor, line, static_cast<size_t>(length) + 4);
}

}  // namespace apus_check

using namespace apus_check;

void apus_check_report_to(int descriptor) {
    report_descriptor = descriptor;
}

void apus_check_violation(const char *text) {
    trace('i', "violation", "");
    pthread_mutex_lock(&lock);
    uint32_t count = violation_count;
    bool is_new = count < violation_capacity;
    for (uint32_t i = 0; i < count && is_new; i++) is_new = strcmp(texts[i], text) != 0;
    if (is_new) {
        snprintf(texts[count], violation_length, "%s", text);
        violation_count = count + 1;
    }
    pthread_mutex_unlock(&lock);
    if (!is_new || report_descriptor < 0) return;
    char line[violation_length + 16];
    int length = snprintf(line, sizeof line, "violation: %s\n", text);
    write_all(report_descriptor, line, static_cast<size_t>(length));
}

uint32_t apus_check_violation_count(void) {
    return violation_count;
}

const char *apus_check_violation_text(uint32_t index) {
    return index < violation_count ? texts[index] : "";
}

void apus_check_forget_violations(void) {
    violation_count = 0;
}

int apus_check_trace_to(const char *path) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor < 0) return errno;
    // High up, out of the way of a plugin that closes what it did not open.
    int high = fcntl(descriptor, F_DUPFD_CLOEXEC, 300);
    if (high >= 0) {
        close(descriptor);
        descriptor = high;
    }
    trace_descriptor = descriptor;
    return 0;
}

apus_check_counts apus_check_count(void) {
    return {
        counts.callbacks, counts.host_calls, counts.more_calls, counts.limits, counts.stops,
        counts.stack_bytes, counts.allocations, counts.allocated_bytes,
        counts.refused_allocations};
}
