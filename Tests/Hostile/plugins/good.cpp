// The plugin that behaves.
#define GOOD 1
#include "base.h"

namespace {

int32_t misbehave(Call &) {
    return APUS_OK;
}

}  // namespace

// Keeps the function from being unused.
extern const void *const good_misbehaves;
const void *const good_misbehaves = reinterpret_cast<const void *>(&misbehave);
