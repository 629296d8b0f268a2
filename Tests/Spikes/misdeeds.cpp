#include <dlfcn.h>
#include <time.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

#include "bridge.h"

namespace {

std::atomic<int64_t> alive{0};

// Something with a destructor on the frames that an exception passes.
struct Witness {
    Witness() { alive++; }
    ~Witness() { alive--; }
};

int32_t throws(void *, apus_ctx *, const apus_batch *) {
    Witness witness;
    std::string text(200, 'x');
    throw std::runtime_error(text);
}

int32_t throws_int(void *, apus_ctx *, const apus_batch *) {
    Witness witness;
    throw 42;
}

int32_t exits(void *, apus_ctx *, const apus_batch *) {
    Witness witness;
    pthread_exit(nullptr);
}

__attribute__((noinline)) int32_t recurses(void *self, apus_ctx *ctx, const apus_batch *batch) {
    volatile char frame[1024];
    frame[0] = 1;
    return recurses(self, ctx, batch) + frame[0];
}

int32_t nothing(void *, apus_ctx *, const apus_batch *) { return APUS_OK; }

}  // namespace

const apus_operator_vt *spike_operator(const char *misdeed) {
    auto *vt = new apus_operator_vt{};
    vt->size = sizeof *vt;
    const std::string name = misdeed;
    if (name == "throw") vt->process = throws;
    else if (name == "throw-int") vt->process = throws_int;
    else if (name == "pthread-exit") vt->process = exits;
    else if (name == "recursion") vt->process = recurses;
    else if (name == "nothing") vt->process = nothing;
    else {
        // The library with the panics lies beside the program; its functions have these names.
        std::string symbol = name == "panic" ? "spike_panic" : "spike_panic_unwind";
        void *library = dlopen(getenv("SPIKE_RUST"), RTLD_NOW | RTLD_LOCAL);
        void *function = library ? dlsym(library, symbol.c_str()) : nullptr;
        if (!function) abort();
        memcpy(&vt->process, &function, sizeof function);
    }
    return vt;
}

int64_t spike_alive(void) { return alive; }

uint64_t spike_clock(void) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((noinline)) int64_t spike_plain(int64_t x) {
    asm volatile("" : "+r"(x));
    return x + 1;
}

__attribute__((noinline)) int64_t spike_call(int64_t (*function)(int64_t), int64_t n) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) sum += function(i);
    return sum;
}
