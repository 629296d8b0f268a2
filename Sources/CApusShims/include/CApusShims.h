// What Swift cannot say: prefetch, XXH3 inlined, futex, CPU time, crash-safe counters.
#ifndef CAPUS_SHIMS_H
#define CAPUS_SHIMS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// XXH3-64 with seed 0 of n bytes: the hash that routes records.
static inline uint64_t apus_xxh3(const void *bytes, size_t n) {
    return XXH3_64bits(bytes, n);
}

// The same for exactly 8 bytes: the length is a constant, so that the branches on it vanish.
static inline uint64_t apus_xxh3_8(const void *bytes) {
    return XXH3_64bits(bytes, 8);
}

// A 128-bit hash.
typedef struct apus_hash128 {
    uint64_t low;
    uint64_t high;
} apus_hash128;

// XXH3-128 with seed 0 of n bytes: names files by their content.
static inline apus_hash128 apus_xxh3_128(const void *bytes, size_t n) {
    XXH128_hash_t hash = XXH3_128bits(bytes, n);
    apus_hash128 result = {hash.low64, hash.high64};
    return result;
}

// The same of bytes that come piece by piece. One thread at a time.
typedef struct apus_hash128_stream apus_hash128_stream;

// Begins a hash; NULL when the system has no memory.
apus_hash128_stream *apus_hash128_begin(void);

// Adds n bytes to it.
void apus_hash128_add(apus_hash128_stream *stream, const void *bytes, size_t n);

// The hash of what was added so far.
apus_hash128 apus_hash128_value(const apus_hash128_stream *stream);

// Gives its memory back.
void apus_hash128_end(apus_hash128_stream *stream);

// Asks for the cache line at p, to be read and written.
static inline void apus_prefetch(const void *p) {
    __builtin_prefetch(p, 1, 3);
}

// Sleeps while *word == expected, at most so many nanoseconds; may wake without a reason.
void apus_futex_wait(uint32_t *word, uint32_t expected, int64_t nanoseconds);

// Wakes the thread that sleeps on word.
void apus_futex_wake(uint32_t *word);

// Maps zeroed memory at an aligned address, in large pages if the system has them; NULL when it
// has no memory. size and alignment are multiples of the page size.
void *apus_map_large_pages(size_t size, size_t alignment);

// Gives such memory back.
void apus_unmap(void *memory, size_t size);

// Bytes that the allocator has given out in the whole process; takes its locks.
size_t apus_allocated_bytes(void);

// The nice value of threads that get what others leave: a seventieth of a standard thread's weight.
// With more weight they would not give way at once to a thread that has just used its share.
enum { apus_background_nice = 5 };

// Asks the kernel to raise the calling thread's nice value, and to let it run for slices of
// this length: one with a shorter slice than the running thread's gets the processor as soon as it
// wakes (Linux 6.12; older kernels ignore the slice), and its sleeps end within a microsecond of
// their time. 0 nanoseconds: the kernel's own choice. Does nothing where that is not allowed.
void apus_schedule_this_thread(int32_t nice_increment, int64_t slice_nanoseconds);

// The number of the calling thread, as /proc/self/task has it.
int32_t apus_thread_number(void);

// Tells the processor that this is a waiting loop.
static inline void apus_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#endif
