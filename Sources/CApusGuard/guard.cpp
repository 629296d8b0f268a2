#include "CApusGuard.h"

#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <exception>
#include <initializer_list>

#include "running_call.h"

#include "crash_report.h"
#include "guarded.h"
#include "modules.h"

int32_t apus_guard_check_return(apus_error *error) {
    if (APUS_LIKELY(!apus_running_call.site)) return APUS_OK;
    return apus_guard_blame_unreturned(nullptr, nullptr, error);
}

int32_t apus_guard_blame_unreturned(
    const apus_guard_site *site, const char *callback, apus_error *error) {
    apus_running &own = apus_running_call;
    ReportLine line;
    line << own.site->owner << ", callback " << own.callback
         << " has not come back to the host: it left by longjmp";
    if (site) {
        line << ", or the host was made to call " << site->owner << ", callback " << callback
             << " from within it";
    }
    line << "; that breaks the contract";
    __atomic_store_n(&own.turn, own.turn + 1, __ATOMIC_RELEASE);
    own.site = nullptr;
    return apus_fail(error, APUS_FATAL, line.text());
}

const uint32_t *apus_guard_stop_word(const apus_guard_site *site) {
    return &site->stop;
}

void apus_guard_request_stop(const apus_guard_site *site) {
    // Releasing: who sees it also sees the request that it follows from.
    __atomic_or_fetch(
        &const_cast<apus_guard_site *>(site)->stop, apus_stop_of_job, __ATOMIC_RELEASE);
}

void *apus_guard_load(const apus_guard_site *site, const char *path, apus_error *error) {
    void *handle = nullptr;
    // What loading changes of the process is seen, told and put back by the loader.
    const_cast<apus_guard_site *>(site)->check_count = apus_process_checks_per_site;
    const_cast<apus_guard_site *>(site)->is_loader = 1;
    guarded(site, "loading", error, [&] {
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (handle) {
            apus_modules_add_plugin(path, site->owner);
            apus_modules_refresh();
            return APUS_OK;
        }
        const char *reason = dlerror();
        return apus_fail(error, APUS_FATAL, reason ? reason : "unknown reason");
    });
    return handle;
}

int32_t apus_guard_unload(const apus_guard_site *site, void *handle, apus_error *error) {
    return guarded(site, "unloading", error, [&] {
        if (dlclose(handle) == 0) {
            apus_modules_refresh();
            return APUS_OK;
        }
        const char *reason = dlerror();
        return apus_fail(error, APUS_FATAL, reason ? reason : "unknown reason");
    });
}

int32_t apus_guard_image_range(void *handle, uint64_t *start, uint64_t *end, uint64_t *bytes) {
    link_map *map = nullptr;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map) return 0;
    struct Search {
        uint64_t base, start = UINT64_MAX, end = 0, bytes = 0;
    } search = {map->l_addr};
    dl_iterate_phdr(
        [](dl_phdr_info *info, size_t, void *data) {
            auto *search = static_cast<Search *>(data);
            if (info->dlpi_addr != search->base || !info->dlpi_name || !*info->dlpi_name) return 0;
            const uint64_t page = 4096;
            for (int i = 0; i < info->dlpi_phnum; i++) {
                if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
                uint64_t first = (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) / page * page;
                uint64_t last = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
                                info->dlpi_phdr[i].p_memsz;
                last = (last + page - 1) / page * page;
                if (first < search->start) search->start = first;
                if (last > search->end) search->end = last;
                search->bytes += last - first;
            }
            return 1;
        },
        &search);
    if (!search.end) return 0;
    *start = search.start, *end = search.end, *bytes = search.bytes;
    return 1;
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
    return guarded(site, "process", ctx->error, [&] {
        return vt->process(self, ctx, batch);
    }, batch->count);
}

int32_t apus_guard_process_broadcast(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    const apus_batch *batch) {
    return guarded(site, "process_broadcast", ctx->error, [&] {
        return vt->process_broadcast(self, ctx, batch);
    }, batch->count);
}

int32_t apus_guard_on_timers(
    const apus_guard_site *site, const apus_operator_vt *vt, void *self, apus_ctx *ctx,
    const apus_timers *timers) {
    return guarded(site, "on_timers", ctx->error, [&] {
        return vt->on_timers(self, ctx, timers);
    }, timers->batch->count);
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
    return guarded(site, "on_async", ctx->error, [&] {
        return vt->on_async(self, ctx, calls);
    }, calls->batch->count);
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
    for (const char *name : {"loading", APUS_ENTRY_NAME, "create", "destroy", "list_splits"}) {
        if (std::strcmp(callback, name) == 0) return 1;
    }
    return 0;
}

int32_t apus_guard_call(
    const apus_guard_site *site, const char *callback, int32_t (*call)(void *context),
    void *context, apus_error *error) {
    return guarded(site, callback, error, [&] { return call(context); });
}

int32_t apus_guard_list_splits(
    const apus_guard_site *site, const apus_source_vt *vt, void *self, apus_writer *splits,
    apus_error *error) {
    return guarded(site, "list_splits", error, [&] {
        return vt->list_splits(self, splits, error);
    });
}

int32_t apus_guard_source_open(
    const apus_guard_site *site, const apus_source_vt *vt, void *self, apus_ctx *ctx,
    const apus_split *splits, uint32_t count) {
    return guarded(site, "open", ctx->error, [&] {
        return vt->open(self, ctx, splits, count);
    });
}

int32_t apus_guard_source_close(
    const apus_guard_site *site, const apus_source_vt *vt, void *self, apus_ctx *ctx) {
    return guarded(site, "close", ctx->error, [&] {
        vt->close(self, ctx);
        return APUS_OK;
    });
}

int32_t apus_guard_poll(
    const apus_guard_site *site, const apus_source_vt *vt, void *self, apus_ctx *ctx,
    uint32_t max_records) {
    return guarded(site, "poll", ctx->error, [&] {
        return vt->poll(self, ctx, max_records);
    });
}

int32_t apus_guard_write_position(
    const apus_guard_site *site, const apus_source_vt *vt, void *self, apus_ctx *ctx,
    uint32_t index, apus_writer *position) {
    return guarded(site, "write_position", ctx->error, [&] {
        return vt->write_position(self, ctx, index, position);
    });
}

int32_t apus_guard_on_checkpointed(
    const apus_guard_site *site, const apus_source_vt *vt, void *self, apus_ctx *ctx,
    uint32_t index, const apus_bytes *position) {
    return guarded(site, "on_checkpointed", ctx->error, [&] {
        return vt->on_checkpointed(self, ctx, index, position);
    });
}

int32_t apus_guard_sink_open(
    const apus_guard_site *site, const apus_sink_vt *vt, void *self, apus_ctx *ctx,
    uint64_t *epoch) {
    return guarded(site, "open", ctx->error, [&] {
        return vt->open(self, ctx, epoch);
    });
}

int32_t apus_guard_sink_close(
    const apus_guard_site *site, const apus_sink_vt *vt, void *self, apus_ctx *ctx) {
    return guarded(site, "close", ctx->error, [&] {
        vt->close(self, ctx);
        return APUS_OK;
    });
}

int32_t apus_guard_sink_write(
    const apus_guard_site *site, const apus_sink_vt *vt, void *self, apus_ctx *ctx,
    const apus_batch *batch) {
    return guarded(site, "write", ctx->error, [&] {
        return vt->write(self, ctx, batch);
    });
}

int32_t apus_guard_flush(
    const apus_guard_site *site, const apus_sink_vt *vt, void *self, apus_ctx *ctx) {
    return guarded(site, "flush", ctx->error, [&] {
        return vt->flush(self, ctx);
    });
}

int32_t apus_guard_commit(
    const apus_guard_site *site, const apus_sink_vt *vt, void *self, apus_ctx *ctx,
    uint64_t epoch) {
    return guarded(site, "commit", ctx->error, [&] {
        return vt->commit(self, ctx, epoch);
    });
}

int32_t apus_guard_decode(
    const apus_guard_site *site, const apus_codec_vt *vt, void *self, apus_ctx *ctx,
    const apus_batch *frames) {
    return guarded(site, "decode", ctx->error, [&] {
        return vt->decode(self, ctx, frames);
    });
}

int32_t apus_guard_encode(
    const apus_guard_site *site, const apus_codec_vt *vt, void *self, apus_ctx *ctx,
    const apus_batch *batch, uint32_t index, apus_writer *writer) {
    return guarded(site, "encode", ctx->error, [&] {
        return vt->encode(self, ctx, batch, index, writer);
    });
}

int32_t apus_guard_split(
    const apus_guard_site *site, const apus_codec_vt *vt, void *self, apus_ctx *ctx,
    apus_framing *framing) {
    return guarded(site, "split", ctx->error, [&] {
        return vt->split(self, ctx, framing);
    });
}

const void *apus_guard_component_extension(
    const apus_guard_site *site, const apus_component *component, const char *name) {
    const void *found = nullptr;
    apus_error ignored = {};
    ignored.size = sizeof ignored;
    guarded(site, "get_extension", &ignored, [&] {
        found = component->get_extension(name);
        return APUS_OK;
    });
    return found;
}

int32_t apus_guard_snapshot_save(
    const apus_guard_site *site, const apus_snapshot *vt, void *self, apus_ctx *ctx,
    apus_writer *writer) {
    return guarded(site, "save", ctx->error, [&] {
        return vt->save(self, ctx, writer);
    });
}

int32_t apus_guard_snapshot_load(
    const apus_guard_site *site, const apus_snapshot *vt, void *self, apus_ctx *ctx,
    apus_reader *reader, uint32_t version) {
    return guarded(site, "load", ctx->error, [&] {
        return vt->load(self, ctx, reader, version);
    });
}
