// A good plugin whose constructor tells that it ran, and what makes its file hostile by macros.
#define GOOD 1
#include "base.h"

namespace {

int32_t misbehave(Call &) {
    return APUS_OK;
}

}  // namespace

#ifdef STATIC_TLS
extern __thread char room[2000];
__thread char room[2000] = {1};
#endif

#ifdef TLS
extern __thread char room[TLS];
__thread char room[TLS] = {1};
#endif

[[gnu::constructor]] static void constructor() {
    leave_marker(MARKER);
#if defined(STATIC_TLS) || defined(TLS)
    room[1]++;
#endif
}

extern const void *const tripwire_misbehaves;
const void *const tripwire_misbehaves = reinterpret_cast<const void *>(&misbehave);

#ifdef SALT
extern const int salt;
const int salt __attribute__((used)) = SALT;
#endif

#ifdef ENTRY_DATA
extern "C" __attribute__((visibility("default"))) const int entry_data;
const int entry_data __asm__("apus_plugin_v0") = 1;
#endif

#ifdef EXPORTS
APUS_EXPORT int open(const char *, int, ...) {
    return -1;
}
APUS_EXPORT void free(void *) {}
APUS_EXPORT int main() {
    return 1;
}
__attribute__((visibility("default"))) void *operator new(size_t) {
    abort();
}
#endif

#ifdef NEEDS_OTHER
extern "C" int other(void);
extern int (*const calls_other)(void);
int (*const calls_other)(void) = other;
#endif

#ifdef NEEDS_TOMORROW
extern "C" int of_tomorrow(void);
extern int (*const calls_tomorrow)(void);
int (*const calls_tomorrow)(void) = of_tomorrow;
#endif

#ifdef UNIQUE
template <typename Kind>
struct Shared {
    static int value;
};
template <typename Kind>
int Shared<Kind>::value = 1;
template struct Shared<int>;
#endif
