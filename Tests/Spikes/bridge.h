// What the spikes in Swift see of the real guard, and of the misbehaving callbacks.
#include <CApusGuard.h>
#include <pthread.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

// An operator whose process misbehaves: "throw", "throw-int", "pthread-exit", "recursion",
// "nothing", or the Rust library's "panic", "panic-unwind".
const apus_operator_vt *spike_operator(const char *misdeed);
// How many objects that were alive when something was thrown have not been destroyed.
int64_t spike_alive(void);
// Nanoseconds on the monotonic clock.
uint64_t spike_clock(void);
// Calls a function n times from C, through a pointer; the sum of what it gave.
int64_t spike_call(int64_t (*function)(int64_t), int64_t n);
// A function of C that does next to nothing, not inlined.
int64_t spike_plain(int64_t x);

#ifdef __cplusplus
}
#endif
