// Optional interfaces of the host and of components, by name.
//
// host->get_extension(name) gives an interface of the host, component->get_extension(name) one of a
// component; both give NULL for what they do not have. The number behind the slash is the revision:
// a revision never changes, a new one stands beside it.
#ifndef APUS_EXTENSIONS_H
#define APUS_EXTENSIONS_H

#include "apus/context.h"

// ---- Of the host

// Secrets, so that configurations can be shown: a configuration names one, the job file's
// `secrets` says where it comes from.
#define APUS_SECRETS "apus.secrets/1"
typedef struct apus_secrets_api {
    uint32_t size;
    uint32_t reserved;
    // The secret's bytes, valid until the instance is destroyed; APUS_NOT_FOUND when the job file
    // has no such secret, APUS_STALE when there is no such instance. In create and later. [any]
    int32_t (*get)(uint64_t instance, const char *name, uint64_t len, apus_bytes *secret);
} apus_secrets_api;

// Records that are kept beyond a callback, as copies of the host's.
#define APUS_RETAIN "apus.retain/1"
typedef struct apus_retained apus_retained;
typedef struct apus_retain_api {
    uint32_t size;
    uint32_t reserved;
    // Keeps records first ..< first + count of a batch in hand. APUS_LIMIT when the instance
    // already keeps 64 MiB. [op]
    int32_t (*retain)(
        apus_ctx *, const apus_batch *, uint32_t first, uint32_t count, apus_retained **);
    // The records; valid until release. State and timers do not take their indices. [any]
    const apus_batch *(*batch)(const apus_retained *);
    // Every retained batch is released once, also after the instance is closed. [any]
    void (*release)(apus_retained *);
} apus_retain_api;

// Which thread runs, for checks in plugins and SDKs.
#define APUS_THREAD_CHECK "apus.thread_check/1"
typedef struct apus_thread_check_api {
    uint32_t size;
    uint32_t reserved;
    // 1 when the calling thread is in a callback of this instance, else 0. [any]
    int32_t (*is_op)(uint64_t instance);
    // 1 when the calling thread is in create, destroy or the entry function, else 0. [any]
    int32_t (*is_ctl)(void);
} apus_thread_check_api;

// ---- Of a component

// A place where bytes come from, in portions.
typedef struct apus_reader apus_reader;
struct apus_reader {
    uint32_t size;
    uint32_t reserved;
    // Copies up to `capacity` of the next bytes; *count == 0 at the end. May give less than there
    // is at any time. [op]
    int32_t (*read)(apus_reader *, void *to, uint64_t capacity, uint64_t *count);
    void *host_private;
};

// State of a kind of its own, not per key: a model, a sketch. Of operators. Kept as one run of
// bytes per subtask. With another parallelism than before, every subtask gets the bytes of all, one
// after the other: bytes must tell where they end.
#define APUS_SNAPSHOT "apus.snapshot/1"
typedef struct apus_snapshot {
    uint32_t size;
    uint32_t version;  // of the bytes that save writes; 1 or more
    // Writes everything; at most 64 MiB. Between two callbacks, at each checkpoint: the job waits
    // for it. No records are in hand, and outputs are out of reach. [op]
    int32_t (*save)(void *self, apus_ctx *, apus_writer *);
    // Takes what save of some version wrote, before open; not called when there is nothing.
    // APUS_INCOMPATIBLE when it cannot. [op]
    int32_t (*load)(void *self, apus_ctx *, apus_reader *, uint32_t version);
} apus_snapshot;

#endif
