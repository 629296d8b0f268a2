// Errors: written into memory of the host, so that they outlive the plugin.
#ifndef APUS_ERROR_H
#define APUS_ERROR_H

#include <string.h>

#include "apus/abi.h"

typedef struct apus_error {
    uint32_t size;
    int32_t code;       // an APUS_ code; 0 while there is no error
    uint32_t flags;     // 0
    uint32_t len;       // bytes of message in use
    char message[480];  // what went wrong, with the values seen, and how to mend it
} apus_error;

// Writes code and message (cut to what fits) and returns code. [any]
static inline int32_t apus_fail_bytes(
    apus_error *error, int32_t code, const char *message, uint64_t len) {
    if (error) {
        uint32_t n = len < sizeof error->message ? (uint32_t)len : (uint32_t)sizeof error->message;
        error->code = code;
        error->len = n;
        if (n) memcpy(error->message, message, n);
    }
    return code;
}

// The same for a zero-terminated message. [any]
static inline int32_t apus_fail(apus_error *error, int32_t code, const char *message) {
    return apus_fail_bytes(error, code, message, strlen(message));
}

#endif
