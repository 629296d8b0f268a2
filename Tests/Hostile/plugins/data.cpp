// Writes too much, too little, or what is not so.
#include "base.h"

#include <climits>

namespace {

int32_t misbehave(Call &call) {
    const std::string &act = call.self->act;
    apus_out *out = call.ctx->outs[0];
    if (act == "explode") {
        // A billion for this record; called again from it whenever the host has to make room.
        static uint64_t written = 0;
        call.self->is_done = false;
        for (; written < 1'000'000'000; written++) {
            int32_t rc = apus_emit(out, "k", 1, &written, sizeof written, 1);
            if (rc != APUS_OK) return apus_at(call.ctx, call.record, rc);
            if (*call.ctx->stop) return apus_at(call.ctx, call.record, APUS_YIELD);
        }
        call.self->is_done = true;
    }
    if (act == "huge-value") {
        call.self->is_done = false;
        static const char *const start = "x";
        int32_t rc = apus_emit(out, "k", 1, start, 3'000'000'000u, 1);
        return apus_at(call.ctx, call.record, rc);
    }
    if (act == "huge-state") {
        int32_t rc = call.ctx->state->value_put(call.ctx, 2, call.record, "x", 1ull << 31);
        if (rc != APUS_LIMIT) return apus_fail(call.error, APUS_FATAL, "2 GiB were accepted");
        rc = call.ctx->state->value_put(call.ctx, 2, call.record, "x", UINT64_MAX);
        if (rc != APUS_LIMIT) return apus_fail(call.error, APUS_FATAL, "16 EiB were accepted");
    }
    if (act == "odd-records") {
        for (int64_t time : {INT64_MIN, INT64_MAX, int64_t(0), int64_t(-1)}) {
            int32_t rc = apus_emit(out, "\xff\xfe", 2, "\xff\x00\xfe", 3, time);
            if (rc != APUS_OK) return apus_at(call.ctx, call.record, rc);
        }
    }
    return APUS_OK;
}

#if defined(DEPENDS_ON_BATCHES) || defined(CHANGES_KEYS)
// As the flags of its description say it does not.
int32_t process_oddly(void *, apus_ctx *ctx, const apus_batch *batch) {
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "%u", batch->count);
#ifdef CHANGES_KEYS
        int32_t rc = apus_emit(ctx->outs[0], "another", 7, "same", 4, batch->ts[i]);
        (void)length;
#else
        int32_t rc =
            apus_emit_keyed(ctx->outs[0], batch, i, text, static_cast<uint32_t>(length));
#endif
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

void lie() {
    functions.process = process_oddly;
    component.flags |= APUS_DETERMINISTIC | APUS_FORWARDS_KEY | APUS_ONE_TO_ONE;
}
[[maybe_unused]] const bool is_changed = (lie(), true);
#endif

}  // namespace
