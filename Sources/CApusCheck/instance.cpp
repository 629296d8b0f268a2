#include "instance.h"

#include <unistd.h>

#include <unordered_set>

namespace apus_check {

namespace {

constexpr uint8_t mark = 0xC5;
constexpr uint8_t poison = 0xDD;
constexpr size_t mark_bytes = 16;

// Contexts that exist: one that a plugin made up must not be looked into.
struct Register {
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    std::unordered_map<const apus_ctx *, Instance *> instances;
};
Register &all() {
    static Register *made = new Register;
    return *made;
}

}  // namespace

// MARK: Leases

uint8_t *Leases::lease(const void *bytes, size_t len, const char *what) {
    size_t needed = ((len + 7) & ~size_t(7)) + 2 * mark_bytes;
    if (needed > left) {
        size_t chunk = needed > (64u << 10) ? needed : 64u << 10;
        chunks.push_back(std::make_unique<Pages>());
        size_t block = chunks.back()->add(chunk);
        chunks.back()->map();
        next = chunks.back()->at(block);
        left = chunk;
    }
    memset(next, mark, needed);
    uint8_t *start = next + mark_bytes;
    if (len) memcpy(start, bytes, len);
    next += needed;
    left -= needed;
    leases.push_back({start, len, what});
    return start;
}

void Leases::check() {
    for (const Lease &lease : leases) {
        bool is_intact = true;
        for (size_t i = 0; i < mark_bytes; i++) {
            is_intact &= lease.bytes[-1 - static_cast<ptrdiff_t>(i)] == mark;
            is_intact &= lease.bytes[lease.len + i] == mark;
        }
        if (is_intact) continue;
        violation(
            of_state,
            "wrote outside of the %zu bytes that %s gave it", lease.len, lease.what);
    }
}

void Leases::retire() {
    check();
    leases.clear();
    for (auto &chunk : chunks) chunk->retire();
    chunks.clear();
    next = nullptr;
    left = 0;
}

// MARK: Instances

Instance::Instance(const Wrapped &wrapped, uint64_t number)
    : wrapped(wrapped), own_rules(wrapped.rules), number(number) {
    stop_random = wrapped.rules.stop_seed;
    limit_random = wrapped.rules.limit_seed;
}

Instance::~Instance() {
    if (ctx) enlist(this, false);
}

void enlist(Instance *instance, bool is_there) {
    Register &those = all();
    pthread_mutex_lock(&those.lock);
    if (is_there) {
        those.instances[instance->ctx] = instance;
    } else {
        those.instances.erase(instance->ctx);
    }
    pthread_mutex_unlock(&those.lock);
}

Instance *instance_of(const apus_ctx *ctx) {
    Register &those = all();
    pthread_mutex_lock(&those.lock);
    auto found = those.instances.find(ctx);
    Instance *instance = found == those.instances.end() ? nullptr : found->second;
    pthread_mutex_unlock(&those.lock);
    return instance;
}

Instance *caller(apus_ctx *ctx, const char *function) {
    counts.host_calls++;
    Instance *instance = ctx ? instance_of(ctx) : nullptr;
    if (!instance) {
        violation(
            of_threads,
            "%s was called with %s", function,
            ctx ? "a context that is not the instance's, or not any more" : "NULL for a context");
        return nullptr;
    }
    if (!instance->is_busy) {
        violation(
            of_threads,
            "%s was called while no callback of the instance runs", function);
        return nullptr;
    }
    if (!pthread_equal(instance->thread, pthread_self())) {
        violation(
            of_threads,
            "%s, an [op] function, was called on another thread than %s runs on", function,
            instance->callback);
        return nullptr;
    }
    if (instance->calls_until_stop > 0 && --instance->calls_until_stop == 0) {
        instance->stop = 1;
        counts.stops++;
    }
    return instance;
}

size_t Instance::context_bytes() const {
    switch (rules().struct_change) {
    case APUS_CHECK_BIGGER: return sizeof(apus_ctx) + 64;
    case APUS_CHECK_SMALLER:
        if (rules().floor <= 1) return offsetof(apus_ctx, broadcast);
        if (rules().floor == 2) return offsetof(apus_ctx, instance_private);
        return sizeof(apus_ctx);
    default: return sizeof(apus_ctx);
    }
}

// Makes the plugin's context; once, when the host's is known.
void Instance::prepare(apus_ctx *from) {
    size_t block = home.add(context_bytes());
    size_t errors = home.add(sizeof(apus_error));
    home.map();
    ctx = reinterpret_cast<apus_ctx *>(home.at(block));
    memset(static_cast<void *>(ctx), 0xAA, context_bytes());
    error = reinterpret_cast<apus_error *>(home.at(errors));
    for (uint32_t port = 0; port < from->out_count; port++) {
        outputs.push_back(std::make_unique<Output>(*this, port, rules()));
        table.push_back(outputs.back()->out());
    }
    enlist(this, true);
}

void Instance::enter(const char *name, apus_ctx *from, const apus_batch *records) {
    counts.callbacks++;
    trace(
        'B', name, "\"instance\":%llu,\"at\":%u,\"count\":%u,\"watermark\":%lld",
        static_cast<unsigned long long>(number), from->at, records ? records->count : 0,
        static_cast<long long>(from->watermark_us));
    if (!ctx) prepare(from);
    if (is_busy) violation(of_threads, "%s was entered while %s runs", name, callback);
    host = from;
    callback = name;
    batch = records;
    thread = pthread_self();
    if (records) input.take(records, rules());

    shadow = *from;
    shadow.size = static_cast<uint32_t>(context_bytes());
    shadow.outs = table.data();
    shadow.state = &state_functions;
    shadow.timers = &timer_functions;
    shadow.broadcast = &broadcast_functions;
    shadow.operator_state = &operator_state_functions;
    may_limit = !was_limited;
    was_limited = false;
    stop = 0;
    calls_until_stop = 0;
    if (rules().stop_seed) {
        uint64_t draw = next_random(stop_random);
        if (!was_stopped && draw % 4 == 0) {
            stop = 1;
            counts.stops++;
        } else if (draw % 4 == 1) {
            calls_until_stop = 1 + (draw >> 8) % 20;
        }
        was_stopped = stop != 0;
    }
    shadow.stop = &stop;
    *error = *from->error;
    shadow.error = error;
    size_t known = context_bytes() < sizeof shadow ? context_bytes() : sizeof shadow;
    memcpy(static_cast<void *>(ctx), &shadow, known);
    uint32_t buffer = records ? input.batch()->buffer_count : 0;
    for (auto &output : outputs) output->begin(buffer);
    is_busy = true;
    callback_depth++;
}

void Instance::leave(int32_t code) {
    callback_depth--;
    is_busy = false;
    // `at` may be written, and nothing else.
    shadow.at = ctx->at;
    size_t known = context_bytes() < sizeof shadow ? context_bytes() : sizeof shadow;
    if (memcmp(static_cast<const void *>(ctx), &shadow, known) != 0) {
        violation(
            of_context,
            "%s changed the context; only `at` may be written", callback);
    }
    host->at = ctx->at;
    if (error->len > sizeof error->message) {
        violation(
            of_errors,
            "%s wrote an error of %u bytes; at most 480", callback, error->len);
    }
    *host->error = *error;
    write_all_back();
    writable.clear();
    readable.clear();
    leases.retire();
    for (size_t port = 0; port < outputs.size(); port++) {
        outputs[port]->deliver(host->outs[port]);
    }
    input.retire();
    extra.retire();
    batch = nullptr;
    trace('E', callback, "\"result\":%d,\"at\":%u", code, host->at);
}

// MARK: State that expires

std::string Instance::place(char kind, uint32_t slot, uint32_t rec) const {
    std::string name(1, kind);
    name.append(reinterpret_cast<const char *>(&slot), sizeof slot);
    if (batch && kind == 'k' && rec < batch->count && apus_has_key(batch, rec)) {
        name += bytes_of(batch, &batch->key[rec]);
    }
    return name;
}

void Instance::lend(const std::string &place, apus_bytes *bytes, const char *what) {
    if (!rules().expires_state || !bytes->data) return;
    uint8_t *copy = leases.lease(bytes->data, bytes->len, what);
    readable[place].push_back({copy, bytes->len});
    bytes->data = copy;
}

void Instance::expire(const std::string &place) {
    auto found = readable.find(place);
    if (found != readable.end()) {
        for (auto &[bytes, len] : found->second) memset(bytes, poison, len);
        readable.erase(found);
    }
    auto value = writable.find(place);
    if (value != writable.end()) {
        memset(value->second.copy, poison, value->second.len);
        writable.erase(value);
    }
}

void Instance::write_back(const std::string &place) {
    auto found = writable.find(place);
    if (found == writable.end()) return;
    memcpy(found->second.original, found->second.copy, found->second.len);
}

void Instance::write_all_back() {
    for (auto &[place, value] : writable) memcpy(value.original, value.copy, value.len);
}

size_t Instance::fixed_length(uint32_t slot) const {
    const apus_component *component = wrapped.original;
    return slot < component->state_count ? component->states[slot]->fixed_len : 0;
}

}  // namespace apus_check
