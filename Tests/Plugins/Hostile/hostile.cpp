// A plugin whose components each break the contract in one way; their ids say how.
//
// Where a number matters it is the decimal value of the record, as text.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_CXX, 0);

namespace {

using process_function = int32_t (*)(void *, apus_ctx *, const apus_batch *);

// What an instance remembers.
struct Instance {
    uint64_t number;  // apus_args.instance
    uint64_t written;
};

int32_t create(const apus_args *args, void **self, apus_error *) {
    *self = new Instance{args->instance, 0};
    return APUS_OK;
}

void destroy(void *self) {
    delete static_cast<Instance *>(self);
}

std::string value_of(const apus_batch *b, uint32_t i) {
    const uint8_t *data;
    uint32_t len;
    apus_value(b, i, &data, &len);
    return std::string(reinterpret_cast<const char *>(data), len);
}

// ---- Exceptions

int32_t throw_error(void *, apus_ctx *, const apus_batch *) {
    throw std::runtime_error("the process is on fire");
}

int32_t throw_int(void *, apus_ctx *, const apus_batch *) {
    throw 42;
}

int32_t throw_text(void *, apus_ctx *, const apus_batch *) {
    throw "a plain text";
}

int32_t throw_null_text(void *, apus_ctx *, const apus_batch *) {
    throw static_cast<const char *>(nullptr);
}

int32_t throw_in_create(const apus_args *, void **, apus_error *) {
    throw std::runtime_error("no instance today");
}

void throw_in_destroy(void *self) {
    destroy(self);
    throw std::runtime_error("cannot let go");
}

int32_t throw_in_open(void *, apus_ctx *) {
    throw std::runtime_error("the door is stuck");
}

void throw_in_close(void *, apus_ctx *) {
    throw std::runtime_error("the door does not shut");
}

int32_t throw_in_timers(void *, apus_ctx *, const apus_timers *) {
    throw std::runtime_error("the bell is broken");
}

int32_t throw_in_watermark(void *, apus_ctx *, int64_t) {
    throw std::runtime_error("time flies");
}

// ---- Results

template <int32_t code>
int32_t give(void *, apus_ctx *, const apus_batch *) {
    return code;
}

int32_t give_in_open(void *, apus_ctx *ctx) {
    return apus_fail(ctx->error, APUS_FATAL, "cannot begin like this");
}

int32_t give_in_watermark(void *, apus_ctx *, int64_t) {
    return 777;
}

int32_t give_in_create(const apus_args *, void **, apus_error *) {
    return 12345;
}

int32_t refuse_configuration(const apus_args *args, void **, apus_error *error) {
    std::string text(reinterpret_cast<const char *>(args->config.data), args->config.len);
    return apus_fail(error, APUS_CONFIG, ("expected a map, found " + text).c_str());
}

int32_t refuse_silently(const apus_args *, void **, apus_error *) {
    return APUS_CONFIG;
}

int32_t fatal(void *, apus_ctx *ctx, const apus_batch *) {
    return apus_fail(ctx->error, APUS_FATAL, "I give up: 3 of 4 engines are gone");
}

int32_t message_not_utf8(void *, apus_ctx *ctx, const apus_batch *) {
    return apus_fail(ctx->error, APUS_FATAL, "a\xff\xfe" "b");
}

int32_t message_too_long(void *, apus_ctx *ctx, const apus_batch *) {
    memset(ctx->error->message, 'x', sizeof ctx->error->message);
    ctx->error->len = 4000000000u;
    return APUS_FATAL;
}

// ---- Progress

int32_t yield_forever(void *, apus_ctx *, const apus_batch *) {
    return APUS_YIELD;
}

int32_t yield_behind_the_end(void *, apus_ctx *ctx, const apus_batch *b) {
    return apus_at(ctx, b->count + 5, APUS_YIELD);
}

int32_t yield_at_the_end(void *, apus_ctx *ctx, const apus_batch *b) {
    return apus_at(ctx, b->count, APUS_YIELD);
}

int32_t yield_backwards(void *, apus_ctx *ctx, const apus_batch *) {
    return apus_at(ctx, ctx->at ? ctx->at - 1 : 2, APUS_YIELD);
}

int32_t record_behind_the_end(void *, apus_ctx *ctx, const apus_batch *b) {
    return apus_bad_record(ctx, b->count, "there is no such record");
}

int32_t record_backwards(void *, apus_ctx *ctx, const apus_batch *) {
    return ctx->at ? apus_bad_record(ctx, 0, "the first one again") : apus_at(ctx, 1, APUS_YIELD);
}

int32_t every_record_is_bad(void *, apus_ctx *ctx, const apus_batch *b) {
    return apus_bad_record(ctx, ctx->at, ("I do not like " + value_of(b, ctx->at)).c_str());
}

int32_t bad_without_reason(void *, apus_ctx *ctx, const apus_batch *) {
    return apus_at(ctx, ctx->at, APUS_RECORD);
}

// Emits as many records as the value says, whether asked to stop or not.
int32_t explode(void *self, apus_ctx *ctx, const apus_batch *b) {
    auto *own = static_cast<Instance *>(self);
    for (uint32_t i = ctx->at; i < b->count; i++) {
        uint64_t wanted = std::strtoull(value_of(b, i).c_str(), nullptr, 10);
        for (; own->written < wanted; own->written++) {
            int32_t rc = apus_emit(
                ctx->outs[0], nullptr, 0, &own->written, sizeof own->written, b->ts[i]);
            if (rc != APUS_OK) return apus_at(ctx, i, rc);
        }
        own->written = 0;
    }
    return APUS_OK;
}

int32_t overrun_count(void *, apus_ctx *ctx, const apus_batch *) {
    ctx->outs[0]->count = 4000000000u;
    return APUS_OK;
}

int32_t overrun_arena(void *, apus_ctx *ctx, const apus_batch *) {
    ctx->outs[0]->used = 4000000000u;
    return APUS_OK;
}

// ---- Timers

int32_t set_timer(void *, apus_ctx *ctx, const apus_batch *b) {
    for (uint32_t i = ctx->at; i < b->count; i++) {
        int32_t rc = ctx->timers->set(ctx, 0, 0, i, b->ts[i], nullptr, 0);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

// Fires for ever: each time the timer is set anew to a time that has passed.
int32_t set_again(void *, apus_ctx *ctx, const apus_timers *timers) {
    for (uint32_t i = ctx->at; i < timers->batch->count; i++) {
        ctx->timers->set(ctx, 0, 0, i, timers->batch->ts[i], nullptr, 0);
    }
    return APUS_OK;
}

// ---- State

// Calls every function of state and timers for a slot and a record, none of which may succeed.
// Returns the name of the first that does not return the expected code.
const char *find_accepted(
    apus_ctx *ctx, uint32_t slot, uint32_t timer, uint32_t record, int32_t expected) {
    const apus_state_api *s = ctx->state;
    apus_bytes bytes = {nullptr, 0};
    void *memory = nullptr;
    uint8_t created = 0;
    int64_t sum = 0;
    uint64_t count = 0;
    uint32_t filled = 0;
    apus_cursor cursor = apus_cursor_all();
    apus_entry entry = {{nullptr, 0}, {nullptr, 0}};
    struct {
        const char *name;
        int32_t code;
    } calls[] = {
        {"value_get", s->value_get(ctx, slot, record, &bytes)},
        {"value_put", s->value_put(ctx, slot, record, "12345678", 8)},
        {"value_mut", s->value_mut(ctx, slot, record, &memory)},
        {"value_mut_many", s->value_mut_many(ctx, slot, record, 1, &memory, &created)},
        {"counter_add", s->counter_add(ctx, slot, record, 1, &sum)},
        {"counter_get", s->counter_get(ctx, slot, record, &sum)},
        {"list_append", s->list_append(ctx, slot, record, "1", 1)},
        {"list_count", s->list_count(ctx, slot, record, &count)},
        {"list_next", s->list_next(ctx, slot, record, &cursor, &bytes, 1, &filled)},
        {"map_get", s->map_get(ctx, slot, record, "k", 1, &bytes)},
        {"map_put", s->map_put(ctx, slot, record, "k", 1, "v", 1)},
        {"map_remove", s->map_remove(ctx, slot, record, "k", 1)},
        {"map_count", s->map_count(ctx, slot, record, &count)},
        {"map_next", s->map_next(ctx, slot, record, &cursor, &entry, 1, &filled)},
        {"clear", s->clear(ctx, slot, record)},
        {"timer set", ctx->timers->set(ctx, timer, 0, record, 1, nullptr, 0)},
        {"timer cancel", ctx->timers->cancel(ctx, timer, 0, record)},
    };
    for (const auto &call : calls) {
        if (call.code != expected) return call.name;
    }
    return nullptr;
}

int32_t tell(apus_ctx *ctx, const char *accepted, const char *where) {
    std::string text = accepted ? std::string(accepted) + " was accepted " + where : "refused";
    return apus_fail(ctx->error, APUS_FATAL, text.c_str());
}

// Slots: 0 value, 1 fixed value, 2 counter, 3 list, 4 map. Record 0 has a key, record 1 has none.
int32_t abuse_state(void *, apus_ctx *ctx, const apus_batch *b) {
    for (uint32_t wrong : {5u, 31u, 32u, 64u, 0x80000000u, UINT32_MAX}) {
        const char *name = find_accepted(ctx, wrong, wrong, 0, APUS_UNSUPPORTED);
        if (name) return tell(ctx, name, "for a slot that does not exist");
    }
    for (uint32_t slot = 0; slot < 5; slot++) {
        for (uint32_t wrong : {b->count, b->count + 1, UINT32_MAX}) {
            const char *name = find_accepted(ctx, slot, 0, wrong, APUS_UNSUPPORTED);
            if (name) return tell(ctx, name, "for a record that does not exist");
        }
        const apus_state_api *s = ctx->state;
        int64_t sum;
        uint64_t count;
        apus_bytes bytes;
        void *memory;
        const char *name = nullptr;
        if (slot > 1 && s->value_get(ctx, slot, 0, &bytes) != APUS_UNSUPPORTED) name = "value_get";
        if (slot > 1 && s->value_put(ctx, slot, 0, "x", 1) != APUS_UNSUPPORTED) name = "value_put";
        if (slot != 1 && s->value_mut(ctx, slot, 0, &memory) != APUS_UNSUPPORTED) {
            name = "value_mut";
        }
        if (slot != 2 && s->counter_add(ctx, slot, 0, 1, &sum) != APUS_UNSUPPORTED) {
            name = "counter_add";
        }
        if (slot != 3 && s->list_count(ctx, slot, 0, &count) != APUS_UNSUPPORTED) {
            name = "list_count";
        }
        if (slot != 4 && s->map_count(ctx, slot, 0, &count) != APUS_UNSUPPORTED) {
            name = "map_count";
        }
        if (s->value_put(ctx, 1, 0, "1234567", 7) != APUS_UNSUPPORTED) name = "a short value";
        if (s->value_put(ctx, 0, 0, "", 1ull << 31) != APUS_LIMIT) name = "a value of 2 GiB";
        if (s->counter_add(ctx, 2, 1, 1, &sum) != APUS_UNSUPPORTED) name = "a record without key";
        if (name) return tell(ctx, name, "against its kind or limits");
    }
    return tell(ctx, nullptr, "");
}

const char *abuse_everything(apus_ctx *ctx) {
    for (uint32_t slot : {0u, 1u, 2u, 3u, 4u, UINT32_MAX}) {
        for (uint32_t record : {0u, 1u, UINT32_MAX}) {
            const char *name = find_accepted(ctx, slot, 0, record, APUS_UNSUPPORTED);
            if (name) return name;
        }
    }
    return nullptr;
}

int32_t abuse_in_open(void *, apus_ctx *ctx) {
    const char *name = abuse_everything(ctx);
    return name ? tell(ctx, name, "in open") : APUS_OK;
}

int32_t abuse_in_watermark(void *, apus_ctx *ctx, int64_t) {
    return tell(ctx, abuse_everything(ctx), "in on_watermark");
}

void abuse_in_close(void *, apus_ctx *ctx) {
    ctx->counters[0] = abuse_everything(ctx) ? 1 : 2;
}

// ---- Logging

const apus_host *the_host;

// Logs as many lines as the value says, as the instance or, for "#n", as n others.
int32_t log_flood(void *self, apus_ctx *, const apus_batch *b) {
    std::string value = value_of(b, 0);
    bool as_others = value[0] == '#';
    uint64_t n = std::strtoull(value.c_str() + (as_others ? 1 : 0), nullptr, 10);
    for (uint64_t at = 0; at < n; at++) {
        std::string line = "line " + std::to_string(at);
        uint64_t who = as_others ? 1000000 + at : static_cast<Instance *>(self)->number;
        the_host->log(who, APUS_LOG_INFO, line.data(), line.size());
    }
    the_host->log(0, APUS_LOG_INFO, nullptr, 100);  // no text: no line
    return APUS_OK;
}

int32_t log_oddly(void *self, apus_ctx *, const apus_batch *) {
    uint64_t own = static_cast<Instance *>(self)->number;
    the_host->log(own, 99, "no\xff" "utf8", 7);
    std::string longest(5000, 'y');
    the_host->log(own, APUS_LOG_ERROR, longest.data(), longest.size());
    return the_host->get_extension("no.such/1") ? APUS_FATAL : APUS_OK;
}

// ---- Crashes

int32_t crash(void *, apus_ctx *, const apus_batch *) {
    volatile int *nowhere = nullptr;
    *nowhere = 1;
    return APUS_OK;
}

int32_t crash_in_open(void *self, apus_ctx *ctx) {
    return crash(self, ctx, nullptr);
}

int32_t abort_process(void *, apus_ctx *, const apus_batch *) {
    std::abort();
}

__attribute__((noinline)) uint64_t recurse(uint64_t depth) {
    volatile uint8_t frame[4096];
    frame[depth % sizeof frame] = 1;
    if (depth == UINT64_MAX) return 0;
    return recurse(depth + 1) + frame[depth % sizeof frame];
}

int32_t overflow_stack(void *, apus_ctx *, const apus_batch *) {
    return recurse(0) == 0 ? APUS_OK : APUS_FATAL;
}

// ---- Description

apus_str text(const char *zero_terminated) {
    return {zero_terminated, strlen(zero_terminated)};
}

const apus_state_decl *state(const char *name, uint32_t kind, uint32_t fixed_len) {
    auto *decl = new apus_state_decl{};
    decl->size = sizeof *decl;
    decl->kind = kind;
    decl->name = text(name);
    decl->schema_version = 1;
    decl->fixed_len = fixed_len;
    return decl;
}

apus_operator_vt *functions(process_function process) {
    auto *vt = new apus_operator_vt{};
    vt->size = sizeof *vt;
    vt->process = process;
    return vt;
}

apus_component *component(const char *id, apus_operator_vt *vt) {
    static const apus_port port = {sizeof(apus_port), 0, APUS_STR("main"), APUS_STR("")};
    static const apus_port *const ports[] = {&port};
    static const apus_counter_decl counter = {
        sizeof(apus_counter_decl), 0, APUS_STR("seen"), APUS_STR("")};
    static const apus_counter_decl *const counters[] = {&counter};
    auto *made = new apus_component{};
    made->size = sizeof *made;
    made->kind = APUS_OPERATOR;
    made->create = create;
    made->destroy = destroy;
    made->vt = vt;
    made->id = text(id);
    made->input_count = 1;
    made->output_count = 1;
    made->outputs = ports;
    made->counter_count = 1;
    made->counters = counters;
    return made;
}

apus_component *keyed(const char *id, apus_operator_vt *vt) {
    static const apus_state_decl *const states[] = {
        state("any", APUS_STATE_VALUE, 0),     state("fixed", APUS_STATE_VALUE, 8),
        state("counter", APUS_STATE_COUNTER, 0), state("list", APUS_STATE_LIST, 0),
        state("map", APUS_STATE_MAP, 0)};
    static const apus_timer_decl timer = {
        sizeof(apus_timer_decl), APUS_EVENT_TIME, APUS_STR("due"), 0, 0, nullptr};
    static const apus_timer_decl *const timers[] = {&timer};
    auto *made = component(id, vt);
    if (!vt->on_timers) vt->on_timers = throw_in_timers;
    made->flags = APUS_KEYED | APUS_ACCEPTS_NULL_KEY;
    made->state_count = 5;
    made->states = states;
    made->timer_count = 1;
    made->timers = timers;
    return made;
}

std::vector<const apus_component *> make_components() {
    std::vector<const apus_component *> all;
    auto add = [&](const char *id, process_function process) {
        auto *made = component(id, functions(process));
        all.push_back(made);
        return made;
    };
    add("throw-error", throw_error);
    add("throw-int", throw_int);
    add("throw-text", throw_text);
    add("throw-null-text", throw_null_text);
    add("code-12345", give<12345>);
    add("code-minus-999", give<-999>);
    add("fatal", fatal);
    add("fatal-silent", give<APUS_FATAL>);
    add("message-not-utf8", message_not_utf8);
    add("message-too-long", message_too_long);
    add("yield-forever", yield_forever);
    add("yield-behind-the-end", yield_behind_the_end);
    add("yield-at-the-end", yield_at_the_end);
    add("yield-backwards", yield_backwards);
    add("record-behind-the-end", record_behind_the_end);
    add("record-backwards", record_backwards);
    add("every-record-is-bad", every_record_is_bad);
    add("bad-without-reason", bad_without_reason);
    add("explode", explode);
    add("overrun-count", overrun_count);
    add("overrun-arena", overrun_arena);
    add("log-flood", log_flood);
    add("log-oddly", log_oddly);
    add("crash", crash);
    add("abort", abort_process);
    add("overflow-stack", overflow_stack);
    add("throw-in-create", give<APUS_OK>)->create = throw_in_create;
    add("throw-in-destroy", give<APUS_OK>)->destroy = throw_in_destroy;
    add("code-in-create", give<APUS_OK>)->create = give_in_create;
    add("refuse-configuration", give<APUS_OK>)->create = refuse_configuration;
    add("refuse-silently", give<APUS_OK>)->create = refuse_silently;

    auto with = [&](const char *id, void (*change)(apus_operator_vt *)) {
        auto *vt = functions(give<APUS_OK>);
        change(vt);
        all.push_back(component(id, vt));
    };
    with("throw-in-open", [](apus_operator_vt *vt) { vt->open = throw_in_open; });
    with("throw-in-close", [](apus_operator_vt *vt) { vt->close = throw_in_close; });
    with("throw-in-watermark", [](apus_operator_vt *vt) { vt->on_watermark = throw_in_watermark; });
    with("fatal-in-open", [](apus_operator_vt *vt) { vt->open = give_in_open; });
    with("code-in-watermark", [](apus_operator_vt *vt) { vt->on_watermark = give_in_watermark; });
    with("crash-in-open", [](apus_operator_vt *vt) { vt->open = crash_in_open; });

    auto *abuse = functions(abuse_state);
    abuse->open = abuse_in_open;
    abuse->on_watermark = abuse_in_watermark;
    abuse->close = abuse_in_close;
    all.push_back(keyed("abuse-state", abuse));
    all.push_back(keyed("throw-in-timers", functions(set_timer)));
    auto *again = functions(set_timer);
    again->on_timers = set_again;
    all.push_back(keyed("rearm-forever", again));
    return all;
}

}  // namespace

const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *) {
    static const std::vector<const apus_component *> components = make_components();
    static const apus_plugin plugin = {
        sizeof(apus_plugin),
        APUS_ABI_MINOR,
        0,
        APUS_STR("test.hostile"),
        APUS_STR("6.6.6"),
        APUS_STR("Nobody"),
        static_cast<uint32_t>(components.size()),
        0,
        components.data()};
    the_host = host;
    return &plugin;
}
