// Version, export mark, return codes, and the two string types.
#ifndef APUS_ABI_H
#define APUS_ABI_H

#include <stddef.h>
#include <stdint.h>

#define APUS_ABI_MAJOR 0
#define APUS_ABI_MINOR 2

#if defined(__cplusplus)
#define APUS_EXTERN_C extern "C"
#else
#define APUS_EXTERN_C
#endif

// Marks the one function that a plugin exports. Compile the rest with -fvisibility=hidden.
#define APUS_EXPORT APUS_EXTERN_C __attribute__((visibility("default")))

#define APUS_LIKELY(x) __builtin_expect(!!(x), 1)
#define APUS_UNLIKELY(x) __builtin_expect(!!(x), 0)

// Whether the struct that p points to is new enough to have the field.
#define APUS_HAS(p, field) \
    (offsetof(__typeof__(*(p)), field) + sizeof((p)->field) <= (p)->size)

// Results. Zero is success, positive steers the flow, negative is a class of error.
// A host treats negative numbers it does not know as APUS_FATAL.
#define APUS_OK 0
#define APUS_YIELD 1      // stopped before the end of the batch; call again from ctx->at
#define APUS_NOT_FOUND 4  // no such value, entry or timer; not an error
#define APUS_RECORD (-1)  // record ctx->at is bad: dead-letter it or fail the job, go on behind it
#define APUS_FATAL (-2)   // the instance cannot go on; the job fails
#define APUS_UNSUPPORTED (-4)  // no such slot, wrong kind of state, record without a key
#define APUS_STALE (-5)   // the cursor's state has changed since it was set up
#define APUS_LIMIT (-6)   // a limit is reached; as a result of process() it means APUS_YIELD
#define APUS_CONFIG (-7)  // the configuration is wrong
#define APUS_READ_ONLY (-8)  // broadcast state is written by process_broadcast alone
#define APUS_EXCEPTION (-9)  // set by the host only: something was thrown

// Text in UTF-8 that somebody else owns; valid as long as its owner says.
typedef struct apus_str {
    const char *data;
    uint64_t len;
} apus_str;

// Bytes that somebody else owns; valid as long as their owner says.
typedef struct apus_bytes {
    const uint8_t *data;
    uint64_t len;
} apus_bytes;

// A string literal as an apus_str, also in static initialisers.
#define APUS_STR(literal) {(literal), sizeof(literal) - 1}

#endif
