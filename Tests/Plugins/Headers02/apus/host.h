// The host as a plugin sees it, for the life of the process.
#ifndef APUS_HOST_H
#define APUS_HOST_H

#include "apus/abi.h"

// Levels of log messages.
#define APUS_LOG_DEBUG 1u
#define APUS_LOG_INFO 2u
#define APUS_LOG_WARNING 3u
#define APUS_LOG_ERROR 4u

typedef struct apus_host {
    uint32_t size;
    uint16_t major;
    uint16_t minor;
    const uint32_t *log_level;  // messages below this level are not worth making
    // Logs a line for an instance (apus_args.instance; 0 = the plugin). Copied at once; the host
    // drops what is more than 100 lines a second per instance, and says so. [any]
    void (*log)(uint64_t instance, uint32_t level, const char *text, uint64_t len);
    // Optional interfaces by name, a zero-terminated string as "apus.async/1"; NULL when the host
    // does not have it. ABI 0.2 has none. [any]
    const void *(*get_extension)(const char *id);
    apus_str name;     // "apus"
    apus_str version;  // of the host
} apus_host;

#endif
