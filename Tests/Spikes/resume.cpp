// What it costs an operator to be stopped by more() and called again: nanoseconds per record that
// it writes, for callbacks that may write so many, through the real guard. The operator keeps its
// iterator, as those of the SDKs do, and goes on where it was. The last line is never stopped.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "bridge.h"

namespace {

constexpr uint32_t total = 1 << 20;
constexpr uint32_t capacity = 1 << 12;

struct Builder {
    apus_out out{};
    uint64_t calls_left = 0;
    std::vector<apus_view> keys{capacity}, values{capacity};
    std::vector<int64_t> times = std::vector<int64_t>(capacity);
    std::vector<uint8_t> kinds = std::vector<uint8_t>(capacity);
    std::vector<uint8_t> arena = std::vector<uint8_t>(1 << 18);
    uint32_t per_callback = total;
    uint32_t written = 0;  // in this callback
};

// As the host's: hands the full batch over, until the callback has written all that it may.
int32_t more(apus_out *out, uint64_t) {
    auto *builder = static_cast<Builder *>(out->host_private);
    builder->written += out->count;
    out->count = 0;
    out->used = 0;
    out->capacity = std::min(capacity, builder->per_callback - builder->written);
    return out->capacity == 0 ? APUS_LIMIT : APUS_OK;
}

struct Explosion {
    uint32_t next = 0;
};

int32_t explode(void *self, apus_ctx *ctx, const apus_batch *batch) {
    auto *own = static_cast<Explosion *>(self);
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        const uint8_t *value;
        uint32_t len, count;
        apus_value(batch, i, &value, &len);
        memcpy(&count, value, sizeof count);
        while (own->next < count) {
            uint64_t number = own->next;
            if (apus_emit_keyed(ctx->outs[0], batch, i, &number, sizeof number)) {
                return apus_at(ctx, i, APUS_YIELD);
            }
            own->next++;
        }
        own->next = 0;
    }
    return APUS_OK;
}

double round_of(uint32_t per_callback, uint64_t &callbacks) {
    Builder builder;
    builder.per_callback = per_callback;
    apus_out &out = builder.out;
    out.size = sizeof out;
    out.key = builder.keys.data();
    out.value = builder.values.data();
    out.ts = builder.times.data();
    out.kind = builder.kinds.data();
    out.arena = builder.arena.data();
    out.room = (uint32_t)builder.arena.size();
    out.more = more;
    out.host_private = &builder;
    apus_out *outs[] = {&out};
    apus_error error{};
    uint32_t stop = 0, count = total;
    apus_ctx ctx{};
    ctx.size = sizeof ctx;
    ctx.outs = outs;
    ctx.out_count = 1;
    ctx.stop = &stop;
    ctx.error = &error;
    apus_view key, value;
    apus_view_inline(&key, "12345678", 8);
    apus_view_inline(&value, &count, 4);
    int64_t time = 1;
    apus_batch batch{};
    batch.size = sizeof batch;
    batch.count = 1;
    batch.key = &key;
    batch.value = &value;
    batch.ts = &time;
    apus_operator_vt vt{};
    vt.size = sizeof vt;
    vt.process = explode;
    apus_guard_site site{"plugin spike"};
    Explosion own;
    callbacks = 0;
    uint64_t start = spike_clock();
    int32_t rc;
    do {
        builder.written = 0;
        out.count = 0;
        out.used = 0;
        out.capacity = std::min(capacity, per_callback);
        rc = apus_guard_process(&site, &vt, &own, &ctx, &batch);
        callbacks++;
    } while (rc == APUS_YIELD);
    return (double)(spike_clock() - start) / total;
}

}  // namespace

int main() {
    for (uint32_t per_callback : {16u, 64u, 256u, 1024u, 16384u, total * 2}) {
        std::vector<double> rounds;
        uint64_t callbacks = 0;
        for (int i = 0; i < 21; i++) rounds.push_back(round_of(per_callback, callbacks));
        std::sort(rounds.begin(), rounds.end());
        printf("%u\t%llu\t%f\t%f\n", per_callback, (unsigned long long)callbacks, rounds[10],
               rounds[20]);
    }
    return 0;
}
