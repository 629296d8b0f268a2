// An operator that does its work until it is told to misbehave: it counts the records of each key
// and emits every count. What it does, where and at which record stands in its configuration:
//
//   { "act": "null-pointer", "where": "process", "at": 30000, "pause": 20000, "marker": "PATH" }
//
// A plugin includes this file and defines misbehave(). With -DGOOD it is the version that behaves.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "apus/apus.h"

#ifdef GOOD
#define VERSION "6.6.7"
#else
#define VERSION "6.6.6"
#endif

APUS_PLUGIN_NOTE(APUS_LANGUAGE_CXX, 0);

namespace {

struct Instance {
    std::string act, where, marker, text;
    uint64_t at = 0, pause = 0, number = 0;
    uint32_t subtask = 0;
    bool is_done = false;
};

// The callback in which it happens.
struct Call {
    Instance *self;
    const char *name;
    apus_ctx *ctx;
    const apus_batch *batch;
    uint32_t record;
    apus_error *error;
};

const apus_host *the_host = nullptr;

// What the plugin is made for. APUS_OK: go on as if nothing had happened.
int32_t misbehave(Call &call);

// Leaves a trace that code of this file has run.
[[maybe_unused]] void leave_marker(const std::string &path, const char *text = "ran\n") {
    if (path.empty()) return;
    int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    ssize_t written = write(file, text, strlen(text));
    (void)written;
    close(file);
}

std::string text_of(const std::string &json, const char *key) {
    size_t at = json.find("\"" + std::string(key) + "\":\"");
    if (at == std::string::npos) return "";
    at += strlen(key) + 4;
    return json.substr(at, json.find('"', at) - at);
}

uint64_t number_of(const std::string &json, const char *key) {
    size_t at = json.find("\"" + std::string(key) + "\":");
    return at == std::string::npos ? 0 : strtoull(json.c_str() + at + strlen(key) + 3, nullptr, 10);
}

int32_t here(Instance *self, const char *name, apus_ctx *ctx, apus_error *error) {
#ifdef GOOD
    (void)self, (void)name, (void)ctx, (void)error;
    return APUS_OK;
#else
    if (!self || self->where != name || self->is_done) return APUS_OK;
    self->is_done = true;
    Call call = {self, name, ctx, nullptr, 0, error};
    return misbehave(call);
#endif
}

int32_t create(const apus_args *args, void **self, apus_error *error) {
    std::string json(reinterpret_cast<const char *>(args->config.data), args->config.len);
    auto *made = new Instance;
    made->act = text_of(json, "act");
    made->where = text_of(json, "where");
    if (made->where.empty()) made->where = "process";
    made->marker = text_of(json, "marker");
    made->text = text_of(json, "text");
    made->at = number_of(json, "at");
    made->pause = number_of(json, "pause");
    made->number = args->instance;
    made->subtask = args->subtask;
    *self = made;
    return here(made, "create", nullptr, error);
}

void destroy(void *self) {
    auto *own = static_cast<Instance *>(self);
    if (own->where == "create") leave_marker(own->text);
    here(own, "destroy", nullptr, nullptr);
    delete own;
}

int32_t open_instance(void *self, apus_ctx *ctx) {
    return here(static_cast<Instance *>(self), "open", ctx, ctx->error);
}

void close_instance(void *self, apus_ctx *ctx) {
    here(static_cast<Instance *>(self), "close", ctx, ctx->error);
}

int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
    [[maybe_unused]] auto *own = static_cast<Instance *>(self);
#ifndef GOOD
    if (own->pause) usleep(static_cast<useconds_t>(own->pause));
#endif
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        if (apus_out_room(ctx->outs[0], 96)) return apus_at(ctx, i, APUS_YIELD);
        const uint8_t *value, *key;
        uint32_t value_len, key_len;
        apus_value(batch, i, &value, &value_len);
        apus_key(batch, i, &key, &key_len);
        std::string json(reinterpret_cast<const char *>(value), value_len);
        uint64_t n = number_of(json, "n");
#ifndef GOOD
        if (own->where == "process" && n == own->at && !own->is_done) {
            own->is_done = true;
            Call call = {own, "process", ctx, batch, i, ctx->error};
            int32_t rc = misbehave(call);
            if (rc != APUS_OK) return rc;
        }
#endif
#ifndef GOOD
        if (own->act == "nothing") continue;
#endif
        int64_t count;
        int32_t rc = ctx->state->counter_add(ctx, 0, i, 1, &count);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        char text[96];
        int length = snprintf(
            text, sizeof text, "{\"k\":\"%.*s\",\"n\":%llu,\"c\":%lld}", static_cast<int>(key_len),
            reinterpret_cast<const char *>(key), static_cast<unsigned long long>(n),
            static_cast<long long>(count));
        apus_emit_keyed(ctx->outs[0], batch, i, text, static_cast<uint32_t>(length));
    }
    return APUS_OK;
}

int32_t on_watermark(void *self, apus_ctx *ctx, int64_t) {
    return here(static_cast<Instance *>(self), "on_watermark", ctx, ctx->error);
}

const apus_port main_port = {sizeof main_port, 0, APUS_STR("main"), APUS_STR("every count")};
const apus_port *const outputs[] = {&main_port};

// A version of it may declare its state otherwise.
#ifndef COUNT_STATE
#define COUNT_STATE make_state("count", APUS_STATE_COUNTER, 0)
#endif
#ifndef STATE_COUNT
#define STATE_COUNT 3
#endif
#ifndef SCHEMA_VERSION
#define SCHEMA_VERSION 1
#endif

apus_state_decl make_state(const char *name, uint32_t kind, uint32_t fixed_len) {
    apus_state_decl state = {};
    state.size = sizeof state;
    state.kind = kind;
    state.name = {name, strlen(name)};
    state.schema_version = SCHEMA_VERSION;
    state.fixed_len = fixed_len;
    return state;
}

const apus_state_decl count_state = COUNT_STATE;
const apus_state_decl fixed_state = make_state("fixed", APUS_STATE_VALUE, 8);
const apus_state_decl any_state = make_state("any", APUS_STATE_VALUE, 0);
const apus_state_decl *const states[] = {&count_state, &fixed_state, &any_state};

apus_operator_vt make_functions() {
    apus_operator_vt made = {};
    made.size = sizeof made;
    made.open = open_instance;
    made.close = close_instance;
    made.process = process;
    made.on_watermark = on_watermark;
    return made;
}
apus_operator_vt functions = make_functions();

apus_component make_component() {
    apus_component made = {};
    made.size = sizeof made;
    made.kind = APUS_OPERATOR;
    made.create = create;
    made.destroy = destroy;
    made.vt = &functions;
    made.id = APUS_STR("count");
    made.flags = APUS_KEYED;
    made.input_count = 1;
    made.output_count = 1;
    made.outputs = outputs;
    made.state_count = STATE_COUNT;
    made.states = states;
    return made;
}
apus_component component = make_component();
const apus_component *components[] = {&component};

apus_plugin make_plugin() {
    apus_plugin made = {};
    made.size = sizeof made;
    made.abi_minor = APUS_ABI_MINOR;
    made.abi_minor_floor = APUS_ABI_MINOR_FLOOR;
    made.id = APUS_STR("test.hostile");
    made.version = APUS_STR(VERSION);
    made.vendor = APUS_STR("Nobody");
    made.component_count = 1;
    made.components = components;
    return made;
}
apus_plugin plugin = make_plugin();

}  // namespace

#ifndef OWN_ENTRY
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)error;
    the_host = host;
    return &plugin;
}
#endif
