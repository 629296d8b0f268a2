// A plain library with functions that are bound wrongly, or fail.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int64_t divide(int64_t by) {
    return 1000000 / by;
}

// Takes a text, whatever a job says of it.
EXPORT int64_t length(const char *text) {
    return (int64_t)strlen(text);
}

// Keeps where it is, as strtok does: two threads in it at once disturb each other.
EXPORT int64_t with_static_state(int64_t n) {
    static volatile int64_t kept;
    kept = n;
    for (volatile int i = 0; i < 200; i++) {
    }
    if (kept != n) abort();
    return n;
}

EXPORT int64_t ends_the_process(int64_t n) {
    if (n == 4000) exit(0);
    return n;
}
