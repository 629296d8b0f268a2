// Damages memory, holds on to what is not its own, or takes too much.
#include "base.h"

#include <sys/mman.h>

#include <thread>
#include <vector>

namespace {

// Keeps the compiler from seeing what is done.
template <typename Kind>
Kind hidden(Kind value) {
    __asm__ volatile("" : "+r"(value) : : "memory");
    return value;
}

int32_t damage_heap() {
    for (int n = 0; n < 64; n++) {
        auto *chunk = static_cast<char *>(hidden(malloc(24)));
        memset(hidden(chunk), 0xff, 512);
    }
    return APUS_OK;
}

int32_t damage_outputs(Call &call, const std::string &act) {
    apus_out *out = call.ctx->outs[0];
    if (act == "arena-overrun") memset(out->arena + out->room, 0xaa, 8);
    if (act == "arena-overrun-far") memset(out->arena + out->room, 0xaa, 1u << 20);
    if (act == "count-overrun" || act == "used-overrun") {
        (act == "count-overrun" ? out->count : out->used) = 4000000000u;
        return apus_at(call.ctx, call.record, APUS_YIELD);
    }
    if (act == "wild-view") {
        apus_emit(out, "k", 1, "a value that is longer than twelve", 34, 1);
        out->value[out->count - 1].u.ref.buffer = 50'000;
        out->value[out->count - 1].u.ref.offset = 0x7fffffff;
    }
    if (act == "undeclared-output") {
        apus_emit(hidden(call.ctx->outs)[1 + 64], "k", 1, "v", 1, 1);
    }
    return APUS_OK;
}

const uint8_t *kept = nullptr;
uint32_t kept_len = 0;

int32_t keep_pointer(Call &call) {
    apus_value(call.batch, call.record, &kept, &kept_len);
    // Looked at when the batch is gone: see destroy in this file's table of acts.
    std::thread([] {
        usleep(300'000);
        volatile uint8_t sum = 0;
        for (uint32_t i = 0; i < kept_len; i++) sum = static_cast<uint8_t>(sum + kept[i]);
    }).detach();
    return APUS_OK;
}

void *kept_value = nullptr;

// Reads state of a call before: see F66 of the check.
int32_t keep_state_pointer(Call &call) {
    call.self->is_done = false;
    call.self->at++;
    if (kept_value) {
        apus_emit_keyed(call.ctx->outs[0], call.batch, call.record, hidden(kept_value), 8);
    }
    return call.ctx->state->value_mut(call.ctx, 1, call.record, &kept_value);
}

int32_t take_memory(const std::string &act) {
    if (act == "leak") {
        for (int n = 0; n < 20'000; n++) memset(hidden(malloc(1024)), 1, 1024);
    }
    if (act == "bomb") {
        std::vector<char *> all;
        for (;;) all.push_back(hidden(new char[64u << 20]));
    }
    if (act == "bomb-malloc") {
        for (;;) hidden(static_cast<volatile char *>(malloc(64u << 20)))[0] = 1;
    }
    return APUS_OK;
}

int32_t free_wrongly(Call &call, const std::string &act) {
    if (act == "double-free") {
        void *chunk = hidden(malloc(4000));
        free(chunk);
        free(hidden(chunk));
    }
    if (act == "free-of-host") free(hidden(const_cast<uint64_t *>(&call.ctx->instance)));
    if (act == "free-of-self") delete hidden(call.self);
    return APUS_OK;
}

int32_t write_input(Call &call) {
    // Behind the record in hand, so that the output shows it.
    auto *value = const_cast<apus_view *>(call.batch->value);
    for (uint32_t i = call.record + 1; i < call.batch->count && i < call.record + 5; i++) {
        auto *bytes = const_cast<uint8_t *>(apus_view_data(&value[i], call.batch->buffers));
        memset(bytes, '0', value[i].len);
    }
    return APUS_OK;
}

int32_t store_uninitialised(Call &call) {
    char junk[64];
    __asm__ volatile("" : : "r"(junk) : "memory");
    return call.ctx->state->value_put(call.ctx, 2, call.record, junk, sizeof junk);
}

int32_t touch_unmapped_on_own_thread() {
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page, 4096);
    std::thread([page] { *static_cast<volatile char *>(page) = 1; }).join();
    return APUS_OK;
}

int32_t misbehave(Call &call) {
    const std::string act = call.self->act;
    if (act == "heap") return damage_heap();
    if (act == "keep-pointer") return keep_pointer(call);
    if (act == "write-input") return write_input(call);
    if (act == "uninitialised") return store_uninitialised(call);
    if (act == "own-thread") return touch_unmapped_on_own_thread();
    if (act == "keep-state-pointer") return keep_state_pointer(call);
    if (act == "state-overrun") {
        void *value = nullptr;
        int32_t rc = call.ctx->state->value_mut(call.ctx, 1, call.record, &value);
        if (rc == APUS_OK) memset(hidden(static_cast<char *>(value)), 0xee, 8 + 64);
        return rc;
    }
    int32_t rc = damage_outputs(call, act);
    if (rc == APUS_OK) rc = free_wrongly(call, act);
    return rc == APUS_OK ? take_memory(act) : rc;
}

}  // namespace
