// Components as the host sees them when a layer is between.
#include <alloca.h>

#include <CApusGuard.h>

#include "instance.h"

namespace apus_check {

namespace {

std::atomic<uint64_t> instance_count{0};

// A callback, from its beginning to its end, also when it ends with an exception.
class Scope {
  public:
    Scope(Instance &instance, const char *name, apus_ctx *host, const apus_batch *batch)
        : instance(instance) {
        instance.enter(name, host, batch);
    }
    ~Scope() { instance.leave(code); }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

    int32_t code = APUS_EXCEPTION;

  private:
    Instance &instance;
};

// MARK: Stack

constexpr size_t painted_bytes = 1u << 20;
constexpr size_t spared_bytes = 1024;
constexpr uint64_t paint = 0x5ca1ab1e0ddba11u;

// Both look at memory below the stack pointer, where nothing lives but signal handlers.
__attribute__((noinline)) void paint_stack(uintptr_t top) {
    for (uintptr_t at = top - painted_bytes; at < top - spared_bytes; at += 8) {
        *reinterpret_cast<volatile uint64_t *>(at) = paint;
    }
}

__attribute__((noinline)) size_t painted_depth(uintptr_t top) {
    for (uintptr_t at = top - painted_bytes; at < top - spared_bytes; at += 8) {
        if (*reinterpret_cast<volatile uint64_t *>(at) != paint) return top - at;
    }
    return 0;
}

template <typename Call>
__attribute__((noinline)) int32_t measured(Call call) {
    uintptr_t top = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) & ~uintptr_t(7);
    // The pages must be there: the kernel gives those of a stack in order.
    volatile char *below = static_cast<volatile char *>(alloca(16));
    (void)below;
    paint_stack(top);
    int32_t rc = call();
    uint64_t depth = painted_depth(top);
    uint64_t known = counts.stack_bytes;
    while (depth > known && !counts.stack_bytes.compare_exchange_weak(known, depth)) {}
    return rc;
}

template <typename Call>
int32_t callback(
    void *self, const char *name, apus_ctx *ctx, const apus_batch *batch, Call call) {
    Instance &instance = *static_cast<Instance *>(self);
    Scope scope(instance, name, ctx, batch);
    auto inner = [&] { return call(instance); };
    scope.code = instance.rules().paints_stack ? measured(inner) : inner();
    return scope.code;
}

const apus_operator_vt *functions_of(const Instance &instance) {
    return static_cast<const apus_operator_vt *>(instance.wrapped.original->vt);
}

// MARK: Callbacks

int32_t open(void *self, apus_ctx *ctx) {
    return callback(self, "open", ctx, nullptr, [](Instance &i) {
        return functions_of(i)->open(i.self, i.ctx);
    });
}

void close(void *self, apus_ctx *ctx) {
    callback(self, "close", ctx, nullptr, [](Instance &i) {
        functions_of(i)->close(i.self, i.ctx);
        return APUS_OK;
    });
}

int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
    return callback(self, "process", ctx, batch, [](Instance &i) {
        return functions_of(i)->process(i.self, i.ctx, i.input.batch());
    });
}

int32_t process_broadcast(void *self, apus_ctx *ctx, const apus_batch *batch) {
    return callback(self, "process_broadcast", ctx, batch, [](Instance &i) {
        return functions_of(i)->process_broadcast(i.self, i.ctx, i.input.batch());
    });
}

int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
    return callback(self, "on_timers", ctx, timers->batch, [&](Instance &i) {
        size_t growth = i.rules().struct_change == APUS_CHECK_BIGGER ? 64 : 0;
        size_t n = timers->batch->count;
        i.extra.set_slack(!i.rules().guards_input);
        size_t header = i.extra.add(sizeof(apus_timers) + growth);
        size_t names = i.extra.add(n * sizeof(uint32_t));
        size_t ids = i.extra.add(n * sizeof(uint64_t));
        i.extra.map();
        auto *copy = reinterpret_cast<apus_timers *>(i.extra.at(header));
        memset(static_cast<void *>(copy), 0xAA, i.extra.bytes(header));
        *copy = *timers;
        copy->size = static_cast<uint32_t>(i.extra.bytes(header));
        copy->batch = i.input.batch();
        memcpy(i.extra.at(names), timers->timer, n * sizeof(uint32_t));
        memcpy(i.extra.at(ids), timers->id, n * sizeof(uint64_t));
        copy->timer = reinterpret_cast<const uint32_t *>(i.extra.at(names));
        copy->id = reinterpret_cast<const uint64_t *>(i.extra.at(ids));
        if (i.rules().seals_input) i.extra.seal();
        return functions_of(i)->on_timers(i.self, i.ctx, copy);
    });
}

int32_t on_watermark(void *self, apus_ctx *ctx, int64_t watermark) {
    return callback(self, "on_watermark", ctx, nullptr, [&](Instance &i) {
        return functions_of(i)->on_watermark(i.self, i.ctx, watermark);
    });
}

int32_t on_async(void *self, apus_ctx *ctx, const apus_async_batch *calls) {
    return callback(self, "on_async", ctx, calls->batch, [&](Instance &i) {
        apus_async_batch copy = *calls;
        copy.batch = i.input.batch();
        return functions_of(i)->on_async(i.self, i.ctx, &copy);
    });
}

void cancel(void *self, uint64_t token, uint64_t user) {
    Instance &instance = *static_cast<Instance *>(self);
    trace('i', "cancel", "\"token\":%llu", static_cast<unsigned long long>(token));
    functions_of(instance)->cancel(instance.self, token, user);
}

int32_t on_event(void *self, apus_ctx *ctx, uint64_t event) {
    return callback(self, "on_event", ctx, nullptr, [&](Instance &i) {
        return functions_of(i)->on_event(i.self, i.ctx, event);
    });
}

apus_operator_vt layered(const apus_operator_vt *original) {
    apus_operator_vt vt = {};
    uint32_t size = original->size < sizeof vt ? original->size : sizeof vt;
    memcpy(static_cast<void *>(&vt), original, size);
    vt.size = sizeof vt;
    if (vt.open) vt.open = open;
    if (vt.close) vt.close = close;
    if (vt.process) vt.process = process;
    if (vt.on_timers) vt.on_timers = on_timers;
    if (vt.on_watermark) vt.on_watermark = on_watermark;
    if (vt.process_broadcast) vt.process_broadcast = process_broadcast;
    if (vt.on_async) vt.on_async = on_async;
    if (vt.cancel) vt.cancel = cancel;
    if (vt.on_event) vt.on_event = on_event;
    return vt;
}

// MARK: Create and destroy

// What create gets, in pages that end where it ends.
class Arguments {
  public:
    Arguments(const apus_args &from, const apus_error &error_from) {
        size_t header = pages.add(sizeof(apus_args));
        size_t config = pages.add(from.config.len);
        size_t job = pages.add(from.job.len);
        size_t operator_id = pages.add(from.operator_id.len);
        size_t errors = writable.add(sizeof(apus_error));
        pages.map();
        writable.map();
        copy = reinterpret_cast<apus_args *>(pages.at(header));
        *copy = from;
        copy->config.data = bytes(config, from.config.data);
        copy->job.data = reinterpret_cast<const char *>(bytes(job, from.job.data));
        copy->operator_id.data =
            reinterpret_cast<const char *>(bytes(operator_id, from.operator_id.data));
        pages.seal();
        error = reinterpret_cast<apus_error *>(writable.at(errors));
        *error = error_from;
    }

    const apus_args *args() const { return copy; }
    apus_error *error;

  private:
    const uint8_t *bytes(size_t block, const void *from) {
        if (pages.bytes(block)) memcpy(pages.at(block), from, pages.bytes(block));
        return pages.at(block);
    }

    Pages pages, writable;
    apus_args *copy;
};

apus_guard_site site = {"the plugin", nullptr, nullptr, 0, 0, 0, 0};

// A component's create, with its time as a callback for traces and hooks.
int32_t call_create(
    const apus_component *component, const apus_args &args, void **self, apus_error *error,
    bool is_guarded) {
    Arguments arguments(args, *error);
    trace('B', "create", "\"component\":\"%.*s\"", static_cast<int>(component->id.len),
          component->id.data);
    struct Depth {
        Depth() { callback_depth++; }
        ~Depth() { callback_depth--; }
    };
    int32_t rc = APUS_EXCEPTION;
    {
        Depth depth;
        rc = is_guarded
                 ? apus_guard_create(&site, component, arguments.args(), self, arguments.error)
                 : component->create(arguments.args(), self, arguments.error);
    }
    trace('E', "create", "\"result\":%d", rc);
    *error = *arguments.error;
    return rc;
}


int32_t create_in(
    const Wrapped &wrapped, const apus_args *args, void **self, apus_error *error) {
    auto instance = std::make_unique<Instance>(wrapped, ++instance_count);
    int32_t rc = call_create(wrapped.original, *args, &instance->self, error, false);
    if (rc == APUS_OK) *self = instance.release();
    return rc;
}

void destroy(void *self) {
    Instance *instance = static_cast<Instance *>(self);
    trace('B', "destroy", "\"instance\":%llu",
          static_cast<unsigned long long>(instance->number));
    instance->wrapped.original->destroy(instance->self);
    trace('E', "destroy", "");
    delete instance;
}

// create is not told which component it belongs to, so each wrapped component has a function of
// its own, of which there are so many.
constexpr size_t wrapped_count_max = 256;
Wrapped *wrapped_components[wrapped_count_max];
std::atomic<size_t> wrapped_count{0};

template <size_t index>
int32_t create(const apus_args *args, void **self, apus_error *error) {
    return create_in(*wrapped_components[index], args, self, error);
}

using create_function = int32_t (*)(const apus_args *, void **, apus_error *);

template <size_t... indices>
create_function create_number(size_t index, std::index_sequence<indices...>) {
    static const create_function all[] = {create<indices>...};
    return all[index];
}

}  // namespace

}  // namespace apus_check

using namespace apus_check;

const apus_component *apus_check_wrap(
    const apus_component *component, const apus_check_rules *rules) {
    if (component->kind != APUS_OPERATOR) return component;
    for (size_t known = 0; known < wrapped_count; known++) {
        if (wrapped_components[known]->original != component) continue;
        wrapped_components[known]->rules = *rules;
        return &wrapped_components[known]->component;
    }
    size_t index = wrapped_count++;
    if (index >= wrapped_count_max) return component;
    auto *wrapped = new Wrapped{};
    uint32_t size =
        component->size < sizeof wrapped->component ? component->size : sizeof wrapped->component;
    memcpy(static_cast<void *>(&wrapped->component), component, size);
    wrapped->component.size = sizeof wrapped->component;
    wrapped->original = component;
    wrapped->rules = *rules;
    wrapped->functions = layered(static_cast<const apus_operator_vt *>(component->vt));
    wrapped->component.vt = &wrapped->functions;
    wrapped->component.create =
        create_number(index, std::make_index_sequence<wrapped_count_max>());
    wrapped->component.destroy = destroy;
    wrapped_components[index] = wrapped;
    return &wrapped->component;
}

// ---- Calls without an instance of the host

void apus_check_set_owner(const char *owner) {
    site.owner = strdup(owner);
}

namespace {

apus_error empty_error() {
    apus_error error = {};
    error.size = sizeof error;
    return error;
}

template <typename Result>
void take_error(Result *result, const apus_error &error) {
    result->message_len = error.len < 480 ? error.len : 480;
    memcpy(result->message, error.message, result->message_len);
    result->message[result->message_len] = 0;
}

void check_error(const char *function, int32_t code, const apus_error &error) {
    if (error.size != sizeof error) {
        violation(
            of_errors,
            "%s changed the size of the error", function);
    }
    if (error.len > sizeof error.message) {
        violation(
            of_errors,
            "%s gave an error of %u bytes; at most 480", function, error.len);
    } else if (code == APUS_OK && (error.code != 0 || error.len != 0)) {
        violation(
            of_errors,
            "%s succeeded, but filled in the error: code %d, '%.*s'", function, error.code,
            static_cast<int>(error.len), error.message);
    } else if (code < 0 && error.len > 0 && error.code != code) {
        violation(
            of_errors,
            "%s returned %d, but its error says %d; return what apus_fail returns", function,
            code, error.code);
    }
}

}  // namespace

void apus_check_create(
    const apus_component *component, const void *configuration, uint64_t len,
    apus_check_creation *result) {
    apus_args args = {};
    args.size = sizeof args;
    args.parallelism = 1;
    args.max_parallelism = 128;
    args.config = {static_cast<const uint8_t *>(configuration), len};
    args.job = APUS_STR("check");
    args.operator_id = APUS_STR("check");
    args.instance = 1;
    apus_error error = empty_error();
    *result = apus_check_creation{};
    result->code = call_create(component, args, &result->self, &error, true);
    if (result->code == APUS_EXCEPTION) {
        violation(of_errors, "create threw an exception");
    } else {
        check_error("create", result->code, error);
    }
    take_error(result, error);
}

void apus_check_destroy(const apus_component *component, void *self) {
    trace('B', "destroy", "");
    apus_guard_destroy(&site, component, self);
    trace('E', "destroy", "");
}

namespace {

struct Text {
    std::string bytes;
    bool is_full = false;
};

int32_t write_text(apus_writer *writer, const void *bytes, uint64_t len) {
    Text &text = *static_cast<Text *>(writer->host_private);
    if (text.bytes.size() + len > (64u << 20)) {
        text.is_full = true;
        return APUS_LIMIT;
    }
    if (len) text.bytes.append(static_cast<const char *>(bytes), len);
    return APUS_OK;
}

}  // namespace

void apus_check_migrate(
    apus_migrate migrate, uint32_t from, uint32_t to, apus_bytes key, apus_bytes entry,
    apus_bytes value, apus_check_migration *result) {
    Pages pages, writable;
    size_t header = pages.add(sizeof(apus_migration));
    size_t keys = pages.add(key.len);
    size_t entries = pages.add(entry.len);
    size_t values = pages.add(value.len);
    size_t errors = writable.add(sizeof(apus_error));
    pages.map();
    writable.map();
    auto bytes = [&](size_t block, apus_bytes from) -> apus_bytes {
        if (from.len) memcpy(pages.at(block), from.data, from.len);
        return {pages.at(block), from.len};
    };
    auto *migration = reinterpret_cast<apus_migration *>(pages.at(header));
    *migration = {sizeof(apus_migration), from, to, 0, bytes(keys, key), bytes(entries, entry),
                  bytes(values, value)};
    pages.seal();
    auto *error = reinterpret_cast<apus_error *>(writable.at(errors));
    *error = empty_error();
    Text text;
    apus_writer writer = {sizeof writer, 0, write_text, &text};
    *result = apus_check_migration{};
    trace('B', "migrate", "\"from\":%u,\"bytes\":%llu", from,
          static_cast<unsigned long long>(value.len));
    try {
        result->code = migrate(migration, &writer, error);
        check_error("migrate", result->code, *error);
    } catch (...) {
        result->code = APUS_EXCEPTION;
        violation(of_errors, "migrate threw an exception");
    }
    trace('E', "migrate", "\"result\":%d", result->code);
    take_error(result, *error);
    result->len = text.bytes.size();
    result->bytes = static_cast<uint8_t *>(malloc(text.bytes.size() + 1));
    if (result->len) memcpy(result->bytes, text.bytes.data(), text.bytes.size());
}

void apus_check_free(void *memory) {
    free(memory);
}
