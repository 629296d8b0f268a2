#define _GNU_SOURCE  // for syscall
#include "checks.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONTEXT_MAX 256
#define DEPTH_MAX 8

// A callback that runs on this thread.
typedef struct frame {
    const char *callback;
    uint32_t bit;
    apus_attached *attached;  // NULL: the callback has no context, or one without checks
    const char *inside;       // the function of the host that it is in
} frame;

static _Thread_local frame frames[DEPTH_MAX];
static _Thread_local uint32_t depth;

static apus_attached contexts[CONTEXT_MAX];
static pthread_mutex_t attaching = PTHREAD_MUTEX_INITIALIZER;
static apus_violation_report report_function;
static void *report_user;

apus_real apus_checks_real;

static uint64_t thread_number(void) {
    return (uint64_t)syscall(SYS_gettid);
}

static frame *current(void) {
    return depth > 0 && depth <= DEPTH_MAX ? &frames[depth - 1] : NULL;
}

static void report(const apus_checked *function, const char *found, uint64_t instance) {
    if (!report_function) return;
    const frame *running = current();
    apus_violation violation = {
        .function = function->name,
        .tag = function->tag,
        .expected = function->expected,
        .found = found,
        .callback = running ? running->callback : NULL,
        .instance = instance,
        .thread = thread_number()};
    report_function(report_user, &violation);
}

static void report_host(const char *callback, const char *expected, const char *found) {
    if (!report_function) return;
    apus_violation violation = {
        .function = callback,
        .tag = "",
        .expected = expected,
        .found = found,
        .callback = callback,
        .thread = thread_number(),
        .is_of_host = 1};
    report_function(report_user, &violation);
}

void apus_thread_checks_report_to(apus_violation_report to, void *user) {
    report_function = to;
    report_user = user;
}

// MARK: Contexts

static apus_attached *find(const apus_ctx *ctx) {
    for (int i = 0; ctx && i < CONTEXT_MAX; i++) {
        if (atomic_load_explicit(&contexts[i].ctx, memory_order_acquire) == ctx) {
            return &contexts[i];
        }
    }
    return NULL;
}

int32_t apus_thread_checks_attach(apus_ctx *ctx) {
    pthread_mutex_lock(&attaching);
    apus_attached *place = find(ctx);
    if (place) {
        pthread_mutex_unlock(&attaching);
        return APUS_OK;
    }
    for (int i = 0; i < CONTEXT_MAX && !place; i++) {
        if (!atomic_load_explicit(&contexts[i].ctx, memory_order_relaxed)) place = &contexts[i];
    }
    if (place) {
        place->instance = ctx->instance;
        place->state = ctx->state;
        place->timers = ctx->timers;
        ctx->state = apus_checking_state(ctx->state);
        ctx->timers = apus_checking_timer(ctx->timers);
        place->broadcast = APUS_HAS(ctx, broadcast) ? ctx->broadcast : NULL;
        place->operator_state = APUS_HAS(ctx, operator_state) ? ctx->operator_state : NULL;
        if (place->broadcast) ctx->broadcast = apus_checking_broadcast(ctx->broadcast);
        if (place->operator_state) {
            ctx->operator_state = apus_checking_operator_state(ctx->operator_state);
        }
        place->more = NULL;
        for (uint32_t i = 0; i < ctx->out_count; i++) {
            // All outputs of a host have the same function.
            place->more = ctx->outs[i]->more;
            ctx->outs[i]->more = apus_checking_more;
        }
        atomic_store_explicit(&place->thread, 0, memory_order_relaxed);
        // Releasing: who finds the context sees what is kept of it.
        atomic_store_explicit(&place->ctx, ctx, memory_order_release);
    }
    pthread_mutex_unlock(&attaching);
    return place ? APUS_OK : APUS_LIMIT;
}

void apus_thread_checks_detach(apus_ctx *ctx) {
    pthread_mutex_lock(&attaching);
    apus_attached *place = find(ctx);
    if (place) {
        ctx->state = place->state;
        ctx->timers = place->timers;
        if (place->broadcast) ctx->broadcast = place->broadcast;
        if (place->operator_state) ctx->operator_state = place->operator_state;
        for (uint32_t i = 0; i < ctx->out_count; i++) ctx->outs[i]->more = place->more;
        atomic_store_explicit(&place->ctx, NULL, memory_order_release);
    }
    pthread_mutex_unlock(&attaching);
}

// MARK: Callbacks

static uint32_t bit_of(const char *callback) {
    static const struct {
        const char *name;
        uint32_t bit;
    } bits[] = {
        {APUS_ENTRY_NAME, IN_ENTRY}, {"create", IN_CREATE}, {"destroy", IN_DESTROY},
        {"list_splits", IN_LIST_SPLITS}, {"migrate", IN_MIGRATE}, {"open", IN_OPEN},
        {"close", IN_CLOSE}, {"process", IN_PROCESS}, {"process_broadcast", IN_BROADCAST},
        {"on_timers", IN_TIMERS}, {"on_watermark", IN_WATERMARK}, {"on_async", IN_ASYNC},
        {"cancel", IN_CANCEL}, {"on_event", IN_EVENT}, {"poll", IN_SOURCE},
        {"write_position", IN_SOURCE}, {"on_checkpointed", IN_SOURCE}, {"write", IN_SINK},
        {"flush", IN_SINK}, {"commit", IN_SINK}, {"decode", IN_CODEC}, {"encode", IN_CODEC},
        {"save", IN_SNAPSHOT}, {"load", IN_SNAPSHOT},
    };
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        if (strcmp(bits[i].name, callback) == 0) return bits[i].bit;
    }
    return IN_CONTROL;  // loading, and what else is not a callback of an instance
}

void apus_thread_checks_enter(const char *callback, apus_ctx *ctx) {
    apus_attached *attached = find(ctx);
    const frame *outer = current();
    if (outer && outer->inside) {
        report_host(
            callback, "no call into a plugin from inside a function that it called",
            outer->inside);
    }
    if (attached) {
        uint64_t none = 0;
        if (!atomic_compare_exchange_strong(&attached->thread, &none, thread_number())) {
            report_host(
                callback, "one call at a time for an instance",
                "another callback with the same context runs");
            attached = NULL;
        }
    }
    if (depth < DEPTH_MAX) {
        frames[depth] = (frame){callback, bit_of(callback), attached, NULL};
    }
    depth++;
}

void apus_thread_checks_leave(void) {
    if (depth == 0) return;
    if (depth <= DEPTH_MAX && frames[depth - 1].attached) {
        atomic_store(&frames[depth - 1].attached->thread, 0);
    }
    depth--;
}

// MARK: Calls

static const apus_attached *checked(
    const apus_checked *function, apus_attached *given, const char *unknown) {
    frame *running = current();
    uint64_t instance = given ? given->instance : 0;
    if (!running) {
        report(function, "on a thread that runs no callback", instance);
    } else if (running->bit & IN_CONTROL) {
        report(function, "in a callback of the control thread", instance);
    } else if (running->bit & IN_MIGRATE) {
        report(function, "in a migration, which is [pure]", instance);
    } else if (!given) {
        report(function, unknown, 0);
    } else if (running->attached != given) {
        report(function, "with the context of another instance", instance);
    } else if (function->allowed && !(running->bit & function->allowed)) {
        report(function, "in a callback that has no record or call for it", instance);
    }
    if (given && running) running->inside = function->name;
    return given;
}

const apus_attached *apus_checks_begin(const apus_checked *function, const apus_ctx *ctx) {
    return checked(
        function, find(ctx), "with a context that is not the host's, or of a closed instance");
}

const apus_attached *apus_checks_begin_output(const apus_checked *function, const apus_out *out) {
    apus_attached *given = NULL;
    for (int i = 0; i < CONTEXT_MAX && !given; i++) {
        const apus_ctx *ctx = atomic_load_explicit(&contexts[i].ctx, memory_order_acquire);
        for (uint32_t port = 0; ctx && port < ctx->out_count; port++) {
            if (ctx->outs[port] == out) given = &contexts[i];
        }
    }
    return checked(function, given, "with an output that is not the host's");
}

void apus_checks_begin_free(const apus_checked *function) {
    frame *running = current();
    if (function->allowed && (!running || !(running->bit & function->allowed))) {
        report(function, running ? "in another callback" : "on a thread that runs no callback", 0);
    }
    if (running) running->inside = function->name;
}

void apus_checks_end(void) {
    frame *running = current();
    if (running) running->inside = NULL;
}

// MARK: Tables of the process

const apus_host *apus_thread_checks_host(const apus_host *real) {
    pthread_mutex_lock(&attaching);
    const apus_host *made = apus_checking_host(real);
    pthread_mutex_unlock(&attaching);
    return made;
}

const void *apus_checking_extension(const char *name, const void *real) {
    if (!real || !name) return real;
    if (strcmp(name, APUS_ASYNC) == 0) return apus_checking_async(real);
    if (strcmp(name, APUS_SECRETS) == 0) return apus_checking_secrets(real);
    if (strcmp(name, APUS_RETAIN) == 0) return apus_checking_retain(real);
    if (strcmp(name, APUS_THREAD_CHECK) == 0) return apus_checking_thread_check(real);
    return real;
}
