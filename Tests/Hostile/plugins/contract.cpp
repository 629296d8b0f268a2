// Breaks the contract.
#include "base.h"

#include <thread>

namespace {

int32_t refused_slots(Call &call) {
    apus_ctx *ctx = call.ctx;
    const apus_state_api *s = ctx->state;
    const uint32_t i = call.record, count = call.batch->count;
    apus_bytes bytes;
    void *memory;
    int64_t sum;
    uint64_t number;
    for (uint32_t slot : {3u, 31u, 32u, 0x80000000u, UINT32_MAX}) {
        if (s->value_get(ctx, slot, i, &bytes) != APUS_UNSUPPORTED
            || s->counter_add(ctx, slot, i, 1, &sum) != APUS_UNSUPPORTED
            || s->list_append(ctx, slot, i, "x", 1) != APUS_UNSUPPORTED
            || s->map_get(ctx, slot, i, "x", 1, &bytes) != APUS_UNSUPPORTED
            || s->clear(ctx, slot, i) != APUS_UNSUPPORTED) {
            return apus_fail(call.error, APUS_FATAL, "a slot that is not there was accepted");
        }
    }
    if (s->value_mut(ctx, 2, i, &memory) != APUS_UNSUPPORTED
        || s->value_get(ctx, 0, i, &bytes) != APUS_UNSUPPORTED
        || s->list_count(ctx, 1, i, &number) != APUS_UNSUPPORTED
        || s->value_put(ctx, 1, i, "short", 5) != APUS_UNSUPPORTED) {
        return apus_fail(call.error, APUS_FATAL, "a wrong kind was accepted");
    }
    for (uint32_t record : {count, count + 1, UINT32_MAX}) {
        if (s->counter_add(ctx, 0, record, 1, &sum) != APUS_UNSUPPORTED) {
            return apus_fail(call.error, APUS_FATAL, "a record that is not there was accepted");
        }
    }
    if (ctx->timers->set(ctx, 0, 0, i, 1, nullptr, 0) != APUS_UNSUPPORTED) {
        return apus_fail(call.error, APUS_FATAL, "a timer that is not there was accepted");
    }
    return APUS_OK;
}

int32_t null_context(Call &call) {
    const apus_state_api *s = call.ctx->state;
    int64_t sum;
    apus_bytes bytes;
    apus_ctx empty = {};
    for (apus_ctx *none : {static_cast<apus_ctx *>(nullptr), &empty}) {
        if (s->counter_add(none, 0, 0, 1, &sum) == APUS_OK
            || s->value_get(none, 2, 0, &bytes) == APUS_OK
            || call.ctx->timers->set(none, 0, 0, 0, 1, nullptr, 0) == APUS_OK) {
            return apus_fail(call.error, APUS_FATAL, "no context was accepted");
        }
    }
    if (the_host->get_extension("apus.nothing/1") || the_host->get_extension("")) {
        return apus_fail(call.error, APUS_FATAL, "an extension that is not there was given");
    }
    return APUS_OK;
}

apus_ctx *kept = nullptr;
const apus_state_api *kept_state = nullptr;

int32_t give_message(Call &call, const std::string &act) {
    if (act == "message-not-utf8") return apus_fail(call.error, APUS_FATAL, "a\xff\xfe" "b");
    if (act == "message-format") {
        return apus_fail(call.error, APUS_FATAL, "%n%s%n%s%x %@ 100%");
    }
    if (act == "message-control") {
        return apus_fail(
            call.error, APUS_FATAL, "before\x1b[2J\x07\rafter\nerror: all is well\n");
    }
    memset(call.error->message, 'x', sizeof call.error->message);
    call.error->len = 4000000000u;
    return APUS_FATAL;
}

int32_t give_position(Call &call, const std::string &act) {
    const uint32_t count = call.batch->count;
    if (act == "record-behind") return apus_bad_record(call.ctx, count, "not there");
    if (act == "record-backwards") {
        call.self->is_done = false;
        if (call.ctx->at) return apus_bad_record(call.ctx, 0, "the first one again");
        return apus_at(call.ctx, count > 1 ? 1 : count + 1, APUS_YIELD);
    }
    if (act == "yield-behind") return apus_at(call.ctx, count + 5, APUS_YIELD);
    call.self->is_done = false;
    return apus_at(call.ctx, call.record, APUS_YIELD);
}

int32_t misbehave(Call &call) {
    const std::string &act = call.self->act;
    if (act == "fail-with-self") {
        return apus_fail(call.error, APUS_CONFIG, "I have changed my mind");
    }
    if (act == "code-12345") return 12345;
    if (act == "code--999") return -999;
    if (act.rfind("message-", 0) == 0) return give_message(call, act);
    if (act.rfind("record-", 0) == 0 || act.rfind("yield-", 0) == 0) {
        return give_position(call, act);
    }
    if (act == "unknown-slots") return refused_slots(call);
    if (act == "null-context") return null_context(call);
    if (act == "keep-context") {
        kept = call.ctx;
        kept_state = call.ctx->state;
        // After main has ended, or in whatever runs then.
        static struct Late {
            ~Late() {
                int64_t sum;
                kept_state->counter_add(kept, 0, 0, 1, &sum);
            }
        } late;
    }
    if (act == "state-on-own-thread") {
        std::thread([&] {
            int64_t sum;
            for (int n = 0; n < 1000; n++) {
                call.ctx->state->counter_add(call.ctx, 0, call.record, 0, &sum);
            }
        }).join();
    }
    if (act == "log-of-nobody") {
        the_host->log(987654321, APUS_LOG_ERROR, "from nobody", 11);
        the_host->log(call.self->number, 77, "no\xff" "utf8", 7);
        the_host->log(call.self->number, APUS_LOG_INFO, nullptr, 100);
        the_host->log(call.self->number, APUS_LOG_INFO, "%n%s%n", 6);
    }
    if (act == "log-flood") {
        for (int n = 0; n < 100000; n++) the_host->log(call.self->number, APUS_LOG_INFO, "l", 1);
        sleep(2);
        the_host->log(call.self->number, APUS_LOG_INFO, "l", 1);
    }
    return APUS_OK;
}

#ifdef SELF_NULL
Instance *only;
int32_t create_without_self(const apus_args *args, void **self, apus_error *error) {
    int32_t rc = create(args, reinterpret_cast<void **>(&only), error);
    *self = nullptr;
    return rc;
}
void destroy_without_self(void *self) {
    if (self) abort();
}
int32_t process_without_self(void *self, apus_ctx *ctx, const apus_batch *batch) {
    if (self) return apus_fail(ctx->error, APUS_FATAL, "self is not NULL");
    return process(only, ctx, batch);
}
void without_self() {
    component.create = create_without_self;
    component.destroy = destroy_without_self;
    functions.process = process_without_self;
    functions.open = nullptr;
    functions.close = nullptr;
    functions.on_watermark = nullptr;
}
[[maybe_unused]] const bool is_changed = (without_self(), true);
#endif

}  // namespace
