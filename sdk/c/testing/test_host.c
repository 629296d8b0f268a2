// The test host as its users see it: see apus/test.h.
#define _POSIX_C_SOURCE 200809L  // strdup
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

// The entry function and create are never called twice at once.
static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;

// MARK: Creating and closing an instance.

static const apus_component *find_component(apus_test *t, const apus_plugin *plugin) {
    if (!t->component_id && plugin->component_count == 1) return plugin->components[0];
    for (uint32_t i = 0; t->component_id && i < plugin->component_count; i++) {
        if (is_text(plugin->components[i]->id, t->component_id)) return plugin->components[i];
    }
    fail(t, 0, "the plugin has no component '%s'; it has %u",
        t->component_id ? t->component_id : "(any)", plugin->component_count);
    return NULL;
}

static int is_within_limits(apus_test *t, const apus_component *c) {
    if (c->state_count <= STATES_MAX && c->output_count <= OUTPUTS_MAX && c->output_count > 0
        && c->broadcast_count <= STATES_MAX && c->operator_state_count <= STATES_MAX
        && c->counter_count <= 256 && c->vt) {
        return 1;
    }
    fail(t, 0, "the component declares %u states, %u outputs, %u counters: more than the host "
        "takes, or no output", c->state_count, c->output_count, c->counter_count);
    return 0;
}

static void prepare_context(apus_test *t) {
    t->ctx.size = sizeof t->ctx;
    t->ctx.out_count = t->output_count;
    t->ctx.outs = t->outs;
    t->ctx.state = &test_state_api;
    t->ctx.timers = &test_timer_api;
    t->ctx.host_private = t;
    t->ctx.instance = t->instance;
    t->ctx.stop = &t->stop;
    t->ctx.counters = t->counters;
    t->ctx.error = &t->error;
    t->ctx.broadcast = &test_broadcast_api;
    t->ctx.broadcast_private = t;
    t->ctx.operator_state = &test_operator_state_api;
    t->ctx.operator_state_private = t;
}

static void report(apus_test *t, int32_t rc) {
    if (rc == APUS_OK) return;
    if (t->error.len) fail(t, rc, "%.*s", (int)t->error.len, t->error.message);
    else fail(t, rc, "error %d", (int)rc);
}

static apus_str string_of(const char *text) {
    return (apus_str){text, strlen(text)};
}

static void create(apus_test *t) {
    apus_args args = {
        .size = sizeof args,
        .subtask = t->options.subtask,
        .parallelism = t->options.parallelism ? t->options.parallelism : 1,
        .max_parallelism = 1024,
        .config = apus_test_bytes(t->config),
        .job = string_of("test"),
        .operator_id = string_of("test"),
        .instance = t->instance};
    memset(&t->error, 0, sizeof t->error);
    t->error.size = sizeof t->error;
    pthread_mutex_lock(&control);
    const apus_plugin *plugin = t->entry(&test_host, &t->error);
    if (!plugin) {
        fail(t, t->error.code, "%.*s", (int)t->error.len, t->error.message);
    } else {
        t->component = find_component(t, plugin);
        if (t->component && is_within_limits(t, t->component)) {
            t->vt = t->component->vt;
            int32_t rc = t->component->create(&args, &t->self, &t->error);
            t->is_created = rc == APUS_OK;
            report(t, rc);
        }
    }
    pthread_mutex_unlock(&control);
}

static void open_instance(apus_test *t) {
    if (t->has_failed) return;
    if (t->output_count == 0) {
        t->output_count = t->component->output_count;
        for (uint32_t i = 0; i < t->output_count; i++) {
            output_open(t, &t->outputs[i], i);
            t->outs[i] = &t->outputs[i].out;
        }
    }
    prepare_context(t);
    t->is_open = 1;
    if (!t->vt->open) return;
    begin_call(t, 0);
    int32_t rc = t->vt->open(t->self, &t->ctx);
    end_call(t);
    report(t, rc);
}

apus_test *apus_test_open(
    apus_entry_function entry, const char *component, const char *config,
    const apus_test_options *options) {
    apus_test *t = calloc(1, sizeof *t);
    if (!t) abort();
    if (options) t->options = *options;
    t->entry = entry;
    t->component_id = component ? strdup(component) : NULL;
    t->config = strdup(config ? config : "{}");
    t->ctx.watermark_us = INT64_MIN;
    register_test(t);
    create(t);
    open_instance(t);
    return t;
}

static void close_instance(apus_test *t) {
    if (t->is_open && t->vt->close) {
        begin_call(t, 0);
        t->vt->close(t->self, &t->ctx);
        end_call(t);
    }
    t->is_open = 0;
    pthread_mutex_lock(&control);
    if (t->is_created) t->component->destroy(t->self);
    pthread_mutex_unlock(&control);
    t->is_created = 0;
    t->self = NULL;
}

void apus_test_close(apus_test *t) {
    close_instance(t);
    unregister_test(t);
    apus_test_forget(t);
    for (uint32_t i = 0; i < t->output_count; i++) output_close(&t->outputs[i]);
    while (t->rows) row_remove(t, t->rows);
    while (t->timer_count) timer_remove(t, 0);
    for (int i = 0; i < STATES_MAX; i++) {
        items_free(&t->broadcasts[i]);
        items_free(&t->operator_states[i]);
    }
    kept_clear(&t->waiting);
    free(t->timers);
    free(t->reasons);
    free(t->lines);
    free(t->component_id);
    free(t->config);
    free(t);
}

void apus_test_restart(apus_test *t, apus_entry_function entry, const char *config) {
    if (t->has_failed) return;
    const apus_component *before = t->component;
    close_instance(t);
    if (entry) t->entry = entry;
    if (config) {
        free(t->config);
        t->config = strdup(config);
    }
    create(t);
    if (t->has_failed) return;
    if (before->output_count != t->component->output_count) {
        fail(t, 0, "outputs must stay as they are in a restart");
        return;
    }
    migrate_states(t, before, t->component);
    migrate_shared(t, before, t->component);
    migrate_timers(t, before, t->component);
    if (t->has_failed) return;
    open_instance(t);
}

const char *apus_test_failure(const apus_test *t) {
    return t->has_failed ? t->failure : NULL;
}

int32_t apus_test_failure_code(const apus_test *t) {
    return t->failure_code;
}

// MARK: What goes in.

void apus_test_add(apus_test *t, apus_test_record r) {
    kept *k = kept_add(&t->waiting);
    k->has_key = r.key.data != NULL;
    k->has_value = r.value.data != NULL;
    k->key = block_of(r.key.data, r.key.len);
    k->value = block_of(r.value.data, r.value.len);
    k->ts = r.ts;
}

void apus_test_run(apus_test *t, uint32_t input) {
    if (!t->has_failed) run_records(t, &t->waiting, input, 0);
    kept_clear(&t->waiting);
}

void apus_test_run_broadcast(apus_test *t, uint32_t input) {
    if (!t->has_failed && !t->vt->process_broadcast) {
        fail(t, 0, "the operator has no process_broadcast");
    }
    if (!t->has_failed) run_records(t, &t->waiting, input, 1);
    kept_clear(&t->waiting);
}

void apus_test_feed(apus_test *t, const char *key, const char *value, int64_t ts) {
    apus_test_add(t, (apus_test_record){apus_test_bytes(key), apus_test_bytes(value), ts});
    apus_test_run(t, 0);
}

void apus_test_watermark(apus_test *t, int64_t watermark_us) {
    if (t->has_failed) return;
    if (watermark_us <= t->ctx.watermark_us) {
        fail(t, 0, "a watermark must be later than the one before");
        return;
    }
    t->ctx.watermark_us = watermark_us;
    fire_timers(t, APUS_EVENT_TIME, watermark_us);
    if (t->has_failed || !t->vt->on_watermark) return;
    begin_call(t, 0);
    int32_t rc = t->vt->on_watermark(t->self, &t->ctx, watermark_us);
    end_call(t);
    report(t, rc);
}

void apus_test_clock(apus_test *t, int64_t now_us) {
    if (t->has_failed) return;
    t->ctx.now_us = now_us;
    fire_timers(t, APUS_PROCESSING_TIME, now_us);
    if (!t->has_failed) fire_timers(t, APUS_EVENT_TIME, t->ctx.watermark_us);
}
