#include "CApusGuard.h"

#include <dlfcn.h>

#include <cstring>
#include <exception>
#include <initializer_list>

#include "running_call.h"

namespace {

// Notes who runs, for as long as it is in scope.
class Running {
  public:
    Running(const apus_guard_site *site, const char *callback) {
        apus_running_call.callback = callback;
        apus_running_call.site = site;
    }
    ~Running() { apus_running_call.site = nullptr; }
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;
};

int32_t thrown(apus_error *error, const char *what) {
    return apus_fail(error, APUS_EXCEPTION, what);
}

// Runs a call; what it throws becomes an error. pthread_exit and cancellation are not exceptions
// that may be swallowed: they end the process through std::terminate, as an uncaught one would.
template <typename Call>
int32_t guarded(
    const apus_guard_site *site, const char *callback, apus_error *error, Call call) noexcept {
    Running running(site, callback);
    try {
        return call();
    } catch (const std::exception &e) {
        return thrown(error, e.what());
    } catch (const char *text) {
        return thrown(error, text ? text : "a null pointer was thrown");
    } catch (...) {
        return thrown(error, "something that is not a std::exception was thrown");
    }
}

}  // namespace

thread_local apus_running apus_running_call = {nullptr, nullptr};

void *apus_guard_load(const apus_guard_site *site, const char *path, apus_error *error) {
    void *handle = nullptr;
    guarded(site, "loading", error, [&] {
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (handle) return APUS_OK;
        const char *reason = dlerror();
        return apus_fail(error, APUS_FATAL, reason ? reason : "unknown reason");
    });
    return handle;
}

const apus_plugin *apus_guard_entry(
    const apus_guard_site *site, void *entry, const apus_host *host, apus_error *error) {
    const apus_plugin *plugin = nullptr;
    using entry_function = const apus_plugin *(*)(const apus_host *, apus_error *);
    guarded(site, APUS_ENTRY_NAME, error, [&] {
        plugin = reinterpret_cast<entry_function>(entry)(host, error);
        return APUS_OK;
    });
    return plugin;
}

int32_t apus_guard_create(
    const apus_guard_site *site, const apus_component *component, const apus_args *args,
    void **self, apus_error *error) {
    return guarded(site, "create", error, [&] { return component->create(args, self, error); });
}

void apus_guard_destroy(const apus_guard_site *site, const apus_component *component, void *self) {
    apus_error ignored = {};
    ignored.size = sizeof ignored;
    guarded(site, "destroy", &ignored, [&] {
        component->destroy(self);
        return APUS_OK;
    });
}

int32_t apus_guard_open(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx) {
    return guarded(site, "open", ctx->error, [&] { return vt->open(self, ctx); });
}

int32_t apus_guard_close(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx) {
    return guarded(site, "close", ctx->error, [&] {
        vt->close(self, ctx);
        return APUS_OK;
    });
}

int32_t apus_guard_process(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    const apus_batch *batch) {
    return guarded(site, "process", ctx->error, [&] { return vt->process(self, ctx, batch); });
}

int32_t apus_guard_process_broadcast(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    const apus_batch *batch) {
    return guarded(site, "process_broadcast", ctx->error, [&] {
        return vt->process_broadcast(self, ctx, batch);
    });
}

int32_t apus_guard_on_timers(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    const apus_timers *timers) {
    return guarded(site, "on_timers", ctx->error, [&] { return vt->on_timers(self, ctx, timers); });
}

int32_t apus_guard_on_watermark(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    int64_t watermark_us) {
    return guarded(site, "on_watermark", ctx->error, [&] {
        return vt->on_watermark(self, ctx, watermark_us);
    });
}

int32_t apus_guard_on_async(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    const apus_async_batch *calls) {
    return guarded(site, "on_async", ctx->error, [&] { return vt->on_async(self, ctx, calls); });
}

void apus_guard_cancel(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    uint64_t token, uint64_t user) {
    guarded(site, "cancel", ctx->error, [&] {
        vt->cancel(self, token, user);
        return APUS_OK;
    });
}

int32_t apus_guard_on_event(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    uint64_t event) {
    return guarded(site, "on_event", ctx->error, [&] { return vt->on_event(self, ctx, event); });
}

const apus_guard_site *apus_guard_running_site(void) {
    return apus_running_call.site;
}

int32_t apus_guard_running_control(void) {
    if (!apus_running_call.site) return 0;
    const char *callback = apus_running_call.callback;
    for (const char *name : {"loading", APUS_ENTRY_NAME, "create", "destroy"}) {
        if (std::strcmp(callback, name) == 0) return 1;
    }
    return 0;
}
